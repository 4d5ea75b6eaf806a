"""The library from outside."""

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from headwater_parsers import DictCatalog, Subtype, TableSchema, Type, cli, parse, score_entry
from headwater_parsers.catalog import struct_fields

SQL = "INSERT INTO mart.t (a, n) SELECT x, md5(y) FROM raw.s WHERE z > 1"


def test_the_plain_form_has_tables_columns_edges_and_diagnostics() -> None:
    made = score_entry(SQL, "", None, None)
    assert made["in_tables"] == ["raw.s"]
    assert made["out_tables"] == ["mart.t"]
    assert {"out": ["mart.t", "a"], "in": [["raw.s", "x"]]} in made["column_lineage"]
    masked = [e for e in made["edges"] if e["masking"]]
    assert [(e["in"], e["type"], e["subtype"]) for e in masked] == [
        (["raw.s", "y"], "DIRECT", "TRANSFORMATION")
    ]
    assert [e["subtype"] for e in made["dataset_edges"]] == ["FILTER"]
    assert made["diagnostics"] == []
    json.dumps(made)


def test_names_of_masking_functions_can_be_added() -> None:
    (edge,) = parse("SELECT vault(a) AS b FROM t", masking=["VAULT"]).edges
    assert edge.masking
    assert edge.description == "through vault"
    assert not parse("SELECT vault(a) AS b FROM t").edges[0].masking


def test_an_ambiguous_column_has_candidates_and_less_confidence() -> None:
    (edge,) = parse("SELECT a FROM t, u").edges
    assert edge.input.table is None
    assert [t.name for t in edge.input.candidates] == ["t", "u"]
    assert edge.confidence < 1


def test_a_catalog_finds_a_table_by_the_end_of_its_name() -> None:
    catalog = DictCatalog({"db.s.t": {"a": None}, "db.r.t": {"b": None}, "db.s.u": {"c": None}})
    found = catalog.columns(("S", "T"))
    assert found is not None
    assert found.columns == ("a",)
    assert catalog.columns(("t",)) is None  # two tables end so
    assert catalog.columns(("x", "db", "s", "u")) is not None


def test_types_of_structs_are_read() -> None:
    assert struct_fields("array<struct<a int, b: array<struct<c int>>>>") == [
        ("a", "int"),
        ("b", "array<struct<c int>>"),
    ]
    assert struct_fields("ROW(a bigint, b varchar)") == [("a", "bigint"), ("b", "varchar")]
    assert struct_fields("int") == []


class Versioned:
    """A catalog that knows one table, in its seventh version."""

    def columns(self, name: Sequence[str]) -> TableSchema | None:
        known = TableSchema(("raw", "s"), ("x", "y", "z"), version="7")
        return known if tuple(name) == ("raw", "s") else None


def test_the_version_of_the_schema_that_was_used_is_recorded() -> None:
    (statement,) = parse(SQL, "", Versioned()).statements
    assert statement.schema_versions == (("raw.s", "7"),)
    assert statement.edges[0].type is Type.DIRECT
    assert statement.edges[0].subtype is Subtype.IDENTITY


def test_lineage_can_travel_between_processes() -> None:
    script = parse(SQL)
    assert pickle.loads(pickle.dumps(script)) == script


def test_the_same_text_has_the_same_lineage() -> None:
    assert parse(SQL) == parse(SQL)


def test_platforms_are_dialects() -> None:
    for platform in ("postgresql", "mssql", "impala", "snowflake://account", "SparkSQL", "nobody"):
        assert [t.name.lower() for t in parse("SELECT a FROM t", platform).inputs] == ["t"]


def test_a_statement_of_another_dialect_is_read_all_the_same() -> None:
    script = parse("SELECT [a b] FROM [my table]", "")
    assert [t.name for t in script.inputs] == ["my table"]
    assert [d.code for d in script.diagnostics] == ["other-dialect"]


def test_importing_the_command_does_not_import_sqlglot() -> None:
    code = "import sys, headwater_parsers.cli; sys.exit('sqlglot' in sys.modules)"
    path = str(Path(cli.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=False)
    assert done.returncode == 0


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    sql, schema = tmp_path / "q.sql", tmp_path / "schema.json"
    sql.write_text("INSERT INTO t SELECT * FROM s WHERE c > 0")
    schema.write_text('{"s": {"a": "int", "b": null}, "t": ["x", "y"]}')
    return str(sql), str(schema)


def test_the_command_draws_a_tree_with_reasons(files: tuple[str, str]) -> None:
    drawn = cli.run([files[0]], None, files[1])
    assert "insert at line 1, reads s" in drawn
    assert "├─ x\n    │  └─ s.a  [identity]" in drawn
    assert "s.c  [filter]" in drawn


def test_the_command_prints_json(files: tuple[str, str]) -> None:
    made = json.loads(cli.run([files[0]], None, files[1], "json"))
    assert made["file"] == files[0]
    assert made["out_tables"] == ["t"]
    several = json.loads(cli.run([files[0], files[0]], None, files[1], "openlineage"))
    assert len(several) == 2
    assert several[0]["outputs"][0]["facets"]["columnLineage"]["fields"]["y"]


def test_the_command_draws_mermaid(files: tuple[str, str]) -> None:
    drawn = cli.run([files[0]], None, files[1], "mermaid")
    assert drawn.startswith("flowchart LR")
    assert "n_s_a -->|identity| n_t_x" in drawn


def test_the_command_says_what_is_wrong(files: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Use one of: table"):
        cli.run([files[0]], None, None, "pdf")
    bad = tmp_path / "bad.json"
    bad.write_text("[]")
    with pytest.raises(ValueError, match="holds no object"):
        cli.run([files[0]], None, str(bad))

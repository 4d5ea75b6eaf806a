"""`parseSql`: a script is read with the graph's schemas, and nothing is kept of it."""

from typing import Any

from tests.graphql.asking import Api, dataset, run_event

ASK = """query($sql: String!, $dialect: String, $ns: String, $db: String, $schema: String) {
  parseSql(sql: $sql, dialect: $dialect, defaultNamespace: $ns, defaultDatabase: $db, defaultSchema: $schema) {
    dialect
    statements { index kind inputs outputs columns { output input transformation subtype masking candidates } }
    diagnostics { severity code text statementIndex line column }
    graph { root granularity totalNodes truncated groups { label nodeCount }
      nodes { id urn kind name parentId depth entity { urn } }
      edges { source target kind evidence transformation subtype confidence origin } }
  }
}"""
DB = "postgres://db"


def preview(api: Api, sql: str, **given: Any) -> Any:
    return api.ask(ASK, sql=sql, **given)["parseSql"]


def pairs(found: Any) -> set[tuple[str, str]]:
    return {(c["input"], c["output"]) for s in found["statements"] for c in s["columns"]}


def know(api: Api, name: str, *columns: str) -> None:
    there = dataset(name, *columns, namespace=DB)
    api.tell(
        run_event(
            "COMPLETE", "2026-01-01T00:00:00Z", "6b1d8a52-0001-4000-8000-000000000001", name, outputs=[there]
        )
    )


def test_a_star_becomes_the_columns_that_the_graph_knows(api: Api) -> None:
    know(api, "shop.core.orders", "id", "amount")
    script = "create table marts.copy as select * from orders"
    found = preview(api, script, ns=DB, db="shop", schema="core")
    assert found["dialect"] == "postgres"
    (statement,) = found["statements"]
    assert (statement["inputs"], statement["outputs"]) == (["shop.core.orders"], ["shop.marts.copy"])
    assert pairs(found) == {
        ("shop.core.orders.id", "shop.marts.copy.id"),
        ("shop.core.orders.amount", "shop.marts.copy.amount"),
    }


def test_a_known_table_is_found_by_the_end_of_its_name(api: Api) -> None:
    know(api, "shop.core.orders", "id", "amount")
    found = preview(api, "select * from core.orders", dialect="postgres")
    assert ("core.orders.amount", "amount") in pairs(found)
    known = [node for node in found["graph"]["nodes"] if node["entity"]]
    assert f"hw:dataset:{DB}/shop.core.orders#amount" in {node["urn"] for node in known}


def test_a_column_of_either_table_has_candidates_until_a_schema_tells(api: Api) -> None:
    script = "insert into t select amount from a join b on a.id = b.id"
    (statement,) = preview(api, script, ns=DB)["statements"]
    (open_one,) = [c for c in statement["columns"] if c["output"] == "t.amount"]
    assert (open_one["input"], open_one["candidates"]) == ("amount", ["a", "b"])
    know(api, "a", "id")
    know(api, "b", "id", "amount")
    assert ("b.amount", "t.amount") in pairs(preview(api, script, ns=DB))


def test_the_graph_is_of_columns_with_their_tables_beside_them(api: Api) -> None:
    script = "insert into t select a.x + 1 as y from a where a.z > 0"
    graph = preview(api, script, ns=DB)["graph"]
    by_id = {node["id"]: node for node in graph["nodes"]}
    drawn = {
        (by_id[e["source"]]["name"], by_id[e["target"]]["name"], e["transformation"], e["subtype"])
        for e in graph["edges"]
    }
    assert drawn == {("x", "y", "DIRECT", "TRANSFORMATION"), ("z", "t", "INDIRECT", "FILTER")}
    assert by_id[graph["root"]]["name"] == "t"
    assert all(by_id[n["parentId"]]["kind"] == "DATASET" for n in graph["nodes"] if n["kind"] == "COLUMN")
    assert {(e["evidence"], e["origin"]) for e in graph["edges"]} == {("SQL", "SQL_PARSED")}
    assert (graph["granularity"], graph["groups"]) == ("COLUMN", [{"label": DB, "nodeCount": len(by_id)}])


def test_nothing_is_saved(api: Api) -> None:
    before = api.parts.fingerprint(), api.parts.log.head()
    preview(api, "insert into t select x from a", ns=DB)
    assert (api.parts.fingerprint(), api.parts.log.head()) == before


def test_what_cannot_be_read_is_a_diagnostic_and_the_rest_is_read(api: Api) -> None:
    found = preview(api, "insert into t select x from a;\nselect from where;\ninsert into u select y from b")
    assert {(s["outputs"] or [""])[0] for s in found["statements"]} >= {"t", "u"}
    assert found["diagnostics"][0]["line"] == 2


def test_an_empty_script_is_refused_with_what_to_do(api: Api) -> None:
    assert "at least one statement" in api.error(ASK, sql="  ")["message"]


def test_a_dialect_that_nobody_speaks_is_told(api: Api) -> None:
    found = preview(api, "insert into t select x from a", dialect="klingon")
    assert (found["dialect"], found["diagnostics"][0]["code"]) == ("", "unknown-dialect")
    assert ("a.x", "t.x") in pairs(found)

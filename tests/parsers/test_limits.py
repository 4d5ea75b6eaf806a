"""What large, deep and slow SQL may cost."""

import time
from collections.abc import Iterator

import pytest

from headwater_parsers import DictCatalog, parse
from headwater_parsers.cache import Cache, fingerprint
from headwater_parsers.limits import Workers


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(1, seconds=5) as made:
        yield made


def test_a_statement_that_is_too_deep_still_names_its_tables() -> None:
    script = parse("INSERT INTO t SELECT " + "(" * 3000 + "a" + ")" * 3000 + " FROM s")
    assert [t.name for t in script.inputs] == ["s"]
    assert [t.name for t in script.outputs] == ["t"]
    assert [d.code for d in script.diagnostics] == ["too-large"]


def test_a_script_that_is_too_long_still_names_its_tables() -> None:
    script = parse("SELECT a FROM s WHERE b = '" + "x" * 1_100_000 + "'")
    assert [t.name for t in script.inputs] == ["s"]
    assert script.diagnostics[0].code == "too-large"


def test_constants_do_not_make_a_statement_large() -> None:
    rows = ", ".join(f"({i}, 'x')" for i in range(20_000))
    script = parse(f"INSERT INTO t (a, b) VALUES {rows}")
    assert not script.diagnostics
    members = ", ".join(map(str, range(60_000)))
    script = parse(f"INSERT INTO t (a) SELECT b FROM s WHERE c IN ({members}) AND d = 1")
    assert {e.input.name for e in script.dataset_edges} == {"c", "d"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + " || ".join(f"a{i}" for i in range(2000)) + " AS x FROM t",
        "SELECT a FROM t WHERE " + " AND ".join(f"a{i} = {i}" for i in range(2000)),
        " UNION ALL ".join(f"SELECT a FROM t{i}" for i in range(1000)),
        "SELECT " + ", ".join(f"a{i}" for i in range(3000)) + " FROM t",
        "SELECT * FROM (" * 100 + "SELECT a FROM t" + ") x" * 100,
    ],
    ids=["operators", "conditions", "unions", "columns", "subqueries"],
)
def test_long_statements_are_read_in_full(sql: str) -> None:
    started = time.process_time()
    script = parse(sql)
    assert script.inputs
    assert not [d for d in script.diagnostics if d.severity == "error"]
    assert time.process_time() - started < 5


def test_a_worker_answers_as_the_library_does(workers: Workers) -> None:
    sql = "INSERT INTO t SELECT * FROM s"
    schema: dict[str, dict[str, str | None]] = {"s": {"a": None}}
    assert workers.parse(sql, "", schema) == parse(sql, "", schema)


def test_a_worker_that_takes_too_long_is_replaced() -> None:
    with Workers(1, seconds=0.0) as hasty:
        script = hasty.parse("INSERT INTO t SELECT a FROM s")
        assert [d.code for d in script.diagnostics] == ["timeout"]
        assert [t.name for t in script.inputs] == ["s"]
        assert [t.name for t in script.outputs] == ["t"]
        assert hasty.parse("SELECT 1").diagnostics[0].code == "timeout"


def test_statements_that_differ_in_constants_share_a_fingerprint() -> None:
    same = {fingerprint(s) for s in ("SELECT a FROM t WHERE b = 1", "SELECT a\nFROM t WHERE b = 'x'")}
    assert len(same) == 1
    assert fingerprint("SELECT a FROM t1") != fingerprint("SELECT a FROM t2")
    assert fingerprint("SELECT a, b FROM t ORDER BY 1") != fingerprint("SELECT a, b FROM t ORDER BY 2")
    assert fingerprint("COPY t FROM 's3://a/b'") != fingerprint("COPY t FROM 's3://a/c'")
    assert fingerprint("SELECT 1", "hive") != fingerprint("SELECT 1", "spark")


def test_the_cache_forgets_what_the_catalog_has_changed() -> None:
    cache = Cache()
    old, new = DictCatalog({"t": {"a": None}}), DictCatalog({"t": {"a": None, "b": None}})
    assert len(cache.parse("SELECT * FROM t WHERE a = 1", None, old).edges) == 1
    assert len(cache.parse("SELECT * FROM t WHERE a = 2", None, old).edges) == 1
    assert (cache.hits, cache.misses) == (1, 1)
    assert len(cache.parse("SELECT * FROM t WHERE a = 3", None, new).edges) == 2
    assert (cache.hits, cache.misses) == (1, 2)

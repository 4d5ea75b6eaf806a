"""What a script adds to its event's own words: columns, tables, and the names that are no tables (on both stores)."""

from itertools import permutations
from pathlib import Path
from typing import Any

from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage import why
from tests.app import Headwater, open_empty

PRODUCER = "https://example.com/scheduler"
HOST = "postgres://warehouse"


def table(name: str, *columns: str, **facets: Any) -> dict[str, Any]:
    schema = {"schema": facet(fields=[{"name": c, "type": "int"} for c in columns])} if columns else {}
    return {"namespace": HOST, "name": f"shop.m.{name}", "facets": {**schema, **facets}}


def facet(**said: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": "https://example.com/facet.json", **said}


def done(job: str, run: int, sql: str, inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
    facets = {"sql": facet(query=sql, dialect="postgres")} if sql else {}
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-01-01T00:{run:02d}:00Z",
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": f"018f0000-0000-7000-8000-{run:012d}"},
        "job": {"namespace": "nightly", "name": job, "facets": facets},
        "inputs": inputs,
        "outputs": outputs,
    }


def key(name: str) -> str:
    return keys.dataset(HOST, f"shop.m.{name}")


def column(name: str, path: str) -> str:
    return keys.column(key(name), path)


STAR = done("copy", 1, "create table m.t as select * from m.s", [table("s")], [table("t")])
SCHEMA = done("load", 2, "", [], [table("s", "id", "amount")])


def test_a_script_tells_columns_where_the_producer_told_tables(headwater: Headwater) -> None:
    sql = "insert into m.t (total) select amount + 1 from m.s"
    headwater.send(done("sum", 1, sql, [table("s")], [table("t")]))
    assert headwater.out_of(column("s", "amount"), EdgeKind.DERIVES) == {column("t", "total")}


def test_a_script_alone_tells_tables(headwater: Headwater) -> None:
    event = done("alone", 1, "insert into shop.m.t select a from shop.m.s", [], [])
    event["job"]["namespace"] = HOST
    headwater.send(event)
    assert headwater.flows() == {(key("s"), key("t"))}


def test_a_schema_that_comes_later_makes_a_star_mean_its_columns(headwater: Headwater) -> None:
    headwater.send(STAR)
    assert headwater.edges(EdgeKind.DERIVES) == []
    headwater.send(SCHEMA)
    assert headwater.out_of(column("s", "amount"), EdgeKind.DERIVES) == {column("t", "amount")}


def test_it_does_not_matter_whether_the_schema_or_the_script_comes_first(tmp_path: Path) -> None:
    later = done("copy", 3, "create table m.t as select id from m.s", [table("s")], [table("t")])
    hashes = set()
    for number, order in enumerate(permutations([STAR, SCHEMA, later])):
        opened = open_empty(tmp_path / str(number))
        opened.send(*order)
        hashes.add(opened.fingerprint())
        opened.close()
    assert len(hashes) == 1


def test_a_producers_column_lineage_is_not_overridden(headwater: Headwater) -> None:
    said = {"inputFields": [{"namespace": HOST, "name": "shop.m.s", "field": "price"}]}
    lineage = facet(fields={"total": said})
    sql = "create table m.t as with s as (select amount as total from m.raw) select total from s"
    headwater.send(done("sum", 1, sql, [table("s")], [table("t", columnLineage=lineage)]))
    assert headwater.into(column("t", "total"), EdgeKind.DERIVES) == {column("s", "price")}


def test_a_common_table_expression_that_a_producer_names_is_no_table(headwater: Headwater) -> None:
    """Trap 18."""
    phantom = {"namespace": HOST, "name": "o", "facets": {}}
    said = {
        "n": {"inputFields": [{"namespace": HOST, "name": "o", "field": "n"}]},
        "id": {"inputFields": [{"namespace": HOST, "name": "shop.m.s", "field": "id"}]},
    }
    sql = "create table m.t as with o as (select id, sum(x) as n from m.s group by 1) select id, n from o"
    outputs = [table("t", columnLineage=facet(fields=said))]
    headwater.send(done("sum", 1, sql, [table("s"), phantom], outputs))
    assert headwater.flows() == {(key("s"), key("t"))}
    assert keys.dataset(HOST, "o") not in headwater.visible(Kind.DATASET)
    assert headwater.into(column("t", "n"), EdgeKind.DERIVES) == {column("s", "x")}


def test_sql_that_cannot_be_read_does_not_fail_its_event(headwater: Headwater) -> None:
    headwater.send(done("odd", 1, "selec ( from )) where", [table("s")], [table("t")]))
    assert headwater.flows() == {(key("s"), key("t"))}


def test_a_long_script_is_read_for_its_tables(headwater: Headwater) -> None:
    sql = "insert into m.t select a from m.s where a in (" + ", ".join(map(str, range(20_000))) + ")"
    headwater.send(done("long", 1, sql, [], [table("t")]))
    assert headwater.flows() == {(key("s"), key("t"))}


def test_the_piece_of_the_script_is_evidence(headwater: Headwater) -> None:
    sql = "insert into m.t (total)\nselect amount + 1 from m.s"
    headwater.send(done("sum", 1, sql, [table("s")], [table("t")]))
    (found,) = why(
        "shop.m.s#amount",
        headwater.parts.store,
        to="shop.m.t#total",
        script_of=headwater.parts.script_of,
    )
    assert found.kind == "SQL"
    assert found.sql is not None
    assert (found.sql.text, found.sql.start_line) == ("amount + 1", 2)
    assert 0 < found.confidence < 1

"""What is exported of a node and ingested elsewhere gives the same graph of that node."""

import json
from pathlib import Path

import pytest

from headwater_server.export.events import events_behind
from headwater_server.graph.words import EdgeKind
from headwater_server.store.port import Direction
from tests.app import Headwater, open_empty
from tests.openlineage.said import (
    columns,
    dataset_event,
    dataset_key,
    facet,
    from_columns,
    job_event,
    job_key,
    parent,
    run,
    table,
)

FIXTURES = Path(__file__).parent.parent / "fixtures" / "openlineage"
FLOW = tuple(
    EdgeKind(k) for k in ("INPUT_OF", "OUTPUTS", "WAS_INPUT_OF", "DID_OUTPUT", "DERIVES", "DID_DERIVE")
)
COLUMNS = (EdgeKind.AFFECTS, EdgeKind.DID_AFFECT, EdgeKind.FEEDS_WHOLE, EdgeKind.DID_FEED_WHOLE)

Picture = tuple[frozenset[str], frozenset[str]]


def picture(headwater: Headwater, key: str) -> Picture:
    """All that flows to a node and from it, now and in the past: nodes with what they show, and edges."""
    reached = {key}
    kinds = (*FLOW, *COLUMNS, EdgeKind.SYMLINK)
    for direction in Direction:
        reached |= headwater.store.reach([key], direction, kinds, max_depth=99, limit=9_999).keys()
    nodes = headwater.store.get(reached)
    edges = [
        e
        for e in headwater.store.expand(reached, Direction.DOWNSTREAM, (*kinds, EdgeKind.STEP_OF))
        if e.target in reached
    ]
    return (
        frozenset(f"{k} {n.mark} {json.dumps(dict(n.props), sort_keys=True)}" for k, n in nodes.items()),
        frozenset(f"{e.key} {e.since} {e.until} {sorted(e.props.items())}" for e in edges),
    )


def moved(headwater: Headwater, key: str, folder: Path) -> tuple[Picture, Picture, int]:
    """The node's picture here and there, and how many events went."""
    lines = list(events_behind(key, store=headwater.store, log=headwater.log))
    there = open_empty(folder)
    there.send_at_once(lines)
    found = picture(headwater, key), picture(there, key), len(lines)
    there.close()
    return found


def story(headwater: Headwater) -> None:
    """raw -> stg -> mart with columns and a history, declared and linked, and a stranger beside it."""
    above = {"parent": parent("dag", "night", root=("dag", "night"))}
    headwater.send(
        run("COMPLETE", "stage", "s1", 1, reads=["raw_v1"], writes=["stg"], run_facets=above),
        run(
            "COMPLETE",
            "stage",
            "s2",
            2,
            reads=["raw"],
            writes=[table("stg", schema=columns("x"), columnLineage=from_columns(x=["raw.x"]))],
        ),
        run("START", "stage", "s3", 3, reads=["extra"], writes=["stg"]),
        run("COMPLETE", "mart", "m1", 4, reads=["stg"], writes=["mart"]),
        run("FAIL", "mart", "m2", 5, reads=["stg", "oops"], writes=["mart"]),
        job_event("report", 6, reads=["mart"], writes=["dashboard"]),
        dataset_event("mart", 7, symlinks=facet(identifiers=[{"namespace": "hive", "name": "mart"}])),
        dataset_event("raw", 8, documentation=facet(description="the source")),
        run("COMPLETE", "dag", "night", 9),
        run("COMPLETE", "stranger", "x1", 9, reads=["p"], writes=["q"]),
    )


@pytest.mark.parametrize("name", ["raw", "raw_v1", "stg", "mart", "dashboard"])
def test_the_events_behind_a_node_make_the_same_graph_of_it(
    headwater: Headwater, tmp_path: Path, name: str
) -> None:
    story(headwater)
    here, there, sent = moved(headwater, dataset_key(name), tmp_path / "there")
    assert there == here
    assert sent < headwater.log.head()


def test_a_job_takes_what_it_belongs_to_along(embedded: Headwater, tmp_path: Path) -> None:
    story(embedded)
    lines = list(events_behind(job_key("stage"), store=embedded.store, log=embedded.log))
    there = open_empty(tmp_path / "there")
    there.send_at_once(lines)
    assert there.props(job_key("dag")) == embedded.props(job_key("dag"))
    assert not there.has(job_key("stranger"))
    there.close()


@pytest.mark.parametrize("file", ["dbt-duckdb-default", "spark/wide_plan", "spark/iceberg_incremental"])
def test_the_events_behind_every_recorded_table_make_its_edges(
    embedded: Headwater, tmp_path: Path, file: str
) -> None:
    """What jobs beside the flow observed of a table on it (dbt's tests do) stays behind with them."""
    embedded.send_at_once((FIXTURES / f"{file}.ndjson").read_bytes().splitlines())
    outputs = sorted({e.target for e in embedded.edges(EdgeKind.OUTPUTS)})
    assert outputs
    for number, key in enumerate(outputs):
        here, there, _ = moved(embedded, key, tmp_path / str(number))
        assert there[1] == here[1]

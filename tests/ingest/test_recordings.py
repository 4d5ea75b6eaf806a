"""What dbt and Spark really sent, through HTTP: their edges, columns, row dependencies and run states, nothing else."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from headwater_server.app import create_app
from headwater_server.graph import keys, names
from headwater_server.graph.words import EdgeKind
from headwater_server.settings import Settings
from headwater_server.store.sqlite import SqliteStore
from tests.app import Graph

RECORDINGS = Path(__file__).parent.parent / "fixtures" / "openlineage"
SPARK: dict[str, Any] = json.loads((RECORDINGS / "spark" / "expected_edges.json").read_text())
DBT: dict[str, Any] = json.loads((RECORDINGS / "expected_edges.json").read_text())["dbt-duckdb-default"]
RUNS = """query($after: String) { runs(first: 200, after: $after) {
  pageInfo { hasNextPage endCursor } edges { node { runId state job { name } } } } }"""
SHUFFLES = (None, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class Told:
    """What the server shows after a recording."""

    graph: Graph
    states: dict[str, tuple[str, str]]
    """runId -> (job, state)."""


@contextmanager
def told(folder: Path, file: Path, shuffle: int | None) -> Iterator[Told]:
    """The recording as it came, or shuffled with 30 % of it sent twice."""
    lines = file.read_bytes().splitlines()
    if shuffle is not None:
        chance = random.Random(shuffle)
        lines += chance.choices(lines, k=len(lines) * 3 // 10)
        chance.shuffle(lines)
    with TestClient(create_app(Settings(data=folder)), base_url="http://localhost") as client:
        for line in lines:
            answer = client.post(
                "/api/v1/lineage", content=line, headers={"content-type": "application/json"}
            )
            assert answer.status_code in (200, 201), answer.text
        while (ready := client.get("/readyz").json())["appliedSeq"] < ready["headSeq"]:
            time.sleep(0.01)
        found = client.post("/graphql", json={"query": RUNS}).json()["data"]["runs"]
        assert not found["pageInfo"]["hasNextPage"]
        states = {e["node"]["runId"]: (e["node"]["job"]["name"], e["node"]["state"]) for e in found["edges"]}
        store = SqliteStore(folder / "graph.db")
        yield Told(Graph(store), states)
        store.close()


def dataset(of: list[str]) -> str:
    return keys.dataset(*names.normal(of[0], of[1]))


def pairs(given: list[list[list[str]]]) -> set[tuple[str, str]]:
    return {(dataset(a), dataset(b)) for a, b in given}


def column_pairs(given: list[list[str]]) -> set[tuple[str, str, str]]:
    return {
        (keys.column(dataset(one[:2]), one[2]), keys.column(dataset(one[3:5]), one[5]), one[6])
        for one in given
    }


def row_pairs(given: list[list[str]]) -> set[tuple[str, str]]:
    return {(keys.column(dataset(one[:2]), one[2]), dataset(one[3:5])) for one in given}


def columns_of(graph: Graph) -> set[tuple[str, str, str]]:
    how = {EdgeKind.DERIVES: "DIRECT", EdgeKind.AFFECTS: "INDIRECT"}
    return {
        (e.source, e.target, how[e.kind])
        for e in graph.edges(EdgeKind.DERIVES, EdgeKind.AFFECTS)
        if e.target.startswith("column|")
    }


def rows_of(graph: Graph) -> set[tuple[str, str]]:
    return {(e.source, e.target) for e in graph.edges(EdgeKind.AFFECTS) if e.target.startswith("dataset|")}


@pytest.mark.parametrize("shuffle", SHUFFLES, ids=lambda s: "in order" if s is None else f"shuffle {s}")
@pytest.mark.parametrize("job", SPARK)
def test_spark_is_told_as_its_code_does(tmp_path: Path, job: str, shuffle: int | None) -> None:
    truth = SPARK[job]
    with told(tmp_path, RECORDINGS / "spark" / truth["file"], shuffle) as seen:
        flows = seen.graph.flows()
        may = pairs(truth["self_edges"]) | pairs(truth.get("failed_edges_in_events", []))
        assert pairs(truth["dataset_edges"]) <= flows
        assert flows - pairs(truth["dataset_edges"]) <= may

        columns = columns_of(seen.graph)
        said = truth["other_columns_in_events"] + truth["self_columns_in_events"]
        assert column_pairs(truth["column_edges"]) <= columns
        assert columns - column_pairs(truth["column_edges"]) <= column_pairs(said)

        rows = rows_of(seen.graph)
        assert row_pairs(truth["row_dependencies"]) <= rows
        assert rows - row_pairs(truth["row_dependencies"]) <= row_pairs(
            truth["other_row_dependencies_in_events"]
        )

        states = {"COMPLETED": "COMPLETE", "NEVER ENDS": "LOST", "FAILED": "FAIL"}
        assert seen.states == {
            run: (name, states[state]) for run, (name, state, _) in truth["run_states"].items()
        }


def test_sparks_hashed_columns_are_masked(tmp_path: Path) -> None:
    truth = SPARK["mask_customers"]
    with told(tmp_path, RECORDINGS / "spark" / truth["file"], None) as seen:
        masked = {e.target for e in seen.graph.edges(EdgeKind.DERIVES) if e.props.get("masking")}
        assert {keys.parts_of(key)[-1] for key in masked} == {one[-1] for one in truth["masked_columns"]}


def test_a_plan_of_180_kb_is_kept_with_the_dot_in_its_name(tmp_path: Path) -> None:
    file = RECORDINGS / "spark" / "big_event.ndjson"
    with told(tmp_path, file, None) as seen:
        runs = {e.source for e in seen.graph.edges(EdgeKind.RUN_OF)}
        facets = [f for run in runs for f in seen.graph.props(run).get("facets", [])]
        assert [f for f in facets if f.startswith("spark.logicalPlan=")]


@pytest.mark.parametrize("shuffle", SHUFFLES, ids=lambda s: "in order" if s is None else f"shuffle {s}")
def test_dbt_is_told_as_its_project_says(tmp_path: Path, shuffle: int | None) -> None:
    with told(tmp_path, RECORDINGS / DBT["file"], shuffle) as seen:
        assert seen.graph.flows() == pairs(DBT["dataset_edges"])
        said = {
            tuple(key[:2]) for key in column_pairs([[*c, "DIRECT"] for c in DBT["column_pairs_in_events"]])
        }
        found = {(source, target) for source, target, _ in columns_of(seen.graph)}
        assert said <= found
        assert len(seen.states) == DBT["runs"]
        assert {run: state for run, (_, state) in seen.states.items()} == ended(RECORDINGS / DBT["file"])


def ended(file: Path) -> dict[str, str]:
    """How each run ended, by its own words."""
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(e["eventType"] in ("START", "COMPLETE", "FAIL") for e in events)
    return {e["run"]["runId"]: e["eventType"] for e in events if e["eventType"] != "START"}

"""Two runs, two versions, side by side; on every store."""

from typing import Any

import pytest

from headwater_server.lineage.compare import MAX_LINES, DiffKind, compare
from headwater_server.lineage.sides import Side
from headwater_server.series.port import Point
from headwater_server.tracking.inputs import Input
from tests.app import Headwater, embedded, headwater, neo4j_server, on_neo4j
from tests.graphql.asking import PRODUCER, Api, dataset, run_event

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]

ME = "ada"
BEGIN = 1_799_990_000_000
SHAS = ("0123456789abcdef0123456789abcdef01234567", "89abcdef0123456789abcdef0123456789abcdef")
DIFF = """query ($a: String!, $b: String!) { diff(a: $a, b: $b) { identical a { __typename } b { __typename }
    sections { key title unchanged changes { key kind before after delta relative unifiedDiff } } } }"""


@pytest.fixture
def asked(headwater: Headwater) -> Api:
    return Api(headwater.parts)


def sections(api: Api, a: str, b: str) -> dict[str, dict[str, Any]]:
    """Changes by section and key, without what is null."""
    api.parts.committer.settle(patience=10)
    found = api.ask(DIFF, a=a, b=b)["diff"]
    return {
        section["key"]: {
            change["key"]: {k: v for k, v in change.items() if v is not None and k != "key"}
            for change in section["changes"]
        }
        for section in found["sections"]
    }


def trained(api: Api, number: str, which: int, *, auc: float, digest: str) -> str:
    tracking = api.parts.tracking
    tags = {
        "mlflow.source.git.commit": SHAS[which],
        "mlflow.source.git.repoURL": "https://github.com/org/churn",
        "mlflow.source.git.dirty": "true" if which else "false",
        "team": "ads" if which else "core",
    }
    run = tracking.runs.create(number, name=f"r{which}", start=BEGIN + which, tags=tags, actor=ME)
    params = [("lr", "0.1"), ("depth", str(3 + which)), (f"only{which}", "x")]
    metrics = [
        ("auc", Point(1, BEGIN, auc)),
        ("zero", Point(1, BEGIN, float(which))),
        ("bad", Point(1, BEGIN, float("nan"))),
    ]
    tracking.runs.log(run.id, metrics=metrics, params=params, actor=ME)
    tracking.runs.read_by(run.id, [Input("orders", digest, "s3", '{"uri": "s3://lake/orders"}')], actor=ME)
    return run.id


def test_two_runs_differ_in_params_metrics_code_data_and_tags(asked: Api) -> None:
    number = asked.parts.tracking.experiments.create("churn", actor=ME)
    a = trained(asked, number, 0, auc=0.8, digest="d1")
    b = trained(asked, number, 1, auc=0.9, digest="d2")
    found = sections(asked, f"runs:/{a}", f"runs:/{b}")
    assert found["params"] == {
        "depth": {"kind": "CHANGED", "before": "3", "after": "4"},
        "only0": {"kind": "REMOVED", "before": "x"},
        "only1": {"kind": "ADDED", "after": "x"},
    }
    assert found["metrics"]["auc"]["delta"] == pytest.approx(0.1)
    assert found["metrics"]["auc"]["relative"] == pytest.approx(0.125)
    assert found["metrics"]["zero"] == {"kind": "CHANGED", "before": "0.0", "after": "1.0", "delta": 1.0}
    assert "bad" not in found["metrics"]  # NaN stayed NaN
    assert (found["code"]["commit"]["before"], found["code"]["commit"]["after"]) == SHAS
    assert found["code"]["dirty"] == {"kind": "ADDED", "after": "true"}
    (data,) = found["data"].values()
    assert data == {"kind": "CHANGED", "before": "d1", "after": "d2"}
    assert found["tags"] == {"team": {"kind": "CHANGED", "before": "core", "after": "ads"}}


def test_a_run_is_identical_with_itself(asked: Api) -> None:
    number = asked.parts.tracking.experiments.create("churn", actor=ME)
    run = f"runs:/{trained(asked, number, 0, auc=0.8, digest='d1')}"
    asked.parts.committer.settle(patience=10)
    found = asked.ask(DIFF, a=run, b=run)["diff"]
    assert found["identical"] is True
    assert found["a"] == found["b"] == {"__typename": "Run"}
    assert {section["key"]: section["unchanged"] for section in found["sections"]}["params"] == 3


def test_two_versions_of_a_model_differ_as_their_runs_do(asked: Api) -> None:
    parts = asked.parts
    number = parts.tracking.experiments.create("churn", actor=ME)
    runs = [trained(asked, number, n, auc=0.8 + n / 10, digest="d1") for n in (0, 1)]
    parts.committer.settle(patience=10)
    parts.registry.register_model("churn", actor=ME)
    for n, run in enumerate(runs):
        parts.registry.create_version(
            "churn",
            run_id=run,
            source_uri=f"s3://models/{n}",
            signature={"inputs": ["a", "b"][: n + 1]},
            actor=ME,
        )
    found = sections(asked, "models:/churn/1", "models:/churn/2")
    assert found["version"]["sourceUri"]["after"] == "s3://models/1"
    assert '+    "b"' in found["version"]["signature"]["unifiedDiff"]
    assert found["metrics"]["auc"]["delta"] == pytest.approx(0.1)
    assert found["params"]["depth"]["after"] == "4"


def test_runs_of_jobs_differ_in_script_engine_and_what_they_read(asked: Api) -> None:
    def ran(run: str, day: int, sql: str, version: str, source: str) -> None:
        facets = {
            "processing_engine": {
                "_producer": PRODUCER,
                "version": version,
                "name": "spark",
                "openlineageAdapterVersion": "1",
            },
            "environmentVariables": {
                "_producer": PRODUCER,
                "environmentVariables": [{"name": "DEPTH", "value": version}],
            },
        }
        asked.tell(
            run_event(
                "COMPLETE",
                f"2027-01-0{day}T00:00:00Z",
                run,
                "load",
                inputs=[dataset(source, "a")],
                outputs=[dataset("out", "a", *(["b"] if day > 1 else []))],
                run_facets=facets,
                job_facets={"sql": {"_producer": PRODUCER, "query": sql, "dialect": "postgres"}},
            )
        )

    ran("r1", 1, "insert into out\nselect a\nfrom src", "3.4", "src")
    ran("r2", 2, "insert into out\nselect a, b\nfrom src", "3.5", "src")
    found = sections(asked, "runs:/r1", "runs:/r2")
    assert found["environment"]["spark"] == {"kind": "CHANGED", "before": "3.4", "after": "3.5"}
    assert "openlineage adapter" not in found["environment"]
    assert "-select a\n+select a, b" in found["code"]["sql"]["unifiedDiff"]
    assert found["data"] == {}
    versions = asked.ask(
        '{ entity(ref: "pg://db/out") { ... on Dataset { versions { edges { node { id } } } } } }'
    )
    newer, older = (edge["node"]["id"] for edge in versions["entity"]["versions"]["edges"])
    assert sections(asked, older, newer)["columns"] == {"b": {"kind": "ADDED", "after": "int"}}
    jobs = asked.ask('{ entity(ref: "etl/load") { ... on Job { versions { edges { node { id } } } } } }')
    every = [edge["node"]["id"] for edge in jobs["entity"]["versions"]["edges"]]
    assert sections(asked, every[0], every[0])["outputs"] == {}


def test_only_two_of_one_kind_are_compared(asked: Api) -> None:
    asked.tell(run_event("COMPLETE", "2027-01-01T00:00:00Z", "r1", "load", outputs=[dataset("out", "a")]))
    version = asked.ask('{ entity(ref: "pg://db/out") { ... on Dataset { currentVersion { id } } } }')[
        "entity"
    ]["currentVersion"]["id"]
    for a, b, code in (
        ("runs:/r1", version, "INVALID"),
        ("pg://db/out", "pg://db/out", "INVALID"),
        ("runs:/r1", "runs:/none", "NOT_FOUND"),
    ):
        assert asked.error(DIFF, a=a, b=b)["extensions"]["code"] == code


def test_a_huge_text_is_told_whole_and_an_infinite_step_has_no_delta() -> None:
    before: Side = {"code": {"sql": "x\n" * MAX_LINES + "a"}, "metrics": {"loss": "NaN", "big": 1e308}}
    after: Side = {"code": {"sql": "x\n" * MAX_LINES + "b"}, "metrics": {"loss": 0.5, "big": -1e308}}
    metrics, code = compare(before, after)
    assert code.changes[0].unified_diff is None
    assert [(c.key, c.kind, c.delta, c.relative) for c in metrics.changes] == [
        ("big", DiffKind.CHANGED, None, None),
        ("loss", DiffKind.CHANGED, None, None),
    ]

"""Metrics of a model on data: whichever is logged first, and as the data was when the run began."""

import pytest

from headwater_server.graph import keys
from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage import lineage
from headwater_server.lineage.shapes import EntityKind, Granularity, LineageDirection, ShownEdgeKind
from headwater_server.series.port import Point
from headwater_server.store.port import Direction
from headwater_server.tracking.evaluations import Evaluated
from headwater_server.tracking.inputs import Input
from tests.app import Headwater

ME = "ada"
BEGIN = 1_700_000_000_000
HOLDOUT = Input("holdout", "d1", "s3", '{"uri": "s3://lake/holdout"}')


def score(headwater: Headwater, run: str, model: str, value: float, *, step: int = 0) -> None:
    point = Point(step, BEGIN + step, value)
    auc = Evaluated(model, "auc", point, "holdout", "d1")
    headwater.parts.tracking.runs.log(run, metrics=[("auc", point)], evaluated=[auc], actor=ME)


def evaluations(headwater: Headwater, model: str) -> list[Edge]:
    headwater.parts.committer.settle(patience=10)
    key = keys.logged_model(model)
    edges = headwater.store.expand([key], Direction.DOWNSTREAM, [EdgeKind.EVALUATED_ON])
    return sorted(edges, key=lambda edge: str(edge.props["value"]))


@pytest.mark.parametrize("metric_first", [True, False])
def test_a_metric_and_the_data_it_is_about_meet_in_any_order(
    headwater: Headwater, *, metric_first: bool
) -> None:
    """The client logs the metric first, then the dataset that it names."""
    tracking = headwater.parts.tracking
    run = tracking.runs.create("0", start=BEGIN, actor=ME)
    model = tracking.models.create("0", run_id=run.id, actor=ME).id
    if not metric_first:
        tracking.runs.read_by(run.id, [HOLDOUT], actor=ME)
    score(headwater, run.id, model, 0.9)
    if metric_first:
        assert evaluations(headwater, model) == []
        tracking.runs.read_by(run.id, [HOLDOUT], actor=ME)
    (edge,) = evaluations(headwater, model)
    assert (edge.target, edge.since) == (keys.dataset("s3://lake", "holdout"), BEGIN * 1_000)
    assert edge.props == {"metric": "auc", "value": 0.9, "at": BEGIN * 1_000, "digest": "d1", "run": run.key}


def test_exact_versions_tell_on_which_data_a_model_was_evaluated(headwater: Headwater) -> None:
    """It stands beside the model, and what made that data is none of the model's past."""
    written = []
    for day in (1, 2, 30):
        run_id = f"01920000-0000-7000-8000-0000000000{day:02}"
        event = {
            "eventType": "COMPLETE",
            "eventTime": f"2023-11-{day:02}T00:00:00Z",
            "producer": "https://example.com/etl",
            "run": {"runId": run_id},
            "job": {"namespace": "etl", "name": "load"},
            "outputs": [{"namespace": "s3://lake", "name": "holdout"}],
        }
        headwater.send(event)
        written.append(run_id)
    tracking = headwater.parts.tracking
    trains, scores = (tracking.runs.create("0", start=BEGIN, actor=ME) for _ in range(2))
    model = tracking.models.create("0", run_id=trains.id, actor=ME).id
    score(headwater, scores.id, model, 0.9)
    tracking.runs.read_by(scores.id, [HOLDOUT], actor=ME)
    headwater.registry.register_model("churn", actor=ME)
    more = {"loggedModel": keys.logged_model(model)}
    headwater.registry.create_version("churn", run_key=trains.key, more=more, actor=ME)
    up, down = LineageDirection.UPSTREAM, LineageDirection.DOWNSTREAM
    graph = lineage(
        "models:/churn/1", headwater.store, granularity=Granularity.VERSION, depth=9, direction=up
    )
    (edge,) = (e for e in graph.edges if e.kind is ShownEdgeKind.EVALUATES)
    (data,) = (node for node in graph.nodes if node.id == edge.source)
    assert headwater.props(data.key)["version"] == written[1]
    assert {node.kind for node in graph.nodes} == {
        EntityKind.MODEL_VERSION,
        EntityKind.RUN,
        EntityKind.DATASET_VERSION,
    }
    assert len(graph.nodes) == 3
    for run_id in written:
        (version,) = (v for v in headwater.out_of(keys.run(run_id, keys.job("etl", "load")), EdgeKind.WROTE))
        graph = lineage(version, headwater.store, granularity=Granularity.VERSION, depth=9, direction=down)
        reached = ShownEdgeKind.EVALUATES in {edge.kind for edge in graph.edges}
        assert reached is (run_id == written[1])


def test_each_run_keeps_its_newest_and_the_model_the_newest_of_all(headwater: Headwater) -> None:
    tracking = headwater.parts.tracking
    model = tracking.models.create("0", actor=ME).id
    for value, steps in ((0.9, (1, 9)), (0.6, (3, 2))):
        run = tracking.runs.create("0", start=BEGIN, actor=ME)
        tracking.runs.read_by(run.id, [HOLDOUT], actor=ME)
        for step in steps:
            score(headwater, run.id, model, value + step / 1_000, step=step)
    assert [edge.props["value"] for edge in evaluations(headwater, model)] == [0.603, 0.909]
    (metric,) = tracking.models.get(model).metrics
    assert metric["value"] == 0.909
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == before

"""Metrics of a model on data: whichever is logged first, and as the data was when the run began."""

import pytest

from headwater_server.graph import keys
from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind
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

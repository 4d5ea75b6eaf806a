"""What tracking says, as it stands in the graph: on every store, whatever the order, and after a rebuild."""

import pytest

from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.impact import impact
from headwater_server.lineage.shapes import ChangeKind
from headwater_server.parts import TRANSLATORS
from headwater_server.project.projector import Parsed, Projector
from headwater_server.series.port import Point
from headwater_server.store.port import Direction
from headwater_server.tracking.evaluations import Evaluated
from headwater_server.tracking.inputs import Input
from headwater_server.tracking.search import Asked
from headwater_server.tracking.traces import Told
from tests.app import Headwater

SHA = "0123456789abcdef0123456789abcdef01234567"
ME = "ada"


def orders(name: str = "orders", digest: str = "d1") -> Input:
    schema = '{"mlflow_colspec": [{"type": "long", "name": "id"}, {"type": "double", "name": "price"}]}'
    return Input(
        name,
        digest,
        "s3",
        '{"uri": "s3a://lake/raw/orders/"}',
        schema,
        tags={"mlflow.data.context": "training"},
    )


def a_whole_story(headwater: Headwater) -> tuple[str, str, str]:
    """An experiment with two runs, a logged model that is registered: (experiment, run key, model id)."""
    tracking, registry = headwater.parts.tracking, headwater.registry
    number = tracking.experiments.create("churn", tags={"team": "ads"}, actor=ME)
    above = tracking.runs.create(number, name="above", start=1_700_000_000_000, user=ME, actor=ME)
    tags = {
        "mlflow.parentRunId": above.id,
        "mlflow.source.git.commit": SHA,
        "mlflow.source.git.repoURL": "git@github.com:org/churn.git",
        "mlflow.source.git.dirty": "true",
        "team": "ads",
    }
    run = tracking.runs.create(number, name="below", start=1_700_000_001_000, user=ME, tags=tags, actor=ME)
    points = [("loss", Point(step, 1_700_000_002_000 + step, 1 / (step + 1))) for step in range(10)]
    tracking.runs.log(run.id, metrics=points, params=[("lr", "0.1"), ("kind", "forest")], actor=ME)
    tracking.runs.log(run.id, metrics=[("nan", Point(0, 1_700_000_002_000, float("nan")))], actor=ME)
    tracking.runs.read_by(run.id, [orders(), Input("made up", "d2", "code", '{"tags": {}}')], actor=ME)
    model = tracking.models.create(number, name="forest", run_id=run.id, actor=ME)
    auc = Evaluated(model.id, "auc", Point(0, 1_700_000_003_000, 0.9), "orders", "d1")
    tracking.runs.log(run.id, metrics=[("auc", auc.point)], evaluated=[auc], actor=ME)
    tracking.models.finish(model.id, "READY", actor=ME)
    for later, name in enumerate(("t1", "t2")):
        asked = {"mlflow.sourceRun": run.id, "mlflow.modelId": model.id}
        told = Told(name, number, 1_700_000_003_000 + later, 1, "OK", "", "", "", asked, {})
        tracking.traces.tell(told, actor=ME)
    tracking.runs.update(run.id, status="FINISHED", end=1_700_000_004_000, actor=ME)
    tracking.runs.update(above.id, status="FAILED", end=1_700_000_005_000, actor=ME)
    registry.register_model("churn", actor=ME)
    more = {"loggedModel": keys.logged_model(model.id)}
    registry.create_version("churn", run_key=run.key, source_uri=f"models:/{model.id}", more=more, actor=ME)
    headwater.parts.committer.settle(patience=10)
    return number, run.key, model.id


def test_experiments_runs_and_what_they_logged_are_nodes_and_edges(headwater: Headwater) -> None:
    number, run, model = a_whole_story(headwater)
    experiment, version = keys.experiment(number), keys.model_version("churn", 1)
    assert run in headwater.out_of(experiment, EdgeKind.HAS_RUN)
    assert headwater.props(experiment)["tags"] == ["team=ads"]
    said = headwater.props(run)
    assert (said["status"], said["state"], said["displayName"], said["user"]) == (
        "FINISHED",
        "COMPLETE",
        "below",
        ME,
    )
    assert (said["started"], said["ended"]) == (1_700_000_001_000_000, 1_700_000_004_000_000)
    assert said["tags"] == ["team=ads"]
    above = headwater.node(said["parent"])
    assert above.props["displayName"] == "above"
    assert above.mark == "F"
    params = {
        keys.parts_of(e.target)[1]: e.props
        for e in headwater.store.expand([run], Direction.DOWNSTREAM, [EdgeKind.HAS_PARAM])
    }
    assert params == {"lr": {"value": "0.1", "num": 0.1}, "kind": {"value": "forest"}}
    metrics = {
        keys.parts_of(e.target)[1]: e.props
        for e in headwater.store.expand([run], Direction.DOWNSTREAM, [EdgeKind.HAS_METRIC])
    }
    assert metrics["loss"]["n"] == 10
    assert (metrics["loss"]["last"], metrics["loss"]["min"], metrics["loss"]["max"]) == (0.1, 0.1, 1.0)
    assert metrics["nan"]["last"] == "NaN"
    (code,) = headwater.store.expand([run], Direction.DOWNSTREAM, [EdgeKind.RAN_CODE])
    assert code.props["dirty"] is True
    assert headwater.props(code.target) == {"commit": SHA, "repo": "https://github.com/org/churn"}
    assert headwater.out_of(run, EdgeKind.LOGGED) == {keys.logged_model(model)}
    assert headwater.out_of(version, EdgeKind.OF_MODEL) == {keys.logged_model(model)}
    (evaluated,) = headwater.store.expand(
        [keys.logged_model(model)], Direction.DOWNSTREAM, [EdgeKind.EVALUATED_ON]
    )
    assert (evaluated.props["metric"], evaluated.props["value"]) == ("auc", 0.9)


def test_what_a_run_read_is_what_openlineage_speaks_of(headwater: Headwater) -> None:
    """The data that a job writes and a run of an experiment reads is one dataset, and the model depends on it."""
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2023-11-14T00:00:00Z",
        "producer": "https://example.com/etl",
        "run": {"runId": "01920000-0000-7000-8000-000000000001"},
        "job": {
            "namespace": "etl",
            "name": "load",
            "facets": {
                "sourceCodeLocation": {
                    "type": "git",
                    "repoUrl": "https://github.com/org/churn",
                    "version": SHA,
                }
            },
        },
        "inputs": [{"namespace": "postgres://db:5432", "name": "shop.public.orders"}],
        "outputs": [{"namespace": "s3://lake", "name": "raw/orders"}],
    }
    headwater.send(event)
    _, run, _ = a_whole_story(headwater)
    dataset = keys.dataset("s3://lake", "raw/orders")
    read = headwater.store.expand([run], Direction.DOWNSTREAM, [EdgeKind.READ])
    (edge,) = (e for e in read if e.target == dataset)
    assert edge.props == {"digest": "d1", "strength": "weak", "context": "training"}
    assert headwater.columns(dataset) == {"id", "price"}
    version = keys.model_version("churn", 1)
    source = keys.dataset("postgres://db", "shop.public.orders")
    reached = headwater.store.reach(
        [source], Direction.DOWNSTREAM, [EdgeKind.INPUT_OF, EdgeKind.OUTPUTS], max_depth=9, limit=99
    )
    assert version in reached
    assert dataset in headwater.out_of(version, EdgeKind.TRAINED_ON)
    steps = {headwater.props(s)["evidence"] for s in headwater.out_of(dataset, EdgeKind.INPUT_OF)}
    assert steps == {"MLFLOW"}
    ran = headwater.into(keys.code_version(SHA, ""), EdgeKind.RAN_CODE)
    assert len(ran) == 2


def test_data_that_nobody_else_can_speak_of_is_a_state_of_its_own(headwater: Headwater) -> None:
    _, run, _ = a_whole_story(headwater)
    assert headwater.props(run)["unlinked"] == ["made up"]
    assert headwater.has(keys.dataset("mlflow", "churn/made up"))


def test_the_log_makes_the_same_graph_again(headwater: Headwater) -> None:
    a_whole_story(headwater)
    headwater.registry.rename("churn", "churned", actor=ME)
    headwater.registry.delete_version("churned", "1", actor=ME)
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda _, __: None)
    assert headwater.fingerprint() == before


def test_after_a_restart_all_is_known(headwater: Headwater) -> None:
    number, run, model = a_whole_story(headwater)
    again = headwater.again()
    try:
        tracking = again.parts.tracking
        found = tracking.runs.get(keys.parts_of(run)[0])
        assert found.metrics["loss"] == Point(9, 1_700_000_002_009, 0.1)
        assert found.params == {"lr": "0.1", "kind": "forest"}
        assert len(tracking.runs.history(found.id, "loss", limit=None, after=None)) == 10
        assert tracking.models.get(model).status == "READY"
        assert tracking.experiments.create("next", actor=ME) == str(int(number) + 1)
        page = tracking.search.runs([number], Asked("metrics.loss < 0.2"))
        assert [row.run.id for row in page.rows] == [found.id]
        tracking.runs.log(found.id, metrics=[("loss", Point(99, 1_700_000_009_000, 7.0))], actor=ME)
        assert tracking.runs.get(found.id).metrics["loss"].value == 7.0
    finally:
        again.close()


def test_the_summary_is_made_whole_by_the_next_point(headwater: Headwater) -> None:
    """As after a crash between the points and the record: the points are durable, nobody was answered."""
    tracking, series = headwater.parts.tracking, headwater.parts.series
    run = tracking.runs.create("0", actor=ME)
    series.append(run.key, {"loss": [Point(1, 1, 1.0), Point(2, 2, 5.0)]})
    tracking.runs.log(run.id, metrics=[("loss", Point(0, 0, 3.0))], actor=ME)
    assert tracking.runs.get(run.id).metrics["loss"] == Point(2, 2, 5.0)
    headwater.parts.committer.settle(patience=10)
    (edge,) = headwater.store.expand([run.key], Direction.DOWNSTREAM, [EdgeKind.HAS_METRIC])
    assert (edge.props["n"], edge.props["min"], edge.props["max"]) == (3, 1.0, 5.0)


def test_impact_of_a_table_reaches_the_model_trained_on_it(headwater: Headwater) -> None:
    a_whole_story(headwater)
    report = impact(
        keys.dataset("s3://lake", "raw/orders"), headwater.store, change=ChangeKind.DATASET_DELETE
    )
    assert keys.model_version("churn", 1) in {item.entity.key for item in report.items}


@pytest.mark.neo4j
def test_one_story_is_one_graph_on_every_store(embedded: Headwater, on_neo4j: Headwater) -> None:
    """Replayed from the same log."""
    a_whole_story(embedded)
    records = embedded.log.read(0, limit=1_000)
    Projector(on_neo4j.store, TRANSLATORS, log=on_neo4j.log.instance).project([Parsed.of(r) for r in records])
    assert on_neo4j.fingerprint() == embedded.fingerprint()


def test_kinds_are_paged_like_others(headwater: Headwater) -> None:
    a_whole_story(headwater)
    assert len(headwater.store.page(Kind.EXPERIMENT, marks=[""], limit=10)) == 1
    assert len(headwater.store.page(Kind.LOGGED_MODEL, marks=[""], limit=10)) == 1

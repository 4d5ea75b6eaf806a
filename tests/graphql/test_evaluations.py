"""What model versions scored, as somebody is told who may not see everything."""

from dataclasses import replace

import pytest

from headwater_server.api.seen import as_seen
from headwater_server.auth.policy import Grant, Principal
from headwater_server.graph import keys
from tests.app import Headwater, embedded, headwater, neo4j_server, on_neo4j
from tests.graphql.asking import Api
from tests.tracking.test_evaluations import HOLDOUT, ME, score

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]

ASKED = """{ modelVersion(model: "churn", version: "1") { evaluations {
  metric value datasetVersion { dataset { name } } run { runId } } } }"""


@pytest.fixture
def scored(headwater: Headwater) -> Headwater:
    tracking = headwater.parts.tracking
    run = tracking.runs.create("0", actor=ME)
    model = tracking.models.create("0", run_id=run.id, actor=ME).id
    tracking.runs.read_by(run.id, [HOLDOUT], actor=ME)
    score(headwater, run.id, model, 0.5)
    score(headwater, run.id, model, float("nan"), step=1)
    headwater.registry.register_model("churn", actor=ME)
    more = {"loggedModel": keys.logged_model(model)}
    headwater.registry.create_version("churn", run_key=run.key, more=more, actor=ME)
    return headwater


def test_a_value_that_is_no_number_is_null(scored: Headwater) -> None:
    (one,) = Api(scored.parts).ask(ASKED)["modelVersion"]["evaluations"]
    assert (one["metric"], one["value"], one["datasetVersion"]["dataset"]["name"]) == ("auc", None, "holdout")


def test_data_and_runs_that_one_may_not_see_are_not_named(scored: Headwater) -> None:
    api = Api(scored.parts)
    (known,) = api.ask(ASKED)["modelVersion"]["evaluations"]
    principal = Principal("eve", (Grant.read("reader?model=churn"),))
    api.context = as_seen(replace(api.context, principal=principal))
    (found,) = api.ask(ASKED)["modelVersion"]["evaluations"]
    assert found["metric"] == "auc"
    assert found["datasetVersion"]["dataset"]["name"] != "holdout"
    assert found["run"]["runId"] != known["run"]["runId"]

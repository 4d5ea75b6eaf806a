"""Experiments: found, their runs filtered and in order, and whole tables as columns; on every store."""

import math
from dataclasses import replace
from typing import Any

import pytest

from headwater_server.api.seen import as_seen
from headwater_server.auth.policy import Grant, Principal
from headwater_server.series.port import Point
from headwater_server.tracking.traces import Told
from tests.app import Headwater, embedded, headwater, neo4j_server, on_neo4j
from tests.graphql.asking import Api, counting, dataset, run_event

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]

ME = "ada"
BEGIN = 1_799_990_000_000
SHA = "0123456789abcdef0123456789abcdef01234567"


class Lab(Api):
    """Runs of an experiment, and questions about them."""

    def __init__(self, headwater: Headwater) -> None:
        super().__init__(headwater.parts)
        self.tracking = headwater.parts.tracking
        self.number = self.tracking.experiments.create("churn", tags={"team": "ads"}, actor=ME)

    def run(
        self,
        name: str,
        start: int,
        *,
        status: str = "FINISHED",
        params: dict[str, str] | None = None,
        metrics: dict[str, float] | None = None,
        tags: dict[str, str] | None = None,
        experiment: str | None = None,
    ) -> str:
        made = self.tracking.runs.create(
            experiment or self.number, name=name, start=BEGIN + start, user=ME, tags=tags, actor=ME
        )
        points = [(key, Point(1, BEGIN + start, value)) for key, value in (metrics or {}).items()]
        self.tracking.runs.log(made.id, metrics=points, params=list((params or {}).items()), actor=ME)
        self.tracking.runs.update(made.id, status=status, end=BEGIN + start + 5, actor=ME)
        return made.id

    def experiment(self, selection: str, **variables: Any) -> Any:
        self.parts.committer.settle(patience=10)
        declared = {"f": "RunFilter", "o": "[RunOrder!]", "a": "String"}
        named = "".join(f", ${name}: {declared[name]}" for name in variables)
        asked = (
            f"query ($ref: String!{named}) {{ entity(ref: $ref) {{ ... on Experiment {{ {selection} }} }} }}"
        )
        return self.ask(asked, ref=f"hw:experiment:{self.number}", **variables)["entity"]

    def names(self, query: str | None = None, *order: tuple[str, str], **filters: Any) -> list[str]:
        """Of runs anywhere, as they come."""
        self.parts.committer.settle(patience=10)
        runs = self.ask(
            "query ($f: RunFilter, $o: [RunOrder!]) { runs(filter: $f, orderBy: $o) { totalCount edges { node { displayName } } } }",
            f={"query": query, **filters},
            o=[{"key": key, "direction": direction} for key, direction in order],
        )["runs"]
        assert runs["totalCount"] == len(runs["edges"])
        return [edge["node"]["displayName"] for edge in runs["edges"]]


@pytest.fixture
def lab(headwater: Headwater) -> Lab:
    return Lab(headwater)


@pytest.fixture
def trained(lab: Lab) -> Lab:
    lab.run("a", 1, params={"lr": "0.1", "kind": "forest"}, metrics={"auc": 0.7, "loss": 0.5})
    lab.run("b", 2, params={"lr": "0.01", "kind": "linear"}, metrics={"auc": 0.9, "loss": math.nan})
    lab.run(
        "c",
        3,
        params={"lr": "1", "kind": "forest"},
        metrics={"auc": 0.8},
        tags={"team": "ads"},
        status="FAILED",
    )
    lab.run("d", 4, status="KILLED")
    return lab


def test_traces_are_counted_where_they_belong(lab: Lab) -> None:
    run = lab.run("a", 1)
    model = lab.tracking.models.create(lab.number, name="agent", actor=ME)
    for name, metadata in (("t1", {"mlflow.sourceRun": run}), ("t2", {"mlflow.modelId": model.id})):
        told = Told(name, lab.number, BEGIN, 1, "OK", "", "", "", metadata, {})
        lab.tracking.traces.tell(told, actor=ME)
    lab.parts.committer.settle(patience=10)
    asked = "{ experiments { edges { node { traces { count lastAt } runs { edges { node { traces { count } } } } } } } }"
    (edge,) = lab.ask(asked)["experiments"]["edges"]
    assert edge["node"]["traces"] == {"count": 2, "lastAt": "2027-01-15T05:13:20.000Z"}
    assert edge["node"]["runs"]["edges"][0]["node"]["traces"] == {"count": 1}
    asked = "query ($id: ID!) { loggedModel(id: $id) { traces { count } } }"
    assert lab.ask(asked, id=model.id)["loggedModel"]["traces"] == {"count": 1}


def test_experiments_are_listed_and_found_by_words_and_by_reference(trained: Lab) -> None:
    trained.parts.committer.settle(patience=10)
    asked = "query ($q: String) { experiments(query: $q) { totalCount edges { node { id urn name kind runCount tags { key value } } } } }"
    every = trained.ask(asked)["experiments"]
    assert [edge["node"]["name"] for edge in every["edges"]] == ["churn"]
    (edge,) = trained.ask(asked, q="churn")["experiments"]["edges"]
    assert edge["node"]["kind"] == "EXPERIMENT"
    assert edge["node"]["runCount"] == 4
    assert edge["node"]["tags"] == [{"key": "team", "value": "ads"}]
    again = trained.ask(
        "query ($id: ID!, $urn: String!) { node(id: $id) { ... on Experiment { name } } entity(ref: $urn) { name } }",
        id=edge["node"]["id"],
        urn=edge["node"]["urn"],
    )
    assert again == {"node": {"name": "churn"}, "entity": {"name": "churn"}}


def test_runs_are_found_by_what_they_logged(trained: Lab) -> None:
    assert trained.names("metrics.auc > 0.75") == ["c", "b"]
    assert trained.names("metrics.auc > 0.75 AND params.kind = 'forest'") == ["c"]
    assert trained.names("params.lr >= 0.1 OR tags.team = 'ads'") == ["c", "a"]
    assert trained.names("NOT params.kind = 'forest' AND metrics.auc > 0") == ["b"]
    assert trained.names("attributes.status = 'FAILED'") == ["c"]
    assert trained.names(None, ("metrics.auc", "ASC")) == ["a", "c", "b", "d"]
    assert trained.names(None, ("metrics.auc", "DESC")) == ["b", "c", "a", "d"]
    assert trained.names(None, ("params.kind", "ASC"), ("start_time", "DESC")) == ["c", "a", "b", "d"]


def test_a_filter_narrows_by_state_time_job_and_experiment_too(trained: Lab) -> None:
    other = trained.tracking.experiments.create("other", actor=ME)
    trained.run("e", 5, metrics={"auc": 0.95}, experiment=other)
    assert trained.names("metrics.auc > 0.75") == ["e", "c", "b"]
    assert trained.names("metrics.auc > 0.75", experimentIds=[trained.number]) == ["c", "b"]
    assert trained.names("metrics.auc > 0.75", experimentIds=["hw:experiment:" + other]) == ["e"]
    assert trained.names("metrics.auc > 0", states=["COMPLETE"]) == ["e", "b", "a"]
    assert trained.names("metrics.auc > 0", states=["ABORT", "FAIL"]) == ["c"]
    assert trained.names(None, experimentIds=[]) == []
    after = {"startedAfter": "2027-01-15T05:13:20.002Z"}
    assert trained.names("metrics.auc > 0", **after) == ["e", "c"]
    (job,) = trained.ask(
        '{ jobs(query: "other") { edges { node { id runs(filter: {query: "metrics.auc > 0"}) { totalCount } } } } }'
    )["jobs"]["edges"]
    assert job["node"]["runs"]["totalCount"] == 1
    assert trained.names("metrics.auc > 0", jobIds=[job["node"]["id"]]) == ["e"]


def test_a_run_of_an_experiment_that_nobody_ended_is_lost(lab: Lab) -> None:
    lab.tracking.runs.create(lab.number, name="old", start=BEGIN - 400_000_000, actor=ME)
    lab.tracking.runs.create(lab.number, name="new", start=BEGIN, actor=ME)
    lab.parts.committer.settle(patience=10)
    assert lab.names(None, ("start_time", "ASC"), states=["RUNNING"]) == ["new"]
    assert lab.names(None, ("start_time", "ASC"), states=["LOST"]) == ["old"]


def test_deleted_runs_are_left_out(trained: Lab) -> None:
    deleted = trained.run("gone", 9, metrics={"auc": 1.0})
    trained.tracking.runs.delete(deleted, actor=ME)
    assert trained.names("metrics.auc > 0.75") == ["c", "b"]
    told = trained.experiment("runCount runs { totalCount } table { total }")
    assert told == {"runCount": 4, "runs": {"totalCount": 4}, "table": {"total": 4}}


def test_what_cannot_be_read_is_refused_with_what_was_expected(trained: Lab) -> None:
    for filter_ in ("metrics.auc >", "planets.mars = 1", "metrics.auc = 'x'"):
        error = trained.error(
            "query ($f: RunFilter) { runs(filter: $f) { totalCount } }", f={"query": filter_}
        )
        assert error["extensions"]["code"] == "INVALID", filter_
    error = trained.error('{ runs(orderBy: [{key: "metrics."}]) { totalCount } }')
    assert error["extensions"]["code"] == "INVALID"
    error = trained.error('{ runs(filter: {experimentIds: ["99"]}) { totalCount } }')
    assert error["extensions"]["code"] == "NOT_FOUND"


def test_pages_in_any_order_are_the_whole_of_it_though_runs_come_meanwhile(lab: Lab) -> None:
    for n in range(23):
        lab.run(f"r{n:02d}", n, metrics={"auc": (n * 7 % 23) / 23} if n % 5 else None)
    page = "runs(first: 5, after: $a, orderBy: $o) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { displayName } } }"
    order = [{"key": "metrics.auc", "direction": "DESC"}]
    seen: list[str] = []
    after, more = None, True
    while more:
        found = lab.experiment(page, a=after, o=order)["runs"]
        seen += [edge["node"]["displayName"] for edge in found["edges"]]
        assert found["edges"][-1]["cursor"] == found["pageInfo"]["endCursor"]
        if after is None:
            lab.run("late", 99, metrics={"auc": 0.999})  # before the bound: no page moves
        after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    measured = sorted((n for n in range(23) if n % 5), key=lambda n: -(n * 7 % 23))
    unmeasured = [20, 15, 10, 5, 0]
    assert seen == [f"r{n:02d}" for n in (*measured, *unmeasured)]
    refused = lab.error(
        'query ($a: String) { runs(after: $a, orderBy: [{key: "start_time"}]) { totalCount } }', a=after
    )
    assert refused["extensions"]["code"] == "INVALID"


def test_a_run_tells_what_it_logged(lab: Lab) -> None:
    tags = {"mlflow.source.git.commit": SHA, "mlflow.source.git.repoURL": "https://github.com/org/churn"}
    run = lab.run(
        "a", 1, params={"lr": "0.1", "kind": "forest"}, metrics={"auc": 0.7, "bad": math.inf}, tags=tags
    )
    lab.tracking.runs.log(run, metrics=[("auc", Point(2, BEGIN + 2, 0.6))], actor=ME)
    lab.parts.committer.settle(patience=10)
    told = lab.ask(
        """query ($r: String!) { entity(ref: $r) { ... on Run { experiment { name } user { name } gitCommit
            params { key value } few: params(keys: ["lr", "none"]) { key } metrics { key last min max lastStep at } } } }""",
        r=f"runs:/{run}",
    )["entity"]
    assert told["experiment"] == {"name": "churn"}
    assert told["user"] == {"name": ME}
    assert told["gitCommit"] == SHA
    assert told["params"] == [{"key": "kind", "value": "forest"}, {"key": "lr", "value": "0.1"}]
    assert told["few"] == [{"key": "lr"}]
    auc, bad = told["metrics"]
    assert (auc["last"], auc["min"], auc["max"], auc["lastStep"]) == (0.6, 0.6, 0.7, 2)
    assert auc["at"] == "2027-01-15T05:13:20.002Z"
    assert (bad["key"], bad["last"]) == ("bad", None)


def test_a_run_of_no_experiment_has_logged_nothing(lab: Lab) -> None:
    lab.tell(run_event("COMPLETE", "2027-01-01T00:00:00Z", "r1", "etl", outputs=[dataset("t", "a")]))
    (edge,) = lab.ask(
        "{ runs { edges { node { experiment { name } user { name } gitCommit params { key } metrics { key } } } } }"
    )["runs"]["edges"]
    assert edge["node"] == {"experiment": None, "user": None, "gitCommit": None, "params": [], "metrics": []}


def test_learning_curves_keep_their_spikes(lab: Lab) -> None:
    run = lab.run("a", 1)
    points = [("loss", Point(step, BEGIN + 1_000 * step, 1.0)) for step in range(1_000)]
    points[500] = ("loss", Point(500, BEGIN + 500_000, 99.0))
    points[999] = ("loss", Point(999, BEGIN + 999_000, math.nan))
    lab.tracking.runs.log(run, metrics=points, actor=ME)
    lab.parts.committer.settle(patience=10)
    asked = """query ($r: String!, $x: SeriesAxis, $n: Int) { entity(ref: $r) { ... on Run {
        series(keys: ["loss", "none"], x: $x, maxPoints: $n) { key x y points sampled run { runId } } } } }"""
    loss, none = lab.ask(asked, r=f"runs:/{run}", n=20)["entity"]["series"]
    assert (loss["points"], loss["sampled"], loss["run"]) == (1_000, True, {"runId": run})
    assert len(loss["x"]) == len(loss["y"]) <= 20
    assert loss["y"][loss["x"].index(500)] == 99.0
    assert (loss["x"][0], loss["x"][-1], loss["y"][-1]) == (0, 999, None)
    assert (none["x"], none["y"], none["points"], none["sampled"]) == ([], [], 0, False)
    assert lab.ask(asked, r=f"runs:/{run}", x="RELATIVE_TIME")["entity"]["series"][0]["x"][:3] == [0, 1, 2]
    assert lab.ask(asked, r=f"runs:/{run}", x="TIME")["entity"]["series"][0]["x"][0] == BEGIN / 1_000
    assert lab.error(asked, r=f"runs:/{run}", n=1)["extensions"]["code"] == "INVALID"


def test_a_table_has_a_column_for_all_that_was_logged(trained: Lab) -> None:
    trained.run("odd", 5, params={"a key": "x"})
    table = trained.experiment("table { total truncated runIds columns { key kind numbers strings } }")[
        "table"
    ]
    assert (table["total"], table["truncated"], len(table["runIds"])) == (5, False, 5)
    columns = {column["key"]: column for column in table["columns"]}
    assert list(columns) == [
        "run_name", "status", "start_time", "end_time",
        "params.`a key`", "params.kind", "params.lr", "metrics.auc", "metrics.loss",
    ]  # fmt: skip
    assert columns["run_name"]["strings"] == ["odd", "d", "c", "b", "a"]
    assert columns["params.`a key`"]["strings"] == ["x", None, None, None, None]
    assert columns["params.lr"]["numbers"] == [None, None, 1.0, 0.01, 0.1]
    assert columns["params.lr"]["strings"] == [None, None, "1", "0.01", "0.1"]
    assert columns["params.kind"]["numbers"] is None
    assert (columns["metrics.loss"]["kind"], columns["metrics.loss"]["strings"]) == ("metric", None)
    assert columns["metrics.loss"]["numbers"] == [None, None, None, None, 0.5]  # NaN is none
    assert columns["start_time"]["numbers"] == [BEGIN + n for n in (5, 4, 3, 2, 1)]


def test_a_table_is_filtered_ordered_and_cut(trained: Lab) -> None:
    table = trained.experiment(
        'table(columns: ["run_name", "tags.team"], filter: $f, orderBy: $o, limit: 2) { total truncated runIds columns { key strings } }',
        f={"query": "metrics.auc > 0"},
        o=[{"key": "metrics.auc"}],
    )["table"]
    assert (table["total"], table["truncated"]) == (3, True)
    assert [column["strings"] for column in table["columns"]] == [["b", "c"], [None, "ads"]]
    named = trained.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Run { displayName } } }", ids=table["runIds"]
    )
    assert named["nodes"] == [{"displayName": "b"}, {"displayName": "c"}]
    for wrong in ("datasets.name", "metrics.auc DESC", "nothing", "metrics.a, metrics.b"):
        asked = f'table(columns: ["{wrong}"]) {{ total }}'
        answer = trained.answer(
            f"query ($r: String!) {{ entity(ref: $r) {{ ... on Experiment {{ {asked} }} }} }}",
            r=f"hw:experiment:{trained.number}",
        )
        assert answer["errors"][0]["extensions"]["code"] == "INVALID", wrong


def test_keys_say_which_of_them_tell_runs_apart(trained: Lab) -> None:
    info = "{ key runs numeric distinct varies }"
    found = trained.experiment(f"keys {{ params {info} metrics {info} tags {info} }}")["keys"]
    assert found["params"] == [
        {"key": "kind", "runs": 3, "numeric": False, "distinct": 2, "varies": True},
        {"key": "lr", "runs": 3, "numeric": True, "distinct": 3, "varies": True},
    ]
    assert [(one["key"], one["runs"]) for one in found["metrics"]] == [("auc", 3), ("loss", 2)]
    assert found["tags"] == [{"key": "team", "runs": 1, "numeric": False, "distinct": 1, "varies": False}]


def test_params_and_metrics_of_many_runs_cost_one_call_each(lab: Lab) -> None:
    for n in range(12):
        lab.run(f"r{n}", n, params={"lr": "1"}, metrics={"auc": 1.0})
    lab.parts.committer.settle(patience=10)
    asked = 'query ($n: Int) { runs(first: $n, orderBy: [{key: "start_time"}]) { edges { node { params { key } metrics { last } experiment { name } } } } }'
    lab.ask(asked, n=3)
    spent = []
    for first in (3, 12):
        store, calls = counting(lab.parts.store)
        assert len(lab.with_context(store=store).ask(asked, n=first)["runs"]["edges"]) == first
        spent.append(calls())
    assert spent[0] == spent[1] <= 4


def test_runs_of_experiments_are_seen_by_whoever_sees_their_namespace(trained: Lab) -> None:
    trained.parts.committer.settle(patience=10)
    asked = """{ runs(filter: {query: "metrics.auc > 0"}) { totalCount edges { node { experiment { runCount } params { key } } } }
        experiments { edges { node { name table { total } keys { params { key } } } } } }"""

    def seen(grant: str) -> Any:
        other = Api(trained.parts)
        principal = Principal("eve", (Grant.read(grant),))
        other.context = as_seen(replace(trained.context, principal=principal))
        return other.ask(asked)

    inside = seen("reader?namespace=mlflow")
    assert inside == seen("reader")
    assert inside["runs"]["totalCount"] == 3
    assert inside["runs"]["edges"][0]["node"] == {
        "experiment": {"runCount": 4},
        "params": [{"key": "kind"}, {"key": "lr"}],
    }
    outside = seen("reader?namespace=pg://*")
    assert outside["runs"] == {"totalCount": 0, "edges": []}
    assert all(edge["node"]["table"] == {"total": 0} for edge in outside["experiments"]["edges"])
    assert all(edge["node"]["keys"] == {"params": []} for edge in outside["experiments"]["edges"])

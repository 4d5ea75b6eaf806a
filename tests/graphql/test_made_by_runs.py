"""What runs leave behind: logged models and their packages, files, environments, data that nobody knows; on every store."""

from dataclasses import replace
from typing import Any

import pytest

from headwater_server.api.seen import as_seen
from headwater_server.auth.policy import Grant, Principal
from headwater_server.graph import keys
from headwater_server.tracking.inputs import Input
from tests.app import Headwater, embedded, headwater, neo4j_server, on_neo4j
from tests.graphql.asking import Api, counting, dataset, run_event
from tests.tracking.test_features import MLMODEL, put, upload

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]

ME = "ada"
BEGIN = 1_799_990_000_000
MODEL = """modelId name modelType status createdAt artifactUri flavors mlflowVersion python bytes features targets unread
    tags { key value } packages { name spec package { name } } experiment { name } run { runId } modelVersions { name }"""


class Lab(Api):
    def __init__(self, headwater: Headwater) -> None:
        super().__init__(headwater.parts)
        self.headwater = headwater
        self.tracking = headwater.parts.tracking
        self.number = self.tracking.experiments.create("churn", actor=ME)

    def run(self, name: str = "r", *inputs: Input) -> str:
        made = self.tracking.runs.create(self.number, name=name, start=BEGIN, actor=ME)
        if inputs:
            self.tracking.runs.read_by(made.id, list(inputs), actor=ME)
        return made.id

    def model(self, run: str, requirements: bytes, python: str = "3.11.7", name: str = "churn") -> str:
        model = self.tracking.models.create(
            self.number, name=name, run_id=run, tags={"team": "ads"}, actor=ME
        )
        self.tracking.runs.made_models(run, [(model.id, 0)], actor=ME)
        upload(self.headwater, model.id, "MLmodel", MLMODEL)
        upload(self.headwater, model.id, "requirements.txt", requirements)
        upload(self.headwater, model.id, "python_env.yaml", f"python: {python}\n".encode())
        return model.id

    def of_run(self, run: str, selection: str) -> Any:
        self.parts.committer.settle(patience=10)
        return self.ask(
            f"query ($r: String!) {{ entity(ref: $r) {{ ... on Run {{ {selection} }} }} }}", r=f"runs:/{run}"
        )["entity"]

    def file(self, run: str, path: str, content: bytes) -> None:
        put(self.headwater, self.tracking.runs.get(run).artifacts, path, content)


@pytest.fixture
def lab(headwater: Headwater) -> Lab:
    return Lab(headwater)


def test_a_logged_model_tells_what_it_is_made_of_and_needs(lab: Lab) -> None:
    run = lab.run()
    model = lab.model(run, b"scikit_learn==1.9.1\nnumpy<3\n")
    registry, more = lab.parts.registry, {"loggedModel": keys.logged_model(model)}
    registry.register_model("churn", actor=ME)
    registry.create_version("churn", run_id=run, more=more, actor=ME)
    (found,) = lab.of_run(run, f"loggedModels {{ {MODEL} }}")["loggedModels"]
    assert {key: found[key] for key in ("modelId", "name", "python", "bytes", "flavors", "features", "targets", "unread")} == {
        "modelId": model, "name": "churn", "python": "3.11.7", "bytes": 451, "flavors": ["python_function", "sklearn"],
        "features": ["Price", "visits", "made_up"], "targets": ["churned"], "unread": [],
    }  # fmt: skip
    assert found["packages"] == [
        {"name": "numpy", "spec": "<3", "package": {"name": "numpy"}},
        {"name": "scikit-learn", "spec": "==1.9.1", "package": {"name": "scikit-learn"}},
    ]
    assert found["modelVersions"] == [{"name": "churn@1"}]
    version = lab.ask('{ modelVersion(model: "churn", version: "1") { loggedModel { modelId } } }')[
        "modelVersion"
    ]
    assert version == {"loggedModel": {"modelId": model}}
    assert (found["run"], found["experiment"], found["tags"]) == (
        {"runId": run},
        {"name": "churn"},
        [{"key": "team", "value": "ads"}],
    )
    assert lab.ask("query ($id: ID!) { loggedModel(id: $id) { name } }", id=model)["loggedModel"] == {
        "name": "churn"
    }
    assert lab.ask('{ loggedModel(id: "m-none") { name } }')["loggedModel"] is None


def test_a_package_tells_which_models_need_it(lab: Lab) -> None:
    run = lab.run()
    for number in range(3):
        lab.model(run, f"Scikit.Learn=={number}\nonly-{number}\n".encode(), name=f"m{number}")
    lab.parts.committer.settle(patience=10)
    page = '{ package(name: "Scikit_LEARN") { id name neededBy(first: 2) { totalCount pageInfo { hasNextPage } edges { node { name } } } } }'
    found = lab.ask(page)["package"]
    assert found["name"] == "scikit-learn"
    assert (found["neededBy"]["totalCount"], found["neededBy"]["pageInfo"]["hasNextPage"]) == (3, True)
    assert lab.ask("query ($id: ID!) { node(id: $id) { ... on Package { name } } }", id=found["id"])[
        "node"
    ] == {"name": "scikit-learn"}
    assert lab.ask('{ package(name: "nobody") { name } }')["package"] is None


def test_many_models_cost_no_more_calls_than_few(lab: Lab) -> None:
    def calls(n: int) -> int:
        store, counted = counting(lab.parts.store)
        query = "query ($n: Int) { runs(first: $n) { edges { node { loggedModels { packages { spec package { name } } run { runId } } } } } }"
        lab.with_context(store=store).ask(query, n=n)
        return counted()

    for number in range(6):
        lab.model(lab.run(f"r{number}"), f"only-{number}\nnumpy\n".encode())
    lab.parts.committer.settle(patience=10)
    assert calls(6) == calls(2)


def test_equal_environments_have_equal_hashes(lab: Lab) -> None:
    runs = [lab.run(f"r{n}") for n in range(5)]
    lab.model(runs[0], b"numpy==2.0\nscipy\n")
    lab.model(runs[1], b"SciPy\n# in another order\nNumPy==2.0\n")
    lab.model(runs[2], b"numpy==2.1\nscipy\n")
    lab.model(runs[3], b"numpy==2.0\nscipy\n", python="3.12.1")
    same, again, newer, other, none = (lab.of_run(run, "environmentHash")["environmentHash"] for run in runs)
    assert same == again
    assert len({same, newer, other}) == 3
    assert len(same) == 64
    assert none is None


def test_a_model_that_was_deleted_is_listed_no_more_and_its_run_ran_where_it_ran(lab: Lab) -> None:
    run = lab.run()
    model = lab.model(run, b"numpy\n")
    before = lab.of_run(run, "environmentHash")
    lab.tracking.models.delete(model, actor=ME)
    assert lab.of_run(run, "environmentHash loggedModels { name }") == {**before, "loggedModels": []}
    page = '{ package(name: "numpy") { neededBy { totalCount } } }'
    assert lab.ask(page)["package"]["neededBy"]["totalCount"] == 0


def test_the_engine_of_events_is_part_of_the_environment(lab: Lab) -> None:
    def told(run: str, version: str) -> Any:
        facet = {
            "_producer": "https://example.com/p",
            "_schemaURL": "https://example.com/s",
            "name": "spark",
            "version": version,
        }
        event = run_event(
            "COMPLETE", "2026-01-01T00:00:00Z", run, f"job {run}", run_facets={"processing_engine": facet}
        )
        lab.tell(event)
        return lab.of_run(run, "environmentHash")["environmentHash"]

    ids = [f"0191b8f8-7b9c-7000-8000-{n:012}" for n in range(3)]
    assert told(ids[0], "3.5") == told(ids[1], "3.5") != told(ids[2], "4.0")


def test_the_files_of_a_run_are_listed_folder_by_folder(lab: Lab) -> None:
    run = lab.run()
    lab.file(run, "plots/loss.png", b"png")
    lab.file(run, "plots/more/roc.png", b"more")
    lab.file(run, "notes.txt", b"hello")
    shown = "artifacts(path: %s, first: %d) { totalCount pageInfo { hasNextPage endCursor } edges { node { id path uri isDirectory bytes sha256 mediaType run { runId } } } }"
    top = lab.of_run(run, shown % ("null", 100))["artifacts"]
    assert [(e["node"]["path"], e["node"]["isDirectory"], e["node"]["bytes"]) for e in top["edges"]] == [
        ("notes.txt", False, 5), ("plots", True, None),
    ]  # fmt: skip
    notes = top["edges"][0]["node"]
    assert notes["sha256"] == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert (notes["mediaType"], notes["run"]) == ("text/plain", {"runId": run})
    assert notes["uri"].endswith("/artifacts/notes.txt")
    plots = lab.of_run(run, shown % ('"plots"', 1))["artifacts"]
    assert [e["node"]["path"] for e in plots["edges"]] == ["plots/loss.png"]
    assert (plots["totalCount"], plots["pageInfo"]["hasNextPage"]) == (2, True)
    again = lab.ask("query ($id: ID!) { node(id: $id) { ... on Artifact { path bytes } } }", id=notes["id"])[
        "node"
    ]
    assert again == {"path": "notes.txt", "bytes": 5}
    assert lab.of_run(run, shown % ('"none"', 1))["artifacts"]["totalCount"] == 0
    for path in ("../other", "/etc", "a/%2e%2e/b"):
        error = lab.error(
            "query ($r: String!, $p: String) { entity(ref: $r) { ... on Run { artifacts(path: $p) { totalCount } } } }",
            r=f"runs:/{run}", p=path,
        )  # fmt: skip
        assert error["extensions"]["code"] == "INVALID"


def test_runs_whose_files_lie_elsewhere_or_nowhere_have_none(lab: Lab) -> None:
    number = lab.tracking.experiments.create("elsewhere", artifacts="s3://bucket/exp", actor=ME)
    run = lab.tracking.runs.create(number, name="r", start=BEGIN, actor=ME).id
    assert lab.of_run(run, "artifacts { totalCount }")["artifacts"] == {"totalCount": 0}
    event = run_event("COMPLETE", "2026-01-01T00:00:00Z", "0191b8f8-7b9c-7000-8000-000000000009", "job")
    lab.tell(event)
    assert lab.of_run(event["run"]["runId"], "artifacts { totalCount } unlinked loggedModels { name }") == {
        "artifacts": {"totalCount": 0}, "unlinked": [], "loggedModels": [],
    }  # fmt: skip


def test_runs_that_read_what_nobody_knows_are_found(lab: Lab) -> None:
    known = Input("orders", "d1", "s3", '{"uri": "s3://lake/orders"}')
    unknown = Input("memory", "d2", "code", "{}")
    lab.run("clean", known)
    lab.run("mixed", known, unknown)
    lab.run("none")
    lab.parts.committer.settle(patience=10)

    def names(**only: Any) -> set[str]:
        found = lab.ask(
            "query ($f: RunFilter) { runs(filter: $f) { totalCount edges { node { displayName unlinked } } } }",
            f=only,
        )["runs"]
        assert found["totalCount"] == len(found["edges"])
        assert all(bool(edge["node"]["unlinked"]) is only["unlinked"] for edge in found["edges"])
        return {edge["node"]["displayName"] for edge in found["edges"]}

    assert names(unlinked=True) == {"mixed"}
    assert names(unlinked=False) == {"clean", "none"}
    assert names(unlinked=True, experimentIds=[lab.number], query="attributes.run_name = 'clean'") == set()


def test_a_version_that_is_a_hash_of_the_content_is_told_as_one(lab: Lab) -> None:
    md5, uuid = "d41d8cd98f00b204e9800998ecf8427e", "0191b8f8-7b9c-7000-8000-000000000001"
    for number, version in enumerate((md5, uuid, "17", "cafe")):
        facet = {
            "_producer": "https://example.com/p",
            "_schemaURL": "https://example.com/s",
            "datasetVersion": version,
        }
        lab.tell(run_event("COMPLETE", f"2026-01-01T00:00:0{number}Z", f"0191b8f8-7b9c-7000-8000-{number:012}", "job",
                           outputs=[dataset(f"t{number}", version=facet)]))  # fmt: skip
    found = lab.ask("{ datasets { edges { node { currentVersion { version contentHash } } } } }")["datasets"][
        "edges"
    ]
    told = {e["node"]["currentVersion"]["version"]: e["node"]["currentVersion"]["contentHash"] for e in found}
    assert told == {md5: md5, uuid: None, "17": None, "cafe": None}


def test_runs_differ_in_packages_and_python(lab: Lab) -> None:
    a, b = lab.run("a"), lab.run("b")
    lab.model(a, b"numpy==2.0\nscipy\nold\n")
    model = lab.model(b, b"numpy==2.1\nscipy\nnew>=1\n", python="3.12.1")
    lab.model(b, b"numpy==2.2\n", name="other", python="3.12.1")
    lab.parts.committer.settle(patience=10)
    query = "query ($a: String!, $b: String!) { diff(a: $a, b: $b) { sections { key unchanged changes { key before after } } } }"

    def changes(a: str, b: str) -> dict[str, dict[str, tuple[Any, Any]]]:
        found = lab.ask(query, a=a, b=b)["diff"]["sections"]
        return {s["key"]: {c["key"]: (c["before"], c["after"]) for c in s["changes"]} for s in found}

    found = changes(f"runs:/{a}", f"runs:/{b}")
    assert found["environment"] == {"python": ("3.11.7", "3.12.1")}
    assert found["packages"] == {"new": (None, ">=1"), "numpy": ("==2.0", "==2.1, ==2.2"), "old": ("", None)}
    registry = lab.parts.registry
    registry.register_model("churn", actor=ME)
    registry.create_version("churn", run_id=a, actor=ME)
    registry.create_version("churn", run_id=b, more={"loggedModel": keys.logged_model(model)}, actor=ME)
    lab.parts.committer.settle(patience=10)
    found = changes("models:/churn/1", "models:/churn/2")
    assert found["packages"] == {
        "new": (None, ">=1"),
        "numpy": ("==2.0", "==2.1"),
        "old": ("", None),
    }  # of one model alone
    assert found["environment"] == {"python": ("3.11.7", "3.12.1")}


def test_whoever_does_not_see_the_runs_sees_none_of_it(lab: Lab) -> None:
    run = lab.run()
    model = lab.model(run, b"numpy\n")
    lab.file(run, "secret.txt", b"x")
    lab.parts.committer.settle(patience=10)
    (file,) = lab.of_run(run, "artifacts { edges { node { id } } }")["artifacts"]["edges"]
    query = """query ($m: ID!, $f: ID!) { loggedModel(id: $m) { name packages { name } } package(name: "numpy") { neededBy { totalCount } }
        node(id: $f) { id } }"""
    for scope, sees in (("reader?namespace=mlflow", True), ("reader?namespace=etl", False)):
        principal = Principal("bob", (Grant.read(scope),))
        other = lab.with_context()
        other.context = as_seen(replace(lab.context, principal=principal, actor="bob"))
        found = other.ask(query, m=model, f=file["node"]["id"])
        if sees:
            assert found["loggedModel"] == {"name": "churn", "packages": [{"name": "numpy"}]}
            assert found["package"] == {"neededBy": {"totalCount": 1}}
            assert found["node"] == file["node"]
        else:
            assert found == {"loggedModel": None, "package": None, "node": None}

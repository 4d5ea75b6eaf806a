"""A model's columns: what its files say meets what its run read, on every store, in any order, after a rebuild."""

import pytest

from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage.impact import affected_models, impact
from headwater_server.lineage.shapes import ChangeKind
from headwater_server.parts import TRANSLATORS
from headwater_server.project.projector import Parsed, Projector
from headwater_server.store.port import Direction
from headwater_server.tracking.inputs import Input
from tests.app import Headwater

ME = "ada"
VERSION = keys.model_version("churn", 1)
MLMODEL = b"""
flavors: {python_function: {loader_module: mlflow.sklearn}, sklearn: {code: null}}
mlflow_version: 3.17.2
model_size_bytes: 451
signature:
  inputs: '[{"type": "double", "name": "Price"}, {"type": "long", "name": "visits"}, {"type": "long", "name": "made_up"}]'
  outputs: '[{"type": "long", "name": "churned"}]'
"""
REQUIREMENTS = b"# made by the client\nScikit_Learn[extra]==1.9.1 ; python_version > '3'\nnumpy<3  # why\n-r more.txt\n\n"


def table(name: str, columns: list[str], context: str) -> Input:
    schema = ",".join(f'{{"type": "long", "name": "{column}"}}' for column in columns)
    source = f'{{"uri": "s3://lake/{name}"}}'
    tags = {"mlflow.data.context": context}
    return Input(
        name, "d1", "s3", source, f'{{"mlflow_colspec": [{schema}]}}' if columns else None, tags=tags
    )


def dataset(name: str) -> str:
    return keys.dataset("s3://lake", name)


def upload(headwater: Headwater, model: str, name: str, content: bytes) -> None:
    home = headwater.parts.tracking.models.get(model).artifacts.removeprefix("mlflow-artifacts:/")
    upload = headwater.parts.files.begin(f"{home}/{name}", actor=ME)
    upload.feed(content)
    upload.done()


def train(headwater: Headwater, order: str = "read file register") -> str:
    """The model's id."""
    tracking = headwater.parts.tracking
    run = tracking.runs.create("0", start=1_700_000_000_000, actor=ME)
    model = tracking.models.create("0", name="forest", run_id=run.id, actor=ME)
    for what in order.split():
        if what == "read":
            read = [table("users", ["price", "churned"], "training"), table("events", ["visits"], "training")]
            tracking.runs.read_by(run.id, [*read, table("holdout", ["price"], "eval")], actor=ME)
        elif what == "file":
            upload(headwater, model.id, "MLmodel", MLMODEL)
        else:
            headwater.registry.register_model("churn", actor=ME)
            more = {"loggedModel": keys.logged_model(model.id)}
            headwater.registry.create_version("churn", run_key=run.key, more=more, actor=ME)
        headwater.parts.committer.settle(patience=10)
    return model.id


def features(headwater: Headwater) -> dict[str, tuple[object, float]]:
    edges = headwater.store.expand([VERSION], Direction.UPSTREAM, [EdgeKind.FEATURE_OF])
    return {e.source: (e.props["subtype"], float(e.props.get("confidence", 1.0))) for e in edges}  # type: ignore[arg-type]


ORDERS = (
    "read file register",
    "file read register",
    "register read file",
    "file register read",
    "register file read",
)


@pytest.mark.parametrize("order", ORDERS)
def test_the_names_of_a_signature_are_columns_of_what_the_run_read(headwater: Headwater, order: str) -> None:
    train(headwater, order)
    assert features(headwater) == {
        keys.column(dataset("users"), "price"): ("FEATURE", 1.0),
        keys.column(dataset("events"), "visits"): ("FEATURE", 1.0),
        keys.column(dataset("users"), "churned"): ("TARGET", 1.0),
    }
    (made,) = headwater.store.expand([VERSION], Direction.UPSTREAM, [EdgeKind.PRODUCED])
    assert made.props["unmatched"] == ["made_up"]
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda _, __: None)
    assert headwater.fingerprint() == before


def test_a_column_that_is_told_of_later_is_found_then(headwater: Headwater) -> None:
    train(headwater)
    schema = {"fields": [{"name": "MADE_UP"}, {"name": "visits"}]}
    headwater.send(
        {
            "eventType": "COMPLETE",
            "eventTime": "2024-01-01T00:00:00Z",
            "producer": "https://example.com/etl",
            "run": {"runId": "01920000-0000-7000-8000-000000000001"},
            "job": {"namespace": "etl", "name": "load"},
            "outputs": [{"namespace": "s3://lake", "name": "events", "facets": {"schema": schema}}],
        }
    )
    assert features(headwater)[keys.column(dataset("events"), "made_up")] == ("FEATURE", 1.0)
    (made,) = headwater.store.expand([VERSION], Direction.UPSTREAM, [EdgeKind.PRODUCED])
    assert "unmatched" not in made.props
    affected = affected_models(keys.column(dataset("users"), "price"), headwater.store)
    assert [one.model_version.key for one in affected.items] == [VERSION]
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda _, __: None)
    assert headwater.fingerprint() == before


def test_a_name_in_two_tables_is_either_with_less_confidence(headwater: Headwater) -> None:
    tracking = headwater.parts.tracking
    run = tracking.runs.create("0", actor=ME)
    both = [
        table("users", ["price", "visits", "made_up"], "training"),
        table("events", ["visits", "id"], "training"),
    ]
    tracking.runs.read_by(run.id, both, actor=ME)
    model = tracking.models.create("0", run_id=run.id, actor=ME)
    upload(headwater, model.id, "MLmodel", MLMODEL)
    headwater.registry.register_model("churn", actor=ME)
    more = {"loggedModel": keys.logged_model(model.id)}
    headwater.registry.create_version("churn", run_key=run.key, more=more, actor=ME)
    headwater.parts.committer.settle(patience=10)
    found = features(headwater)
    assert found[keys.column(dataset("users"), "visits")] == ("FEATURE", 0.5)
    assert found[keys.column(dataset("events"), "visits")] == ("FEATURE", 0.5)
    sure = {}
    for name, column in (("users", "price"), ("events", "visits")):
        report = impact(keys.column(dataset(name), column), headwater.store, change=ChangeKind.COLUMN_DROP)
        sure[column] = next(item.score for item in report.items if item.entity.key == VERSION)
    assert sure["visits"] == pytest.approx(sure["price"] / 2)
    other = affected_models(keys.column(dataset("events"), "id"), headwater.store)
    assert other.items == ()


def test_a_model_needs_packages(headwater: Headwater) -> None:
    model = train(headwater)
    upload(headwater, model, "requirements.txt", REQUIREMENTS)
    conda = b"dependencies: [python=3.11.7, pip<=23, {pip: [scikit-learn==0.1, mlflow==3.17.2]}]"
    upload(headwater, model, "conda.yaml", conda)
    upload(headwater, model, "python_env.yaml", b"python: 3.11.7\ndependencies: ['-r requirements.txt']")
    headwater.parts.committer.settle(patience=10)
    key = keys.logged_model(model)
    edges = headwater.store.expand([key], Direction.DOWNSTREAM, [EdgeKind.NEEDS])
    assert {headwater.props(e.target)["name"]: e.props["spec"] for e in edges} == {
        "scikit-learn": "==1.9.1",
        "numpy": "<3",
        "mlflow": "==3.17.2",
    }
    said = headwater.props(key)
    assert said["flavors"] == ["python_function", "sklearn"]
    assert (said["mlflowVersion"], said["python"], said["bytes"]) == ("3.17.2", "3.11.7", 451)
    assert (said["features"], said["targets"]) == (["Price", "visits", "made_up"], ["churned"])


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"a: [",
        b"\xff\xfe",
        b"just a text",
        b"!!python/object/apply:os.system ['touch /tmp/x']",
        b"signature: {inputs: '[{'}",
        b"x: " + b"y" * 2**20,
    ],
    ids=["deep", "open", "no text", "no mapping", "an object", "no JSON", "large"],
)
def test_a_file_that_cannot_be_read_is_kept_and_says_why(headwater: Headwater, content: bytes) -> None:
    model = train(headwater, "read")
    upload(headwater, model, "MLmodel", content)
    headwater.parts.committer.settle(patience=10)
    (told,) = headwater.props(keys.logged_model(model))["unread"]
    assert told.startswith("MLmodel: ")
    home = headwater.parts.tracking.models.get(model).artifacts.removeprefix("mlflow-artifacts:/")
    assert b"".join(headwater.parts.artifacts.read(f"{home}/MLmodel")) == content


@pytest.mark.neo4j
def test_columns_of_models_are_one_graph_on_every_store(embedded: Headwater, on_neo4j: Headwater) -> None:
    upload(embedded, train(embedded), "requirements.txt", REQUIREMENTS)
    embedded.parts.committer.settle(patience=10)
    records = embedded.log.read(0, limit=1_000)
    Projector(on_neo4j.store, TRANSLATORS, log=on_neo4j.log.instance).project([Parsed.of(r) for r in records])
    assert on_neo4j.fingerprint() == embedded.fingerprint()

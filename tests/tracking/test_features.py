"""A model's columns: what its files say meets what its run read, on every store, in any order, after a rebuild."""

import struct

import pytest
import yaml  # type: ignore[import-untyped]

from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.impact import affected_models, impact
from headwater_server.lineage.shapes import ChangeKind
from headwater_server.lineage.why import why
from headwater_server.parts import TRANSLATORS
from headwater_server.project.projector import Parsed, Projector
from headwater_server.store.port import Direction
from headwater_server.tracking.inputs import Input
from headwater_server.tracking.model_files import read_content
from headwater_server.tracking.search import Asked
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
    put(headwater, headwater.parts.tracking.models.get(model).artifacts, name, content)


def put(headwater: Headwater, root: str, name: str, content: bytes) -> None:
    home = root.removeprefix("mlflow-artifacts:/")
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
        b"x: !!bool perhaps",
        b'x: !!int ""',
    ],
    ids=["deep", "open", "no text", "no mapping", "an object", "no JSON", "large", "no bool", "no number"],
)
def test_a_file_that_cannot_be_read_is_kept_and_says_why(headwater: Headwater, content: bytes) -> None:
    model = train(headwater, "read")
    upload(headwater, model, "MLmodel", content)
    headwater.parts.committer.settle(patience=10)
    (told,) = headwater.props(keys.logged_model(model))["unread"]
    assert told.startswith("MLmodel: ")
    home = headwater.parts.tracking.models.get(model).artifacts.removeprefix("mlflow-artifacts:/")
    assert b"".join(headwater.parts.artifacts.read(f"{home}/MLmodel")) == content


GAIN = b'{"scale__price": 30, "visits_low": 5, "visits_high": 5, "made_up": 60}'


def weights(headwater: Headwater, version: str = VERSION) -> dict[str, tuple[object, ...]]:
    edges = headwater.store.expand([version], Direction.UPSTREAM, [EdgeKind.FEATURE_OF])
    told = (
        (keys.parts_of(e.source)[-1], [e.props.get(n) for n in ("weight", "method", "table")]) for e in edges
    )
    return {name: tuple(said) for name, said in told if said[0] is not None}


@pytest.mark.parametrize("early", [True, False], ids=["before the model", "after it"])
@pytest.mark.parametrize("beside", [True, False], ids=["beside the model", "among the run's files"])
def test_a_table_of_importance_weighs_the_columns(headwater: Headwater, *, early: bool, beside: bool) -> None:
    tracking = headwater.parts.tracking
    model = train(headwater, "" if early else "read file register")
    one = tracking.models.get(model)
    root = one.artifacts if beside else tracking.runs.get(one.run).artifacts
    put(headwater, root, "plots/feature_importance_gain.json", GAIN)
    put(headwater, root, "metrics.json", b'{"price": 1, "visits": 9}')
    if early:
        upload(headwater, model, "MLmodel", MLMODEL)
        headwater.registry.register_model("churn", actor=ME)
        more = {"loggedModel": keys.logged_model(model)}
        headwater.registry.create_version("churn", run_key=tracking.runs.key(one.run), more=more, actor=ME)
        read = [table("users", ["price", "churned"], "training"), table("events", ["visits"], "training")]
        tracking.runs.read_by(one.run, read, actor=ME)
    headwater.parts.committer.settle(patience=10)
    path = "plots/feature_importance_gain.json"
    assert weights(headwater) == {"price": (0.3, "GAIN", path), "visits": (0.1, "GAIN", path)}
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda _, __: None)
    assert headwater.fingerprint() == before
    put(headwater, root, "shap_values.csv", b"made_up,price,visits\n0,1,3\n0,-1,3\n")
    headwater.parts.committer.settle(patience=10)
    assert weights(headwater)["visits"] == (0.75, "SHAP", "shap_values.csv")
    put(headwater, root, "shap_values.csv", b"no table any more")
    headwater.parts.committer.settle(patience=10)
    assert weights(headwater)["visits"][1] == "GAIN"


def test_shap_values_without_names_are_in_the_order_of_the_signature(headwater: Headwater) -> None:
    model = train(headwater)
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }\n"
    raw = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack("<3d", 1, -2, 5)
    run = headwater.parts.tracking.runs.get(headwater.parts.tracking.models.get(model).run)
    put(headwater, run.artifacts, "model_explanations_shap/shap_values.npy", raw)
    headwater.parts.committer.settle(patience=10)
    assert {name: said[:2] for name, said in weights(headwater).items()} == {
        "price": (0.125, "SHAP"),
        "visits": (0.25, "SHAP"),
    }


def test_impact_ranks_by_weight_and_says_so(headwater: Headwater) -> None:
    model = train(headwater)
    upload(headwater, model, "importance.json", b'{"price": 9, "visits": 1}')
    headwater.parts.committer.settle(patience=10)
    scores = {}
    for name, column in (("users", "price"), ("events", "visits")):
        report = impact(keys.column(dataset(name), column), headwater.store, change=ChangeKind.COLUMN_DROP)
        item = next(item for item in report.items if item.entity.key == VERSION)
        scores[column] = item.score
        (reason,) = (reason.text for reason in item.reasons if reason.code == "IMPORTANCE")
        assert reason.endswith(
            "(IMPORTANCE, importance.json): " + {"price": "0.950", "visits": "0.550"}[column]
        )
        assert [edge.weight for edge in item.path.edges] == [{"price": 0.9, "visits": 0.1}[column]]
        (job,) = (item.score for item in report.items if item.entity.kind is Kind.JOB)
        assert job == pytest.approx(0.2 * 0.9)  # it breaks whatever its model makes of the column
    assert scores["visits"] / scores["price"] == pytest.approx(0.55 / 0.95, rel=1e-4)
    (evidence,) = why(keys.column(dataset("users"), "price"), headwater.store, to=VERSION)
    assert evidence.note == "FEATURE: 90.0% of the model's importance (IMPORTANCE, importance.json)"


def test_the_columns_of_an_affected_model_are_told_heaviest_first(headwater: Headwater) -> None:
    tracking, registry = headwater.parts.tracking, headwater.registry
    run = tracking.runs.create("0", actor=ME)
    tracking.runs.read_by(run.id, [table("users", ["price", "visits", "made_up"], "training")], actor=ME)
    model = tracking.models.create("0", run_id=run.id, actor=ME)
    upload(headwater, model.id, "MLmodel", MLMODEL)
    put(headwater, run.artifacts, "importance.json", b'{"price": 1, "made_up": 2, "visits": 7}')
    registry.register_model("churn", actor=ME)
    registry.create_version(
        "churn", run_key=run.key, more={"loggedModel": keys.logged_model(model.id)}, actor=ME
    )
    affected = affected_models(dataset("users"), headwater.store, columns=["price", "visits", "made_up"])
    (one,) = affected.items
    assert [keys.parts_of(column.key)[-1] for column in one.columns] == ["visits", "made_up", "price"]


@pytest.mark.parametrize("order", ["file register", "register file", "json register", "register json file"])
def test_a_model_of_mlflow_2_among_its_runs_files_is_read_as_any_other(
    headwater: Headwater, order: str
) -> None:
    """By `runs:/` or by where the files lie; by its file, or by the copy that a client sends in `log-model`."""
    tracking, registry = headwater.parts.tracking, headwater.registry
    run = tracking.runs.create("0", actor=ME)
    registry.register_model("churn", actor=ME)
    read = [table("users", ["price", "churned"], "training"), table("events", ["visits"], "training")]
    tracking.runs.read_by(run.id, read, actor=ME)
    put(headwater, run.artifacts, "best/model/requirements.txt", REQUIREMENTS)
    put(headwater, run.artifacts, "code/requirements.txt", b"none of the model's")
    put(headwater, run.artifacts, "best/model/importance.json", b'{"price": 1, "visits": 3}')
    for what in order.split():
        if what == "file":
            put(headwater, run.artifacts, "best/model/MLmodel", MLMODEL)
        elif what == "json":
            said = read_content(yaml.safe_load(MLMODEL))
            tracking.models.describe_in_run(run.id, "best/model", "MLmodel", said, actor=ME)
        else:
            for source in (f"runs:/{run.id}/best/model", f"{run.artifacts}/best/model"):
                registry.create_version("churn", run_key=run.key, source_uri=source, actor=ME)
    headwater.parts.committer.settle(patience=10)
    model = keys.logged_model(run.id, "best/model")
    for number in (1, 2):
        version = keys.model_version("churn", number)
        assert headwater.out_of(version, EdgeKind.OF_MODEL) == {model}
        assert {keys.parts_of(key)[-1] for key in headwater.into(version, EdgeKind.FEATURE_OF)} == {
            "price",
            "visits",
            "churned",
        }
        assert {name: said[0] for name, said in weights(headwater, version).items()} == {
            "price": 0.25,
            "visits": 0.75,
        }
    assert headwater.out_of(run.key, EdgeKind.LOGGED) == {model}
    assert {headwater.props(p)["name"] for p in headwater.out_of(model, EdgeKind.NEEDS)} == {
        "numpy",
        "scikit-learn",
    }
    assert headwater.props(model)["name"] == "model"
    assert headwater.visible(Kind.LOGGED_MODEL) == {model}
    assert headwater.out_of(keys.logged_model(run.id, "code"), EdgeKind.NEEDS) == set()
    assert tracking.search.models(["0"], Asked()).rows == []  # to MLflow's clients it is none of theirs
    assert (tracking.runs.get(run.id).logged, registry.model_version("churn", "1").logged_model) == ((), "")
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda _, __: None)
    assert headwater.fingerprint() == before


@pytest.mark.neo4j
def test_columns_of_models_are_one_graph_on_every_store(embedded: Headwater, on_neo4j: Headwater) -> None:
    upload(embedded, train(embedded), "requirements.txt", REQUIREMENTS)
    embedded.parts.committer.settle(patience=10)
    records = embedded.log.read(0, limit=1_000)
    Projector(on_neo4j.store, TRANSLATORS, log=on_neo4j.log.instance).project([Parsed.of(r) for r in records])
    assert on_neo4j.fingerprint() == embedded.fingerprint()

"""Made-up records of tracking and of the registry, about the tables that the events of `corpus` write: few names, so
that they meet, contradict and repeat each other. They are what decisions leave behind, in no order that one would make.
"""

from typing import Any

from hypothesis import strategies as st

from headwater_server.graph import keys
from headwater_server.registry import records as registry
from headwater_server.tracking import records as tracking
from tests.openlineage import said
from tests.openlineage.said import NS, Json, dataset_key, run_key
from tests.project.corpus import EVENTS, MINUTES, TABLES

Record = tuple[str, Any]
"""(kind, body)"""
MOMENTS = st.integers(1, 40).map(lambda minute: 1_700_000_000_000_000 + minute * 60_000_000)
EXPERIMENTS = st.sampled_from("12")
RUNS = tuple((number, name) for number in "12" for name in ("r1", "r2"))
RUN = st.sampled_from(RUNS).map(lambda run: tracked(*run))
COLUMNS = ("x", "y", "z", "Nobody")
NAME = st.sampled_from(("churn", "fraud"))
NUMBER = st.sampled_from("12")
LOGGED = ("m-1", "m-2")
COMMITS = ("0123456789abcdef0123456789abcdef01234567", "v1")


def tracked(experiment: str, name: str) -> str:
    return keys.run(f"{name}-{experiment}", keys.job(keys.TRACKED, f"job {experiment}"))


def logged_key(model: str) -> str:
    return keys.logged_model(model) if model.startswith("m-") else keys.logged_model(model, "model")


def _body(
    *required: st.SearchStrategy[Json], maybe: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Json]:
    optional = st.fixed_dictionaries({"at": MOMENTS, "by": st.just("ada")}, optional=maybe)
    return st.tuples(*required, optional).map(lambda parts: {k: v for one in parts for k, v in one.items()})


TAGS = st.dictionaries(
    st.sampled_from(("team", "mlflow.note.content", "mlflow.runName", "mlflow.source.git.commit")),
    st.sampled_from(("p", *COMMITS)),
    max_size=2,
)
TAGGED = {"tags": TAGS, "removed": st.lists(st.sampled_from(("team", "mlflow.note.content")), max_size=1)}
MLMODEL = st.lists(st.sampled_from(COLUMNS), max_size=3, unique=True).map(
    lambda names: {
        "features": [[name, "double"] for name in names],
        "targets": [["z", "long"]],
        "sha256": "0",
    }
)
NEEDS = st.sampled_from("12").map(lambda v: {"needs": [["numpy", f"=={v}"]], "sha256": v})
TABLE: st.SearchStrategy[Json] = st.one_of(
    st.just({}),
    st.tuples(st.sampled_from(("SHAP", "GAIN")), st.permutations(COLUMNS)).map(
        lambda drawn: {"method": drawn[0], "shares": [[n, s] for n, s in zip(drawn[1], (0.5, 0.3, 0.2, 0.0))]}  # noqa: B905
    ),
    st.just({"method": "SHAP", "ordered": [0.75, 0.25]}),
)
FILES = st.fixed_dictionaries(
    {}, optional={"MLmodel": MLMODEL, "requirements.txt": NEEDS, "importance.json": TABLE, "shap.csv": TABLE}
)


def _experiment(number: str) -> st.SearchStrategy[Record]:
    made = st.just({"id": number, "name": f"exp {number}", "job": f"job {number}", "artifacts": "a"})
    changed = st.just({"id": number, "job": f"job {number}"})
    names = {"name": st.sampled_from(("new", "newer")), "deleted": st.booleans(), **TAGGED}
    return st.one_of(
        _body(made, maybe={"tags": TAGS}).map(lambda body: (tracking.EXPERIMENT, body)),
        _body(changed, maybe=names).map(lambda body: (tracking.EXPERIMENT_UPDATE, body)),
    )


def _run(experiment: str, name: str) -> st.SearchStrategy[Record]:
    run = st.just({"run": tracked(experiment, name)})
    made = st.just({"experiment": experiment, "start": 1_700_000_000_000, "artifacts": "a", "user": "ada"})
    others = [tracked(*other) for other in RUNS if other != (experiment, name)]
    meant = {
        "parent": st.sampled_from([*others, run_key("load", "run 1")]),
        "commit": st.sampled_from(COMMITS),
        "repo": st.sampled_from(("", "https://github.com/org/repo")),
    }
    ended = st.sampled_from(
        [("RUNNING", None), ("FINISHED", 1_700_000_100_000), ("FAILED", 1_700_000_050_000)]
    )
    status = ended.map(lambda end: {"status": end[0], "end": end[1]})
    logged = {
        "metrics": st.integers(1, 3).map(lambda n: {"auc": [n, n / 10, n, 1_700_000_000_000, 0.1, 0.9, 1]}),
        "params": st.just({"lr": "0.1"}),
        "models": st.lists(_score(name), max_size=2).map(_by_model),
        "files": FILES,
        **TAGGED,
        **meant,
    }
    inputs = st.lists(_input(), max_size=2).map(lambda some: {"inputs": some})
    used = st.lists(st.sampled_from(LOGGED), max_size=1).map(lambda some: {"models": some})
    made_models = st.lists(st.tuples(st.sampled_from(LOGGED), st.integers(0, 2)).map(list), max_size=1)
    return st.one_of(
        _body(run, made, maybe={"tags": TAGS, **meant}).map(lambda body: (tracking.RUN, body)),
        _body(run, status, maybe={"deleted": st.booleans()}).map(lambda body: (tracking.UPDATE, body)),
        _body(run, maybe=logged).map(lambda body: (tracking.LOG, body)),
        _body(run, inputs, used, maybe={}).map(lambda body: (tracking.INPUTS, body)),
        _body(run, made_models.map(lambda some: {"models": some}), maybe={}).map(
            lambda b: (tracking.OUTPUTS, b)
        ),
    )


def _score(run: str) -> st.SearchStrategy[Json]:
    drawn = st.tuples(st.sampled_from(LOGGED), st.sampled_from(TABLES), st.integers(1, 3), st.booleans())
    return drawn.map(
        lambda d: {
            "model": d[0], "key": "auc", "value": d[2] / 10, "step": d[2], "ts": 1_700_000_000_000,
            "run": run, "name": d[1], "digest": "d", "newest": d[3],
        }
    )  # fmt: skip


def _by_model(scores: list[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for one in scores:
        found.setdefault(one["model"], []).append(one)
    return found


@st.composite
def _input(draw: st.DrawFn) -> Json:
    name = draw(st.sampled_from(TABLES))
    fields = [{"name": column} for column in draw(st.lists(st.sampled_from("xyz"), unique=True, max_size=2))]
    return {
        "namespace": NS,
        "name": name,
        "facets": {"schema": {"fields": fields}} if fields else {},
        "linked": draw(st.booleans()),
        "said": {"name": name, "digest": "d", "source_type": "s3", "source": "{}"},
        "tags": draw(st.sampled_from(({}, {"mlflow.data.context": "training"}))),
    }


@st.composite
def logged_models(draw: st.DrawFn) -> Record:
    experiment, name = draw(st.sampled_from(RUNS))
    run_id = f"{name}-{experiment}"
    one = draw(st.sampled_from([{"id": "m-1"}, {"id": "m-2"}, {"id": run_id, "path": "model"}]))
    body = draw(_body(st.just(one), maybe={"files": FILES, "params": st.just({"depth": "3"}), **TAGGED}))
    if draw(st.booleans()):
        return tracking.MODEL_UPDATE, {**body, "status": draw(st.sampled_from(("READY", "UPLOAD_FAILED")))}
    run = tracked(experiment, name) if "path" in one or draw(st.booleans()) else ""
    made = {"experiment": experiment, "name": "forest", "type": "", "run": run, "artifacts": "a"}
    return tracking.MODEL, {**body, **made}


@st.composite
def registered(draw: st.DrawFn) -> Record:
    """A change of the registry. What a rename takes along is what was known before it: versions stay where they are."""
    name, number = draw(NAME), draw(NUMBER)
    body = {"model": name, "at": draw(MOMENTS), "by": "ada", "revision": draw(st.integers(1, 9))}
    stages = st.sampled_from(("Staging", "Production", None))
    match draw(
        st.sampled_from(
            ("model", "version", "version", "version", "move", "alias", "edit", "rename", "delete")
        )
    ):
        case "model":
            return registry.MODEL, {**body, "name": name, "tags": draw(TAGS), "description": "d"}
        case "version":
            experiment, run = draw(st.sampled_from(RUNS))
            logged = st.sampled_from((None, *LOGGED, f"{run}-{experiment}"))
            more = {"loggedModel": logged_key(model)} if (model := draw(logged)) else {}
            trained = draw(st.lists(st.sampled_from(TABLES).map(dataset_key), max_size=1))
            made = {"number": number, "run": draw(st.sampled_from((None, tracked(experiment, run))))}
            return registry.VERSION, {**body, **made, **more, "trainedOn": trained, "tags": {}}
        case "move":
            moves = [{"number": number, "from": draw(stages), "to": draw(stages)}]
            return registry.TRANSITION, {**body, "id": "t", "moves": moves, "comment": None}
        case "alias":
            return registry.ALIAS, {**body, "alias": "best", "number": draw(st.sampled_from((None, number)))}
        case "edit":
            return registry.EDIT, {**body, "number": number, "description": "e", "tags": draw(TAGS)}
        case "rename":
            experiment, run = draw(st.sampled_from(RUNS))
            old, new = keys.model_version(name, "1"), keys.model_version("renamed", "1")
            origin = {"run": tracked(experiment, run), "loggedModel": logged_key(f"{run}-{experiment}")}
            there: Json = {"model": "renamed", "number": "1", "at": body["at"], "by": "ada", **origin}
            known = {
                keys.model("renamed"): [{}, {"created": body["at"]}, {"revision": 1}],
                new: [{"made": [body["at"], "1", there]}, {}, {}],
            }
            moved = {"to": "renamed", "known": known, "produced": [[origin["run"], old, new, body["at"]]]}
            return registry.RENAME, {**body, **moved, "versions": [["1", None]], "aliases": [], "tags": []}
        case _:
            gone = {"versions": [[number, draw(stages)]], "aliases": ["best"], "tags": ["team"]}
            return registry.DELETE, {**body, **gone, "whole": draw(st.booleans())}


DECISIONS: st.SearchStrategy[Record] = st.one_of(
    EXPERIMENTS.flatmap(_experiment),
    st.sampled_from(RUNS).flatmap(lambda run: _run(*run)),
    st.sampled_from(RUNS).flatmap(lambda run: _run(*run)),
    logged_models(),
    logged_models(),
    registered(),
    registered(),
    EVENTS.map(lambda event: ("openlineage", event)),
)


@st.composite
def stories(draw: st.DrawFn) -> list[Record]:
    """What leads to weighed columns of a version, whatever else is said."""
    experiment, name = draw(st.sampled_from(RUNS))
    run, model = tracked(experiment, name), draw(st.sampled_from(("m-1", f"{name}-{experiment}")))
    one = {"id": model, **({} if model.startswith("m-") else {"path": "model"})}
    by = {"by": "ada"}
    table = {"method": "GAIN", "shares": [["x", 0.5], ["y_1", 0.25], ["y_2", 0.25]]}
    made = {"experiment": experiment, "name": "forest", "type": "", "run": run, "artifacts": "a"}
    read = {
        "linked": True,
        "said": {"name": "a", "digest": "d", "source_type": "s3", "source": "{}"},
        "tags": {},
    }
    facets = draw(st.sampled_from(({}, {"schema": {"fields": [{"name": "x"}, {"name": "y"}]}})))
    files = {"MLmodel": {"features": [["X", "double"], ["y", "double"]]}}
    version = {
        "model": draw(NAME),
        "number": "1",
        "run": run,
        "loggedModel": logged_key(model),
        "revision": 10,
    }
    scored = {**draw(_score(name)), "model": model, "name": "a"}
    told: list[Record] = [
        (tracking.RUN, {"run": run, "experiment": experiment, "start": 1_700_000_000_000, "artifacts": "a"}),
        (
            tracking.INPUTS,
            {"run": run, "inputs": [{"namespace": NS, "name": "a", "facets": facets, **read}], "models": []},
        ),
        (tracking.LOG, {"run": run, "files": {"importance.json": table}, "models": {model: [scored]}}),
        (tracking.MODEL, {**one, **made}),
        (tracking.MODEL_UPDATE, {**one, "files": files}),
        (registry.VERSION, version),
    ]
    if not facets:
        told.append(("openlineage", said.dataset_event("a", draw(MINUTES), schema=said.columns("x", "y"))))
    return [
        (kind, body) if kind == "openlineage" else (kind, {**body, **by, "at": draw(MOMENTS)})
        for kind, body in told
    ]


DECIDED = st.tuples(stories(), st.lists(DECISIONS, max_size=12)).map(lambda drawn: [*drawn[0], *drawn[1]])

"""What experiment tracking said, as nodes and edges: experiments, what their runs logged, logged models, code. Pure.

Names of facts (said by `tracking.records`):

* Experiment: `created`, `moved`, `name`, `job`, `artifacts`, `deleted`, `tag|KEY`
* Experiment, Run, LoggedModel: `traces` -> [count, last] by number of changes
* Run: `experiment`, `status` -> [status, end], `user`, `artifacts`, `deleted`, `tag|KEY`, `param|KEY`,
  `metric|KEY` -> [last, step, ts, least, most, since] by number of points, `input|DATASET|NAME` -> {name, digest,
  context, linked, content}, `logged|MODEL` -> step, `used|MODEL`
* LoggedModel: `made`, `moved`, `status`, `deleted`, `tag|KEY`, `param|KEY`, `metric|KEY|DATASET|DIGEST`
* LoggedModel, Run: `file|PATH` -> {sha256, size, and what the file says, or `unread`: why not}
* Run: `evaluated|MODEL|KEY|DATASET|DIGEST` -> its newest metric of a model on a dataset that it read; `ran` -> [commit, repo]
* CodeVersion: `repo|URL`, `seen`
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from headwater_server.graph import keys, names, times
from headwater_server.graph.changes import Edge, Node, Value
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.openlineage.meaning import repository
from headwater_server.project.said import Derived, curated, present, tags_of

STATES = {
    "RUNNING": "RUNNING",
    "SCHEDULED": "NEW",
    "FINISHED": "COMPLETE",
    "FAILED": "FAIL",
    "KILLED": "ABORT",
}
"""A tracked run's status in the words of runs."""
SYSTEM = "mlflow."
"""How the names of tags begin that clients set for themselves."""
NAME, NOTE, COMMIT = "mlflow.runName", "mlflow.note.content", "mlflow.source.git.commit"
DIRTY = "mlflow.source.git.dirty"


def derive_experiment(key: str, facts: Facts) -> Derived:
    (number,) = keys.parts_of(key)
    by_hand = curated(facts)
    name = facts.get("name") or number
    created = facts.first.get("created", 0)
    props: dict[str, Value] = {
        "name": name,
        "job": facts.get("job"),
        "description": tag(facts, NOTE),
        "tags": _own_tags(facts),
        "created": created,
        "artifacts": facts.get("artifacts"),
        **_traced(facts),
        **by_hand,
        "archived": bool(facts.get("deleted") or by_hand.get("archived")),
    }
    node = Node(
        key,
        Kind.EXPERIMENT,
        mark="h" if props["archived"] or facts.get("name") is None else "",
        sort=times.sortable(created),
        words=names.words(str(name)),
        props=present(props),
    )
    return Derived([node], [])


def is_tracked(facts: Facts) -> bool:
    return "experiment" in facts.values


def status_of(facts: Facts) -> tuple[str, int | None]:
    """MLflow's word for how a tracked run stands, and when it ended (milliseconds)."""
    status, ended = facts.get("status") or ("RUNNING", None)
    return str(status), ended


def tag(facts: Facts, name: str) -> str | None:
    entry = facts.get(f"tag|{name}")
    return None if entry is None or entry.get("removed") else str(entry.get("value") or "")


def track(derived: Derived, key: str, facts: Facts) -> None:
    """Add what was logged to a run that is derived already: its node is the first."""
    run, number = derived.nodes[0], facts.get("experiment")
    experiment = keys.experiment(number)
    told = {"description": tag(facts, NOTE), "displayName": tag(facts, NAME), **curated(facts)}
    inputs = facts.named("input|")
    props: dict[str, Value] = {
        **run.props,
        **told,
        "tags": _own_tags(facts),
        "experiment": experiment,
        "status": status_of(facts)[0],
        "user": facts.get("user"),
        "artifacts": facts.get("artifacts"),
        "archived": bool(facts.get("deleted") or told.get("archived")),
        **_traced(facts),
        "unlinked": sorted({said["name"] for _, said in inputs if not said["linked"]}),
    }
    derived.nodes[0] = run._replace(props=present(props))
    derived.edges.append(Edge(experiment, EdgeKind.HAS_RUN, key, since=facts.first.get("begin")))
    for name, value in facts.named("param|"):
        target = _key_node(Kind.PARAM_KEY, number, name)
        derived.nodes.append(target)
        derived.edges.append(Edge(key, EdgeKind.HAS_PARAM, target.key, props=_param(value)))
    for name, said in facts.named("metric|"):
        target = _key_node(Kind.METRIC_KEY, number, name)
        derived.nodes.append(target)
        how = _metric(said, int(facts.values[f"metric|{name}"][0]))
        derived.edges.append(Edge(key, EdgeKind.HAS_METRIC, target.key, props=how))
    for model, step in facts.named("logged|"):
        derived.edges.append(Edge(key, EdgeKind.LOGGED, model, props={"step": step}))
    derived.edges += [Edge(key, EdgeKind.USED_MODEL, model) for model, _ in facts.firsts("used|")]
    derived.edges += _evaluated(key, facts)
    if inputs:
        _digests(derived, inputs)


def _evaluated(run: str, facts: Facts) -> Iterator[Edge]:
    """On a dataset as it was when the run began, as with all that it read."""
    for _, said in facts.named("evaluated|"):
        read = facts.get(f"input|{said['name']}|{said['digest']}")
        if read is not None:
            how: dict[str, Value] = {
                "metric": said["key"],
                "value": said["value"],
                "at": said["ts"] * 1_000,
                "digest": said["digest"],
                "run": run,
            }
            tag = f"{said['key']}|{said['digest']}|{said['run']}"
            model, since = keys.logged_model(said["model"]), facts.first.get("begin")
            yield Edge(model, EdgeKind.EVALUATED_ON, read["dataset"], tag, since, props=how)


def ran_code(derived: Derived, key: str, facts: Facts) -> None:
    """Which commit a run ran, whoever told it."""
    if tag(facts, COMMIT) and (ran := facts.get("ran")):
        how: dict[str, Value] = {"dirty": True} if tag(facts, DIRTY) == "true" else {}
        target = keys.code_version(*ran)
        derived.edges.append(Edge(key, EdgeKind.RAN_CODE, target, props=how))
        return
    code = facts.get("code") or {}
    if code.get("version") and code.get("repoUrl"):
        target = keys.code_version(code["version"], repository(code["repoUrl"]))
        derived.edges.append(Edge(key, EdgeKind.RAN_CODE, target))


def derive_code_version(key: str, facts: Facts) -> Derived:
    repos = [url for url, _ in facts.firsts("repo|") if url]
    commit = keys.parts_of(key)[0]
    props: dict[str, Value] = {"commit": commit, "repo": repos[0] if repos else None}
    return Derived([Node(key, Kind.CODE_VERSION, sort=commit, words=commit, props=present(props))], [])


def derive_logged_model(key: str, facts: Facts) -> Derived:
    made = facts.get("made") or {}
    by_hand = curated(facts)
    hidden = not made or bool(facts.get("deleted") or by_hand.get("archived"))
    created = made.get("at", 0)
    experiment = keys.experiment(made["experiment"]) if made else ""
    props: dict[str, Value] = {
        "experiment": experiment or None,
        "name": made.get("name"),
        "run": made.get("run"),
        "modelType": made.get("type"),
        "status": facts.get("status"),
        "tags": _own_tags(facts),
        "created": created,
        "artifacts": made.get("artifacts"),
        **_described(facts),
        **_traced(facts),
        **by_hand,
        "archived": hidden and bool(made),
    }
    node = Node(
        key,
        Kind.LOGGED_MODEL,
        group=experiment,
        mark="h" if hidden else "",
        sort=times.sortable(created),
        words=names.words(str(made.get("name") or "")),
        props=present(props),
    )
    derived = Derived([node], [])
    for name, spec in sorted(_needs(facts).items()) if made else ():
        package = Node(
            keys.key(Kind.PACKAGE, name), Kind.PACKAGE, sort=name, words=name, props={"name": name}
        )
        derived.nodes.append(package)
        derived.edges.append(Edge(key, EdgeKind.NEEDS, package.key, props={"spec": spec}))
    return derived


def _traced(facts: Facts) -> dict[str, Value]:
    """How many traces it has, and when the last one began."""
    said = facts.get("traces")
    return {} if said is None else {"traces": said[0], "lastTrace": said[1] * 1_000}


ENVIRONMENTS = ("file|requirements.txt", "file|python_env.yaml", "file|conda.yaml")
"""The first that names a package says which."""


def _described(facts: Facts) -> dict[str, Value]:
    """What the model's own files tell of it."""
    said = facts.get("file|MLmodel") or {}
    python = [found for name in ENVIRONMENTS if (found := (facts.get(name) or {}).get("python"))]
    return {
        "flavors": said.get("flavors"),
        "mlflowVersion": said.get("version"),
        "bytes": said.get("bytes"),
        "python": python[0] if python else None,
        "features": [name for name, _ in said.get("features", ())],
        "targets": [name for name, _ in said.get("targets", ())],
        "unread": [f"{name}: {one['unread']}" for name, one in facts.named("file|") if "unread" in one],
    }


def _needs(facts: Facts) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in ENVIRONMENTS:
        for name, spec in (facts.get(file) or {}).get("needs", ()):
            found.setdefault(name, spec)
    return found


def _digests(derived: Derived, inputs: list[tuple[str, Any]]) -> None:
    """What the client says of the data it read. A digest of some rows is no proof: it is marked weak."""
    by_dataset: dict[str, list[Any]] = {}
    for _, said in inputs:
        by_dataset.setdefault(said["dataset"], []).append(said)
    for place, edge in enumerate(derived.edges):
        told = by_dataset.get(edge.target) if edge.kind is EdgeKind.READ else None
        if told:
            how: dict[str, Value] = {
                "digest": ", ".join(sorted({s["digest"] for s in told})),
                "strength": "weak",
                "context": ", ".join(sorted({s["context"] for s in told if s["context"]})) or None,
            }
            derived.edges[place] = edge._replace(props=present(how))


def _own_tags(facts: Facts) -> list[str]:
    return [t for t in tags_of(facts, ()) if not t.startswith(SYSTEM)]


@lru_cache(maxsize=8_192)
def _key_node(kind: Kind, experiment: str, name: str) -> Node:
    owner = keys.experiment(experiment)
    key = keys.key(kind, experiment, name)
    return Node(key, kind, group=owner, sort=name, props={"experiment": owner, "name": name})


def _param(value: str) -> dict[str, Value]:
    try:
        number = float(value)
    except ValueError:
        return {"value": value}
    return {"value": value, "num": number} if math.isfinite(number) else {"value": value}


def _metric(said: list[Any], points: int) -> dict[str, Value]:
    """NaN and the infinities are texts: no store keeps them as numbers."""
    last, step, at, least, most, since = said
    return {
        "last": last,
        "step": step,
        "ts": at * 1_000,
        "min": least,
        "max": most,
        "n": points,
        "first": since * 1_000,
    }

"""What there is to compare of a run, of a version of a model, of a dataset or of a job: texts and numbers by section and key."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from headwater_server.errors import Invalid
from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.environments import engine_of, packages_of, together
from headwater_server.lineage.urns import urn_of
from headwater_server.project.reading import pinned
from headwater_server.store.port import Direction, GraphStore

Side: TypeAlias = Mapping[str, Mapping[str, str | float]]
_SEVERAL = 100
"""Runs of a job's version that are looked at for its script."""


class Facet(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> Any: ...
    @property
    def deleted(self) -> bool: ...


Facets: TypeAlias = Callable[[str], Sequence[Facet]]
ScriptOf: TypeAlias = Callable[[str], str | None]


class Sides:
    """Reads what belongs to each side. `facets` and `script_of` are given a node's or a run's key."""

    def __init__(self, store: GraphStore, *, facets: Facets, script_of: ScriptOf) -> None:
        self._store = store
        self._facets = facets
        self._script_of = script_of

    def of(self, node: Node) -> Side:
        """Raises Invalid when things of this kind are not compared."""
        match node.kind:
            case Kind.RUN:
                return self._run(node)
            case Kind.MODEL_VERSION:
                return self._model_version(node)
            case Kind.DATASET_VERSION:
                return self._dataset_version(node)
            case Kind.JOB_VERSION:
                return self._job_version(node)
        raise Invalid(
            f"{urn_of(node.key, node.kind)} cannot be compared: give two runs, or two versions of models, datasets or jobs."
        )

    def _run(self, run: Node) -> Side:
        store = self._store
        logged = store.expand(
            [run.key],
            Direction.DOWNSTREAM,
            [EdgeKind.HAS_PARAM, EdgeKind.HAS_METRIC, EdgeKind.RAN_CODE, EdgeKind.READ, EdgeKind.LOGGED],
        )
        by_kind = {kind: [e for e in logged if e.kind is kind] for kind in {e.kind for e in logged}}
        code: dict[str, str | float] = {}
        for edge in by_kind.get(EdgeKind.RAN_CODE, ()):
            commit, *repo = keys.parts_of(edge.target)
            if not commit:
                continue  # not seen
            code |= _present(
                {"commit": commit, "repository": "/".join(repo), "dirty": edge.props.get("dirty")}
            )
        return {
            "params": _by_name(by_kind.get(EdgeKind.HAS_PARAM, ()), "value"),
            "metrics": _by_name(by_kind.get(EdgeKind.HAS_METRIC, ()), "last"),
            "code": code | _present({"sql": self._script_of(run.key)}),
            **self._surroundings(run, [edge.target for edge in by_kind.get(EdgeKind.LOGGED, ())]),
            "data": self._data(by_kind.get(EdgeKind.READ, ())),
            "tags": _tags(run),
        }

    def _model_version(self, version: Node) -> Side:
        """Its own, and what the run that made it says."""
        signature = version.props.get("signature")
        own = _present(
            {
                "sourceUri": version.props.get("sourceUri"),
                "contentHash": version.props.get("contentHash"),
                "signature": _indented(str(signature)) if signature is not None else None,
            }
        )
        made = self._of_run(version)
        trained = self._store.expand([version.key], Direction.DOWNSTREAM, [EdgeKind.TRAINED_ON])
        data = {**made.get("data", {}), **self._data(trained)}
        models = [
            edge.target
            for edge in self._store.expand([version.key], Direction.DOWNSTREAM, [EdgeKind.OF_MODEL])
        ]
        if models:  # of the run's models the one that it is
            made = {**made, **self._surroundings(self._run_of(version), models)}
        return {"version": own, **made, "data": data, "tags": _tags(version)}

    def _dataset_version(self, version: Node) -> Side:
        said = {name: version.props.get(name) for name in ("rows", "bytes", "schemaHash", "lifecycle")}
        made = self._of_run(version)
        return {
            "version": _present(said),
            "columns": self._columns(version),
            "code": made.get("code", {}),
            "data": made.get("data", {}),
        }

    def _job_version(self, version: Node) -> Side:
        said = {"commit": version.props.get("gitCommit"), "hash": version.props.get("codeHash")}
        runs = self._store.expand([version.key], Direction.UPSTREAM, [EdgeKind.RUN_OF], limit=_SEVERAL)
        newest = max(runs, key=lambda edge: (edge.since or 0, edge.source), default=None)
        script = self._script_of(newest.source) if newest is not None else None
        return {
            "code": _present({**said, "sql": script}),
            "inputs": self._named(version.props.get("inputs")),
            "outputs": self._named(version.props.get("outputs")),
        }

    def _of_run(self, thing: Node) -> Side:
        run = self._run_of(thing)
        return {} if run is None else self._run(run)

    def _run_of(self, thing: Node) -> Node | None:
        key = thing.props.get("run")
        return self._store.get([str(key)]).get(str(key)) if key else None

    def _surroundings(self, run: Node | None, models: Sequence[str]) -> Side:
        """Packages and environment of these logged models and of the run."""
        nodes = self._store.get(models)
        pythons = together(_texts({"python": node.props.get("python")}) for node in nodes.values())
        return {
            "packages": {**together(packages_of(self._store, nodes).values())},
            "environment": {**pythons, **(self._environment(run.key) if run is not None else {})},
        }

    def _environment(self, run: str) -> dict[str, str | float]:
        """What OpenLineage's producers tell: the engine, and the variables that they were told to send."""
        found: dict[str, str | float] = {}
        for facet in self._facets(run):
            if facet.deleted or not isinstance(facet.value, dict | list):
                continue
            if facet.name == "processing_engine":
                found |= engine_of(facet.value)
            elif facet.name == "environmentVariables" and isinstance(facet.value, dict):
                for one in facet.value.get("environmentVariables") or ():
                    if isinstance(one, dict) and one.get("name"):
                        found[f"${one['name']}"] = str(one.get("value", ""))
        return found

    def _data(self, edges: Iterable[Edge]) -> dict[str, str | float]:
        """By dataset: the digest that the client told, or the version that was there."""
        found: dict[str, str | float] = {}
        for edge in edges:
            kind = keys.kind_of(edge.target)
            if kind is Kind.DATASET_VERSION:
                *owner, version = keys.parts_of(edge.target)
                found["/".join(owner)] = version
            elif kind is Kind.DATASET:
                name = "/".join(keys.parts_of(edge.target))
                digest = edge.props.get("digest")
                there = None if edge.since is None else pinned(edge.target, edge.since, self._store)
                found[name] = str(digest or (keys.parts_of(there)[-1] if there else "-"))
        return found

    def _columns(self, version: Node) -> dict[str, str | float]:
        """Those that were there then; of a column's type only the newest is known."""
        created = version.props.get("created")
        edges = self._store.expand([version.group], Direction.DOWNSTREAM, [EdgeKind.HAS_COLUMN])
        found: dict[str, str | float] = {}
        for column in self._store.get(edge.target for edge in edges).values():
            first, retired = column.props.get("first"), column.props.get("retired")
            began = not isinstance(first, int) or not isinstance(created, int) or first <= created
            ended = isinstance(retired, int) and isinstance(created, int) and retired <= created
            if began and not ended:
                found[str(column.props.get("name"))] = str(column.props.get("type") or "")
        return found

    def _named(self, datasets: object) -> dict[str, str | float]:
        listed = datasets if isinstance(datasets, list) else []
        return {"/".join(keys.parts_of(key)): "" for key in listed}


def _by_name(edges: Iterable[Edge], value: str) -> dict[str, str | float]:
    return _present({keys.parts_of(edge.target)[1]: edge.props.get(value) for edge in edges})


def _tags(node: Node) -> dict[str, str | float]:
    tags = node.props.get("tags")
    pairs = (str(tag).partition("=") for tag in (tags if isinstance(tags, list) else ()))
    return {key: value for key, _, value in pairs}


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in found.items() if value}


def _present(found: Mapping[str, Any]) -> dict[str, str | float]:
    told: dict[str, str | float] = {}
    for key, value in found.items():
        if isinstance(value, bool):
            told[key] = "true" if value else "false"
        elif value is not None and value != "":
            told[key] = value if isinstance(value, int | float) else str(value)
    return told


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text

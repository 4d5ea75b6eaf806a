"""Every spelling of a reference, and the one node it means."""

import re
from collections.abc import Iterable, Iterator

from headwater_server.errors import NotFound
from headwater_server.graph import keys, names
from headwater_server.graph.changes import Node
from headwater_server.graph.keys import is_key
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.near import name_of, suggestions
from headwater_server.lineage.symlinks import visible_name
from headwater_server.lineage.urns import decode_id, urn
from headwater_server.store.port import Direction, GraphStore

_DATAHUB_DATASET = re.compile(r"urn:li:dataset:\(urn:li:dataPlatform:([^,]+),(.+),[^,()]*\)")
_DATAHUB_FIELD = re.compile(r"urn:li:schemaField:\((urn:li:dataset:\(.*\)),(.+)\)")
_MAX_SPLITS = 64  # of one reference; a longer path is not a name that anybody types


def resolve(ref: str, store: GraphStore) -> Node:
    """The node that a person, a client or a key means. A hidden name of a dataset is its visible one.

    Raises:
        NotFound: nothing is called so, or several things are; details `ref` and `didYouMean`.

    """
    text = ref.strip()
    node = _find(text, store) if text else None
    if node is None:
        raise NotFound(
            f"Nothing is called {ref!r} here. Give an id, a urn, <namespace>/<name>, models:/<name>/<version>"
            " or runs:/<run id>.",
            ref=ref,
            didYouMean=suggestions(text, store) if text else [],
        )
    return visible_name(node, store)


def resolve_all(refs: tuple[str, ...], store: GraphStore) -> list[Node]:
    return [resolve(ref, store) for ref in refs]


def _find(text: str, store: GraphStore) -> Node | None:
    key = text if is_key(text) else decode_id(text)
    if key and (node := store.get([key]).get(key)):
        return node
    scheme, _, rest = text.partition(":")
    match scheme:
        case "hw":
            return _find_urn(rest, store)
        case "models":
            return _find_model(rest.lstrip("/"), store)
        case "runs":
            return _find_run(rest.lstrip("/").partition("/")[0], store)
        case "urn":
            return _find_datahub(text, store)
        case "dataset" | "job" | "datasetField" | "run" if rest:
            node = _find_marquez(scheme, rest, store)
            if node is not None:
                return node
    return _find_pair(text, store, kinds=(Kind.DATASET, Kind.JOB)) or _find_bare(text, store)


def _find_urn(rest: str, store: GraphStore) -> Node | None:
    prefix, _, name = rest.partition(":")
    match prefix:
        case "dataset":
            return _find_pair(name, store, kinds=(Kind.DATASET,))
        case "job":
            return _find_pair(name, store, kinds=(Kind.JOB,))
        case "run":
            return _find_run(name, store)
        case "model":
            return _find_model(name, store)
        case "dataset_version" | "job_version":
            pair, _, version = name.rpartition("@")
            kind = keys.kind_of(prefix)
            return _longest(
                store, [keys.key(kind, *names.normal(*split), version) for split in _splits(pair, "/")]
            )
        case "namespace" | "stage" | "alias" | "annotation" | "step" | "statement" | "experiment":
            kind = keys.kind_of(prefix)
            found = [keys.key(kind, name)]
            found += [keys.key(kind, *split) for split in _splits(name, "/")]
            return _longest(store, found)
    return None


def _splits(text: str, separator: str) -> Iterator[tuple[str, str]]:
    """Every way to take a namespace and a name apart, the longest namespace first."""
    at = len(text)
    for _ in range(_MAX_SPLITS):
        at = text.rfind(separator, 0, at)
        if at <= 0:
            return
        if name := text[at + 1 :]:
            yield text[:at], name


def _longest(store: GraphStore, candidates: list[str]) -> Node | None:
    """The first of the candidates that exists, in one look-up."""
    found = store.get(candidates)
    return next((found[key] for key in candidates if key in found), None)


def _pair_keys(text: str, kind: Kind, separator: str) -> list[str]:
    found: dict[str, None] = {}
    for namespace, name in _splits(text, separator):
        found[keys.key(kind, *names.normal(namespace, name))] = None
        found[keys.key(kind, namespace, name)] = None
    return list(found)


def _find_pair(text: str, store: GraphStore, *, kinds: tuple[Kind, ...], separator: str = "/") -> Node | None:
    node = _longest(store, [key for kind in kinds for key in _pair_keys(text, kind, separator)])
    if node is None and "#" in text and Kind.DATASET in kinds:
        owner, _, column = text.rpartition("#")
        dataset = _longest(store, _pair_keys(owner, Kind.DATASET, separator))
        return _column(dataset, column, store)
    return node


def _column(dataset: Node | None, path: str, store: GraphStore) -> Node | None:
    if dataset is None:
        return None
    owner = visible_name(dataset, store)
    return _longest(store, [keys.column(owner.key, path), keys.column(dataset.key, path)])


def _find_bare(text: str, store: GraphStore) -> Node | None:
    """A name without a namespace, as long as one thing alone is called so."""
    if model := store.get([keys.model(text)]):
        return next(iter(model.values()))
    wanted = text.casefold()
    hits = [hit.node for hit in store.search(text, kinds=(Kind.DATASET, Kind.JOB), limit=50)]
    if unit := _of_unit(text, hits, store):
        return unit
    endings = ("." + wanted, "/" + wanted)
    for whole in (True, False):
        for kind in (Kind.DATASET, Kind.JOB):
            same = [
                node
                for node in hits
                if node.kind is kind
                and (
                    name_of(node).casefold() == wanted
                    if whole
                    else name_of(node).casefold().endswith(endings)
                )
            ]
            if len(same) > 1:
                raise NotFound(
                    f"{text!r} may mean any of {len(same)} things. Write it with its namespace.",
                    ref=text,
                    didYouMean=[urn(node) for node in same[:5]],
                )
            if same:
                return same[0]
    owner, hash_, column = text.rpartition("#")
    if hash_ and owner:
        return _column(_find_bare(owner, store), column, store)
    return _find_model(text, store) if "@" in text or "/" in text else None


def _of_unit(text: str, hits: Iterable[Node], store: GraphStore) -> Node | None:
    """The job that builds a unit of code (dbt's `model.shop.orders`). dbt's modes call one model's job by several
    names; the one that ran last speaks for all.
    """

    def newest(job: Node) -> tuple[str, str]:
        runs = store.page(Kind.RUN, marks=("C", "T", "R", "F"), group=job.key, reverse=True, limit=1)
        return (runs[0].sort if runs else "", job.key)

    return max((job for job in hits if job.props.get("unit") == text), key=newest, default=None)


def _find_run(run_id: str, store: GraphStore) -> Node | None:
    """By its id; of several jobs that use the same one, the first by name."""
    prefix = keys.key(Kind.RUN, run_id)
    found = store.starting(prefix + "|", limit=1) or store.starting(
        keys.key(Kind.RUN, run_id.lower()) + "|", limit=1
    )
    return next(iter(store.get(found).values()), None) if found else None


def _find_model(text: str, store: GraphStore) -> Node | None:
    """`name`, `name/3`, `name@alias`, `name@3`, `name/Stage`, `name/latest`."""
    if model := store.get([keys.model(text)]):
        return next(iter(model.values()))
    for separator in "@/":
        name, _, which = text.rpartition(separator)
        if name and which and (node := _version(name, which, store)):
            return node
    return None


def _version(model: str, which: str, store: GraphStore) -> Node | None:
    if which.isdecimal():
        return _longest(store, [keys.model_version(model, int(which)), keys.model_version(model, which)])
    of_model = keys.model(model)
    if which.casefold() == "latest":
        newest = store.page(Kind.MODEL_VERSION, marks=("",), group=of_model, reverse=True, limit=1)
        return newest[0] if newest else None
    for kind, holds in ((Kind.ALIAS, EdgeKind.NOW_AT), (Kind.STAGE, EdgeKind.NOW_IN)):
        places = [
            place.key
            for place in store.page(kind, marks=("",), group=of_model, limit=200)
            if keys.parts_of(place.key)[-1].casefold() == which.casefold()
        ]
        edges = store.expand(places, Direction.UPSTREAM, [holds]) if places else []
        standing = store.get({edge.source for edge in edges}).values()
        if standing:
            return max(standing, key=lambda node: (node.mark == "", node.sort))
    return None


def _find_marquez(scheme: str, rest: str, store: GraphStore) -> Node | None:
    """Marquez's node ids, whose namespaces hold colons themselves: all splits are tried."""
    if scheme == "run":
        return _find_run(rest, store)
    if scheme == "job":
        return _find_pair(rest, store, kinds=(Kind.JOB,), separator=":") or _find_pair(
            rest.partition("#")[0], store, kinds=(Kind.JOB,), separator=":"
        )
    if scheme == "datasetField":
        owner, _, column = rest.rpartition(":")
        return _column(_find_pair(owner, store, kinds=(Kind.DATASET,), separator=":"), column, store)
    return _find_pair(rest, store, kinds=(Kind.DATASET,), separator=":") or _longest(
        store, _pair_keys(rest.partition("#")[0], Kind.DATASET, ":")
    )


def _find_datahub(text: str, store: GraphStore) -> Node | None:
    if field := _DATAHUB_FIELD.fullmatch(text):
        return _column(_find_datahub(field[1], store), field[2], store)
    found = _DATAHUB_DATASET.fullmatch(text)
    if not found:
        return None
    platform, name = found[1], found[2]
    hits = [hit.node for hit in store.search(name, kinds=(Kind.DATASET,), limit=50)]
    same = [
        node
        for node in hits
        if names.platform(keys.parts_of(node.key)[0]) == platform.casefold()
        and name_of(node).casefold() in {name.casefold(), "/" + name.casefold()}
    ]
    return same[0] if same else None

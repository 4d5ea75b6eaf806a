"""What one entity's facts are as nodes and edges. Pure: one function a kind, nothing but the facts is looked at.

What depends on several entities (a job's current flow and its past) is in `timeline` and `current`.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from headwater_server.graph import keys, names, times
from headwater_server.graph.changes import Edge, Node, Value
from headwater_server.graph.facts import Facts, News
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.openlineage.statement import Statement
from headwater_server.project.registered import derive_alias, derive_model, derive_stage
from headwater_server.project.registered import derive_version as derive_model_version
from headwater_server.project.run_times import RunTimes, run_times
from headwater_server.project.said import (
    Derived,
    curated,
    facet_names,
    meaning_of,
    present,
    tags_of,
)
from headwater_server.project.tracked import (
    derive_code_version,
    derive_experiment,
    derive_logged_model,
    is_tracked,
    ran_code,
    track,
)


def derive_dataset(key: str, facts: Facts) -> Derived:
    namespace, name = keys.parts_of(key)
    spelled = facts.get("spelling") or [namespace, name]
    kind, lifecycle = meaning_of(facts, "datasetType"), meaning_of(facts, "lifecycleStateChange")
    by_hand = curated(facts)
    others = facts.firsts("symlink|")
    symlinks = [other for other, _ in others]
    only_alias = bool(symlinks) and "primary" not in facts.first and not facts.firsts("col|")
    written = facts.last.get("written", -(2**62))
    dropped = lifecycle == "DROP" and _at(facts, "lifecycleStateChange") > written
    renamed = bool(facts.get("renamed_to")) and facts.values["renamed_to"][0] >= written
    hidden = only_alias or dropped or renamed or bool(by_hand.get("archived"))
    props: dict[str, Value] = {
        "namespace": spelled[0],
        "name": spelled[1],
        "description": meaning_of(facts, "documentation"),
        "owners": meaning_of(facts, "ownership"),
        "tags": tags_of(facts, [t for t, c in meaning_of(facts, "tags") or () if not c]),
        "type": kind,
        "lifecycle": lifecycle,
        "uri": meaning_of(facts, "dataSource"),
        "created": facts.first.get("seen"),
        "facets": facet_names(facts),
        "symlinks": symlinks,
        "primary": not only_alias,
        **by_hand,
    }
    node = Node(
        key,
        Kind.DATASET,
        group=namespace,
        mark="h" if hidden else "",
        sort=name,
        words=names.words(spelled[1], spelled[0], str(props.get("displayName") or "")),
        props=present(props),
    )
    derived = Derived([_namespace(namespace), node], [])
    derived.edges += [Edge(key, EdgeKind.SYMLINK, other, since=at) for other, at in others]
    _columns(derived, key, facts)
    return derived


def _columns(derived: Derived, dataset: str, facts: Facts) -> None:
    """All columns ever told of, by any schema or column lineage; retired when a later whole schema lacks them."""
    told: dict[str, list[Any]] = {}  # path -> [last, first, name, type, description, ordinal]
    for digest, fields in facts.named("schema|"):
        first, last = facts.first[f"schema|{digest}"], facts.last[f"schema|{digest}"]
        for path, name, kind, description, ordinal in fields:
            fold = path.casefold()
            known = told.get(fold)
            new = [last, first, name, kind, description, ordinal, digest]
            if known is None:
                told[fold] = new
            else:
                newer, older = (new, known) if (last, digest) > (known[0], known[6]) else (known, new)
                told[fold] = [
                    newer[0], min(first, known[1]), newer[2], newer[3] or older[3],
                    newer[4] or older[4], newer[5], newer[6],
                ]  # fmt: skip
    for path, _ in facts.firsts("col|"):
        if path not in told:
            told[path] = [None, None, path.rpartition(".")[2], None, None, 0, ""]
    whole = facts.last.get("schema_full")
    namespace = keys.parts_of(dataset)[0]
    field_tags: dict[str, list[str]] = {}
    for tag, column in meaning_of(facts, "tags") or ():  # sorted by tag
        field_tags.setdefault(column.casefold(), []).append(tag)
    curates = any(name.startswith("on|") for name in facts.values)
    # Columns are most of what is derived: what is not there is not put in, rather than taken out again.
    kind_of_node, has_column = Kind.COLUMN, EdgeKind.HAS_COLUMN
    for path, (last, first, name, kind, description, ordinal, _) in told.items():
        retired = whole is not None and last is not None and last < whole
        props: dict[str, Value] = {
            "namespace": namespace,
            "dataset": dataset,
            "name": name,
            "ordinal": ordinal,
        }
        if kind is not None:
            props["type"] = kind
        if description is not None:
            props["description"] = description
        if first is not None:
            props["first"] = first
        if retired:
            props["retired"] = whole
        if "." in path and (parent := path.rpartition(".")[0]) in told:
            props["parent"] = keys.column(dataset, parent)
        if path in field_tags:
            props["tags"] = field_tags[path]
        hidden = retired
        if curates:
            on = f"on|{path}|"
            by_hand = curated(facts, on)
            props["tags"] = tags_of(facts, field_tags.get(path, []), on)
            props = present({**props, **by_hand})
            hidden = retired or bool(by_hand.get("archived"))
        key = keys.column(dataset, path)
        mark, sort = "h" if hidden else "", f"{ordinal:05d}|{path}"
        derived.nodes.append(Node(key, kind_of_node, dataset, mark, sort, names.words(name), props))
        derived.edges.append(Edge(dataset, has_column, key))


def derive_job(key: str, facts: Facts, declared: Statement | None = None) -> Derived:
    """`declared` is what the job's newest JobEvent said: readable even when runs speak otherwise."""
    namespace, name = keys.parts_of(key)
    kind = meaning_of(facts, "jobType") or {}
    by_hand = curated(facts)
    code = meaning_of(facts, "sourceCodeLocation") or {}
    parent = facts.get("parent")
    props: dict[str, Value] = {
        "namespace": namespace,
        "name": name,
        "description": meaning_of(facts, "documentation"),
        "owners": meaning_of(facts, "ownership"),
        "tags": tags_of(facts, [t for t, _ in meaning_of(facts, "tags") or ()]),
        "jobType": kind.get("jobType"),
        "integration": kind.get("integration"),
        "processingType": kind.get("processingType"),
        "parent": parent,
        "sourceCodeUrl": code.get("url"),
        "unit": meaning_of(facts, "dbt_node"),
        "created": facts.first.get("seen"),
        "facets": facet_names(facts),
        "declared": _told(declared),
        **by_hand,
    }
    node = Node(
        key,
        Kind.JOB,
        group=namespace,
        mark="h" if by_hand.get("archived") else "",
        sort=name,
        words=names.words(name, namespace, str(props.get("displayName") or ""), str(props["unit"] or "")),
        props=present(props),
    )
    edges = [Edge(key, EdgeKind.PRECEDES, other) for other, _ in facts.firsts("precedes|")]
    if parent:
        edges.append(Edge(key, EdgeKind.CHILD_OF, parent))
    return Derived([_namespace(namespace), node], edges)


def _told(declared: Statement | None) -> list[str]:
    """`<KEY` for an input, `>KEY` for an output."""
    if declared is None:
        return []
    targets = (e["target"] for e in declared["explicit"] if not e["target"].startswith("job|"))
    sources = (s for e in declared["explicit"] for s in e["sources"] if not s.startswith("job|"))
    inputs = {k for k in (*declared["inputs"], *sources) if k}
    outputs = {k for k in (*declared["outputs"], *targets) if k}
    return [*(f"<{k}" for k in sorted(inputs)), *(f">{k}" for k in sorted(outputs))]


MARK = {"COMPLETE": "C", "FAIL": "F", "ABORT": "F", "RUNNING": "R", "NEW": "N"}


def derive_run(key: str, facts: Facts) -> Derived:
    run_id, *_ = keys.parts_of(key)
    job = keys.job_of(key)
    when = run_times(facts)
    nominal = meaning_of(facts, "nominalTime") or [None, None]
    failed = when.state in ("FAIL", "ABORT")
    error = meaning_of(facts, "errorMessage") or meaning_of(facts, "spark.exception") or {}
    above = facts.get("parent") or {}
    by_hand = curated(facts)
    props: dict[str, Value] = {
        "runId": run_id,
        "job": job,
        "state": when.state,
        "started": when.started,
        "ended": when.ended,
        "first": when.begin,
        "nominalStart": nominal[0],
        "nominalEnd": nominal[1],
        "error": error.get("message") if failed or error else None,
        "errorLanguage": error.get("language"),
        "parent": above.get("parent"),
        "root": above.get("root"),
        "facets": facet_names(facts),
        "producer": facts.get("producer"),
        "tags": tags_of(facts, [t for t, _ in meaning_of(facts, "tags") or ()]),
        **by_hand,
    }
    node = Node(
        key,
        Kind.RUN,
        group=job,
        mark=MARK[when.state],
        sort=times.sortable(when.begin),
        props=present(props),
    )
    derived = Derived([node], [Edge(key, EdgeKind.RUN_OF, job, since=when.begin)])
    if above.get("parent"):
        derived.edges.append(Edge(key, EdgeKind.CHILD_OF, above["parent"]))
    elif above.get("root"):
        derived.edges.append(Edge(key, EdgeKind.CHILD_OF, above["root"]))
    for read, _ in facts.firsts("read|"):
        version = facts.get(f"read_version|{read}")
        target = _version_key(read, version) if version else read
        derived.edges.append(Edge(key, EdgeKind.READ, target, since=when.begin))
    for wrote, at in facts.firsts("wrote|"):
        if wrote.startswith("dataset|") and not failed:
            _written(derived, key, facts, when, wrote, at)
    ran_code(derived, key, facts)
    if is_tracked(facts):
        track(derived, key, facts)
    return derived


def _written(derived: Derived, run: str, facts: Facts, when: RunTimes, dataset: str, at: int) -> None:
    """The version that a run wrote: the producer's (a node of its own facts), else one for the run."""
    version = facts.get(f"wrote_version|{dataset}")
    made = when.ended if when.ended is not None else max(at, when.begin)
    if version:
        target = _version_key(dataset, version)
    else:
        run_id = keys.parts_of(run)[0]
        target = _version_key(dataset, f"{run_id}.{_short(keys.job_of(run))}")
        statistics = (facts.get(f"out|{dataset}|outputStatistics") or {}).get("x") or {}
        props: dict[str, Value] = {
            "dataset": dataset,
            "version": run_id,
            "created": made,
            "schemaHash": facts.get(f"wrote_schema|{dataset}"),
            "run": run,
            "rows": statistics.get("rows"),
            "bytes": statistics.get("bytes"),
            "lifecycle": facts.get(f"lifecycle|{dataset}"),
        }
        derived.nodes.append(_dataset_version(target, dataset, made, props))
        derived.edges.append(Edge(target, EdgeKind.VERSION_OF, dataset))
    derived.edges.append(Edge(run, EdgeKind.WROTE, target, since=made))


def derive_dataset_version(key: str, facts: Facts) -> Derived:
    """A version that producers name themselves."""
    namespace, name, version = keys.parts_of(key)
    dataset = keys.dataset(namespace, name)
    made = facts.first.get("wrote", facts.first.get("read", 0))
    statistics = facts.get("statistics") or {}
    props: dict[str, Value] = {
        "dataset": dataset,
        "version": version,
        "created": made,
        "schemaHash": facts.get("schema"),
        "rows": statistics.get("rows"),
        "bytes": statistics.get("bytes"),
    }
    node = _dataset_version(key, dataset, made, props)
    return Derived([node], [Edge(key, EdgeKind.VERSION_OF, dataset)])


def _dataset_version(key: str, dataset: str, made: int, props: dict[str, Value]) -> Node:
    return Node(key, Kind.DATASET_VERSION, group=dataset, sort=times.sortable(made), props=present(props))


def _short(job: str) -> str:
    """Tells apart the versions of two jobs that say the same runId."""
    return hashlib.blake2b(job.encode(), digest_size=3).hexdigest()


def _version_key(dataset: str, version: str) -> str:
    return keys.key(Kind.DATASET_VERSION, *keys.parts_of(dataset), version)


def _namespace(name: str) -> Node:
    return Node(keys.key(Kind.NAMESPACE, name), Kind.NAMESPACE, sort=name, words="", props={"name": name})


def _at(facts: Facts, facet: str) -> int:
    entry = next(
        (e for role in ("facet", "seen", "told") if (e := facts.values.get(f"{role}|{facet}"))), None
    )
    return int(entry[0]) if entry else 0


def derive_annotation(key: str, facts: Facts) -> Derived:
    said = facts.get("note")
    if said is None:
        return Derived([], [])
    props: dict[str, Value] = {
        "subject": said["subject"],
        "body": said["body"],
        "author": said["author"],
        "created": said["at"],
    }
    node = Node(
        key,
        Kind.ANNOTATION,
        group=said["subject"],
        sort=times.sortable(said["at"]),
        props=present(props),
    )
    return Derived([node], [Edge(key, EdgeKind.ANNOTATES, said["subject"])])


def derive_statement(key: str, facts: Facts) -> Derived:
    """Content only: it stands in the graph as a place for its facts, joined to nothing."""
    del facts
    return Derived([Node(key, Kind.STATEMENT)], [])


DERIVE: dict[Kind, Callable[[str, Facts], Derived]] = {
    Kind.DATASET: derive_dataset,
    Kind.DATASET_VERSION: derive_dataset_version,
    Kind.JOB: derive_job,
    Kind.RUN: derive_run,
    Kind.STATEMENT: derive_statement,
    Kind.MODEL: derive_model,
    Kind.MODEL_VERSION: derive_model_version,
    Kind.STAGE: derive_stage,
    Kind.ALIAS: derive_alias,
    Kind.ANNOTATION: derive_annotation,
    Kind.EXPERIMENT: derive_experiment,
    Kind.LOGGED_MODEL: derive_logged_model,
    Kind.CODE_VERSION: derive_code_version,
}


def derive(key: str, facts: Facts) -> Derived:
    return DERIVE[keys.kind_of(key)](key, facts)


def looks_the_same(key: str, old: Facts, new: Facts, news: News) -> bool:
    """Whether what came shows nowhere: it was only said again, later, or an observer says of a dataset what its owner
    tells.

    Saves most of the work: a table that is written every minute is mostly said to be as it was.
    """
    kind = keys.kind_of(key)
    if kind is Kind.JOB:
        return news is News.CLOCKS
    if kind is not Kind.DATASET or _clocks_matter(new):
        return False
    return news is News.CLOCKS or (old.first == new.first and _only_observed(old, new))


def _clocks_matter(facts: Facts) -> bool:
    """Whether a dataset's picture may change though it was only said again, later."""
    if "schema_full" in facts.last or "renamed_to" in facts.values:
        return True
    if "facet|lifecycleStateChange" in facts.values or "seen|lifecycleStateChange" in facts.values:
        return True
    return sum(name.startswith("schema|") for name in facts.last) > 1


def _only_observed(old: Facts, new: Facts) -> bool:
    values = old.values
    return len(old.last) == len(new.last) and all(
        values.get(name) is entry or (name.startswith("seen|") and f"facet|{name[5:]}" in values)
        for name, entry in new.values.items()
    )

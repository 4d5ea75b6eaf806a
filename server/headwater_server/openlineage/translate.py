"""One OpenLineage event as facts about the entities it names. Pure: no graph is looked at, so order cannot matter.

Names of facts (see `graph.facts`), read back by `project.derive`:

* any: `facet|NAME` (owner's), `seen|NAME` (an observer's), `told|NAME` (who may not speak for it) -> {h hash, s seq, p pointer, x meaning, d deleted}
* Run: `at|TYPE`, `begin`, `heard`, `seq`, `said_once`; `said|STATEMENT`, `snapshot`; `read|`, `wrote|DATASET`; `in|`, `out|DATASET|FACET`
* Job: `seen`, `parent`, `declared`, `declared|STATEMENT`, `precedes|JOB`
* Dataset: `seen`, `primary`, `written`, `schema|HASH`, `schema_full`, `col|PATH`, `check|ASSERTION|COLUMN`, `symlink|KEY`, `renamed_to`, `declared`, `declared|STATEMENT`
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts, mention
from headwater_server.graph.words import Kind
from headwater_server.openlineage import meaning
from headwater_server.openlineage.facets import digest_of, keep_facets
from headwater_server.openlineage.memo import Memo
from headwater_server.openlineage.sql import Named, named
from headwater_server.openlineage.statement import Statement, is_dropped, statement, without
from headwater_server.openlineage.wire import DatasetSaid, Event, Form, Json, node_key

FULL_SCHEMA = frozenset({"CREATE", "ALTER", "OVERWRITE"})
"""Lifecycle changes whose event tells the whole schema: a column it leaves out is gone. Any other
schema facet may be partial (dbt sends documented columns only) and never takes a column away."""

_THE_OWNERS_ALONE = frozenset({"lifecycleStateChange", "dataQualityAssertions", "symlinks", "schema"})
"""Facets that change what a dataset is: of others they are kept, but mean nothing."""
_PARENT_NAMES = ("parent", "parentRun")
_COLUMNS: Memo[Mapping[str, Mapping[str, int]]] = Memo(4_096)
_SCHEMAS: Memo[tuple[list[list[Any]], str]] = Memo(4_096)


def translate(event: Event, *, seq: int, evidence: str = "") -> dict[str, Facts]:
    """Facts by key of the entity. `seq` is kept as the place to read facet bodies from; `evidence` names who
    speaks where it is not an OpenLineage producer.
    """
    facts: dict[str, Facts] = defaultdict(Facts)
    script = named(event)
    if script is not None and script.phantoms:
        event = replace(event, inputs=[i for i in event.inputs if i.key not in script.phantoms])
    said = statement(event)
    if said is not None and script is not None and script.phantoms:
        said = without(said, script.phantoms)
    if said is not None and evidence:
        said["evidence"] = evidence
    if event.form is Form.DATASET:
        (dataset,) = event.outputs
        _dataset(facts, dataset, event, seq, owner=True)
        if event.owns(dataset.key) and said is not None and (said["columns"] or said["is_explicit"]):
            _declare(facts, facts[dataset.key], event, said)
        return facts
    job = facts[event.job]
    job.span("seen", event.at)
    keep_facets(job, event.job_facets, meaning.JOB, event.at, seq, "/job/facets", "facet")
    for dataset in event.inputs:
        _dataset(facts, dataset, event, seq, owner=False)
    for dataset in event.outputs:
        _dataset(facts, dataset, event, seq, owner=True)
    if event.form is Form.JOB:
        if said is not None or script is not None or "lineage" in event.job_facets:
            _declare(facts, job, event, said, script)
        return facts
    _run(facts, event, said, seq)
    if script is not None:
        job.since("sql", event.at)
        facts[event.run].set("sql", event.at, orjson.dumps(script.said).decode(), script.said)
        _script(facts, script, event.at)
        for old, new in script.renamed.items():
            if event.owns(old) and (not new or event.owns(new)):
                _renamed(facts, old, new, event.at)
    return facts


def _script(facts: dict[str, Facts], script: Named, at: int) -> None:
    """The script as an entity of its own, and every table it names."""
    name = script.said["script"]
    facts[keys.key(Kind.STATEMENT, name)].set("content", 0, name, script.script)
    for key in script.said["tables"].values():
        facts[key].since("seen", at)


def _run(facts: dict[str, Facts], event: Event, said: Statement | None, seq: int) -> None:
    run = facts[event.run]
    at = event.at
    run.span(f"at|{event.type}", at)
    run.since("begin", at)
    run.until("heard", at)
    run.span("seq", seq)
    run.set("producer", at, event.producer, event.producer)
    keep_facets(run, event.run_facets, meaning.RUN, at, seq, "/run/facets", "facet")
    _code(facts, run, event)
    if said is not None:
        name = _statement(facts, said)
        if _is_snapshot(event):
            run.set("snapshot", at, name, name)
        else:
            run.since(f"said|{name}", at)
    for dataset in event.inputs:
        _use(run, dataset, "read", "in", at, seq)
        _version(facts, dataset, event)
    for dataset in event.outputs:
        if not is_dropped(dataset):
            _use(run, dataset, "wrote", "out", at, seq)
            if event.owns(dataset.key):
                facts[dataset.key].until("written", at)
            _version(facts, dataset, event)
    for name in _PARENT_NAMES:
        if name in event.run_facets:
            _parent(facts, event, event.run_facets[name], seq, f"/run/facets/{name}")
    _said_under_root(facts, event)
    _dependencies(facts, event)


def _said_under_root(facts: dict[str, Facts], event: Event) -> None:
    """Who ran a script below one root run: tasks that share a process report each other's queries as their own
    (Airflow does), so that only the first to say it is believed (see `project.flows`).
    """
    above = facts[event.run].get("parent") or {}
    query = event.job_facets.get("sql", {}).get("query")
    if isinstance(query, str) and "root" in above and above.get("parent", above["root"]) != above["root"]:
        said = keys.key(Kind.STATEMENT, digest_of(query), above["root"])
        facts[said].since(f"run|{event.run}", event.at)
        facts[event.run].set("said_once", event.at, said, said)


def _code(facts: dict[str, Facts], run: Facts, event: Event) -> None:
    """Which code this run ran: the job may change between two runs."""
    if where := meaning.code_location(event.job_facets.get("sourceCodeLocation", {})):
        run.set("code", event.at, orjson.dumps(where).decode(), where)
        commit, url = where.get("version"), where.get("repoUrl")
        if commit and url:
            repo = meaning.repository(url)
            facts[keys.code_version(commit, repo)].first[f"repo|{repo}"] = 0
    for name in ("sql", "sourceCode"):
        if name in event.job_facets:
            digest = digest_of(event.job_facets[name])
            run.set("code_hash", event.at, digest, digest)


def _is_snapshot(event: Event) -> bool:
    """COMPLETE_SNAPSHOT: each event stands alone, the newest holds (job-type.md)."""
    kind = event.job_facets.get("jobType")
    return kind is not None and meaning.job_type(kind).get("contentMode") == "COMPLETE_SNAPSHOT"


def _use(run: Facts, said: DatasetSaid, verb: str, side: str, at: int, seq: int) -> None:
    """That this run read or wrote a dataset, which version of it, and what was measured on the way."""
    run.since(f"{verb}|{said.key}", at)
    if version := _version_of(said):
        run.set(f"{verb}_version|{said.key}", at, version, version)
    fields, digest = schema_of(said) if side == "out" else ([], "")
    if fields:
        run.set(f"wrote_schema|{said.key}", at, digest, digest)
    if said.run_facets:
        pointer = f"{said.pointer}/{'inputFacets' if side == 'in' else 'outputFacets'}"
        keep_facets(run, said.run_facets, meaning.USE, at, seq, pointer, f"{side}|{said.key}")
    change = said.facets.get("lifecycleStateChange")
    if change and (state := meaning.lifecycle(change)) and side == "out":
        run.set(f"lifecycle|{said.key}", at, state, state)


def _version_of(said: DatasetSaid) -> str:
    version = said.facets.get("version", {}).get("datasetVersion")
    return version if isinstance(version, str) and said.key.startswith("dataset|") else ""


def _version(facts: dict[str, Facts], said: DatasetSaid, event: Event) -> None:
    """A version that the producer names (an Iceberg snapshot) is one node, whoever speaks of it."""
    at = event.at
    if version := _version_of(said):
        one = facts[keys.key(Kind.DATASET_VERSION, *keys.parts_of(said.key), version)]
        one.since("wrote" if said.pointer.startswith("/outputs") else "read", at)
        if not event.owns(said.key):
            return
        fields, digest = schema_of(said)
        if fields:
            one.set("schema", at, digest, digest)
        stats = said.run_facets.get("outputStatistics")
        if stats and (found := meaning.statistics(stats)):
            one.set("statistics", at, orjson.dumps(found).decode(), found)


def _statement(facts: dict[str, Facts], said: Statement) -> str:
    """The statement as an entity of its own, and every node it names."""
    name = hashlib.blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
    facts[keys.key(Kind.STATEMENT, name)].set("content", 0, name, said)
    for target in {t for e in said["explicit"] for t in (e["target"], *e["sources"]) if t}:
        mention(facts, target)
    for dataset, told in _COLUMNS.of(name, lambda: _columns(said)).items():
        facts[dataset].first.update(told)
    return name


def _columns(said: Statement) -> Mapping[str, Mapping[str, int]]:
    """By dataset: that the columns which a statement names are there."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    claims = [(e["target"], e["columns"]) for e in said["explicit"]]
    for target, columns in (*claims, *said["columns"].items()):
        whole = not target.startswith("dataset|")
        for claim in columns:
            dataset, path = keys.place_of(claim["source"])
            found[dataset][f"col|{path}"] = 0
            if claim["target"] and not whole:
                found[target][f"col|{claim['target']}"] = 0
    return found


def _declare(
    facts: dict[str, Facts],
    speaker: Facts,
    event: Event,
    said: Statement | None,
    script: Named | None = None,
) -> None:
    """A JobEvent's or DatasetEvent's design-time statement: the newest replaces the others."""
    if said is None:
        explicit = "lineage" in event.job_facets
        said = {"inputs": [], "outputs": [], "columns": {}, "explicit": [], "is_explicit": explicit}
    name = _statement(facts, said)
    declared: Json = {"statement": name, "producer": event.producer}
    if script is not None:
        declared["sql"] = script.said
        speaker.since("sql", event.at)
        _script(facts, script, event.at)
    speaker.set("declared", event.at, orjson.dumps(declared).decode(), declared)
    speaker.since(f"declared|{declared_as(declared)}", event.at)


def declared_as(declared: Json) -> str:
    """What a declaration says, by name: said again later, it still holds since it was said first."""
    sql = declared.get("sql")
    return f"{declared['statement']}+{sql['script']}" if sql else str(declared["statement"])


def _dataset(facts: dict[str, Facts], said: DatasetSaid, event: Event, seq: int, *, owner: bool) -> None:
    one = facts[said.key]
    one.span("seen", event.at)
    if not said.key.startswith("dataset|"):
        mention(facts, said.key)
        return  # a model, version, stage or alias: the registry describes it
    if not event.owns(said.key):  # a mention, and what is told of it counts where nobody else says a word
        told = {name: facet for name, facet in said.facets.items() if name not in _THE_OWNERS_ALONE}
        keep_facets(one, told, meaning.DATASET, event.at, seq, f"{said.pointer}/facets", "told")
        rest = {name: facet for name, facet in said.facets.items() if name in _THE_OWNERS_ALONE}
        keep_facets(one, rest, {}, event.at, seq, f"{said.pointer}/facets", "told")
        return
    one.since("primary", event.at)
    if [said.namespace, said.name] != keys.parts_of(said.key):
        spelling = [said.namespace, said.name]
        one.set("spelling", event.at, "\n".join(spelling), spelling)
    role = "facet" if owner else "seen"
    keep_facets(one, said.facets, meaning.DATASET, event.at, seq, f"{said.pointer}/facets", role)
    _checks(one, said, event.at)
    if "schema" in said.facets:
        _schema(one, said, event.at)
    for identifier in meaning.listed(said.facets.get("symlinks", {}).get("identifiers")):
        _symlink(facts, said.key, identifier, event)
    change = said.facets.get("lifecycleStateChange", {})
    previous = change.get("previousIdentifier")
    if meaning.lifecycle(change) == "RENAME" and isinstance(previous, dict):
        old = _symlink(facts, said.key, previous, event)
        if old:
            _renamed(facts, old, said.key, event.at)
            _renamed(facts, said.key, "", event.at)


def _renamed(facts: dict[str, Facts], old: str, new: str, at: int) -> None:
    """`old` is called `new` from then on; ``: the name is somebody's again."""
    facts[old].set("renamed_to", at, new, new)
    if new:
        facts[old].since(f"symlink|{new}", at)
        facts[new].since(f"symlink|{old}", at)


def _checks(one: Facts, said: DatasetSaid, at: int) -> None:
    """The newest result of each assertion. Producers put them among either kind of facets, some among both."""
    for facets in (said.facets, said.run_facets):
        if "dataQualityAssertions" not in facets:
            continue
        for result in meaning.assertions(facets["dataQualityAssertions"]):
            assertion, success, column = result
            one.set(f"check|{assertion}|{column or ''}", at, str(success), result)


def _schema(one: Facts, said: DatasetSaid, at: int) -> None:
    fields, digest = schema_of(said)
    if not fields:
        return
    one.set(f"schema|{digest}", 0, digest, fields)
    one.span(f"schema|{digest}", at)
    if meaning.lifecycle(said.facets.get("lifecycleStateChange", {})) in FULL_SCHEMA:
        one.until("schema_full", at)


def schema_of(said: DatasetSaid) -> tuple[list[list[Any]], str]:
    """Its fields and their digest."""
    facet = said.facets.get("schema")
    return _SCHEMAS.of(orjson.dumps(facet), lambda: _read_schema(facet)) if facet else ([], "")


def _read_schema(facet: Json) -> tuple[list[list[Any]], str]:
    fields = meaning.schema(facet)
    return fields, digest_of(fields)


def _symlink(facts: dict[str, Facts], one: str, identifier: Any, event: Event) -> str:
    """Two names of one dataset; told on both, so that either may come first. Both must be the speaker's."""
    if not isinstance(identifier, dict):
        return ""
    namespace, name = identifier.get("namespace"), identifier.get("name")
    if not (isinstance(namespace, str) and isinstance(name, str) and namespace and name):
        return ""
    other = node_key(namespace, name)
    if other == one or not other.startswith("dataset|") or not event.owns(other):
        return ""
    facts[one].since(f"symlink|{other}", event.at)
    facts[other].since(f"symlink|{one}", event.at)
    return other


def _parent(facts: dict[str, Facts], event: Event, facet: Json, seq: int, pointer: str) -> None:
    """The runs above this one (they may come later, or never) and what was forwarded about them."""
    found: dict[str, str] = {}
    root = facet.get("root")
    for name, part, where in (
        ("parent", facet, pointer),
        ("root", root if isinstance(root, dict) else None, f"{pointer}/root"),
    ):
        run, job = (part.get("run"), part.get("job")) if part else (None, None)
        if not isinstance(run, dict) or not isinstance(job, dict):
            continue
        run_id, namespace, job_name = run.get("runId"), job.get("namespace"), job.get("name")
        if not all(isinstance(x, str) and x for x in (run_id, namespace, job_name)):
            continue
        job_key = keys.job(namespace, job_name)  # type: ignore[arg-type]
        run_key = keys.run(run_id, job_key)  # type: ignore[arg-type]
        if run_key == event.run:
            continue
        found[name] = run_key
        facts[run_key].since("named", event.at)
        facts[job_key].span("seen", event.at)
        for raw, entity, means, kind in (
            (run.get("facets"), run_key, meaning.RUN, "run"),
            (job.get("facets"), job_key, meaning.JOB, "job"),
        ):
            if isinstance(raw, dict):
                good = {k: v for k, v in raw.items() if isinstance(v, dict)}
                role = "seen" if event.owns(job_key) else "told"
                keep_facets(facts[entity], good, means, event.at, seq, f"{where}/{kind}/facets", role)
    if found:
        facts[event.run].set("parent", event.at, orjson.dumps(found).decode(), found)
    if "parent" in found:
        job = keys.job_of(found["parent"])
        if job != event.job:
            facts[event.job].set("parent", event.at, job, job)
        elif "root" in found and (root_job := keys.job_of(found["root"])) != event.job:
            facts[event.job].set("parent", event.at, root_job, root_job)


def _dependencies(facts: dict[str, Facts], event: Event) -> None:
    """JobDependencies is schedule, not data: kept as PRECEDES."""
    facet = event.run_facets.get("jobDependencies", {})
    for side in ("upstream", "downstream"):
        for entry in meaning.listed(facet.get(side)):
            job = entry.get("job") if isinstance(entry, dict) else None
            if not isinstance(job, dict):
                continue
            namespace, name = job.get("namespace"), job.get("name")
            if not (isinstance(namespace, str) and isinstance(name, str) and namespace and name):
                continue
            other = keys.job(namespace, name)
            before, after = (other, event.job) if side == "upstream" else (event.job, other)
            facts[other].span("seen", event.at)
            facts[before].since(f"precedes|{after}", event.at)

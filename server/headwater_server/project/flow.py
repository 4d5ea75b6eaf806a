"""What a run's statements say, as steps: which inputs together make which outputs. Pure.

Precedence, per output: explicit lineage > columnLineage > inputs x outputs of that run.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from headwater_server.graph import keys
from headwater_server.graph.changes import NO_PROPS, Edge, Node, Value
from headwater_server.graph.words import PAST, EdgeKind, Kind
from headwater_server.openlineage.statement import ColumnClaim, Explicit, Statement
from headwater_server.project.claims import Claim
from headwater_server.project.sqlflow import SqlFlow


@dataclass(frozen=True, slots=True)
class Step:
    """Immutable and named by its content: the same flow said again is the same step."""

    key: str
    owner: str
    """Whose statement it is: a job, a dataset, a model version."""
    job: str
    """The job that does it; `` when no job is known."""
    evidence: str
    inputs: frozenset[str]
    outputs: frozenset[str]
    claims: tuple[Claim, ...] = ()

    def covers(self, other: "Step") -> bool:
        """Whether the other says nothing that this one does not say."""
        return (
            self.job == other.job
            and other.inputs <= self.inputs
            and other.outputs <= self.outputs
            and set(other.claims) <= set(self.claims)
        )


class AddStep(Protocol):
    """How a rule adds a step."""

    def __call__(
        self,
        evidence: str,
        ins: Iterable[str],
        outs: Iterable[str],
        claims: Iterable[Claim] = (),
        by: str = "",
    ) -> None: ...


def make_step(
    owner: str,
    job: str,
    evidence: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    claims: Iterable[Claim] = (),
) -> Step:
    ins, outs, all_claims = frozenset(inputs), frozenset(outputs), tuple(sorted(claims))
    content = orjson.dumps([owner, job, evidence, sorted(ins), sorted(outs), [list(c) for c in all_claims]])
    name = hashlib.blake2b(content, digest_size=12).hexdigest()
    return Step(keys.key(Kind.STEP, name), owner, job, evidence, ins, outs, all_claims)


def steps_of(
    owner: str,
    statements: Sequence[Statement],
    *,
    declared: bool = False,
    sql: SqlFlow | None = None,
) -> tuple[Step, ...]:
    """The steps of one run (or one declaration), in order of their keys.

    `sql` fills what the statements leave out and takes away what it knows to be no table; it never
    overrides what a producer says, and explicit lineage leaves nothing for it to say.
    """
    job = owner if owner.startswith("job|") else ""
    inputs = {k for s in statements for k in s["inputs"]}
    outputs = {k for s in statements for k in s["outputs"]}
    found: list[Step] = []

    def add(
        evidence: str,
        ins: Iterable[str],
        outs: Iterable[str],
        claims: Iterable[Claim] = (),
        by: str = job,
    ) -> None:
        said = "DECLARED" if declared and job and evidence != "SQL" else evidence
        step = make_step(owner, by, said, ins, outs, claims)
        if step.inputs or step.outputs:  # "this job has no upstream" joins nothing to anything
            found.append(step)

    guessed = next((s["evidence"] for s in statements if s.get("evidence")), "CARTESIAN")
    explicit = _explicit(statements)
    is_explicit = any(s["is_explicit"] for s in statements)
    if is_explicit:
        sql = None
    for target, (sources, claims) in explicit.items():
        _explicit_steps(add, owner, target, sources, claims)
    told = set(explicit)
    columns: dict[str, list[ColumnClaim]] = {}
    for statement in statements:
        for target, said in statement["columns"].items():
            if target not in told:
                columns.setdefault(target, []).extend(said)
    if sql is not None:
        inputs = {k for k in inputs if not sql.is_phantom(k)}
    for target, claimed in columns.items():
        said = claimed
        if sql is not None:
            said = [c for c in claimed if not sql.is_phantom(keys.dataset_of(c["source"]))]
        if said:
            sources = {keys.dataset_of(claim["source"]) for claim in said}
            add("COLUMN", sources, [target], _claims(target, said))
        if sql is not None:
            _fill_columns(add, target, said, sql, len(outputs | set(columns)))
    rest = outputs - told - set(columns)
    if is_explicit:
        for output in rest:
            add("EXPLICIT", (), [output])
    elif sql is not None:
        rest = _fill_outputs(add, rest, inputs, sql, nothing_said=not outputs and not columns)
    if rest and not is_explicit:
        add(guessed, inputs, rest)
    used = {k for step in found for k in step.inputs}
    if dangling := inputs - used:
        add("EXPLICIT" if explicit else guessed, dangling, ())
    return tuple(sorted({step.key: step for step in found}.values(), key=lambda s: s.key))


def _fill_columns(add: AddStep, target: str, said: Sequence[ColumnClaim], sql: SqlFlow, outputs: int) -> None:
    """Columns (and row dependencies) of an output that its producer's columnLineage says nothing of."""
    written = sql.outputs.get(target) or (sql.outputs.get("") if outputs == 1 else None)
    if written is None:
        return
    known = {claim["target"] for claim in said}
    new = [claim for claim in written.claims if claim.target not in known]
    if new:
        add("SQL", {keys.dataset_of(c.source) for c in new}, [target], _at_target(target, new))


def _fill_outputs(
    add: AddStep, rest: set[str], inputs: set[str], sql: SqlFlow, *, nothing_said: bool
) -> set[str]:
    """Outputs without columnLineage get the script's; what the script does not know is left as it was."""
    wanted = {k for k in sql.outputs if k} if nothing_said else rest
    left = set(rest)
    for target in wanted:
        written = sql.outputs.get(target) or (sql.outputs.get("") if len(rest) == 1 else None)
        if written is None or not (written.inputs or written.claims):
            continue
        add("SQL", written.inputs, [target], _at_target(target, written.claims))
        left.discard(target)
        if more := inputs - written.inputs - {target}:
            add("CARTESIAN", more, [target])
    if nothing_said and not wanted and sql.inputs:
        add("SQL", sql.inputs, ())
    return left


def _at_target(target: str, claims: Iterable[Claim]) -> Iterable[Claim]:
    """Paths become keys."""
    claims = list(claims)
    places = _places(target, (c.target for c in claims))
    return {c._replace(target=places[c.target]) for c in claims}


def _places(target: str, paths: Iterable[str]) -> Mapping[str, str]:
    """By path: a column of the target; itself where no column is named. A model has no columns of its own."""
    whole = not target.startswith("dataset|")
    return {path: target if whole or not path else keys.column(target, path) for path in set(paths)}


def _explicit(
    statements: Sequence[Statement],
) -> dict[str, tuple[set[str], list[ColumnClaim]]]:
    found: dict[str, tuple[set[str], list[ColumnClaim]]] = {}
    said: list[Explicit] = [e for s in statements for e in s["explicit"]]
    for one in said:
        sources, claims = found.setdefault(one["target"], (set(), []))
        sources.update(one["sources"])
        claims.extend(one["columns"])
    return found


def _explicit_steps(
    add: AddStep, owner: str, target: str, sources: set[str], claims: list[ColumnClaim]
) -> None:
    """The lineage facet's rules: an identity-less JOB (``) is the speaker; job to job is data flow."""
    data = {s for s in sources if s and not s.startswith("job|")}
    jobs = {s for s in sources if s.startswith("job|") and s != owner}
    if target == "" or (target == owner and owner.startswith("job|")):
        add("EXPLICIT", data | jobs, ())
    elif target.startswith("job|"):
        add("EXPLICIT", data | jobs, (), by=target)
    else:
        for one in jobs:
            add("EXPLICIT", (), [target], by=one)
        if data or not jobs:
            add("EXPLICIT", data, [target], _claims(target, claims))


def _claims(target: str, said: Sequence[ColumnClaim]) -> Iterable[Claim]:
    places = _places(target, (c["target"] for c in said))
    return {
        Claim(c["source"], places[c["target"]], c["direct"], c["subtype"], c["masking"], c["description"])
        for c in said
    }


def name_of_flow(steps: Sequence[Step], script: str = "") -> str:
    """By what was said: the statements' steps (without SQL) and the script's name. A schema that is told
    later makes the script say more, but it is the same flow.
    """
    text = "".join(s.key for s in steps) + script
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def step_nodes(step: Step) -> list[Node]:
    props = {"job": step.job or None, "owner": step.owner, "evidence": step.evidence}
    return [Node(step.key, Kind.STEP, group=step.job, props={k: v for k, v in props.items() if v})]


def step_edges(step: Step, *, since: int | None, until: int | None = None, run: str = "") -> list[Edge]:
    """A step's edges now (`until` None) or in the past. STEP_OF holds as long as the step is there.

    Edges that say the same share their properties.
    """
    past = until is not None
    opened: Mapping[str, Value] = {"run": run} if run else NO_PROPS
    edges = [Edge(step.key, EdgeKind.STEP_OF, step.job)] if step.job else []

    def add(source: str, kind: EdgeKind, target: str, tag: str, how: Mapping[str, Value]) -> None:
        if past:
            if kind not in PAST:
                return
            kind, tag = PAST[kind], f"{tag}@{since}"
        edges.append(Edge(source, kind, target, tag, since, until, how))

    for key in step.inputs:
        add(key, EdgeKind.INPUT_OF, step.key, "", opened)
    for key in step.outputs:
        add(step.key, EdgeKind.OUTPUTS, key, "", opened)
    if step.outputs:
        told = {keys.dataset_of(claim.source) for claim in step.claims}
        for key in step.inputs - told:
            if key.startswith("dataset|"):
                add(key, EdgeKind.FEEDS_WHOLE, step.key, "", opened)
    hows: dict[tuple[object, ...], Mapping[str, Value]] = {}
    derives, affects, feature = EdgeKind.DERIVES, EdgeKind.AFFECTS, EdgeKind.FEATURE_OF
    for claim in step.claims:
        target, words = claim.target, claim[3:]
        if target.startswith("column|"):
            kind = derives if claim.direct else affects
        else:  # to all rows: how a value got there is not told
            kind = affects if target.startswith("dataset|") else feature
        how = hows.get(words)
        if how is None:
            how = hows[words] = {**_how(claim), **opened}
        add(claim.source, kind, target, step.key, how)
    return edges


def _how(claim: Claim) -> Mapping[str, Value]:
    how: dict[str, Value] = {"subtype": claim.subtype, "masking": claim.masking}
    if claim.description:
        how["description"] = claim.description
    if claim.span:
        how["span"] = claim.span
    if claim.confidence != 1.0:
        how["confidence"] = claim.confidence
    return how

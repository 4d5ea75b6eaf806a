"""What a run's statements say, as steps: which inputs together make which outputs. Pure.

Precedence, per output: explicit lineage > columnLineage > inputs x outputs of that run.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import PAST, EdgeKind, Kind
from headwater_server.openlineage.statement import ColumnClaim, Explicit, Statement


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
    claims: tuple[tuple[str, str, bool, str, bool, str], ...] = ()
    """(source column, target column or whole target, direct, subtype, masking, description)."""

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
        claims: Iterable[tuple[str, str, bool, str, bool, str]] = (),
        by: str = "",
    ) -> None: ...


def make_step(
    owner: str,
    job: str,
    evidence: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    claims: Iterable[tuple[str, str, bool, str, bool, str]] = (),
) -> Step:
    ins, outs, all_claims = frozenset(inputs), frozenset(outputs), tuple(sorted(claims))
    content = orjson.dumps([owner, job, evidence, sorted(ins), sorted(outs), all_claims])
    name = hashlib.blake2b(content, digest_size=12).hexdigest()
    return Step(keys.key(Kind.STEP, name), owner, job, evidence, ins, outs, all_claims)


def steps_of(owner: str, statements: Sequence[Statement], *, declared: bool = False) -> tuple[Step, ...]:
    """The steps of one run (or one declaration), in order of their keys."""
    job = owner if owner.startswith("job|") else ""
    inputs = {k for s in statements for k in s["inputs"]}
    outputs = {k for s in statements for k in s["outputs"]}
    found: list[Step] = []

    def add(
        evidence: str,
        ins: Iterable[str],
        outs: Iterable[str],
        claims: Iterable[tuple[str, str, bool, str, bool, str]] = (),
        by: str = job,
    ) -> None:
        found.append(make_step(owner, by, "DECLARED" if declared and job else evidence, ins, outs, claims))

    explicit = _explicit(statements)
    for target, (sources, claims) in explicit.items():
        _explicit_steps(add, owner, target, sources, claims)
    told = set(explicit)
    columns: dict[str, list[ColumnClaim]] = {}
    for statement in statements:
        for target, said in statement["columns"].items():
            if target not in told:
                columns.setdefault(target, []).extend(said)
    for target, said in columns.items():
        sources = {keys.dataset_of(claim["source"]) for claim in said}
        add("COLUMN", sources, [target], _claims(target, said))
    rest = outputs - told - set(columns)
    if any(s["is_explicit"] for s in statements):
        for output in rest:
            add("EXPLICIT", (), [output])
    elif rest:
        add("CARTESIAN", inputs, rest)
    used = {k for step in found for k in step.inputs}
    if dangling := inputs - used:
        add("EXPLICIT" if explicit else "CARTESIAN", dangling, ())
    return tuple(sorted({step.key: step for step in found}.values(), key=lambda s: s.key))


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
    if target in ("", owner):
        add("EXPLICIT", data | jobs, ())
    elif target.startswith("job|"):
        add("EXPLICIT", data | jobs, (), by=target)
    else:
        for one in jobs:
            add("EXPLICIT", (), [target], by=one)
        if data or not jobs:
            add("EXPLICIT", data, [target], _claims(target, claims))


def _claims(target: str, said: Iterable[ColumnClaim]) -> Iterable[tuple[str, str, bool, str, bool, str]]:
    whole = not target.startswith("dataset|")  # a model has no columns of its own
    return {
        (
            claim["source"],
            keys.column(target, claim["target"]) if claim["target"] and not whole else target,
            claim["direct"],
            claim["subtype"],
            claim["masking"],
            claim["description"],
        )
        for claim in said
    }


def name_of_flow(steps: Sequence[Step]) -> str:
    return hashlib.blake2b("".join(s.key for s in steps).encode(), digest_size=8).hexdigest()


def step_nodes(step: Step) -> list[Node]:
    props = {"job": step.job or None, "owner": step.owner, "evidence": step.evidence}
    return [Node(step.key, Kind.STEP, group=step.job, props={k: v for k, v in props.items() if v})]


def step_edges(step: Step, *, since: int | None, until: int | None = None, run: str = "") -> list[Edge]:
    """A step's edges now (`until` None) or in the past. STEP_OF holds as long as the step is there."""
    flow: list[tuple[str, EdgeKind, str, str, dict[str, str | bool]]] = [
        *((k, EdgeKind.INPUT_OF, step.key, "", {}) for k in step.inputs),
        *((step.key, EdgeKind.OUTPUTS, k, "", {}) for k in step.outputs),
    ]
    told = {keys.dataset_of(claim[0]) for claim in step.claims}
    if step.outputs:
        whole = (k for k in step.inputs if k.startswith("dataset|") and k not in told)
        flow.extend((k, EdgeKind.FEEDS_WHOLE, step.key, "", {}) for k in whole)
    for source, target, direct, subtype, masking, description in step.claims:
        kind = EdgeKind.DERIVES if direct else EdgeKind.AFFECTS
        if not target.startswith(("column|", "dataset|")):
            kind = EdgeKind.FEATURE_OF
        elif target.startswith("dataset|"):
            kind = EdgeKind.AFFECTS  # to all rows: how a value got there is not told
        how: dict[str, str | bool] = {"subtype": subtype, "masking": masking}
        if description:
            how["description"] = description
        flow.append((source, kind, target, step.key, how))
    edges = [Edge(step.key, EdgeKind.STEP_OF, step.job)] if step.job else []
    opened = {"run": run} if run else {}
    for source, kind, target, tag, how in flow:
        if until is not None:
            if kind not in PAST:
                continue
            kind, tag = PAST[kind], f"{tag}@{since}"  # noqa: PLW2901
        edges.append(Edge(source, kind, target, tag, since, until, {**how, **opened}))
    return edges

"""Folding: steps go into their job, or jobs into edges; what is left is what a person sees. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage.moves import PRESENT, step_of
from headwater_server.lineage.shapes import (
    EdgeOrigin,
    EvidenceKind,
    Granularity,
    ShownEdgeKind,
    TransformationType,
)
from headwater_server.project.weights import Weight, weight_on

CONFIDENCE: dict[EvidenceKind, float] = {
    EvidenceKind.EXPLICIT: 1.0,
    EvidenceKind.COLUMN: 1.0,
    EvidenceKind.MANUAL: 1.0,
    EvidenceKind.MLFLOW: 1.0,
    EvidenceKind.SYMLINK: 1.0,
    EvidenceKind.SQL: 0.9,
    EvidenceKind.DECLARED: 0.8,
    EvidenceKind.CARTESIAN: 0.6,
}
_STRENGTH = {kind: (CONFIDENCE[kind], -place) for place, kind in enumerate(CONFIDENCE)}
_ORIGIN = {EvidenceKind.SQL: EdgeOrigin.SQL_PARSED, EvidenceKind.MANUAL: EdgeOrigin.MANUAL}
_KINDS = {kind.value: kind for kind in EvidenceKind}

Ends = tuple[str, str, ShownEdgeKind]


@dataclass(slots=True)
class Bond:
    """One shown edge while it is being put together from everything that says so."""

    evidence: EvidenceKind = EvidenceKind.CARTESIAN
    origin: EdgeOrigin = EdgeOrigin.EVENT
    transformation: TransformationType | None = None
    subtype: str | None = None
    masking: bool = False
    via: str | None = None
    first: int | None = None
    last: int | None = None
    """None: it still holds."""
    sure: float = 1.0
    """How sure its voices are that it is this column; the surest counts."""
    weight: Weight | None = None
    """How much of what a model learnt it learnt from this column, where that is known."""
    said: set[str] = field(default_factory=set)
    """The steps (or edges without one) that say so."""

    @property
    def confidence(self) -> float:
        return CONFIDENCE[self.evidence] * self.sure

    def hear(self, by: str, evidence: EvidenceKind, edges: Iterable[Edge], *, inferred: bool) -> None:
        """Take in one more voice: the step, what it rests on, the edges it consists of."""
        fresh = not self.said
        self.said.add(by)
        if fresh or (evidence is not self.evidence and _STRENGTH[evidence] > _STRENGTH[self.evidence]):
            self.evidence = evidence
            self.origin = _ORIGIN.get(evidence, EdgeOrigin.EVENT)
            if inferred and evidence is EvidenceKind.CARTESIAN:
                self.origin = EdgeOrigin.INFERRED
        since, until, ends = None, None, False
        for edge in edges:  # together they hold from the latest beginning to the earliest end
            if edge.since is not None and (since is None or edge.since > since):
                since = edge.since
            if edge.until is not None:
                ends = True
                until = edge.until if until is None else min(until, edge.until)
        if since is not None and (self.first is None or since < self.first):
            self.first = since
        if not ends:
            self.last = None
        elif fresh or (self.last is not None and until is not None and until > self.last):
            self.last = until


@dataclass(slots=True)
class Fold:
    """Edges between shown keys; each key is of a dataset, a column, a job, a run or a model (version)."""

    bonds: dict[Ends, Bond] = field(default_factory=dict)

    def bond(self, source: str, target: str, kind: ShownEdgeKind) -> Bond:
        ends = (source, target, kind)
        found = self.bonds.get(ends)
        if found is None:
            found = self.bonds[ends] = Bond()
        return found


class Names:
    """Which key is shown for a place: one name of several, a run for its job."""

    def __init__(self, folded: Mapping[str, str]) -> None:
        self._folded = folded

    def __call__(self, key: str) -> str:
        folded = self._folded
        if not folded:
            return key
        if key.startswith("column|") and key not in folded:
            owner = keys.dataset_of(key)
            shown = folded.get(owner, owner)
            return key if shown == owner else keys.column(shown, keys.parts_of(key)[2])
        return folded.get(key, key)


def evidence_of(step: Node | None) -> EvidenceKind:
    said = step.props.get("evidence") if step else None
    return _KINDS.get(said, EvidenceKind.CARTESIAN) if isinstance(said, str) else EvidenceKind.CARTESIAN


def fold(edges: Iterable[Edge], steps: Mapping[str, Node], *, granularity: Granularity, names: Names) -> Fold:
    """All edges of a walk as the edges that are shown.

    ENTITY and VERSION show jobs; the other granularities fold them. COLUMN shows columns as well.
    """
    folded = Fold()
    takes: dict[str, dict[str, list[Edge]]] = defaultdict(dict)  # step -> source -> edges
    makes: dict[str, dict[str, list[Edge]]] = defaultdict(dict)
    standing: dict[str, list[Edge]] = defaultdict(list)  # stage or alias -> versions in it
    serving: list[Edge] = []
    by_column = granularity is Granularity.COLUMN
    for edge in edges:
        match PRESENT.get(edge.kind, edge.kind):
            case EdgeKind.INPUT_OF | EdgeKind.FEEDS_WHOLE:
                takes[edge.target].setdefault(names(edge.source), []).append(edge)
            case EdgeKind.OUTPUTS:
                makes[edge.source].setdefault(names(edge.target), []).append(edge)
            case EdgeKind.DERIVES | EdgeKind.AFFECTS | EdgeKind.FEATURE_OF as kind:
                if by_column:
                    _column_bond(folded, edge, kind, steps, names)
                else:
                    step, target = step_of(edge), edge.target
                    source = names(keys.dataset_of(edge.source))
                    takes[step].setdefault(source, []).append(edge)
                    target = keys.dataset_of(target) if target.startswith("column|") else target
                    makes[step].setdefault(names(target), []).append(edge)
            case EdgeKind.NOW_IN | EdgeKind.NOW_AT:
                standing[edge.target].append(edge)
            case EdgeKind.SERVES:
                serving.append(edge)
            case _:
                _plain_bond(folded, edge, names)
    for edge in serving:
        for version in standing[edge.source]:
            folded.bond(version.source, edge.target, ShownEdgeKind.REGISTERS).hear(
                edge.source, EvidenceKind.EXPLICIT, (version,), inferred=False
            )
    jobs_shown = granularity in (Granularity.ENTITY, Granularity.VERSION)
    for step in takes.keys() | makes.keys():
        sources = _with_versions(takes.get(step, {}), standing)
        _step_bonds(
            folded,
            step,
            node=steps.get(step),
            sources=sources,
            targets=makes.get(step, {}),
            names=names,
            jobs_shown=jobs_shown,
        )
    return folded


def _with_versions(
    sources: dict[str, list[Edge]], standing: Mapping[str, list[Edge]]
) -> dict[str, list[Edge]]:
    """Stages and aliases are crossed: the versions that stand in them are the sources."""
    if not any(source.startswith(("stage|", "alias|")) for source in sources):
        return sources
    found: dict[str, list[Edge]] = {}
    for source, edges in sources.items():
        if source.startswith(("stage|", "alias|")):
            for version in standing.get(source, ()):
                found.setdefault(version.source, []).extend((*edges, version))
        else:
            found.setdefault(source, []).extend(edges)
    return found


def _step_bonds(
    folded: Fold,
    step: str,
    *,
    node: Node | None,
    sources: Mapping[str, list[Edge]],
    targets: Mapping[str, list[Edge]],
    names: Names,
    jobs_shown: bool,
) -> None:
    job = node.group if node else ""
    evidence = evidence_of(node)
    if job and jobs_shown:
        job = names(job)
        for source, edges in sources.items():
            folded.bond(source, job, ShownEdgeKind.READS).hear(step, evidence, edges, inferred=False)
        for target, edges in targets.items():
            folded.bond(job, target, _makes(target, by_job=True)).hear(step, evidence, edges, inferred=False)
        return
    for source, ins in sources.items():
        if source.startswith("job|"):
            continue  # its data is that of its own steps
        for target, outs in targets.items():
            bond = folded.bond(source, target, _makes(target, by_job=False))
            bond.hear(step, evidence, (*ins, *outs), inferred=True)
            bond.via = bond.via or (names(job) if job else None)
            bond.masking = bond.masking or any(edge.props.get("masking") is True for edge in ins)
            if bond.transformation is None:
                bond.transformation = TransformationType.UNKNOWN


def _makes(target: str, *, by_job: bool) -> ShownEdgeKind:
    if target.startswith("model_version|"):
        return ShownEdgeKind.TRAINS
    return ShownEdgeKind.WRITES if by_job else ShownEdgeKind.DERIVES


def _column_bond(folded: Fold, edge: Edge, kind: EdgeKind, steps: Mapping[str, Node], names: Names) -> None:
    step = step_of(edge)
    node = steps.get(step)
    target = names(edge.target)
    bond = folded.bond(names(edge.source), target, _makes(target, by_job=False))
    if kind is EdgeKind.FEATURE_OF:
        sure = edge.props.get("confidence")
        sure = sure if isinstance(sure, float) else 1.0
        bond.sure = max(bond.sure, sure) if bond.said else sure
        bond.weight = max(weight_on(edge), bond.weight, key=lambda one: one.share if one else -1.0)
    bond.hear(step, evidence_of(node) if node else EvidenceKind.COLUMN, (edge,), inferred=False)
    direct = kind is not EdgeKind.AFFECTS
    if direct or bond.transformation is None:
        bond.transformation = TransformationType.DIRECT if direct else TransformationType.INDIRECT
        subtype = edge.props.get("subtype")
        bond.subtype = subtype if isinstance(subtype, str) and subtype else bond.subtype
    bond.masking = bond.masking or edge.props.get("masking") is True
    if node and node.group:
        bond.via = bond.via or names(node.group)


def _plain_bond(folded: Fold, edge: Edge, names: Names) -> None:
    """Edges that stand for themselves: a version of its model, a child of its parent, a run's evidence."""
    source, target = names(edge.source), names(edge.target)
    match edge.kind:
        case EdgeKind.VERSION_OF:
            kind = ShownEdgeKind.REGISTERS
        case EdgeKind.CHILD_OF:
            source, target, kind = target, source, ShownEdgeKind.PARENT
        case EdgeKind.READ:
            source, target, kind = target, source, ShownEdgeKind.READS
        case EdgeKind.EVALUATED_ON:
            kind = ShownEdgeKind.EVALUATES
        case EdgeKind.WROTE | EdgeKind.PRODUCED:
            kind = _makes(target, by_job=True)
        case _:
            return
    folded.bond(source, target, kind).hear(
        f"{edge.source}>{edge.target}", EvidenceKind.EXPLICIT, (edge,), inferred=False
    )

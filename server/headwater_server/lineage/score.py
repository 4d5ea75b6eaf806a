"""How bad it is: the weight of what is hit, how strongly, how surely, how far away. Pure."""

from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage.fold import Bond, Ends
from headwater_server.lineage.shapes import (
    ChangeKind,
    ImpactReason,
    Severity,
    ShownEdgeKind,
    TransformationType,
)
from headwater_server.lineage.urns import encode_id

DECAY = 0.9
BREAKING = frozenset(
    {
        ChangeKind.COLUMN_DROP,
        ChangeKind.COLUMN_RENAME,
        ChangeKind.DATASET_DELETE,
        ChangeKind.MODEL_RETIRE,
    }
)
RANK = {severity: rank for rank, severity in enumerate(Severity)}
_STRENGTH = {TransformationType.DIRECT: 1.0, TransformationType.INDIRECT: 0.5}
_TABLE_ONLY = 0.3
_HOW = {
    1.0: "a column is made from it directly",
    0.5: "a column is made with its help (filter, join, order)",
    _TABLE_ONLY: "only tables are known to be connected, not columns",
}


def weight_of(node: Node, stage: str | None) -> float:
    match node.kind, (stage or "").casefold():
        case Kind.MODEL_VERSION, "production":
            return 1.0
        case Kind.MODEL_VERSION, "staging":
            return 0.7
        case ((Kind.MODEL_VERSION | Kind.MODEL), _):
            return 0.5
        case ((Kind.JOB | Kind.RUN), _):
            return 0.2
        case _:
            return 0.3


def strength_of(ends: Ends, bond: Bond) -> float:
    if ends[2] is ShownEdgeKind.REGISTERS:
        return 1.0  # a version is its model
    return _STRENGTH.get(bond.transformation or TransformationType.UNKNOWN, _TABLE_ONLY)


def importance_of(bond: Bond) -> float:
    """Half for a feature that the model makes nothing of, one where it makes all of it, and where nobody knows."""
    return 1.0 if bond.weight is None else 0.5 + bond.weight.share / 2


def severity_of(node: Node, stage: str | None, *, score: float, change: ChangeKind) -> Severity:
    """A model in production breaks critically when what it needs goes; the rest is by score."""
    breaking = change in BREAKING
    if node.kind is Kind.MODEL_VERSION:
        match (stage or "").casefold():
            case "production":
                return Severity.CRITICAL if breaking else Severity.HIGH
            case "staging":
                return Severity.HIGH if breaking else Severity.MEDIUM
    high, medium = (0.15, 0.03) if breaking else (0.4, 0.1)
    if score >= high:
        return Severity.HIGH
    return Severity.MEDIUM if score >= medium else Severity.LOW


def reasons_of(
    node: Node,
    stage: str | None,
    *,
    weight: float,
    strength: float,
    confidence: float,
    distance: int,
    change: ChangeKind,
    weakest: tuple[str, ...],
    lightest: tuple[Ends, Bond] | None,
) -> tuple[ImpactReason, ...]:
    """Each factor of the score, so that a person can argue with it."""
    what = f"{node.kind} in {stage}" if stage else str(node.kind)
    here = (encode_id(node.key),)
    reasons = [
        ImpactReason("WEIGHT", f"{what} weighs {weight:g}", here),
        ImpactReason("STRENGTH", f"{_HOW[strength]}: {strength:g}", weakest),
        ImpactReason("CONFIDENCE", f"the least sure edge on the way is sure to {confidence:g}", weakest),
        ImpactReason("DISTANCE", f"{distance} hops away: {DECAY:g}^{distance} = {DECAY**distance:.3f}", ()),
    ]
    if lightest is not None and (known := lightest[1].weight):
        ends = tuple(encode_id(end) for end in lightest[0][:2])
        text = f"carries {known.text}: {importance_of(lightest[1]):.3f}"
        reasons.append(ImpactReason("IMPORTANCE", text, ends))
    if change in BREAKING:
        reasons.append(ImpactReason("BREAKING", f"{change.value} takes away what this needs", ()))
    return tuple(reasons)

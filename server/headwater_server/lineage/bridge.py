"""Edges over what is not shown: a table dropped between two jobs does not cut their flow in two. Pure."""

from collections.abc import Collection, Mapping

from headwater_server.lineage.fold import Bond, Ends
from headwater_server.lineage.shapes import EdgeOrigin, ShownEdgeKind

_MAX_PAIRS = 2500  # around one hidden node; beyond that a picture of all pairs says nothing


def bridge(bonds: Mapping[Ends, Bond], gone: Collection[str]) -> dict[Ends, Bond]:
    """The bonds without the gone, whose neighbours are joined instead, inferred and as sure as the weaker."""
    left = dict(bonds)
    for key in sorted(gone):
        into = {ends: bond for ends, bond in left.items() if ends[1] == key}
        out = {ends: bond for ends, bond in left.items() if ends[0] == key}
        for ends in (*into, *out):
            left.pop(ends, None)
        if len(into) * len(out) > _MAX_PAIRS:
            continue
        for (source, _, _), first in into.items():
            for (_, target, _), second in out.items():
                ends = (source, target, ShownEdgeKind.DERIVES)
                if key not in (source, target) and ends not in left:
                    left[ends] = _over(first, second)
    return left


def _over(first: Bond, second: Bond) -> Bond:
    weaker = first if first.confidence <= second.confidence else second
    begins = [bond.first for bond in (first, second) if bond.first is not None]
    return Bond(
        evidence=weaker.evidence,
        origin=EdgeOrigin.INFERRED,
        masking=first.masking or second.masking,
        via=first.via or second.via,
        first=max(begins, default=None),
        last=weaker.last,
        said=first.said | second.said,
    )

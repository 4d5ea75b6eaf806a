"""The walk: what can be reached along the flow from some places, nearest first, within a limit of time and size."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from headwater_server.graph.changes import Edge, Node
from headwater_server.lineage.moves import TableMoves

DEADLINE, MAX_NODES = "DEADLINE", "MAX_NODES"
_DEEP = 8  # from here two questions for everything are cheaper than one a level


@dataclass(slots=True)
class Walk:
    """How far each place is in shown hops, and the edges between them (some lead further)."""

    depths: dict[str, int] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    steps: dict[str, Node] = field(default_factory=dict)
    stopped: str | None = None
    """DEADLINE or MAX_NODES when it ended before its depth."""


def walk(
    starts: Mapping[str, int],
    moves: TableMoves,
    *,
    depth: int,
    limit: int,
    deadline: float,
    stop: Collection[str] = (),
) -> Walk:
    """From the starts (at their depths) to all places at most `depth` hops away.

    A place is left once, at its least depth, so cycles end. `stop` places are reached, not left.
    After about `limit` places, or past the `deadline`, it ends with what it has.
    """
    done = Walk(dict(starts), moves.edges, moves.steps)
    if depth >= _DEEP and type(moves) is TableMoves and time.monotonic() < deadline:
        moves.prefetch(starts, depth=depth, limit=2 * limit)
    moves.load_steps(place for place in starts if place.startswith("step|"))
    best = done.depths
    buckets: list[list[str]] = [[] for _ in range(depth + 1)]
    for place, at in starts.items():
        if at <= depth:
            buckets[at].append(place)
    left: set[str] = set(stop)
    for here, bucket in enumerate(buckets):
        waiting = bucket
        while waiting:
            if time.monotonic() >= deadline:
                done.stopped = DEADLINE
                return done
            if len(best) > limit:
                done.stopped = MAX_NODES
                return done
            leaving = [place for place in waiting if place not in left and best[place] == here]
            left.update(leaving)
            waiting = []
            for place, cost in moves.moves(leaving):
                there = here + cost
                if there >= best.get(place, depth + 1):
                    continue
                best[place] = there
                (buckets[there] if cost else waiting).append(place)
                if place.startswith("step|") and (job := moves.job_of(place)):
                    if job in stop:
                        left.add(place)
                    elif moves.down and there < best.get(job, depth + 1):
                        best[job] = there  # what takes the job itself as its input is fed too
                        (buckets[there] if cost else waiting).append(job)
    return done

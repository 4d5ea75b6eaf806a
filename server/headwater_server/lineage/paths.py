"""The ways from one thing to another, shortest first."""

import heapq
import time
from collections import deque
from collections.abc import Iterator

from headwater_server.graph import keys
from headwater_server.lineage.answer import PATIENCE
from headwater_server.lineage.fold import Ends
from headwater_server.lineage.moves import View
from headwater_server.lineage.refs import resolve
from headwater_server.lineage.routes import Links, Writer, is_late, links
from headwater_server.lineage.shapes import Granularity, LineageDirection, LineagePath
from headwater_server.lineage.trace import Trace, trace
from headwater_server.store.port import GraphStore

_MAX_PLACES = 50_000
_MAX_TRIES = 100_000  # of prefixes looked at; dense graphs have more paths than anybody reads


def paths(
    ref: str,
    store: GraphStore,
    *,
    to: str,
    granularity: Granularity = Granularity.ENTITY,
    as_of: int | None = None,
    limit: int = 10,
    depth: int = 50,
    now: int | None = None,
    deadline: float | None = None,
) -> tuple[LineagePath, ...]:
    """At most `limit` simple paths along the flow; none when nothing flows from one to the other."""
    now = time.time_ns() // 1000 if now is None else now
    until = time.monotonic() + PATIENCE if deadline is None else deadline
    view = View(store, as_of)
    source, target = resolve(ref, store), resolve(to, store)
    done = trace(
        source,
        view,
        direction=LineageDirection.DOWNSTREAM,
        depth=depth,
        granularity=granularity,
        limit=_MAX_PLACES,
        deadline=until,
    )
    goals = _as_shown(target.key, done)
    starts = [key for key, at in done.down.items() if at == 0]
    if not goals & done.down.keys() or goals & set(starts):
        return ()
    found = list(_shortest(links(done, done.down), starts, goals=goals, limit=limit, deadline=until))
    nodes = store.get({key for places, _ in found for key in places})
    writer = Writer(nodes, done.fold.bonds, depths=done.down, now=now)
    return tuple(writer.path(places, over) for places, over in found if all(key in nodes for key in places))


def _as_shown(key: str, done: Trace) -> set[str]:
    """The keys that stand for a thing in this answer; a column is its table where columns are folded."""
    shown = done.names(key)
    if key.startswith("column|") and done.granularity is not Granularity.COLUMN:
        shown = done.names(keys.dataset_of(key))
    return {shown}


def _shortest(
    ways: Links, starts: list[str], *, goals: set[str], limit: int, deadline: float
) -> Iterator[tuple[list[str], list[Ends | None]]]:
    """Best first: prefixes in order of their length with the least that is still to go; of equals, the nearest to its end."""
    left = _distances_to(goals, ways)
    waiting: list[tuple[int, int, int, list[str], list[Ends | None]]] = []
    for number, start in enumerate(sorted(starts)):
        if start in left:
            heapq.heappush(waiting, (left[start], left[start], number, [start], []))
    tries, count, seen = len(waiting), 0, set[tuple[Ends | None, ...]]()
    while waiting and count < limit and tries < _MAX_TRIES and not is_late(deadline):
        _, _, _, places, over = heapq.heappop(waiting)
        here = places[-1]
        if here in goals:
            said = tuple(ends for ends in over if ends)
            if said not in seen:  # the same edges by way of a column and of its table are one path
                seen.add(said)
                count += 1
                yield places, over
            continue
        for there, ends in ways.get(here, ()):
            if there in left and there not in places:
                tries += 1
                length = sum(1 for one in over if one) + bool(ends)
                heapq.heappush(
                    waiting, (length + left[there], left[there], tries, [*places, there], [*over, ends])
                )


def _distances_to(goals: set[str], ways: Links) -> dict[str, int]:
    back: dict[str, list[tuple[str, bool]]] = {}
    for source, targets in ways.items():
        for target, ends in targets:
            back.setdefault(target, []).append((source, ends is not None))
    found = dict.fromkeys(goals, 0)
    waiting = deque(goals)
    while waiting:
        here = waiting.popleft()
        for source, costs in back.get(here, ()):
            there = found[here] + costs
            if there < found.get(source, there + 1):
                found[source] = there
                (waiting.append if costs else waiting.appendleft)(source)
    return found

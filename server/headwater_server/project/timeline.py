"""The order of a job's complete runs, and where its flow turned: what history is made of. Pure over two look-ups.

A run *turns* when the complete run before it (by begin) said another flow. From its begin until the
next turn its flow is what the job did then. A late run changes only its neighbours.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from headwater_server.graph import times


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a complete run stands in its job's timeline."""

    sort: str
    run: str
    flow: str

    @property
    def at(self) -> tuple[str, str]:
        return self.sort, self.run

    @property
    def begin(self) -> int:
        return times.from_sortable(self.sort)


@dataclass(frozen=True, slots=True)
class Turn:
    """What the timeline says of one run: whether it turns, and until when its flow holds."""

    turns: bool
    until: int | None = None
    """Begin of the next turn; None: its flow holds still (or the run does not turn)."""


class Neighbours(Protocol):
    """Looks at the stored timeline; runs in `but` are passed over as if they were not there."""

    def before(self, at: tuple[str, str], *, turns: bool, but: Collection[str]) -> Place | None:
        """The last complete run (or turn) before a place."""
        ...

    def after(self, at: tuple[str, str], *, turns: bool, but: Collection[str]) -> Place | None: ...


def retime(
    old: Mapping[str, Place], new: Mapping[str, Place], stored: Neighbours
) -> dict[str, tuple[Place, Turn]]:
    """What is to be said anew about which runs, when these (old places) move to those (new places).

    A run in `old` only is no longer complete; in `new` only, it just became so. All other runs of
    the job stand in the store as they were.
    """
    changed = old.keys() | new.keys()
    moved = [*old.values(), *new.values()]
    affected: dict[str, Place] = dict(new)
    for place in moved:
        following = stored.after(place.at, turns=False, but=changed)
        if following is not None:
            affected[following.run] = following
    turning: dict[str, bool] = {}
    for place in affected.values():
        previous = _latest(
            (p for p in new.values() if p.at < place.at),
            stored.before(place.at, turns=False, but=changed),
        )
        turning[place.run] = previous is None or previous.flow != place.flow
    if not old and not any(turning.values()):  # the usual case: the newest run said what the last did
        return {run: (place, Turn(turns=False)) for run, place in new.items()}
    passed = changed | affected.keys()
    turns = [p for run, p in affected.items() if turning[run]]

    def next_turn(at: tuple[str, str]) -> int | None:
        here = (p for p in turns if p.at > at)
        there = stored.after(at, turns=True, but=passed)
        found = min((*here, *((there,) if there else ())), key=lambda p: p.at, default=None)
        return found.begin if found else None

    result: dict[str, tuple[Place, Turn]] = {}
    for place in affected.values():
        if turning[place.run]:
            result[place.run] = place, Turn(turns=True, until=next_turn(place.at))
        else:
            result[place.run] = place, Turn(turns=False)
    for place in (*moved, *affected.values()):
        opener = stored.before(place.at, turns=True, but=passed)
        if opener is not None and opener.run not in result:
            result[opener.run] = opener, Turn(turns=True, until=next_turn(opener.at))
    return result


def _latest(some: Iterable[Place], one: Place | None) -> Place | None:
    return max((*some, *((one,) if one else ())), key=lambda p: p.at, default=None)

"""Which runs make up a job's present, after some of them changed. Looks at the store only when one of them left."""

from collections.abc import Mapping
from dataclasses import dataclass

from headwater_server.project.current import MAX_FLIGHTS, JobView
from headwater_server.project.stored import TOP, StoredTimeline
from headwater_server.project.timeline import Place, Turn


@dataclass(frozen=True, slots=True)
class Changed:
    """A run after the batch: its place if it is complete and says something, its mark and sort."""

    key: str
    mark: str
    sort: str
    speaks: bool
    place: Place | None


def read_view(stored: StoredTimeline) -> JobView:
    """The view as the store has it."""
    latest = stored.before(TOP, turns=False, but=())
    opener = stored.before((latest.sort, latest.run + "\0"), turns=True, but=()) if latest else None
    flights = stored.flights(latest.at if latest else ("", ""), but=())
    failed = None if latest else stored.failed(but=())
    return JobView(latest, opener, tuple(sorted(flights)), failed)


def next_view(
    stored: StoredTimeline,
    known: JobView,
    changed: Mapping[str, Changed],
    turns: Mapping[str, tuple[Place, Turn]],
) -> JobView:
    """`turns` is what `timeline.retime` said of the changed runs and their neighbours."""
    here = [c.place for c in changed.values() if c.place is not None]
    latest = _last(here, stored.before(TOP, turns=False, but=changed))
    opener = None
    if latest is not None:
        turning = [p for p, turn in turns.values() if turn.turns and p.at <= latest.at]
        behind = (latest.sort, latest.run + "\0")
        passed = {*changed, *turns}
        opener = _last(turning, stored.before(behind, turns=True, but=passed))
    flights = _flights(stored, known, changed, latest)
    failed = None if latest else _failed(stored, known, changed)
    return JobView(latest, opener, flights, failed)


def _flights(
    stored: StoredTimeline,
    known: JobView,
    changed: Mapping[str, Changed],
    latest: Place | None,
) -> tuple[tuple[str, str], ...]:
    behind = latest.at if latest else ("", "")
    was_behind = known.latest.at if known.latest else ("", "")
    staying = [f for f in known.flights if f[1] not in changed]
    cut = len(known.flights) == MAX_FLIGHTS and len(staying) < MAX_FLIGHTS
    if behind < was_behind or cut:
        staying = stored.flights(behind, but=changed)
    here = [(c.sort, c.key) for c in changed.values() if c.mark == "R"]
    return tuple(sorted(f for f in {*staying, *here} if f > behind)[-MAX_FLIGHTS:])


def _failed(stored: StoredTimeline, known: JobView, changed: Mapping[str, Changed]) -> tuple[str, str] | None:
    here = [(c.sort, c.key) for c in changed.values() if c.mark == "F" and c.speaks]
    there = known.failed
    if known.latest is not None or (there is not None and there[1] in changed):
        there = stored.failed(but=changed)
    return max((*here, *((there,) if there else ())), default=None)


def _last(some: list[Place], one: Place | None) -> Place | None:
    return max((*some, *((one,) if one else ())), key=lambda p: p.at, default=None)

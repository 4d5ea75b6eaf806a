"""Points of one series as three columns: what is done for thousands of them is done on whole ones. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import overload

from headwater_server.series.order import Place, extremes, place, placed
from headwater_server.series.port import Point, Summary


@dataclass(frozen=True, slots=True, eq=False)
class Columns(Sequence[Point]):
    """The points are made when they are asked for."""

    steps: Sequence[int] = ()
    times: Sequence[int] = ()
    values: Sequence[float] = ()

    @classmethod
    def of(cls, points: Sequence[Point]) -> "Columns":
        if isinstance(points, Columns):
            return points
        return cls(*zip(*points, strict=True))

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Point]:
        return map(Point._make, zip(self.steps, self.times, self.values, strict=True))

    @overload
    def __getitem__(self, at: int) -> Point: ...

    @overload
    def __getitem__(self, at: slice) -> "Columns": ...

    def __getitem__(self, at: int | slice) -> "Point | Columns":
        if isinstance(at, slice):
            return Columns(self.steps[at], self.times[at], self.values[at])
        return Point(self.steps[at], self.times[at], self.values[at])

    def picked(self, wanted: Sequence[int]) -> "Columns":
        """Those that stand there."""
        steps, times, values = self.steps, self.times, self.values
        return Columns(
            [steps[at] for at in wanted], [times[at] for at in wanted], [values[at] for at in wanted]
        )

    def places(self) -> list[Place]:
        return list(zip(self.steps, self.times, placed(self.values), strict=True))


def together(parts: Iterable[Columns]) -> Columns:
    """One behind the other."""
    steps: list[int] = []
    times: list[int] = []
    values: list[float] = []
    for part in parts:
        steps += part.steps
        times += part.times
        values += part.values
    return Columns(steps, times, values)


def ordered(given: Columns) -> Columns:
    """Each point once, in order; mostly they are so already."""
    steps = given.steps
    if all(map(lt, steps, islice(steps, 1, None))):
        return given
    moments = list(zip(steps, given.times, strict=True))
    if all(map(lt, moments, islice(moments, 1, None))):
        return given
    at = dict(zip(given.places(), range(len(given)), strict=True))
    return given.picked([at[one] for one in sorted(at)])


def grown(known: Summary | None, fresh: Columns) -> Summary:
    """The summary with these new points too: at least one, in order."""
    last = fresh[-1]
    least, most = (fresh.values[at] for at in extremes(fresh.values))
    since = min(fresh.times)
    if known is None:
        return Summary(len(fresh), last, least, most, since)
    return Summary(
        known.n + len(fresh),
        last if place(last) > place(known.last) else known.last,
        known.least if math.isnan(least) or known.least < least else least,
        known.most if math.isnan(most) or known.most > most else most,
        min(known.since, since),
    )

"""Points of one series as three columns: what is done for thousands of them is done on whole ones. Pure."""

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import lt
from typing import NamedTuple

from headwater_server.series.order import Place, extremes, place, placed
from headwater_server.series.port import Point, Summary


class Columns(NamedTuple):
    """All of one length."""

    steps: Sequence[int]
    times: Sequence[int]
    values: Sequence[float]

    def point(self, at: int) -> Point:
        return Point(self.steps[at], self.times[at], self.values[at])

    def points(self) -> list[Point]:
        return list(map(Point._make, zip(*self, strict=True)))

    def places(self) -> list[Place]:
        return list(zip(self.steps, self.times, placed(self.values), strict=True))

    @property
    def first(self) -> Place:
        return place(self.point(0))

    @property
    def last(self) -> Place:
        return place(self.point(-1))


def columns_of(points: Sequence[Point]) -> Columns:
    return Columns(*zip(*points, strict=True)) if points else Columns((), (), ())


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
    steps, times, _ = given
    if all(map(lt, steps, islice(steps, 1, None))):
        return given
    moments = list(zip(steps, times, strict=True))
    if all(map(lt, moments, islice(moments, 1, None))):
        return given
    at = dict(zip(given.places(), range(len(steps)), strict=True))
    return picked(given, [at[one] for one in sorted(at)])


def picked(given: Columns, places: Iterable[int]) -> Columns:
    """Those that stand there."""
    wanted = list(places)
    return Columns(*([column[at] for at in wanted] for column in given))


def grown(known: Summary | None, fresh: Columns) -> Summary:
    """The summary with these new points too: at least one, in order."""
    last = fresh.point(-1)
    least, most = (fresh.values[at] for at in extremes(fresh.values))
    since = min(fresh.times)
    if known is None:
        return Summary(len(fresh.steps), last, least, most, since)
    return Summary(
        known.n + len(fresh.steps),
        last if place(last) > place(known.last) else known.last,
        known.least if math.isnan(least) or known.least < least else least,
        known.most if math.isnan(most) or known.most > most else most,
        min(known.since, since),
    )

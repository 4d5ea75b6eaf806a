"""The order of a series' points, as integers that SQLite can compare: it keeps no NaN."""

import math
import struct
from collections.abc import Iterable
from typing import TypeAlias

from headwater_server.series.port import Point, Summary

Place: TypeAlias = tuple[int, int, int]
"""(step, timestamp, place of the value)."""
NAN = -(2**63)
FIRST: Place = (NAN, NAN, NAN)


def place(point: Point) -> Place:
    return point.step, point.timestamp, place_of(point.value)


def place_of(value: float) -> int:
    """Integers in the order of the numbers they stand for; NaN before all; 0.0 and -0.0 are one."""
    if math.isnan(value):
        return NAN
    found = bits(value + 0.0)
    return found if found >= 0 else -(found & 0x7FFF_FFFF_FFFF_FFFF)


def bits(value: float) -> int:
    found: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return found


def value_of(said: int) -> float:
    """Of its bits."""
    found: float = struct.unpack("<d", struct.pack("<q", said))[0]
    return found


def extremes(points: Iterable[Point]) -> tuple[Point, Point]:
    """The least and the greatest value, the earliest of equals; numbers before NaN. At least one point."""
    every = list(points)
    numbers = [p for p in every if not math.isnan(p.value)] or every
    return min(numbers, key=_value), max(numbers, key=_value)


def _value(point: Point) -> float:
    return point.value


def joined(known: Summary | None, fresh: list[Point]) -> Summary:
    """The summary with these new points too; at least one."""
    last = max(fresh, key=place)
    least, most = (point.value for point in extremes(fresh))
    since = min(p.timestamp for p in fresh)
    if known is None:
        return Summary(len(fresh), last, least, most, since)
    return Summary(
        known.n + len(fresh),
        max(known.last, last, key=place),
        known.least if math.isnan(least) or known.least < least else least,
        known.most if math.isnan(most) or known.most > most else most,
        min(known.since, since),
    )

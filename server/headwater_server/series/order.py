"""The order of a series' points, as integers that SQLite can compare: it keeps no NaN."""

import math
import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from headwater_server.series.port import Point, Summary

Place: TypeAlias = tuple[int, int, int]
"""(step, timestamp, place of the value)."""
NAN = -(2**63)
FIRST: Place = (NAN, NAN, NAN)
_SIZE, _INFINITY = 0x7FFF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000


def place(point: Point) -> Place:
    return point.step, point.timestamp, place_of(point.value)


def place_of(value: float) -> int:
    """Integers in the order of the numbers they stand for; NaN before all; 0.0 and -0.0 are one."""
    return _placed(bits(value))


def places(points: Sequence[Point]) -> list[Place]:
    """Of each; what is done for thousands is done on whole arrays."""
    return [
        (point.step, point.timestamp, at if 0 <= at <= _INFINITY else _placed(at))
        for point, at in zip(points, all_bits([p.value for p in points]), strict=True)
    ]


def _placed(found: int) -> int:
    size = found & _SIZE
    return NAN if size > _INFINITY else size if found >= 0 else -size


def bits(value: float) -> int:
    found: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return found


def all_bits(values: Iterable[float]) -> "array[int]":
    found = array("q")
    found.frombytes(array("d", values).tobytes())
    return found


def value_of(said: int) -> float:
    """Of its bits."""
    found: float = struct.unpack("<d", struct.pack("<q", said))[0]
    return found


def extremes(points: Iterable[Point]) -> tuple[Point, Point]:
    """The least and the greatest value, the earliest of equals; numbers before NaN. At least one point."""
    every = list(points)
    values = [point.value for point in every]
    if math.isnan(sum(values)):  # one of them is, or there are infinities of both signs
        every = [point for point in every if not math.isnan(point.value)] or every
        values = [point.value for point in every]
    return every[values.index(min(values))], every[values.index(max(values))]


def joined(known: Summary | None, fresh: Mapping[Place, Point]) -> Summary:
    """The summary with these new points too; at least one."""
    last = max(fresh)
    least, most = (point.value for point in extremes(fresh.values()))
    since = min(at for _, at, _ in fresh)
    if known is None:
        return Summary(len(fresh), fresh[last], least, most, since)
    return Summary(
        known.n + len(fresh),
        fresh[last] if last > place(known.last) else known.last,
        known.least if math.isnan(least) or known.least < least else least,
        known.most if math.isnan(most) or known.most > most else most,
        min(known.since, since),
    )

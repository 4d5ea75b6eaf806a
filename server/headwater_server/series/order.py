"""The order of a series' points, as integers that SQLite can compare: it keeps no NaN."""

import math
import struct
from array import array
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from headwater_server.series.port import Point

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


def placed(values: Sequence[float]) -> list[int]:
    """The place of each; what is done for thousands is done on whole arrays."""
    return [at if 0 <= at <= _INFINITY else _placed(at) for at in all_bits(values)]


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


def extremes(values: Sequence[float]) -> tuple[int, int]:
    """Where the least and the greatest are, the first of equals; numbers before NaN. At least one value."""
    numbers = values
    if math.isnan(sum(values)):  # one of them is, or there are infinities of both signs
        numbers = [value for value in values if not math.isnan(value)]
        if not numbers:
            return 0, 0
    return values.index(min(numbers)), values.index(max(numbers))

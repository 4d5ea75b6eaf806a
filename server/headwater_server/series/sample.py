"""Fewer points that look like all: the least and the greatest of every stretch, so that no spike is lost. Pure."""

from collections.abc import Sequence

from headwater_server.series.order import extremes
from headwater_server.series.port import Point


def buckets(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` of these points (2 at least), in their order; the first and the last are among them."""
    if len(points) <= most:
        return list(points)
    if most < 4:
        return [points[0], points[-1]]
    stretches = (most - 2) // 2
    inner = points[1:-1]
    found = [points[0]]
    for number in range(stretches):
        stretch = inner[number * len(inner) // stretches : (number + 1) * len(inner) // stretches]
        found += (stretch[at] for at in sorted({*extremes([point.value for point in stretch])}))
    found.append(points[-1])
    return found

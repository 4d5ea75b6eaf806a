"""What a store of metric points must do: durable, each point once, in order."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Point(NamedTuple):
    """Ordered by (step, timestamp, value): the greatest is the metric's last value. NaN is below every number."""

    step: int
    timestamp: int
    """Milliseconds since 1970 UTC, as the client's clock said."""
    value: float


class Summary(NamedTuple):
    """All points of one series, as they are after an append."""

    n: int
    """Different points. It never goes back, so of two summaries the one that counts more is the newer."""
    last: Point
    least: float
    """NaN when all are."""
    most: float
    since: int
    """The least timestamp."""


class SeriesStore(Protocol):
    """Series named by (run, key). Every method may be called from any thread.

    Raises from every method: `Unavailable` when it cannot be stored or read now.
    """

    def append(self, run: str, points: Mapping[str, Sequence[Point]]) -> dict[str, Summary]:
        """Points by key, all or none, durable when it returns; what each of these series is then.

        The same (step, timestamp, value) again is the same point. NaN and the infinities are kept as they are.
        """
        ...

    def read(
        self, run: str, key: str, *, max_points: int | None = None, after: Point | None = None
    ) -> list[Point]:
        """In order; at most `max_points`, the first behind `after`. Empty when there are none."""
        ...

    def sample(
        self, run: str, key: str, points: int, *, steps: tuple[int, int] | None = None
    ) -> tuple[list[Point], int]:
        """At most that many points (2 at least) which look like all, and how many there are; of these steps
        alone, when they are given: the first and the last that count.

        The first and the last are among them, and the least and the greatest of every stretch: no spike is lost.
        """
        ...

    def keys(self, run: str) -> list[str]:
        """The run's series, in order of their names."""
        ...

    def summaries(self, run: str) -> dict[str, Summary]: ...

    def delete(self, run: str) -> None:
        """All series of a run. Nothing happens when there are none."""
        ...

    def close(self) -> None: ...

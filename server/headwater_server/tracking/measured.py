"""The metrics of a batch, by column: they come by the thousand, a few names and many points. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from headwater_server.series.columns import Columns
from headwater_server.series.port import Point


@dataclass(frozen=True, slots=True, eq=False)
class Measured(Sequence[tuple[str, Point]]):
    """Names, and as many points."""

    names: Sequence[str] = ()
    points: Columns = Columns()  # noqa: RUF009 - it is never changed

    @classmethod
    def of(cls, metrics: Sequence[tuple[str, Point]]) -> "Measured":
        if isinstance(metrics, Measured):
            return metrics
        return cls([name for name, _ in metrics], Columns.of([point for _, point in metrics]))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[str, Point]]:
        return zip(self.names, self.points, strict=True)

    @overload
    def __getitem__(self, at: int) -> tuple[str, Point]: ...

    @overload
    def __getitem__(self, at: slice) -> "Measured": ...

    def __getitem__(self, at: int | slice) -> "tuple[str, Point] | Measured":
        if isinstance(at, slice):
            return Measured(self.names[at], self.points[at])
        return self.names[at], self.points[at]

    def series(self) -> dict[str, Columns]:
        """The points of each name, as they came."""
        at: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            at.setdefault(name, []).append(place)
        return {name: self.points.picked(places) for name, places in at.items()}

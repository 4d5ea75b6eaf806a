"""What waits in the writer's queue: drafts to append, work that needs the log alone, readers of what was acknowledged."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from headwater_server.log.port import Draft, Receipt

T = TypeVar("T")


@dataclass(slots=True)
class Submission:
    """Drafts with their bodies already read, and who waits for them."""

    drafts: Sequence[Draft]
    bodies: Sequence[Any]
    eager: bool = False
    """Somebody waits for the projection."""
    logged: "Future[list[Receipt]]" = field(default_factory=Future)
    projected: "Future[int]" = field(default_factory=Future)

    @property
    def size(self) -> int:
        return sum(len(draft.body) for draft in self.drafts)


@dataclass(slots=True)
class Work(Generic[T]):
    """May write to the log; the graph may be anywhere."""

    do: Callable[[], T]
    done: "Future[T]" = field(default_factory=Future)


@dataclass(slots=True)
class Reader:
    """Somebody who wants the graph to show all that was acknowledged before."""

    seq: int
    done: "Future[int]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Projected:
    """A block that was projected beside: whether the store took it."""

    done: bool

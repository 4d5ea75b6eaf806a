"""What waits in the writer's queue: drafts to append, commands to run in its turn, readers of what was acknowledged."""

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


@dataclass(slots=True)
class Command(Generic[T]):
    decide: Callable[[], tuple[Sequence[Draft], Callable[[list[Receipt]], T]]]
    alone: bool = False
    """It needs the log only: the graph may be anywhere."""
    done: "Future[T]" = field(default_factory=Future)


@dataclass(slots=True)
class Reader:
    """Somebody who wants the graph to show all that was acknowledged before."""

    seq: int
    done: "Future[int]" = field(default_factory=Future)

"""What a store of traces must do: each trace and span once, durable, read by id and by time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a trace beside its spans. Times in milliseconds since 1970 UTC."""

    id: str
    experiment: str
    start: int
    duration: int | None = None
    state: str = "IN_PROGRESS"
    finished: bool = False
    """Its client told of it as a whole: what its spans come to counts no more."""
    client_id: str = ""
    request: str = ""
    """The beginning of what was asked, as `response` is of what was answered."""
    response: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    runs: Sequence[str] = ()
    """Ids of the runs it was linked to."""
    owners: Sequence[str] = ()
    """Keys of the nodes that count it."""


class Span(NamedTuple):
    id: str
    parent: str
    """Empty: it is a root."""
    name: str
    type: str
    status: str
    start: int
    """Nanoseconds since 1970."""
    body: bytes
    """All of it, as JSON; empty where it was not asked for."""


class Tally(NamedTuple):
    """What the traces of one owner come to."""

    changes: int
    """It never goes back, so of two tallies the one with more is the newer."""
    traces: int
    last: int
    """The greatest start of any there ever was."""


class Changed(NamedTuple):
    traces: Mapping[str, Trace]
    """As they are now."""
    tallies: Mapping[str, Tally]
    """Of the owners that count otherwise than before."""


Edit: TypeAlias = Callable[[Trace | None], Trace]
"""A trace as it is to be, out of what it is (None: not there). It may raise: nothing is changed then."""
Assessments: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By id, in the order in which they came."""
Place: TypeAlias = tuple[int, str]
"""(start, id) of a trace: where it stands in time."""


class TraceStore(Protocol):
    """Every method may be called from any thread.

    Raises from every method: `Unavailable` when it cannot be stored or read now.
    """

    def change(self, edits: Mapping[str, Edit], spans: Mapping[str, Sequence[Span]] | None = None) -> Changed:
        """All of it or nothing, durable when it returns, one change after the other. A span that is there is replaced."""
        ...

    def get(self, ids: Sequence[str]) -> list[Trace]:
        """Those that there are, in the order asked for, each once."""
        ...

    def spans(self, ids: Sequence[str], *, bodies: bool = True) -> dict[str, list[Span]]:
        """Of those of these traces that have any: roots first, then by start."""
        ...

    def page(
        self, experiment: str, *, newest: bool, after: Place | None, since: int, until: int, limit: int
    ) -> list[Trace]:
        """By (start, id), behind `after`; `since` and `until` are the first and the last start that count."""
        ...

    def assessments(self, ids: Sequence[str]) -> dict[str, Assessments]:
        """Of those of these traces that have any."""
        ...

    def assess(self, trace: str, edit: Callable[[Trace | None, Assessments], Assessments]) -> Assessments:
        """As `change`: the trace's assessments as they are to be, out of what they are."""
        ...

    def delete(
        self, experiment: str, *, ids: Sequence[str] | None, until: int | None, most: int | None
    ) -> Changed:
        """Traces of an experiment with all that is theirs, the oldest first; `traces` are those that went.

        `ids`: among these; `until`: not begun later; `most`: no more than so many.
        """
        ...

    def close(self) -> None: ...

"""One GraphQL operation and its answer, as plain values: the routes need no more, and start without GraphQL."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from headwater_server.api.graphql.context import Context


@dataclass(frozen=True, slots=True)
class Query:
    source: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    body: dict[str, Any]
    ran: bool
    """False: refused before anything was executed."""
    forbidden: bool = False
    """Refused since the principal may not."""


class Runs(Protocol):
    """What runs operations. Safe in threads."""

    def run(self, query: Query, context: Context) -> Answer: ...

    def stream(self, query: Query, context: Callable[[], Context]) -> AsyncGenerator[Mapping[str, Any], None]:
        """The answers to an operation, one after the other: a subscription has many. `context` is made anew for each."""
        ...

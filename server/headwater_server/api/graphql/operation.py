"""One GraphQL operation and its answer, as plain values: the routes need no more, and start without GraphQL."""

from collections.abc import Mapping
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

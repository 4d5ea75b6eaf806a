"""One GraphQL operation and its answer, as plain values: the routes need no more, and start without GraphQL."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from headwater_server.api.graphql import limits
from headwater_server.api.graphql.context import Context
from headwater_server.errors import Invalid


@dataclass(frozen=True, slots=True)
class Query:
    source: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None


def query_of(body: Any) -> Query:
    """Raises Invalid when it is not one operation."""
    if isinstance(body, list):
        raise Invalid("Several operations in one request are not taken. Send them one by one.")
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Invalid('The body must be an object with "query", a text.')
    variables, operation = body.get("variables"), body.get("operationName")
    if variables is not None and not isinstance(variables, dict):
        raise Invalid('"variables" must be an object.')
    if operation is not None and not isinstance(operation, str):
        raise Invalid('"operationName" must be a text.')
    if _deeper_than(variables, limits.MAX_VARIABLES_DEPTH):
        raise Invalid(f'"variables" nest deeper than {limits.MAX_VARIABLES_DEPTH} levels.')
    return Query(body["query"], variables or {}, operation or None)


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


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

"""The API's own scalars: instants as whole microseconds inside, as ISO-8601 text outside."""

from typing import Any, NewType

import strawberry
from graphql import GraphQLError

from headwater_server.graph import times

DateTime = NewType("DateTime", int)
"""Microseconds since 1970 UTC."""
TimePoint = NewType("TimePoint", str)
Long = NewType("Long", int)
JSON = NewType("JSON", object)

_LARGEST = 2**63 - 1


def _read_time(given: Any) -> DateTime:
    if not isinstance(given, str):
        raise GraphQLError(f"A DateTime is text like 2026-01-31T12:00:00Z, not {given!r}.")
    try:
        return DateTime(times.parse(given))
    except ValueError as error:
        raise GraphQLError(f"A DateTime is text like 2026-01-31T12:00:00Z: {error}.") from error


def _read_point(given: Any) -> TimePoint:
    if not isinstance(given, str) or not given.strip() or len(given) > 1_000:
        raise GraphQLError(
            "A TimePoint is a date-time, a duration back from now like P7D, or a version's id."
        )
    return TimePoint(given)


def _read_long(given: Any) -> Long:
    if isinstance(given, bool) or not isinstance(given, int) or not -_LARGEST <= given <= _LARGEST:
        raise GraphQLError(f"A Long is a whole number of at most 64 bits, not {given!r}.")
    return Long(given)


def _write_long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphQLError(f"A Long is a whole number, not {value!r}.")
    return value


def _as_it_is(value: Any) -> Any:
    return value


SCALARS: dict[object, Any] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="ISO-8601 instant, always UTC, e.g. 2026-01-31T12:00:00.123Z",
        serialize=times.text,
        parse_value=_read_time,
    ),
    TimePoint: strawberry.scalar(
        name="TimePoint",
        description="A date-time, a duration back from now (P7D) or a dataset/model version id",
        serialize=str,
        parse_value=_read_point,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="64-bit integer sent as a JSON number (row counts, bytes)",
        serialize=_write_long,
        parse_value=_read_long,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Arbitrary JSON (facets, tag values, artifact metadata)",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
}

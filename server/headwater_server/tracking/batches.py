"""What one batch of a run's log may hold: how much, and under which names."""

from collections.abc import Mapping, Sequence

from headwater_server.errors import Invalid
from headwater_server.series.port import Point
from headwater_server.tracking import limits

MAX_WHEN = 253_402_300_799_999
"""The last millisecond of the year 9999."""


def checked_time(millis: int, what: str) -> int:
    if not 0 <= millis <= MAX_WHEN:
        raise Invalid(f"Invalid value {millis} for parameter '{what}' supplied: milliseconds since 1970.")
    return millis


def check_batch(
    metrics: Sequence[tuple[str, Point]],
    params: Sequence[tuple[str, str]],
    tags: Sequence[tuple[str, str]],
) -> None:
    for what, given, most in (
        ("metrics", metrics, limits.MAX_METRICS),
        ("params", params, limits.MAX_PARAMS),
        ("tags", tags, limits.MAX_TAGS),
    ):
        if len(given) > most:
            raise Invalid(
                f"A batch logging request can contain at most {most} {what}. Got {len(given)} {what}. "
                "Please split up the request."
            )
    together = len(metrics) + len(params) + len(tags)
    if together > limits.MAX_TOGETHER:
        raise Invalid(
            f"A batch logging request can contain at most {limits.MAX_TOGETHER} entities. Got {together}. "
            "Please split up the request."
        )
    for name in {name for name, _ in metrics}:
        limits.checked_key(name, "name")
    for _, point in metrics:
        if not -(2**63) <= point.step < 2**63:
            raise Invalid(f"Invalid value {point.step} for parameter 'step' supplied: 64 bits.")
        checked_time(point.timestamp, "timestamp")
    seen: dict[str, str] = {}
    for name, value in params:
        limits.checked_key(name, "key")
        limits.within(value, limits.MAX_PARAM, "value")
        if name in seen:
            raise Invalid(
                f"Duplicate parameter keys have been submitted: ['{name}']. Please ensure the request contains "
                "only one param value per param key."
            )
        seen[name] = value
    check_tags(dict(tags))


def check_tags(tags: Mapping[str, str]) -> None:
    for name, value in tags.items():
        limits.checked_key(name, "key")
        limits.within(value, limits.MAX_TAG, "value")

"""What one batch of a run's log may hold: how much, and under which names."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from headwater_server.errors import Invalid
from headwater_server.graph.facts import Facts
from headwater_server.redaction.rules import REDACTED
from headwater_server.series.port import Point
from headwater_server.tracking import limits
from headwater_server.tracking.measured import Measured

MAX_WHEN = 253_402_300_799_999
"""The last millisecond of the year 9999."""


def checked_time(millis: int, what: str, why: str = "milliseconds since 1970.") -> int:
    if not 0 <= millis <= MAX_WHEN:
        raise limits.wrong(millis, what, why)
    return millis


def check_batch(
    metrics: Measured,
    params: Sequence[tuple[str, str]],
    tags: Sequence[tuple[str, str]],
    *,
    single: bool = False,
) -> None:
    """`single`: it came as a call of its own, so its parameters are named without their place in a list."""
    for what, given, most in (
        ("metrics", len(metrics), limits.MAX_METRICS),
        ("params", len(params), limits.MAX_PARAMS),
        ("tags", len(tags), limits.MAX_TAGS),
        ("metrics, params, and tags", len(metrics) + len(params) + len(tags), limits.MAX_TOGETHER),
    ):
        if given > most:
            raise Invalid(
                f"A batch logging request can contain at most {most} {what}. Got {given} {what}. Please split up "
                f"{what} across multiple requests and try again."
            )

    def named(what: str, place: int, field: str) -> str:
        return field if single else f"{what}[{place}].{field}"

    if not _are_allowed(metrics):
        for place, (name, point) in enumerate(metrics):
            _check_metric(name, point, partial(named, "metrics", place))
    for place, (name, _) in enumerate(params):
        limits.checked_key(name, named("params", place, "key"), called="Param key")
    if twice := [name for name, times in Counter(name for name, _ in params).items() if times > 1]:
        raise Invalid(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains only one "
            "param value per param key."
        )
    for place, (name, _) in enumerate(tags):
        limits.checked_key(name, (path := named("tags", place, "key")), called=path)


def _are_allowed(metrics: Measured) -> bool:
    """Asked of all at once; which one is not, and why, is looked for when it is wanted."""
    steps, times = metrics.points.steps, metrics.points.times
    return not metrics or (
        all(map(limits.is_key, set(metrics.names)))
        and min(steps) >= -(2**63)
        and max(steps) < 2**63
        and min(times) >= 0
        and max(times) <= MAX_WHEN
    )


def _check_metric(name: str, point: Point, named: Callable[[str], str]) -> None:
    limits.checked_key(name, named("name"), called="Metric name")
    if not -(2**63) <= point.step < 2**63:
        raise limits.wrong(point.step, named("step"), "64 bits.")
    if not 0 <= point.timestamp <= MAX_WHEN:
        raise limits.wrong(
            point.timestamp,
            named("timestamp"),
            f"metric '{name}' (value={point.value}). Timestamp must be a nonnegative long (64-bit integer): "
            "milliseconds since 1970.",
        )


def check_tags(tags: Iterable[str]) -> None:
    for name in tags:
        limits.checked_key(name, "key")


def cut(
    pairs: Iterable[tuple[str, str]], most: int, without_secrets: Callable[[str], str]
) -> list[tuple[str, str]]:
    """Values that are too long are cut, as MLflow's own server does and its clients rely on. Secrets are taken out
    before, so that none is cut in two and looks like none.
    """
    return [(name, v if len(v) <= most else without_secrets(v)[:most]) for name, v in pairs]


def check_known(facts: Facts, params: Sequence[tuple[str, str]], run_id: str, *, single: bool) -> None:
    """Raises Invalid when params have another value already. One whose value was a secret takes any again."""
    other = []
    for name, value in params:
        known = facts.get(f"param|{name}")
        if known is not None and known != value and REDACTED not in known:
            other.append({"key": name, "old_value": known, "new_value": value})
    if other and not single:
        raise Invalid(
            f"Changing param values is not allowed. Params were already logged='{other}' for run ID='{run_id}'."
        )
    for one in other:
        raise Invalid(
            f"Changing param values is not allowed. Param with key='{one['key']}' was already logged with "
            f"value='{one['old_value']}' for run ID='{run_id}'. Attempted logging new value '{one['new_value']}'."
        )

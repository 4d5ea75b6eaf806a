"""Runs as columns: one list of values each, not one object a cell. Pure."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from headwater_server.errors import Invalid
from headwater_server.tracking.language import KEYWORDS, parse_orders
from headwater_server.tracking.matching import as_number
from headwater_server.tracking.search import RUNS
from headwater_server.tracking.table import Row

MAX_COLUMNS = 500
MAX_CELLS = 2_000_000
ALWAYS = ("run_name", "status", "start_time", "end_time")
"""Attributes that a table has when nobody says which columns it is to have; params and metrics follow."""
_KINDS = {"metric": "metric", "param": "param", "parameter": "param", "tag": "tag"}
_PLAIN = re.compile(r"[A-Za-z_][\w/:.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """A value a row; None: the row has none, or no finite number."""

    key: str
    kind: str
    """`metric`, `param`, `tag` or `attribute`."""
    numbers: Sequence[float | None] | None
    """None: these are texts. A param has both when all its values are numbers."""
    strings: Sequence[str | None] | None


def columns(rows: Sequence[Row], names: Sequence[str] | None) -> list[Column]:
    """By names as a filter has them (`metrics.auc`, `params.lr`, `start_time`); None: all that was logged.

    Raises:
        Invalid: too many columns or cells, or a name that means nothing.

    """
    wanted = logged(rows) if names is None else list(names)
    if len(wanted) > MAX_COLUMNS or len(wanted) * len(rows) > MAX_CELLS:
        raise Invalid(
            f"{len(wanted)} columns of {len(rows)} rows are too many: at most {MAX_COLUMNS} columns and {MAX_CELLS} "
            "cells are answered. Name the `columns`, or lower `limit`."
        )
    return [column(rows, name) for name in wanted]


def column(rows: Sequence[Row], name: str) -> Column:
    """Raises Invalid."""
    said = parse_orders([name])
    if len(said) != 1 or not said[0].ascending:
        raise Invalid(f"{name!r} is no column: name one, like metrics.auc or params.lr.")
    (one,) = said
    field, key = RUNS.field(one.entity, one.key)
    if field.many:
        raise Invalid(f"{name!r} is no column: a run may have several.")
    read: Callable[[Row], Any] = field.read(key)
    values = [read(row) for row in rows]
    kind = _KINDS.get(one.entity.removesuffix("s"), "attribute")
    if field.what == "number":
        return Column(name, kind, [_finite(value) for value in values], None)
    numbers = _all_numbers(values) if field.what == "param" else None
    return Column(name, kind, numbers, values)


def logged(rows: Iterable[Row]) -> list[str]:
    """Names of the columns that these rows can fill."""
    params: set[str] = set()
    metrics: set[str] = set()
    for row in rows:
        params.update(row.run.params)
        metrics.update(row.run.metrics)
    return [
        *ALWAYS,
        *(f"params.{_quoted(key)}" for key in sorted(params)),
        *(f"metrics.{_quoted(key)}" for key in sorted(metrics)),
    ]


def _quoted(key: str) -> str:
    return key if _PLAIN.fullmatch(key) and key.upper() not in KEYWORDS else f"`{key}`"


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _all_numbers(values: Iterable[str | None]) -> list[float | None] | None:
    found: list[float | None] = []
    for value in values:
        number = None if value is None else as_number(value)
        if number is None and value is not None:
            return None
        found.append(number)
    return found if any(number is not None for number in found) else None

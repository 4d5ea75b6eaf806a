"""Two sides by side: what was added, removed and changed, and by how much. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum

from headwater_server.lineage.sides import Side

MAX_LINES = 2_000
"""Longer texts are told whole, without a difference by lines: finding it takes the square of their length."""
_TITLES = {
    "version": "Version",
    "params": "Params",
    "metrics": "Metrics",
    "columns": "Columns",
    "code": "Code",
    "environment": "Environment",
    "packages": "Packages",
    "data": "Data read",
    "inputs": "Inputs",
    "outputs": "Outputs",
    "tags": "Tags",
}


class DiffKind(StrEnum):
    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"


@dataclass(frozen=True, slots=True)
class DiffChange:
    key: str
    kind: DiffKind
    before: str | None
    after: str | None
    delta: float | None = None
    """Of two finite numbers."""
    relative: float | None = None
    """The delta in parts of what was before; None when that is 0."""
    unified_diff: str | None = None
    """Of texts of several lines."""


@dataclass(frozen=True, slots=True)
class DiffSection:
    key: str
    title: str
    changes: tuple[DiffChange, ...]
    """By key."""
    unchanged: int


def compare(a: Side, b: Side) -> list[DiffSection]:
    """Sections of which at least one side has something."""
    found = []
    for key, title in _TITLES.items():
        before, after = a.get(key, {}), b.get(key, {})
        if before or after:
            changes = tuple(_changes(before, after))
            found.append(DiffSection(key, title, changes, len(before.keys() | after.keys()) - len(changes)))
    return found


def _changes(before: Mapping[str, str | float], after: Mapping[str, str | float]) -> list[DiffChange]:
    found = []
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one is None and other is not None:
            found.append(DiffChange(key, DiffKind.ADDED, None, _text(other)))
        elif other is None and one is not None:
            found.append(DiffChange(key, DiffKind.REMOVED, _text(one), None))
        elif one is not None and other is not None and one != other:
            found.append(_change(key, one, other))
    return found


def _change(key: str, one: str | float, other: str | float) -> DiffChange:
    delta = relative = lines = None
    if isinstance(one, int | float) and isinstance(other, int | float):
        difference = float(other) - float(one)
        if math.isfinite(difference):
            delta = difference
            ratio = difference / abs(one) if one else math.inf
            relative = ratio if math.isfinite(ratio) else None
    elif isinstance(one, str) and isinstance(other, str):
        lines = _lines(one, other)
    return DiffChange(key, DiffKind.CHANGED, _text(one), _text(other), delta, relative, lines)


def _lines(one: str, other: str) -> str | None:
    before, after = one.splitlines(), other.splitlines()
    if max(len(before), len(after)) < 2 or max(len(before), len(after)) > MAX_LINES:
        return None
    return "\n".join(unified_diff(before, after, "a", "b", lineterm=""))


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else repr(value)

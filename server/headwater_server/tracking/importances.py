"""Tables of feature importance among a run's files, known by what is in them. Pure; nothing is unpickled."""

import csv
import io
import math
import re
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import orjson

from headwater_server.tracking.model_files import MAX_BYTES, MAX_NAME, MAX_NAMES

MAX_DEPTH = 3
"""Of what a table may be nested in."""
_HINTS = re.compile("importance|permutation|shap(?!e)")
_METHODS = (
    ("SHAP", re.compile("shap(?!e)")),
    ("PERMUTATION", re.compile("permutation|importances?_mean")),
    ("GAIN", re.compile("gain")),
    ("COVER", re.compile("cover")),
    ("SPLIT", re.compile("split")),
    ("WEIGHT", re.compile("weight")),
    ("COEFFICIENT", re.compile("coef")),
)
"""Looked for in the path, then in the name of the column."""
_NO_VALUE = re.compile(r"std|err|rank|^index$|^unnamed|^$|p_?value")
_NPY = re.compile(rb"\{'descr': '([<>|=])f([48])', 'fortran_order': (True|False), 'shape': \((\d+), (\d+)\),")


class _Table(NamedTuple):
    said: str
    """The column or key that the numbers stand under."""
    names: Sequence[str]
    """None at all: the numbers are in the order of the features."""
    values: Sequence[float]

    @classmethod
    def of(cls, said: str, values: Mapping[str, float]) -> Self:
        return cls(said, list(values), list(values.values()))


def read_importances(path: str, raw: bytes) -> Mapping[str, Any]:
    """`method` and `shares`, [name, share] of each feature, the greatest first; of an array without names `ordered`,
    shares alone. Empty: it is no such table. A negative number counts as its size, but for a permutation's, where it
    means no use.
    """
    reader = READERS.get(path.rpartition(".")[2].lower())
    path = path.lower()
    if reader is None or len(raw) > MAX_BYTES:
        return {}
    if not (_HINTS.search(path) or _HINTS.search(raw.decode(errors="replace").lower())):
        return {}
    try:
        found = reader(raw, path)
    except (ValueError, RecursionError, csv.Error):
        return {}
    if found is None:
        return {}
    method = _method(path) or _method(found.said.lower()) or "IMPORTANCE"
    sizes = [max(v, 0.0) if method == "PERMUTATION" else abs(v) for v in found.values]
    whole = sum(sizes)
    if not 0 < whole < math.inf:
        return {}
    shares = [round(size / whole, 9) for size in sizes]
    if not found.names:
        return {"method": method, "ordered": shares}
    named = sorted(zip(found.names, shares, strict=True), key=lambda one: (-one[1], one[0]))
    return {"method": method, "shares": [list(one) for one in named[:MAX_NAMES]]}


def _method(text: str) -> str:
    return next((name for name, words in _METHODS if words.search(text)), "")


def _json(raw: bytes, path: str) -> _Table | None:
    return _of_json(orjson.loads(raw), path, MAX_DEPTH)


def _of_json(said: Any, hints: str, depth: int) -> _Table | None:
    """`hints` are the path and the keys above."""
    if isinstance(said, list):
        rows = [one for one in said if isinstance(one, dict)]
        return _of_columns(_turned(rows), hints) if rows and len(rows) == len(said) else None
    if not isinstance(said, dict) or not depth:
        return None
    columns, data = said.get("columns"), said.get("data")
    if isinstance(columns, list) and isinstance(data, list):  # as pandas and `log_table` write tables
        names = list(map(str, columns))
        rows = [dict(zip(names, row, strict=False)) for row in data if isinstance(row, list)]
        return _of_columns(_turned(rows), hints)
    if _HINTS.search(hints) and (values := _mapping(said)):
        return _Table.of(hints.rpartition("/")[2], values)
    as_columns = {name: _cells(column) for name, column in said.items()}
    if found := _of_columns(as_columns, hints):
        return found
    nested = ((key, one) for key, one in said.items() if isinstance(one, list | dict))
    tables = (_of_json(one, f"{hints}/{key[:MAX_NAME].lower()}", depth - 1) for key, one in nested)
    return next((table for table in tables if table is not None), None)


def _mapping(said: Mapping[str, Any]) -> Mapping[str, float] | None:
    """Name to number, or to a number a class."""
    found: dict[str, float] = {}
    for name, value in said.items():
        numbers = value if isinstance(value, list) else [value]
        sizes = [_number(one) for one in numbers]
        if not numbers or any(size is None for size in sizes):
            return None
        found[name[:MAX_NAME]] = sizes[0] or 0.0 if len(sizes) == 1 else sum(abs(s or 0.0) for s in sizes)
    return found


def _cells(column: Any) -> list[Any]:
    if isinstance(column, list):
        return column
    return list(column.values()) if isinstance(column, dict) else []


def _turned(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Raises ValueError: rows that have next to no names in common would take their square in memory."""
    names = dict.fromkeys(name for row in rows for name in row)
    if len(names) * len(rows) > MAX_BYTES:  # a cell of a table is a byte at least
        raise ValueError("mostly holes")
    return {name: [row.get(name) for row in rows] for name in names}


def _csv(raw: bytes, path: str) -> _Table | None:
    text = raw.decode("utf-8-sig")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    header, *rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    rows = [row for row in rows if len(row) == len(header)]
    columns = {name.strip(): [row[place] for row in rows] for place, name in enumerate(header)}
    return _of_columns({name: _read(cells) for name, cells in columns.items()}, path)


def _read(cells: Sequence[str]) -> Sequence[Any]:
    """Numbers where all of a column are."""
    try:
        return [float(cell) if cell.strip() else math.nan for cell in cells]
    except ValueError:
        return cells


def _of_columns(columns: Mapping[str, Sequence[Any]], hints: str) -> _Table | None:
    """A column of names beside one of numbers; without names, one column a feature, a row an explained example."""
    if len({len(cells) for cells in columns.values()}) != 1 or not next(iter(columns.values())):
        return None
    numbers = {name: found for name, cells in columns.items() if (found := _numbers(cells))}
    names = [cells for cells in columns.values() if all(isinstance(c, str) and c.strip() for c in cells)]
    valued = [name for name in numbers if not _NO_VALUE.search(name.lower())]
    if not names:
        if "shap" not in hints:
            return None
        return _Table.of("shap", {name[:MAX_NAME]: _mean(numbers[name]) for name in valued})
    said = next((name for name in valued if _HINTS.search(name.lower())), None)
    if said is None and _HINTS.search(hints) and valued:
        said = valued[0]
    if said is None:
        return None
    values: dict[str, float] = {}
    for name, value in zip(names[0], numbers[said], strict=True):
        values[name.strip()[:MAX_NAME]] = values.get(name.strip()[:MAX_NAME], 0.0) + value
    return _Table.of(said, values)


def _numbers(cells: Sequence[Any]) -> list[float] | None:
    found = [_number(cell) for cell in cells]
    return None if any(one is None for one in found) else [one or 0.0 for one in found]


def _number(cell: Any) -> float | None:
    """What is no number counts nothing, and None: it is of another kind."""
    if cell is None:
        return 0.0
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    return float(cell) if math.isfinite(cell) else 0.0


def _mean(values: Iterable[float]) -> float:
    sizes = [abs(value) for value in values]
    return sum(sizes) / len(sizes)


def _npy(raw: bytes, path: str) -> _Table | None:
    """SHAP values as NumPy writes an array of examples × features (NEP 1): the mean size of each column."""
    if raw[:6] != b"\x93NUMPY" or "shap_values" not in path:
        return None
    width = 2 if raw[6:7] == b"\x01" else 4
    start = 8 + width + int.from_bytes(raw[8 : 8 + width], "little")
    head = _NPY.search(raw[:start])
    if head is None:
        return None
    order, size, by_column, rows, columns = head.groups()
    height, breadth = int(rows), int(columns)
    body = raw[start:]
    if not 0 < breadth <= MAX_NAMES or not height or len(body) != height * breadth * int(size):
        return None
    values = array("f" if size == b"4" else "d", body)
    if order == b">":
        values.byteswap()
    if by_column == b"True":
        parts = [values[n * height : (n + 1) * height] for n in range(breadth)]
    else:
        parts = [values[n::breadth] for n in range(breadth)]
    means = [_mean(value if math.isfinite(value) else 0.0 for value in part) for part in parts]
    return _Table("shap", (), means)


READERS: Mapping[str, Callable[[bytes, str], _Table | None]] = {
    "json": _json,
    "csv": _csv,
    "npy": _npy,
}
"""By the ending of the file."""

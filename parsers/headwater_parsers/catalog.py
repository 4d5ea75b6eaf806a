"""What is known of tables: the columns that a name has, by longest suffix. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A known table: its full name, its columns in order, their types where known."""

    name: tuple[str, ...]
    columns: tuple[str, ...]
    types: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    _index: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def spelled(self, lower: str) -> str | None:
        """Return a column's name as the catalog spells it; None when there is none."""
        if not self._index:
            self._index.update((c.lower(), c) for c in self.columns)
        return self._index.get(lower)

    def type_of(self, column: str) -> str | None:
        return self.types.get(column)


class Catalog(Protocol):
    """Where the parser looks tables up. It is asked once a table and statement."""

    def columns(self, name: Sequence[str]) -> TableSchema | None:
        """Return the table that `name` means, or None.

        `name` is as complete as the statement, USE and the defaults make it. Match without
        regard to case; a shorter name may match the end of a longer one if that is unambiguous.
        """
        ...


class DictCatalog:
    """A catalog held in memory: `{"db.table": {"column": "type" or None}}`."""

    def __init__(self, schema: Mapping[str, Mapping[str, str | None] | Iterable[str]]) -> None:
        self._schema = schema
        self._by_last: dict[str, list[tuple[str, ...]]] = {}
        self._keys: dict[tuple[str, ...], str] = {}
        for key in schema:
            parts = tuple(p.strip('"`[]').lower() for p in key.split("."))
            self._keys[parts] = key
            self._by_last.setdefault(parts[-1], []).append(parts)
        self._built: dict[str, TableSchema] = {}

    def columns(self, name: Sequence[str]) -> TableSchema | None:
        wanted = tuple(p.lower() for p in name)
        key = self._keys.get(wanted)
        if key is None and wanted:
            found = [p for p in self._by_last.get(wanted[-1], ()) if _same_end(p, wanted)]
            if found:
                best = max(len(p) for p in found)
                # The longest common end wins; two equally good ones are no answer.
                close = [p for p in found if min(len(p), len(wanted)) == min(best, len(wanted))]
                key = self._keys[close[0]] if len(close) == 1 else None
        return None if key is None else self._table(key)

    def _table(self, key: str) -> TableSchema:
        made = self._built.get(key)
        if made is None:
            columns = self._schema[key]
            types = {c: t for c, t in columns.items() if t} if isinstance(columns, Mapping) else {}
            # A dotted column is a field of the one before its first dot.
            names = tuple(dict.fromkeys(c for c in columns if "." not in c))
            made = TableSchema(tuple(key.split(".")), names, types)
            self._built[key] = made
        return made


def _same_end(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    n = min(len(a), len(b))
    return a[-n:] == b[-n:]


def struct_fields(kind: str | None) -> list[tuple[str, str]]:
    """Return the fields of `struct<a int, b: array<string>>`, through arrays around it."""
    text = (kind or "").strip()
    while text.lower().startswith("array<") and text.endswith(">"):
        text = text[6:-1].strip()
    lower = text.lower()
    angled = lower.startswith("struct<") and text.endswith(">")
    if not angled and not (lower.startswith(("row(", "struct(")) and text.endswith(")")):
        return []
    inner = text[text.index("<" if "<" in text[:8] else "(") + 1 : -1]
    made: list[tuple[str, str]] = []
    depth, start = 0, 0
    for i, char in enumerate([*inner, ","]):
        if char in "<(":
            depth += 1
        elif char in ">)":
            depth -= 1
        elif char == "," and depth == 0:
            piece = inner[start:i].strip()
            start = i + 1
            cut = min((k for k in (piece.find(" "), piece.find(":")) if k > 0), default=-1)
            if cut > 0:
                made.append((piece[:cut].strip('`"'), piece[cut + 1 :].strip()))
    return made

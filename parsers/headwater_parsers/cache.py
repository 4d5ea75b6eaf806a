"""Remembers lineage by the shape of the SQL: query logs repeat themselves."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

from headwater_parsers.api import parse
from headwater_parsers.catalog import Catalog, TableSchema
from headwater_parsers.model import ScriptLineage

_LITERAL = re.compile(r"'(?:[^']|'')*'|(?<![\w.$@:])\d+(?:\.\d+)?(?![\w.])")
_LIST = re.compile(r"\?(?:\s*,\s*\?)+")
_SPACE = re.compile(r"\s+")
# What a literal of this form says may be lineage: a file, a name, a path, code.
_SPEAKS = re.compile(r"[/.@:;$]|\bselect\b", re.IGNORECASE)
_POSITIONS = re.compile(r"\b(?:group|order)\s+by\s+[^;]*", re.IGNORECASE)


def fingerprint(sql: str, dialect: str | None = None, *settings: str | None) -> str:
    """Return a key that statements share which differ in constants and spacing alone.

    Positions in GROUP BY and ORDER BY, and strings that may name data, count as they are.
    """
    kept = _POSITIONS.sub(lambda m: re.sub(r"\d+", r"#\g<0>_", m.group(0)), sql)
    shape = _LITERAL.sub(lambda m: m.group(0) if _SPEAKS.search(m.group(0)) else "?", kept)
    shape = _SPACE.sub(" ", _LIST.sub("?", shape)).strip()
    digest = blake2b(digest_size=16)
    for part in (shape, dialect, *settings):
        digest.update(repr(part).encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Entry:
    lineage: ScriptLineage
    asked: tuple[tuple[tuple[str, ...], TableSchema | None], ...]


class _Listening:
    """A catalog that notes what it was asked, and what it said."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.asked: list[tuple[tuple[str, ...], TableSchema | None]] = []

    def columns(self, name: Sequence[str]) -> TableSchema | None:
        found = self._catalog.columns(name)
        self.asked.append((tuple(name), found))
        return found


class Cache:
    """Parses, and answers from memory what it has parsed before; safe between threads.

    An entry holds as long as the catalog says the same of every table that it was asked about.
    Its spans are those of the first statement of the shape.
    """

    def __init__(self, size: int = 4096, *, parser: Callable[..., ScriptLineage] = parse) -> None:
        self.hits = self.misses = 0
        self._size = size
        self._parser = parser
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()

    def parse(
        self,
        sql: str,
        dialect: str | None = None,
        catalog: Catalog | None = None,
        default_database: str | None = None,
        default_schema: str | None = None,
        *,
        masking: Iterable[str] = (),
    ) -> ScriptLineage:
        """Return what `headwater_parsers.parse` returns."""
        names = sorted(masking)
        key = fingerprint(sql, dialect, default_database, default_schema, *names)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and _holds(entry, catalog):
                self._entries.move_to_end(key)
                self.hits += 1
                return entry.lineage
            self.misses += 1
        heard = _Listening(catalog) if catalog is not None else None
        made = self._parser(sql, dialect, heard, default_database, default_schema, masking=names)
        with self._lock:
            self._entries[key] = _Entry(made, tuple(heard.asked) if heard else ())
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return made


def _holds(entry: _Entry, catalog: Catalog | None) -> bool:
    if catalog is None:
        return not entry.asked
    if not entry.asked and entry.lineage.inputs:
        return False  # it was parsed without a catalog
    return all(catalog.columns(name) == said for name, said in entry.asked)

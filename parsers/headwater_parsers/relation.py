"""What a source offers: named columns with their origins, and what is not known of them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from headwater_parsers.catalog import TableSchema, struct_fields
from headwater_parsers.model import TableRef
from headwater_parsers.tree import IDENTITY, MASKED, NOWHERE, At

_DIRECT = (1, 2, 4)
_UNMASKED = (1 << MASKED) - 1


@dataclass(frozen=True, slots=True)
class Candidates:
    """Several tables, one of which has the column."""

    tables: tuple[TableRef, ...]


Key = tuple[TableRef | Candidates, tuple[str, ...]]
Origins = dict[Key, int]  # bits: the uses, and above them the same uses with masking


@lru_cache(maxsize=4096)
def composed(flags: int, use: int, masked: bool) -> int:  # noqa: FBT001 (a cache takes no names)
    """Return the uses of an origin's origin: the stronger direct use, or the indirect one."""
    made = 0
    for shift in (0, MASKED):
        for bit in (1, 2, 4, 8, 16):
            if flags >> shift & bit:
                inner = bit if use in _DIRECT and bit not in _DIRECT else use
                if use in _DIRECT and bit in _DIRECT:
                    inner = max(use, bit)
                made |= inner << (MASKED if masked or shift else 0)
    return made


def add(into: Origins, origins: Origins, use: int = IDENTITY, *, masked: bool = False) -> None:
    if use == IDENTITY and not masked:
        for key, flags in origins.items():
            into[key] = into.get(key, 0) | flags
    else:
        for key, flags in origins.items():
            into[key] = into.get(key, 0) | composed(flags, use, masked)


def uses(flags: int) -> list[tuple[int, bool]]:
    """Return (use, masked): one direct use at most, and every indirect one.

    A value is masked only when every way that it takes is.
    """
    both = (flags | flags >> MASKED) & _UNMASKED
    direct = max((b for b in _DIRECT if both & b), default=0)
    made = [(direct, not flags & 7)] if direct else []
    made += [(bit, not flags & bit) for bit in (8, 16) if both & bit]
    return made


@dataclass(slots=True)
class Column:
    name: str
    origins: Origins
    fields: "dict[str, Column] | None" = None
    type: str | None = None
    at: At = NOWHERE
    functions: tuple[str, ...] = ()

    def renamed(self, name: str) -> "Column":
        return Column(name, self.origins, self.fields, self.type, self.at, self.functions)

    def field(self, path: tuple[str, ...]) -> "Column":
        """Return a field: of the struct as it was built, or as a path of the origin."""
        here = self
        for i, name in enumerate(path):
            if here.fields is not None:
                inner = here.fields.get(name.lower())
                if inner is None:
                    return here
                here = inner
                continue
            rest = path[i:]
            origins = {
                (key[0], key[1] + rest) if flags == IDENTITY else key: flags
                for key, flags in here.origins.items()
            }
            return Column(path[-1], origins, at=here.at, functions=here.functions)
        return here

    def parts(self) -> "list[Column] | None":
        """Return the columns of `s.*`, if they are known."""
        if self.fields is not None:
            return list(self.fields.values())
        listed = struct_fields(self.type)
        if not listed:
            return None
        made = []
        for name, kind in listed:
            column = self.field((name,))
            made.append(Column(name, column.origins, None, kind, self.at, self.functions))
        return made


@dataclass(slots=True)
class Base:
    """A table that the statement does not make."""

    table: TableRef
    schema: TableSchema | None
    weak = False

    @property
    def open(self) -> bool:
        return self.schema is None

    @property
    def columns(self) -> "list[Column | OpenStar]":
        if self.schema is None:
            return [OpenStar([self])]
        return [self._column(c) for c in self.schema.columns]

    def lookup(self, lower: str, spelled: str) -> tuple[Column | None, bool]:
        if self.schema is None:
            return self._column(spelled), False
        name = self.schema.spelled(lower)
        return (None, False) if name is None else (self._column(name), True)

    def assume(self, spelled: str) -> Column:
        return self._column(spelled)

    def _column(self, name: str) -> Column:
        kind = self.schema.type_of(name) if self.schema is not None else None
        return Column(name, {(self.table, (name,)): IDENTITY}, None, kind)


@dataclass(slots=True)
class OpenStar:
    """Columns that are not known by name: those of one of `sources`, or of each of them."""

    sources: "list[Relation]"
    every: bool = False
    excluded: frozenset[str] = frozenset()

    def lookup(self, lower: str, spelled: str) -> Column | None:
        if lower in self.excluded:
            return None
        found = []
        for source in self.sources:
            column, certain = source.lookup(lower, spelled)
            if column is not None:
                found.append((column, certain))
        sure = [c for c, certain in found if certain]
        return merged(spelled, sure if sure and not self.every else [c for c, _ in found], every=self.every)

    def whole(self) -> Column:
        """Return the star itself as a column."""
        origins: Origins = {}
        for source in self.sources:
            for column in source.columns:
                if isinstance(column, Column):
                    add(origins, column.origins)
                elif column is self:
                    continue
                elif column.sources == [source] and isinstance(source, Base):
                    origins[source.table, ("*",)] = IDENTITY
                else:
                    add(origins, column.whole().origins)
        return Column("*", origins)


def merged(name: str, columns: list[Column], *, every: bool) -> Column | None:
    """Return one column of several: all of them, or an ambiguous one."""
    if not columns:
        return None
    if len(columns) == 1:
        return columns[0]
    origins: Origins = {}
    for column in columns:
        add(origins, column.origins)
    if every or len(origins) == 1:
        return Column(name, origins)
    tables: list[TableRef] = []
    for table, _ in origins:
        tables += table.tables if isinstance(table, Candidates) else [table]
    distinct = tuple(dict.fromkeys(tables))
    return Column(name, {(Candidates(distinct), (name,)): IDENTITY})


@dataclass(slots=True)
class Made:
    """The result of a query, or of a table function."""

    columns: list[Column | OpenStar]
    weak: bool = False  # its open part is a last resort
    hidden: list[Column] = field(default_factory=list)  # found by name, not by *
    fallback: OpenStar | None = None  # the same, for any name
    _index: dict[str, Column] | None = field(default=None, repr=False)

    @property
    def open(self) -> bool:
        return any(isinstance(c, OpenStar) for c in self.columns)

    def named(self) -> Iterable[Column]:
        return (c for c in self.columns if isinstance(c, Column))

    def lookup(self, lower: str, spelled: str) -> tuple[Column | None, bool]:
        if self._index is None:
            self._index = {}
            for named in (*self.named(), *self.hidden):
                self._index.setdefault(named.name.lower(), named)
        column = self._index.get(lower)
        if column is not None:
            return column, True
        for star in self.columns:
            if isinstance(star, OpenStar):
                found = star.lookup(lower, spelled)
                if found is not None:
                    return found, False
        found = self.fallback.lookup(lower, spelled) if self.fallback is not None else None
        return found, False


@dataclass(slots=True)
class Anything:
    """Columns of any name, all with the same origins: what a function or a pivot makes."""

    origins: Origins
    names: set[str] = field(default_factory=set)
    weak: bool = True

    @property
    def open(self) -> bool:
        return True

    @property
    def columns(self) -> list[Column | OpenStar]:
        return [Column("*", self.origins)]

    def lookup(self, lower: str, spelled: str) -> tuple[Column | None, bool]:
        self.names.add(lower)
        return Column(spelled, self.origins), False


Relation = Base | Made | Anything


def renamed(relation: Relation, names: tuple[str, ...]) -> Relation:
    """Give the columns of a relation the names of an alias list."""
    if not names:
        return relation
    columns = relation.columns
    stars = [i for i, c in enumerate(columns) if isinstance(c, OpenStar)]
    if not stars:
        made: list[Column | OpenStar] = [
            column.renamed(name)
            for name, column in zip(names, columns, strict=False)
            if isinstance(column, Column)
        ]
        return Made(made + columns[len(names) :])
    # Before an unknown star positions count from the left, behind it from the right.
    origins: Origins = {}
    for column in columns:
        if isinstance(column, OpenStar):
            add(origins, column.whole().origins)
    made = []
    for i, name in enumerate(names):
        j = i if i < stars[0] else len(columns) - (len(names) - i)
        given = columns[j] if (i < stars[0] or j > stars[-1]) else columns[stars[0]]
        made.append(given.renamed(name) if isinstance(given, Column) else Column(name, origins))
    return Made(made)


def united(left: Relation, right: Relation, *, by_name: bool = False) -> Relation:
    """Return UNION: column by column, by name only where positions are not known."""
    ours, theirs = left.columns, right.columns
    if by_name:
        return _united_by_name(left, right)
    made: list[Column | OpenStar] = []
    for i, column in enumerate(ours):
        other = theirs[i] if i < len(theirs) else None
        if not isinstance(column, Column) or isinstance(other, OpenStar):
            rest_l, rest_r = Made(ours[i:]), Made(theirs[i:])
            made += _united_by_name(rest_l, rest_r).columns
            break
        made.append(_both(column, other) if isinstance(other, Column) else column)
    return Made(made)


def _both(a: Column, b: Column) -> Column:
    origins: Origins = dict(a.origins)
    add(origins, b.origins)
    fields = a.fields
    if fields is not None and b.fields is not None and fields.keys() == b.fields.keys():
        fields = {k: _both(v, b.fields[k]) for k, v in fields.items()}
    elif b.fields is not None or (fields is not None and b.origins):
        fields = None
    functions = tuple(dict.fromkeys(a.functions + b.functions))
    return Column(a.name, origins, fields, a.type, a.at, functions)


def _united_by_name(left: Relation, right: Relation) -> Relation:
    made: list[Column | OpenStar] = []
    seen = set()
    for column in left.columns:
        if isinstance(column, Column):
            seen.add(column.name.lower())
            other, _ = right.lookup(column.name.lower(), column.name)
            made.append(_both(column, other) if other is not None else column)
    for column in right.columns:
        if isinstance(column, Column) and column.name.lower() not in seen:
            other, _ = left.lookup(column.name.lower(), column.name)
            made.append(_both(column, other) if other is not None else column)
    open_sides = [side for side in (left, right) if side.open]
    if open_sides:
        made.append(OpenStar(open_sides, every=True))
    return Made(made)

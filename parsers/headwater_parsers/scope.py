"""Finds what a column name means among the sources of a query. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from headwater_parsers.relation import (
    Anything,
    Base,
    Candidates,
    Column,
    Made,
    Origins,
    Relation,
    add,
    merged,
)
from headwater_parsers.tree import IDENTITY, TRANSFORMATION, Leaf

Variables = Callable[[str], Column | None]


@dataclass(slots=True)
class Entry:
    """A source under the names it answers to."""

    relation: Relation
    alias: str | None
    parts: tuple[str, ...]  # of a table, in lower case; () for the rest
    hidden: bool = False
    starless: bool = False  # seen by name, not by *


@dataclass(slots=True)
class Problem:
    """A name that could not be resolved, or not to one column."""

    code: str
    name: str
    leaf: Leaf


@dataclass(slots=True)
class Scope:
    """The sources of one query, and the query around it."""

    parent: "Scope | None"
    variables: Variables
    problems: list[Problem]
    entries: list[Entry] = field(default_factory=list)
    merged: dict[str, list[Entry]] = field(default_factory=dict)  # USING, NATURAL
    aliases: dict[str, Column] | None = None
    self_reading: set[str] = field(default_factory=set)  # aliases that read a column of their name
    self_named: set[str] = field(default_factory=set)  # aliases that give way to unknown columns
    _by_alias: dict[str, Entry] = field(default_factory=dict)
    _lasts: dict[str, list[Entry]] = field(default_factory=dict)

    def add(self, entries: list[Entry]) -> None:
        for entry in entries:
            self.entries.append(entry)
            if entry.alias is not None:
                self._by_alias.setdefault(entry.alias, entry)
            if entry.parts:
                self._lasts.setdefault(entry.parts[-1], []).append(entry)

    # -- the front door ---------------------------------------------------------------------

    def resolve(self, leaf: Leaf, *, aliases_first: bool = False) -> Column:
        """Return what a leaf means; a column without origins when nothing does."""
        parts = leaf.parts
        if len(parts) == 1:
            column = self._plain(parts[0], leaf, aliases_first=aliases_first)
        else:
            column = self._qualified(parts, leaf)
        if leaf.path:
            column = column.field(leaf.path)
        return column

    def source(self, parts: tuple[str, ...]) -> Entry | None:
        """Find a source by alias or by the end of its table's name, here or further out."""
        wanted = tuple(p.lower() for p in parts)
        scope: Scope | None = self
        while scope is not None:
            found = scope.entry(wanted)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def aliased(self, name: str) -> Entry | None:
        return self._by_alias.get(name)

    def entry(self, wanted: tuple[str, ...]) -> Entry | None:
        if len(wanted) == 1 and wanted[0] in self._by_alias:
            return self._by_alias[wanted[0]]
        n = len(wanted)
        named = self._lasts.get(wanted[-1], ())
        for entry in named:
            same = entry.parts[-n:] == wanted or wanted[-len(entry.parts) :] == entry.parts
            if same and (entry.alias is None or n > 1):
                return entry
        # A table keeps its own name beside the alias, where nothing else has it.
        return named[0] if n == 1 and named else None

    # -- names with a qualifier -------------------------------------------------------------

    def _qualified(self, parts: tuple[str, ...], leaf: Leaf) -> Column:
        scope: Scope | None = self
        while scope is not None:
            first = scope.aliased(parts[0].lower())
            if first is not None:
                return self._of(first, parts[1:], leaf)
            for n in range(len(parts) - 1, 0, -1):
                entry = scope.entry(tuple(p.lower() for p in parts[:n]))
                if entry is not None:
                    return self._of(entry, parts[n:], leaf)
            scope = scope.parent
        record = self.variables(parts[0].lower())
        scope = self
        while scope is not None:  # a field of a struct column
            if record is not None:
                column = scope.certain(parts[0].lower(), parts[0], leaf)
            else:
                column = scope.own(parts[0], leaf, guess=False)
            if column is not None:
                return column.field(parts[1:])
            scope = scope.parent
        if record is not None:
            return record.field(parts[1:])
        alias = (self.aliases or {}).get(parts[0].lower())
        if alias is not None:
            return alias.field(parts[1:])
        if len(self.entries) == 1:  # a struct that a stale schema does not list
            column = self.own(parts[0], leaf, guess=True)
            if column is not None:
                return column.field(parts[1:])
        self.problems.append(Problem("unknown-qualifier", ".".join(parts), leaf))
        return Column(parts[-1], {})

    def _of(self, entry: Entry, rest: tuple[str, ...], leaf: Leaf) -> Column:
        if rest[0] == "*":
            return whole_row(entry.relation)
        column, _ = entry.relation.lookup(rest[0].lower(), rest[0])
        if column is None and isinstance(entry.relation, Base):
            column = entry.relation.assume(rest[0])  # the schema that is known may be stale
        if column is None:
            made = entry.relation
            element = made.columns[0] if isinstance(made, Made) and made.columns else None
            if isinstance(element, Column) and element.name.lower() == entry.alias:
                return element.field(rest)  # UNNEST(...) AS e: e.field
            self.problems.append(Problem("unknown-column", ".".join(rest), leaf))
            return Column(rest[0], {})
        return column.field(rest[1:]) if len(rest) > 1 else column

    # -- names without ----------------------------------------------------------------------

    def _plain(self, name: str, leaf: Leaf, *, aliases_first: bool) -> Column:
        lower = name.lower()
        alias = (self.aliases or {}).get(lower)
        if aliases_first and alias is not None:
            return alias
        if name.startswith(("@", ":")):  # Snowflake binds the variable m as :m
            found = self.variables(lower.lstrip(":"))
            return found if found is not None else Column(name, {})
        scope: Scope | None = self
        while scope is not None:
            column = scope.certain(lower, name, leaf)
            if column is not None:
                return column
            if scope is self and alias is not None and lower not in self.self_named:
                return alias
            column = scope.own(name, leaf, guess=False)
            if column is not None:
                variable = self.variables(lower)
                return column if variable is None else variable
            row = scope.aliased(lower)
            if row is not None:
                return _row(name, row)
            scope = scope.parent
        if alias is not None:
            return alias
        variable = self.variables(lower)
        if variable is not None:
            return variable
        return self._last_resort(name, leaf)

    def _last_resort(self, name: str, leaf: Leaf) -> Column:
        scope: Scope | None = self
        while scope is not None:
            row = scope.entry((name.lower(),))
            if row is not None:
                return _row(name, row)
            scope = scope.parent
        scope = self
        while scope is not None:
            column = scope.own(name, leaf, guess=True)
            if column is not None:
                return column
            scope = scope.parent
        if not name.startswith("$"):
            self.problems.append(Problem("unknown-column", name, leaf))
        return Column(name, {})

    def certain(self, lower: str, name: str, leaf: Leaf) -> Column | None:
        shared = self.merged.get(lower)
        if shared is not None:
            sides = [e.relation.lookup(lower, name)[0] for e in shared]
            return merged(name, [c for c in sides if c is not None], every=True)
        found: list[Column] = []
        for entry in self.entries:
            if entry.hidden:
                continue
            if entry.relation.weak:
                column, certain = _named(entry.relation, lower), True
                if column is not None and entry.alias == lower:
                    return column  # UNNEST(x) AS x: the element, not the array
            else:
                column, certain = entry.relation.lookup(lower, name)
            if column is not None and certain:
                found.append(column)
        return self._one(name, found, leaf)

    def own(self, name: str, leaf: Leaf, *, guess: bool) -> Column | None:
        """Look among the sources of this query alone."""
        lower = name.lower()
        column = self.certain(lower, name, leaf)
        if column is not None:
            return column
        visible = [e for e in self.entries if not e.hidden]
        found = []
        for entry in visible:
            if not entry.relation.weak:
                possible, _ = entry.relation.lookup(lower, name)
                if possible is not None:
                    found.append(possible)
        column = self._one(name, found, leaf)
        if column is not None or not guess:
            return column
        for entry in visible:
            if entry.relation.weak:
                possible, _ = entry.relation.lookup(lower, name)
                if possible is not None:
                    return possible
        bases = [e.relation for e in visible if isinstance(e.relation, Base)]
        return self._one(name, [b.assume(name) for b in bases], leaf)

    def _one(self, name: str, found: list[Column], leaf: Leaf) -> Column | None:
        column = merged(name, found, every=False)
        if column is not None and len(found) > 1:
            (key, *others) = column.origins
            if not others and isinstance(key[0], Candidates):
                self.problems.append(Problem("ambiguous-column", name, leaf))
        return column


def _named(relation: Relation, lower: str) -> Column | None:
    if isinstance(relation, Made):
        for column in (*relation.named(), *relation.hidden):
            if column.name.lower() == lower:
                return column
    return None


def _row(name: str, entry: Entry) -> Column:
    """Return a whole row as a value, as in to_json(t)."""
    origins: Origins = {}
    add(origins, whole_row(entry.relation).origins, TRANSFORMATION)
    return Column(name, origins)


def whole_row(relation: Relation) -> Column:
    origins: Origins = {}
    if isinstance(relation, Anything):
        return Column("*", relation.origins)
    for column in relation.columns:
        if isinstance(column, Column):
            add(origins, column.origins)
        elif isinstance(relation, Base):
            origins[relation.table, ("*",)] = IDENTITY
        else:
            add(origins, column.whole().origins)
    return Column("*", origins)


def nothing(_name: str) -> Column | None:
    return None

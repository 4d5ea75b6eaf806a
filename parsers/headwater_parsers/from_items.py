"""Resolves what stands in FROM: tables, subqueries, table functions, pivots. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from headwater_parsers.dialects import Traits
from headwater_parsers.relation import (
    Anything,
    Column,
    Made,
    OpenStar,
    Origins,
    Relation,
    add,
    renamed,
)
from headwater_parsers.scope import Entry, Scope
from headwater_parsers.tree import (
    CONDITIONAL,
    TRANSFORMATION,
    At,
    Derived,
    Expr,
    Function,
    Group,
    Join,
    Leaf,
    Pivot,
    Query,
    Rows,
    Source,
    Table,
    Unpivot,
)

Ctes = dict[str, Relation]
Open = Callable[[Table], Relation]


class FromItems(ABC):
    """The part of a resolver that opens sources; the rest of it resolves expressions."""

    def __init__(self, traits: Traits, open_table: Open, table_functions: dict[str, Query]) -> None:
        self._traits = traits
        self._open = open_table
        self._table_functions = table_functions

    @abstractmethod
    def query(self, query: Query, ctes: Ctes | None = None, parent: Scope | None = None) -> Relation: ...

    @abstractmethod
    def rows(self, query: Rows, env: Ctes, parent: Scope | None) -> Relation: ...

    @abstractmethod
    def scope(self, parent: Scope | None) -> Scope: ...

    @abstractmethod
    def column(self, expr: Expr, scope: Scope, env: Ctes, *, aliases_first: bool = False) -> Column: ...

    @abstractmethod
    def every(self, scope: Scope) -> list[Column | OpenStar]: ...

    @abstractmethod
    def note(self, origins: Origins, subtype: str, at: At) -> None: ...

    def open_element(self, element: Column, made: Made, *, value_table: bool) -> None:
        """Let the fields of an array's structs be seen as columns."""
        parts = element.parts()
        if parts is None:
            return
        if value_table and self._traits.name == "bigquery":  # * means the fields, not the struct
            shown = [c for c in made.columns if c is not element]
            made.columns, made.hidden = [*shown, *parts], [element]
        else:
            names = {c.name.lower() for c in made.named()}
            made.hidden = [p for p in parts if p.name.lower() not in names]

    def join(self, join: Join, scope: Scope, env: Ctes) -> None:
        before = list(scope.entries)
        added = self._source(join.source, scope, env)
        for entry in added:
            entry.hidden = entry.hidden or join.hidden
        scope.add(added)
        names = [n.lower() for n in join.using]
        if join.natural:
            names += _common(before, added)
        for name in names:
            sides = scope.merged.pop(name, None) or [e for e in before if _has(e, name)]
            shown = [e for e in added if _has(e, name)]
            both = sides + shown
            for entry in both:
                column, _ = entry.relation.lookup(name, name)
                if column is not None:
                    self.note(column.origins, "JOIN", column.at)
            if both:
                scope.merged[name] = sides if join.hidden and sides else both
        if join.on is not None:
            self.note(self.column(join.on, scope, env).origins, "JOIN", join.on.at)

    def _source(self, source: Source, scope: Scope, env: Ctes) -> list[Entry]:
        if isinstance(source, Table):
            return [self._table(source, scope, env)]
        if isinstance(source, Group):
            return self._group(source, scope, env)
        if isinstance(source, Derived):
            relation = self.query(source.query, env, scope)
            names = self._names_of(source.query) if isinstance(source.query, Rows) else ()
            relation = renamed(relation, source.columns or names)
        elif isinstance(source, Rows):
            relation = self.rows(source, env, scope)
            relation = renamed(relation, source.columns or self._names_of(source))
        elif isinstance(source, Function):
            return [self._function(source, scope, env)]
        elif isinstance(source, Pivot):
            relation = self._pivot(source, scope, env)
        else:
            relation = self._unpivot(source, scope, env)
        alias = source.alias.lower() if source.alias else None
        if alias is None and isinstance(source, Pivot | Unpivot):
            inner = _innermost(source)
            if isinstance(inner, Table):
                alias = (inner.alias or inner.parts[-1]).lower()
        return [Entry(relation, alias, ())]

    def _names_of(self, rows: Rows) -> tuple[str, ...]:
        if rows.columns:
            return rows.columns
        return tuple(self._traits.of_values.format(i + 1) for i in range(len(rows.exprs)))

    def _table(self, table: Table, scope: Scope, env: Ctes) -> Entry:
        alias = table.alias.lower() if table.alias else None
        lower = tuple(p.lower() for p in table.parts)
        if len(lower) == 1 and table.kind == "table" and lower[0] in env:
            relation = env[lower[0]]
            if isinstance(relation, Anything):
                relation.names.add(lower[0])
            return Entry(renamed(relation, table.columns), alias, lower)
        if len(lower) > 1 and table.kind == "table":
            outer = scope.source(table.parts[:1])
            if outer is not None:  # FROM t, t.items
                return self._array(table, scope)
        relation = self._open(table)
        if isinstance(relation, Made) and relation.weak:  # an array inside a table
            return Entry(relation, alias or lower[-1], ())
        return Entry(renamed(relation, table.columns), alias, lower)

    def _array(self, table: Table, scope: Scope) -> Entry:
        column = scope.resolve(Leaf(table.parts, TRANSFORMATION, masked=False, at=table.at))
        origins: Origins = {}
        add(origins, column.origins, TRANSFORMATION)
        name = table.alias or table.parts[-1]
        element = Column(name, origins, column.fields, column.type)
        made = Made([element], weak=True, fallback=OpenStar([Anything(origins)]))
        self.open_element(element, made, value_table=True)
        return Entry(made, name.lower(), ())

    def _group(self, group: Group, scope: Scope, env: Ctes) -> list[Entry]:
        inner = self.scope(scope)
        for join in group.joins:
            self.join(join, inner, env)
        if group.alias is None:
            scope.merged.update(inner.merged)
            return inner.entries
        return [Entry(Made(self.every(inner)), group.alias.lower(), ())]

    def _function(self, function: Function, scope: Scope, env: Ctes) -> Entry:
        alias = function.alias.lower() if function.alias else None
        known = self._table_functions.get(function.name)
        if known is not None:
            made = self.query(known, {}, None)
            return Entry(
                renamed(made, tuple(p.name for p in function.produced if p.name != function.alias)), alias, ()
            )
        args = [self.column(a, scope, env) for a in function.args]
        if function.query is not None:
            inner = self.query(function.query, env, scope)
            args += [c.whole() if isinstance(c, OpenStar) else c for c in inner.columns]
        everything: Origins = {}
        for arg in args:
            add(everything, arg.origins, TRANSFORMATION)
        columns: list[Column | OpenStar] = []
        for produced in function.produced:
            if produced.arguments is None:
                origins, chosen = everything, args
            else:
                chosen = [args[i] for i in produced.arguments if i < len(args)]
                origins = {}
                for arg in chosen:
                    add(origins, arg.origins, TRANSFORMATION)
            column = Column(produced.name, origins)
            if produced.element and len(chosen) == 1:
                column.fields, column.type = chosen[0].fields, chosen[0].type
            columns.append(column)
        made = Made(columns, weak=True)
        element = columns[-1] if columns and function.produced[-1].element else None
        if isinstance(element, Column):
            self.open_element(element, made, value_table=function.name == "unnest")
        elif not columns and len(args) == 1 and function.name == "unnest":
            whole = Column("", everything, args[0].fields, args[0].type)
            made.columns += whole.parts() or []
        if function.open:
            star = OpenStar([Anything(everything)])
            if made.columns:
                made.fallback = star
            else:
                made.columns.append(star)
        return Entry(made, alias, ())

    def _pivoted(self, source: Source, scope: Scope, env: Ctes) -> tuple[Scope, list[Column | OpenStar]]:
        inner = self.scope(scope)
        inner.add(self._source(source, inner, env))
        return inner, self.every(inner)

    def _pivot(self, pivot: Pivot, scope: Scope, env: Ctes) -> Relation:
        inner, columns = self._pivoted(pivot.source, scope, env)
        every = self.column(pivot.every, inner, env)
        keys = self.column(pivot.keys, inner, env)
        self.note(keys.origins, "GROUP_BY", keys.at)
        made: list[Column | OpenStar]
        if pivot.group is not None:
            made = [self.column(g.expr, inner, env).renamed(g.name) for g in pivot.group]
        else:
            used = _names(pivot.every.leaves) | _names(pivot.keys.leaves)
            made = _without(columns, used)
        for name, expr in pivot.made:
            made.append(self.column(expr, inner, env).renamed(name))
        if not pivot.made:
            made.append(OpenStar([Anything(every.origins)]))
        return renamed(Made(made), pivot.columns)

    def _unpivot(self, unpivot: Unpivot, scope: Scope, env: Ctes) -> Relation:
        inner, columns = self._pivoted(unpivot.source, scope, env)
        made = _without(columns, _names(unpivot.used))
        every: Origins = {}
        for leaf in unpivot.used:
            add(every, inner.resolve(leaf).origins, CONDITIONAL)
        values: list[Column | OpenStar] = []
        for name, leaves in unpivot.values:
            origins: Origins = {}
            for leaf in leaves:
                add(origins, inner.resolve(leaf).origins, leaf.use, masked=leaf.masked)
            values.append(Column(name, origins))
        labels: list[Column | OpenStar] = [Column(label, every) for label in unpivot.labels]
        made += values + labels if unpivot.values_first else labels + values
        return renamed(Made(made), unpivot.columns)


def _innermost(source: Source) -> Source:
    while isinstance(source, Pivot | Unpivot):
        source = source.source
    return source


def _names(leaves: list[Leaf]) -> frozenset[str]:
    return frozenset(leaf.parts[-1].lower() for leaf in leaves)


def _without(columns: list[Column | OpenStar], names: frozenset[str]) -> list[Column | OpenStar]:
    made: list[Column | OpenStar] = []
    for column in columns:
        if isinstance(column, OpenStar):
            made.append(OpenStar(column.sources, column.every, column.excluded | names))
        elif column.name.lower() not in names:
            made.append(column)
    return made


def _has(entry: Entry, name: str) -> bool:
    return not entry.hidden and entry.relation.lookup(name, name)[0] is not None


def _common(before: list[Entry], added: list[Entry]) -> list[str]:
    ours = [
        c.name.lower() for e in before if not e.hidden for c in e.relation.columns if isinstance(c, Column)
    ]
    theirs = {c.name.lower() for e in added for c in e.relation.columns if isinstance(c, Column)}
    return [n for n in dict.fromkeys(ours) if n in theirs]

"""Follows columns through a query, from the inside out, in one pass. Pure."""

from dataclasses import dataclass, field

from headwater_parsers.dialects import Traits
from headwater_parsers.from_items import Ctes, FromItems, Open
from headwater_parsers.relation import (
    Anything,
    Column,
    Key,
    Made,
    OpenStar,
    Origins,
    Relation,
    add,
    composed,
    renamed,
    united,
)
from headwater_parsers.scope import Entry, Problem, Scope, Variables
from headwater_parsers.tree import (
    AGGREGATION,
    IDENTITY,
    At,
    Cte,
    Expr,
    Leaf,
    Nested,
    Query,
    Rows,
    Select,
    SetOp,
    Star,
    Wrapped,
)


@dataclass(slots=True)
class Found:
    """What resolving a query brings to light beside its columns."""

    conditions: dict[tuple[Key, str], At] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class Resolver(FromItems):
    """Resolves the queries of one statement. `open_table` says what a table's name offers."""

    def __init__(
        self,
        traits: Traits,
        open_table: Open,
        variables: Variables,
        table_functions: dict[str, Query],
    ) -> None:
        super().__init__(traits, open_table, table_functions)
        self.found = Found()
        self._variables = variables

    def query(self, query: Query, ctes: Ctes | None = None, parent: Scope | None = None) -> Relation:
        """Return the columns that a query makes."""
        env = ctes or {}
        if isinstance(query, Select):
            return self._select(query, self._with(query.ctes, env, parent), parent)
        if isinstance(query, SetOp):
            return self._set_operation(query, env, parent)
        if isinstance(query, Wrapped):
            env = self._with(query.ctes, env, parent)
            made = self.query(query.query, env, parent)
            self._order_result(query.order, made, parent)
            return made
        return self.rows(query, env, parent)

    # -- WITH -------------------------------------------------------------------------------

    def _with(self, ctes: list[Cte], env: Ctes, parent: Scope | None) -> Ctes:
        if not ctes:
            return env
        made = dict(env)
        for cte in ctes:
            name = cte.name.lower()
            if cte.scalar is not None:
                scope = self.scope(parent)
                column = self.column(cte.scalar, scope, made)
                made[f"={name}"] = Made([column.renamed(cte.name)])
            elif cte.recursive:
                made[name] = self._recursive(cte, name, made, parent)
            else:
                made[name] = renamed(self.query(cte.query, made, parent), cte.columns)
        return made

    def _recursive(self, cte: Cte, name: str, env: Ctes, parent: Scope | None) -> Relation:
        """Resolve a CTE that may read itself, until nothing new comes to light."""
        itself = Anything({})
        made = renamed(self.query(cte.query, {**env, name: itself}, parent), cte.columns)
        if not itself.names:
            return made
        for _ in range(8):
            again = renamed(self.query(cte.query, {**env, name: made}, parent), cte.columns)
            grown = _extent(again) != _extent(made)
            made = again
            if not grown:
                break
        return made

    def _set_operation(self, query: SetOp, env: Ctes, parent: Scope | None) -> Relation:
        # UNION chains lean to the left and may be thousands long.
        chain = [query]
        while isinstance(chain[-1].left, SetOp):
            chain.append(chain[-1].left)
        envs = []
        for op in chain:
            env = self._with(op.ctes, env, parent)
            envs.append(env)
        made = self.query(chain[-1].left, envs[-1], parent)
        for op, inner in zip(reversed(chain), reversed(envs), strict=True):
            right = self.query(op.right, inner, parent)
            if op.filters_only:
                for column in right.columns:
                    if isinstance(column, Column):
                        self.note(column.origins, "FILTER", column.at)
            else:
                made = united(made, right, by_name=op.by_name)
            self._order_result(op.order, made, parent)
        return made

    def rows(self, query: Rows, env: Ctes, parent: Scope | None) -> Relation:
        scope = self.scope(parent)
        columns: list[Column | OpenStar] = []
        for i, expr in enumerate(query.exprs):
            column = self.column(expr, scope, env)
            columns.append(column.renamed(query.columns[i] if i < len(query.columns) else f"_c{i}"))
        return Made(columns)

    # -- SELECT -----------------------------------------------------------------------------

    def scope(self, parent: Scope | None) -> Scope:
        return Scope(parent, self._variables, self.found.problems)

    def _select(self, query: Select, env: Ctes, parent: Scope | None) -> Relation:
        scope = self.scope(parent)
        for name, relation in env.items():
            if name.startswith("="):  # ClickHouse: WITH expression AS name
                scope.add([Entry(relation, None, (), starless=True)])
        for join in query.joins:
            self.join(join, scope, env)
        made = self._projections(query, scope, env)
        aliases = {c.name.lower(): c for c in made if isinstance(c, Column) and c.name != "*"}
        scope.aliases = aliases
        scope.self_named = scope.self_reading
        for expr in query.filters:
            self.note(self.column(expr, scope, env).origins, "FILTER", expr.at)
        for expr in query.windows:
            self.note(self.column(expr, scope, env).origins, "WINDOW", expr.at)
        for key in query.group:
            self._key(key, "GROUP_BY", scope, env, made)
        if query.group_all:
            for column in made:
                if isinstance(column, Column) and not _aggregated(column):
                    self.note(column.origins, "GROUP_BY", column.at)
        for key in query.order:
            self._key(key, "SORT", scope, env, made, aliases_first=True)
        if query.sort_all:
            for column in made:
                if isinstance(column, Column):
                    self.note(column.origins, "SORT", column.at)
        return Made(made)

    def _key(
        self,
        key: Expr | int,
        subtype: str,
        scope: Scope,
        env: Ctes,
        made: list[Column | OpenStar],
        *,
        aliases_first: bool = False,
    ) -> None:
        if isinstance(key, int):
            column = made[key - 1] if 0 < key <= len(made) else None
            if isinstance(column, Column):
                self.note(column.origins, subtype, column.at)
            return
        origins = self.column(key, scope, env, aliases_first=aliases_first).origins
        self.note(origins, subtype, key.at)

    def _order_result(self, order: list[Expr | int], made: Relation, parent: Scope | None) -> None:
        if order:
            scope = self.scope(parent)
            scope.add([Entry(made, None, ())])
            for key in order:
                self._key(key, "SORT", scope, {}, made.columns)

    def _projections(self, query: Select, scope: Scope, env: Ctes) -> list[Column | OpenStar]:
        made: list[Column | OpenStar] = []
        scope.aliases = {}
        for item in query.projections:
            if isinstance(item, Star):
                made += self._star(item, scope, env)
                continue
            column = self.column(item.expr, scope, env).renamed(item.name)
            column.at = item.expr.at
            made.append(column)
            if item.explicit:
                lower = item.name.lower()
                scope.aliases.setdefault(lower, column)
                if any(leaf.parts[-1].lower() == lower for leaf in item.expr.leaves):
                    scope.self_reading.add(lower)
                    scope.self_named.add(lower)
                elif not self._traits.aliases:
                    scope.self_named.add(lower)
        return made

    def _star(self, star: Star, scope: Scope, env: Ctes) -> list[Column | OpenStar]:
        columns = self._qualified_star(star, scope) if star.qualifier else self.every(scope)
        made: list[Column | OpenStar] = []
        for column in columns:
            if isinstance(column, OpenStar):
                skip = star.excluded | frozenset(star.replaced) | column.excluded
                made.append(OpenStar(column.sources, column.every, skip))
                continue
            lower = column.name.lower()
            if lower in star.excluded:
                continue
            if lower in star.replaced:
                new = self.column(star.replaced[lower], scope, env)
                column = new.renamed(column.name)  # noqa: PLW2901 (a new column in its place)
            elif lower in star.renamed:
                column = column.renamed(star.renamed[lower])  # noqa: PLW2901 (as above)
            made.append(column)
        if any(isinstance(c, OpenStar) for c in columns):
            known = {c.name.lower() for c in made if isinstance(c, Column)}
            for lower, expr in star.replaced.items():
                if lower not in known:
                    made.append(self.column(expr, scope, env).renamed(lower))
        return made

    def _qualified_star(self, star: Star, scope: Scope) -> list[Column | OpenStar]:
        entry = scope.source(star.qualifier)
        if entry is not None:
            element = _element(entry)
            parts = element.parts() if element is not None else None
            return list(parts) if parts else entry.relation.columns
        column = scope.resolve(Leaf(star.qualifier, IDENTITY, masked=False, at=star.at))
        parts = column.parts()
        if parts is not None:
            return list(parts)
        return [OpenStar([Anything(column.origins)])] if column.origins else []

    def every(self, scope: Scope) -> list[Column | OpenStar]:
        made: list[Column | OpenStar] = []
        for name in scope.merged:
            leaf = Leaf((name,), IDENTITY, masked=False)
            made.append(scope.resolve(leaf).renamed(self._spelled(scope, name)))
        for entry in scope.entries:
            if entry.hidden or entry.starless:
                continue
            made += [
                column
                for column in entry.relation.columns
                if isinstance(column, OpenStar) or column.name.lower() not in scope.merged
            ]
        return made

    @staticmethod
    def _spelled(scope: Scope, name: str) -> str:
        for entry in scope.merged[name]:
            for column in entry.relation.columns:
                if isinstance(column, Column) and column.name.lower() == name:
                    return column.name
        return name

    # -- expressions ------------------------------------------------------------------------

    def column(self, expr: Expr, scope: Scope, env: Ctes, *, aliases_first: bool = False) -> Column:
        origins: Origins = {}
        functions = tuple(expr.functions)
        fields: dict[str, Column] | None = None
        kind: str | None = None
        single = len(expr.leaves) == 1 and not expr.nested
        for leaf in expr.leaves:
            if leaf.parts[-1] == "*" and leaf.use == AGGREGATION:
                continue  # count(t.*) counts rows
            column = scope.resolve(leaf, aliases_first=aliases_first)
            add(origins, column.origins, leaf.use, masked=leaf.masked)
            if column.functions:
                functions = tuple(dict.fromkeys(functions + column.functions))
            if single and leaf.use == IDENTITY:
                fields, kind = column.fields, column.type
        for nested in expr.nested:
            made = self.query(nested.query, env, scope)
            if nested.use is None:
                continue
            chosen = _chosen(made, nested)
            for column in chosen:
                add(origins, column.origins, nested.use, masked=nested.masked)
            if expr.query_alone and chosen and not nested.path:
                several = nested.struct or len(chosen) > 1
                fields = {c.name.lower(): c for c in chosen} if several else chosen[0].fields
            elif nested.path and len(chosen) == 1:
                fields, kind = chosen[0].fields, chosen[0].type
        if expr.fields is not None:
            fields = {k: self.column(v, scope, env).renamed(k) for k, v in expr.fields.items()}
        return Column("", origins, fields, kind, expr.at, functions)

    def note(self, origins: Origins, subtype: str, at: At) -> None:
        for key in origins:
            self.found.conditions.setdefault((key, subtype), at)


def _chosen(made: Relation, nested: Nested) -> list[Column]:
    """Return the columns of a subquery that an expression takes."""
    columns = [c.whole() if isinstance(c, OpenStar) else c for c in made.columns]
    if nested.column is not None:
        return columns[nested.column : nested.column + 1]
    if nested.path and (nested.struct or len(columns) > 1):
        found = [c for c in columns if c.name.lower() == nested.path[0].lower()]
        return [c.field(nested.path[1:]) for c in found] or columns
    if nested.path and len(columns) == 1:
        return [columns[0].field(nested.path)]
    return columns


def _element(entry: Entry) -> Column | None:
    """Return the column of UNNEST(...) AS e that e itself names."""
    if isinstance(entry.relation, Made) and entry.relation.columns:
        for column in entry.relation.columns:
            if isinstance(column, Column) and column.name.lower() == entry.alias:
                return column
    return None


def _aggregated(column: Column) -> bool:
    return any(
        composed(f, IDENTITY, False) & (AGGREGATION | AGGREGATION << 5)  # noqa: FBT003 (cached)
        for f in column.origins.values()
    )


def _extent(relation: Relation) -> list[int]:
    return [
        sum(c.origins.values()) + 1000 * len(c.origins) for c in relation.columns if isinstance(c, Column)
    ]

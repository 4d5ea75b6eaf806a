"""Reads what stands in FROM: tables, subqueries, table functions, pivots."""

from collections.abc import Callable

from sqlglot import exp

from headwater_parsers.ast.expressions import Expressions
from headwater_parsers.ast.names import alias_of, column_names, name_of, names_of, table_of
from headwater_parsers.ast.outside import named_by
from headwater_parsers.tree import (
    Derived,
    Expr,
    Function,
    Group,
    Join,
    Leaf,
    Pivot,
    Produced,
    Projection,
    Query,
    Rows,
    Select,
    Source,
    Star,
    Table,
    Unpivot,
)

_ROW_FUNCTIONS = frozenset({"tsql", "fabric", "snowflake", "oracle", "teradata"})
_POSITIONAL = frozenset({"seq", "index", "ordinality", "path"})


class Sources:
    """Reads the sources of a query, and the joins between them."""

    def __init__(
        self,
        expressions: Expressions,
        query: Callable[[exp.Expr], Query],
        body: Callable[[exp.Expr], Query],
    ) -> None:
        self._expressions = expressions
        self._traits = expressions.traits
        self._query = query
        self._body = body

    # -- joins ------------------------------------------------------------------------------

    def listed(self, node: exp.Expr | None) -> list[Join]:
        """Read one item of FROM with the joins and views that hang on it."""
        if node is None:
            return []
        joins = [self.join(node)]
        joins += [self.join(view) for view in node.args.get("laterals") or ()]
        for join in node.args.get("joins") or ():
            joins += self.joined(join)
        return joins

    def join(self, node: exp.Expr) -> Join:
        return Join(self.source(node))

    def joined(self, node: exp.Expr) -> list[Join]:
        if not isinstance(node.this, exp.Expr):
            return []
        if str(node.args.get("kind") or "").upper() == "ARRAY":
            return [self._array_join(n) for n in (node.this, *(node.expressions or ()))]
        made = self.listed(node.this)
        for pivot in node.args.get("pivots") or ():
            made[-1].source = self.pivoted(made[-1].source, pivot)
        first, args = made[0], node.args
        if len(made) > 1 and (args.get("on") or args.get("using")):
            first = Join(Group(made))
            made = [first]
        on = args.get("on")
        conditions = [c for c in (on, args.get("match_condition")) if c is not None]
        if conditions:
            first.on = self._expressions.read_all(conditions)
        first.using = column_names(args.get("using"), self._traits)
        first.natural = str(args.get("method") or "").upper() == "NATURAL"
        first.hidden = str(args.get("kind") or "").upper() in ("SEMI", "ANTI")
        return made

    def _array_join(self, node: exp.Expr) -> Join:
        """Read ClickHouse's ARRAY JOIN: the array, under its name or another."""
        name = node.alias_or_name
        value = self._expressions.read(node)
        return Join(Function([value], None, [Produced(name, (0,), element=True)], open=False))

    # -- sources ----------------------------------------------------------------------------

    def source(self, node: exp.Expr) -> Source:
        made = self._bare(node)
        for pivot in node.args.get("pivots") or ():
            made = self.pivoted(made, pivot)
        return made

    def _bare(self, node: exp.Expr) -> Source:
        if isinstance(node, exp.Final):
            node = node.this
        alias, columns = alias_of(node, self._traits)
        if isinstance(node, exp.Subquery):
            return self._parenthesised(node, alias, columns)
        if isinstance(node, exp.Values):
            return self.rows(node)
        if isinstance(node, exp.Unnest):
            return self._unnest(node, alias, columns)
        if isinstance(node, exp.Lateral):
            return self._lateral(node, alias, columns)
        if isinstance(node, exp.TableFromRows):
            named = named_by(node, self._traits)
            if named is not None:
                named.alias = alias
                return named
            return self.function(node.this, alias, columns)
        if isinstance(node, exp.Table):
            rows_from = node.args.get("rows_from")
            if rows_from:
                return self._rows_from(rows_from, alias, columns)
            if isinstance(node.this, exp.Func | exp.SemanticView | exp.DynamicIdentifier):
                return self._table_function(node, alias, columns)
            return self.named(node)
        if isinstance(node, exp.Query):
            return Derived(self._query(node), alias, columns)
        if isinstance(node, exp.Pivot):
            return self.simple_pivot(node)
        if isinstance(node, exp.Func):
            return self.function(node, alias, columns)
        return self.named(node)

    def named(self, node: exp.Expr) -> Table:
        if isinstance(node, exp.Alias):  # TABLE t, read as an alias by some dialects
            name = name_of(node.args.get("alias"), self._traits)
            return Table((name,))
        return table_of(node, self._traits)

    def _parenthesised(self, node: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Source:
        inner = node.this
        if isinstance(inner, exp.Table | exp.Subquery) and not node.args.get("with_"):
            core = inner
            while isinstance(core, exp.Subquery) and not core.args.get("with_"):
                if core.args.get("joins") or core.alias:
                    break
                core = core.this
            if isinstance(core, exp.Table) or core is not inner or inner.args.get("joins"):
                if isinstance(core, exp.Table | exp.Subquery):
                    return Group(self.listed(inner), alias)
            elif inner.alias:
                return Group(self.listed(inner), alias)
        if isinstance(inner, exp.Values) and not inner.args.get("alias"):
            rows = self.rows(inner)
            rows.alias, rows.columns = alias, columns or rows.columns
            return rows
        return Derived(self._body(node), alias, columns)

    def rows(self, node: exp.Expr) -> Rows:
        """Read VALUES: a column depends on what any row puts there."""
        alias, columns = alias_of(node, self._traits)
        made: list[Expr] = []
        for row in node.expressions:
            cells = row.expressions if isinstance(row, exp.Tuple) else [row]
            for i, cell in enumerate(cells):
                if i == len(made):
                    made.append(Expr())
                if isinstance(cell, exp.Literal):
                    continue
                expr = self._expressions.read(cell)
                made[i].leaves += expr.leaves
                made[i].nested += expr.nested
        return Rows(made, alias, columns)

    # -- table functions --------------------------------------------------------------------

    def _unnest(self, node: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Function:
        args = [self._expressions.read(e) for e in node.expressions]
        offset = node.args.get("offset")
        names = list(columns)
        produced: list[Produced] = []
        if isinstance(offset, exp.Expr):
            produced.append(Produced(name_of(offset, self._traits), ()))
        elif offset and len(names) > len(args) and len(args) > 0 and len(names) > 1:
            produced.append(Produced(names.pop(), ()))
        elif offset:
            produced.append(Produced("offset", ()))
        if not names and alias is not None:
            produced.append(Produced(alias, (0,) if len(args) == 1 else None, element=True))
        single = len(names) == 1
        for i, name in enumerate(names):
            which = (i,) if len(args) == len(names) else (0,) if len(args) == 1 else None
            produced.append(Produced(name, which, element=single))
        listed = alias is not None and bool(names)
        if alias is None and single:
            alias = names[0]
        return Function(args, alias, produced, open=not listed, name="unnest")

    def _lateral(self, node: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Source:
        this = node.this
        if isinstance(this, exp.Subquery | exp.Select | exp.SetOperation):
            return Derived(self._query(this), alias, columns)
        if isinstance(this, exp.Unnest):
            return self._unnest(this, alias or this.alias or None, columns)
        if isinstance(this, exp.Values):
            rows = self.rows(this)
            rows.alias, rows.columns = alias, columns
            return rows
        return self.function(this, alias, columns)

    def _table_function(self, node: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Source:
        this = node.this
        if isinstance(this, exp.SemanticView):
            inner = table_of(this.this, self._traits)
            inner.alias = alias
            return inner
        named = named_by(this, self._traits)
        if named is not None:
            named.alias, named.columns = alias, columns
            return named
        if isinstance(this, exp.Anonymous) and this.name.lower() == "table":
            inside = this.expressions[0] if this.expressions else None
            if isinstance(inside, exp.Func):
                return self.function(inside, alias, columns)
            if isinstance(inside, exp.Column):
                made = table_of(inside, self._traits)
                made.alias = alias
                return made
        return self.function(this, alias, columns)

    def _rows_from(self, nodes: list[exp.Expr], alias: str | None, columns: tuple[str, ...]) -> Function:
        args = [self._expressions.read(n) for n in nodes]
        produced = [
            Produced(name, (i,) if len(args) == len(columns) else None) for i, name in enumerate(columns)
        ]
        return Function(args, alias, produced, name="rows from")

    def function(self, node: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Function:
        """Read a call that makes rows."""
        read = self._expressions.read
        name = node.name if isinstance(node, exp.Anonymous) else type(node).key
        name = name.lower()
        if isinstance(node, exp.Stack):
            return self._stack(node, alias, columns)
        if isinstance(node, exp.JSONTable | exp.OpenJSON | exp.XMLTable):
            return self._document(node, alias, columns)
        query: Query | None = None
        args: list[Expr] = []
        for child in node.iter_expressions():
            if isinstance(child, exp.Kwarg):
                child = child.expression  # noqa: PLW2901 (the value is what counts)
            table = self._table_argument(child)
            if table is not None:
                query = Select([Star()], [Join(table)])
            elif isinstance(child, exp.Query):
                query = self._query(child)
            elif isinstance(child, exp.Expr):
                args.append(read(child))
        names = list(columns)
        produced: list[Produced] = []
        explodes = isinstance(node, exp.Explode | exp.Posexplode | exp.Inline | exp.Unnest)
        if isinstance(node, exp.Posexplode) and names:
            produced.append(Produced(names.pop(0), ()))
        flatten = len(names) > 3 and {"seq", "key", "path", "index"} <= {n.lower() for n in names}
        for made in names:
            lower = made.lower()
            arguments = () if flatten and lower in _POSITIONAL else None
            produced.append(Produced(made, arguments, element=explodes or flatten))
        if not names and alias is not None and self._traits.name not in _ROW_FUNCTIONS:
            produced.append(Produced(alias, None, element=True))
        closed = bool(columns) and not flatten
        return Function(args, alias, produced, open=not closed, name=name, query=query)

    def _table_argument(self, node: exp.Expr) -> Table | None:
        """Return the table in f(input => TABLE(t))."""
        if isinstance(node, exp.Anonymous) and node.name.lower() == "table" and node.expressions:
            inside = node.expressions[0]
            if isinstance(inside, exp.Column | exp.Dot):
                return table_of(inside, self._traits)
        return None

    def _stack(self, node: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Function:
        args = [self._expressions.read(e) for e in node.expressions]
        rows = int(node.this.name) if isinstance(node.this, exp.Literal) else 1
        width = max(1, -(-len(args) // max(1, rows)))
        names = columns or tuple(f"col{i}" for i in range(width))
        produced = [Produced(name, tuple(range(i, len(args), width))) for i, name in enumerate(names)]
        return Function(args, alias, produced, open=False, name="stack")

    def _document(self, node: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Function:
        args = [self._expressions.read(node.this)]
        passing = node.args.get("passing")
        if passing:
            args += [self._expressions.read(p) for p in passing]
        names = list(columns) or self._document_columns(node)
        produced = [Produced(name, None) for name in names]
        return Function(args, alias, produced, open=not names, name=type(node).key)

    def _document_columns(self, node: exp.Expr) -> list[str]:
        schema = node.args.get("schema")
        listed = schema.expressions if isinstance(schema, exp.Expr) else None
        names: list[str] = []
        for column in listed or node.args.get("columns") or node.expressions or ():
            if isinstance(column.args.get("nested_schema"), exp.Expr):
                nested = column.args["nested_schema"].expressions
                names += [name_of(c.this, self._traits) for c in nested if c.this is not None]
            elif column.this is not None:
                names.append(name_of(column.this, self._traits))
        return names

    # -- pivots -----------------------------------------------------------------------------

    def pivoted(self, source: Source, node: exp.Expr) -> Source:
        alias, columns = alias_of(node, self._traits)
        if node.args.get("unpivot"):
            return self._unpivot(source, node, alias, columns)
        read = self._expressions.read
        aggregates = [read(e) for e in node.expressions]
        made_names = names_of(node.args.get("columns"), self._traits)
        made = [(name, aggregates[i % len(aggregates)]) for i, name in enumerate(made_names) if aggregates]
        keys = Expr()
        for field in node.args.get("fields") or ():
            keys.leaves += read(field.this).leaves if isinstance(field, exp.In) else []
        every = self._expressions.read_all(node.expressions)
        return Pivot(source, made, keys, every, None, alias, columns)

    def simple_pivot(self, node: exp.Expr) -> Source:
        """Read DuckDB's PIVOT t ON a USING sum(b) GROUP BY c, and its UNPIVOT."""
        alias, columns = alias_of(node, self._traits)
        source = self.source(node.this)
        if node.args.get("unpivot"):
            return self._unpivot(source, node, alias, columns)
        every = self._expressions.read_all(node.args.get("using") or ())
        keys = self._expressions.read_all(node.expressions)
        group = node.args.get("group")
        grouped = None
        if isinstance(group, exp.Expr):
            grouped = [Projection(g.alias_or_name, self._expressions.read(g)) for g in group.expressions]
        return Pivot(source, [], keys, every, grouped, alias, columns)

    def _unpivot(
        self, source: Source, node: exp.Expr, alias: str | None, columns: tuple[str, ...]
    ) -> Unpivot:
        into = node.args.get("into")
        if isinstance(into, exp.Expr):
            return self._simple_unpivot(source, node, into, alias)
        names: list[str] = []
        for value in node.expressions:
            inner = value.expressions if isinstance(value, exp.Tuple) else [value]
            names += [name_of(v, self._traits) for v in inner]
        groups: list[list[Leaf]] = []
        labels: list[str] = []
        for field in node.args.get("fields") or ():
            if not isinstance(field, exp.In):
                continue
            labels.append(name_of(field.this, self._traits))
            for item in field.expressions:
                member = item.this if isinstance(item, exp.PivotAlias | exp.Alias) else item
                cells = member.expressions if isinstance(member, exp.Tuple) else [member]
                groups.append([leaf for c in cells for leaf in self._expressions.read(c).leaves])
        values = [(name, [group[i] for group in groups if i < len(group)]) for i, name in enumerate(names)]
        used = [leaf for group in groups for leaf in group]
        first = bool(node.args.get("value_columns_first"))
        return Unpivot(source, values, labels, used, alias, columns, values_first=first)

    def _simple_unpivot(self, source: Source, node: exp.Expr, into: exp.Expr, alias: str | None) -> Unpivot:
        groups = []
        for item in node.expressions:
            cells = item.expressions if isinstance(item, exp.Tuple) else [item]
            groups.append([leaf for c in cells for leaf in self._expressions.read(c).leaves])
        names = names_of(into.expressions, self._traits)
        values = [(name, [group[i] for group in groups if i < len(group)]) for i, name in enumerate(names)]
        used = [leaf for group in groups for leaf in group]
        return Unpivot(source, values, [name_of(into.this, self._traits)], used, alias)

"""Reads a sqlglot query: projections, conditions, set operations, WITH."""

from collections.abc import Iterable

from sqlglot import exp

from headwater_parsers.ast.expressions import Expressions, Functions
from headwater_parsers.ast.names import (
    alias_of,
    at_of,
    column_names,
    dotted,
    join_at,
    name_of,
    names_of,
)
from headwater_parsers.ast.sources import Sources
from headwater_parsers.dialects import Traits
from headwater_parsers.tree import (
    IDENTITY,
    TRANSFORMATION,
    Cte,
    Derived,
    Expr,
    Join,
    Leaf,
    Projection,
    Query,
    Rows,
    Select,
    SetOp,
    Source,
    Star,
    Wrapped,
)

_DML = (exp.Insert, exp.Update, exp.Delete, exp.Merge)


class Queries:
    """Reads queries of one dialect. `changes` gathers the DML found inside WITH."""

    def __init__(self, traits: Traits, functions: Functions, masking: frozenset[str]) -> None:
        self.traits = traits
        self.changes: list[exp.Expr] = []
        self.expressions = Expressions(traits, self.query, functions, masking)
        self.sources = Sources(self.expressions, self.query, self._body)

    def query(self, node: exp.Expr) -> Query:
        """Read any query; what is none becomes one row of unknown columns."""
        if isinstance(node, exp.Select):
            return self._select(node)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node)
        if isinstance(node, exp.Subquery):
            return self._subquery(node)
        if isinstance(node, exp.Values):
            rows = self.sources.rows(node)
            return _star_of(rows) if rows.columns else rows
        if isinstance(node, exp.Pivot):
            return _star_of(self.sources.simple_pivot(node))
        if isinstance(node, exp.Table | exp.Unnest | exp.Lateral | exp.TableFromRows):
            return Select([Star()], self.sources.listed(node))
        if isinstance(node, exp.Paren | exp.Schema) and isinstance(node.this, exp.Expr):
            return self.query(node.this)
        if isinstance(node, _DML):
            return self._returning(node)
        if isinstance(node, exp.Alias):  # TABLE t
            return Select([Star()], [Join(self.sources.named(node))])
        return Rows([self.expressions.read(node)])

    def with_ctes(self, node: exp.Expr, query: Query) -> Query:
        """Put the WITH of a statement before its query."""
        ctes = self.ctes(node)
        return Wrapped(query, ctes) if ctes else query

    def prefixed(self, query: Query, ctes: list[Cte]) -> Query:
        return Wrapped(query, ctes)

    def ctes(self, node: exp.Expr) -> list[Cte]:
        clause = node.args.get("with_")
        if not isinstance(clause, exp.Expr):
            return []
        recursive = bool(clause.args.get("recursive")) or self.traits.recursive_unsaid
        return [self.cte(cte, recursive=recursive) for cte in clause.expressions]

    def cte(self, node: exp.Expr, *, recursive: bool) -> Cte:
        name, columns = alias_of(node, self.traits)
        if node.args.get("scalar"):
            value = self.expressions.read(node.this)
            return Cte(name or "", Rows([value]), scalar=value)
        return Cte(name or "", self.query(node.this), columns, recursive=recursive)

    def _returning(self, node: exp.Expr) -> Query:
        """Read DML used as a query: what it returns comes from its target."""
        self.changes.append(node)
        returning = node.args.get("returning")
        target = node.this.this if isinstance(node.this, exp.Schema) else node.this
        joins = self.sources.listed(target) if isinstance(target, exp.Expr) else []
        if not isinstance(returning, exp.Expr):
            return Select([], joins)
        return Select(self.projections(returning.expressions), joins)

    def _subquery(self, node: exp.Subquery) -> Query:
        args = node.args
        if args.get("joins") or args.get("pivots") or args.get("alias"):
            return Select([Star()], self.sources.listed(node))
        return self._body(node)

    def _body(self, node: exp.Expr) -> Query:
        """Read what stands in parentheses, without the alias and joins behind them."""
        ctes, order = self.ctes(node), self.order(node)
        inner = self.query(node.this)
        return Wrapped(inner, ctes, order) if ctes or order else inner

    def _set_operation(self, node: exp.SetOperation) -> Query:
        # A long chain of UNIONs leans to the left: walk it, do not recurse.
        chain: list[exp.Expr] = [node]
        while isinstance(chain[-1].this, exp.SetOperation):
            chain.append(chain[-1].this)
        left = self.query(chain[-1].this)
        for op in reversed(chain):
            left = SetOp(
                left,
                self.query(op.expression),
                self.ctes(op),
                by_name=bool(op.args.get("by_name")),
                filters_only=not isinstance(op, exp.Union),
                order=self.order(op),
            )
        return left

    def _select(self, node: exp.Select) -> Query:
        args = node.args
        ctes = self.ctes(node)
        self.expressions.windows.append(
            {w.this.name.lower(): w for w in args.get("windows") or () if w.this is not None}
        )
        self.expressions.used.append(set())
        read = self.expressions.read
        select = Select([], ctes=ctes)
        start = args.get("from_")
        if start is not None:
            select.joins += self.sources.listed(start.this)
        for view in args.get("laterals") or ():
            select.joins.append(self.sources.join(view))
        for join in args.get("joins") or ():
            select.joins += self.sources.joined(join)
        match = args.get("match")
        if match is not None and select.joins:
            self._match(match, select)
        for pivot in args.get("pivots") or ():
            if select.joins:
                select.joins[-1].source = self.sources.pivoted(select.joins[-1].source, pivot)
        if str(args.get("kind") or "").upper() == "VALUE" and len(node.expressions) == 1:
            select.projections = self._value_table(node.expressions[0])
        excluded = args.get("exclude")
        select.projections = select.projections or self.projections(node.expressions, excluded)
        for key in ("prewhere", "where", "having", "qualify"):
            clause = args.get(key)
            if clause is not None:
                select.filters.append(read(clause.this))
        connect = args.get("connect")
        if connect is not None:
            select.filters += [read(connect.args.get("start")), read(connect.args.get("connect"))]
        self._group(args.get("group"), select)
        select.order = self.order(node)
        order = args.get("order")
        select.sort_all = order is not None and any(
            isinstance(o.this, exp.Var | exp.Column) and o.this.name.upper() == "ALL"
            for o in order.expressions
            if isinstance(o, exp.Ordered)
        )
        select.windows = self.expressions.window_keys()
        self.expressions.windows.pop()
        self.expressions.used.pop()
        return select

    def _match(self, match: exp.Expr, select: Select) -> None:
        """Read MATCH_RECOGNIZE: the keys and measures are the columns of a new source."""
        joins = select.joins
        variables = {d.alias.lower() for d in match.args.get("define") or () if d.alias}
        made = self.projections(match.args.get("partition_by") or ())
        made += self.projections(m.this for m in match.args.get("measures") or ())
        inner = Select(made, [joins[-1]])
        if "ALL" in str(match.args.get("rows") or "").upper():
            inner.projections.insert(0, Star())
        inner.filters = [self.expressions.read(d.this) for d in match.args.get("define") or ()]
        order = match.args.get("order")
        if order is not None:
            inner.order = self._keys(order.expressions)
        exprs = [p.expr for p in made if isinstance(p, Projection)]
        for expr in exprs + inner.filters:
            for leaf in expr.leaves:  # `x.price`: x is a variable of the pattern
                if len(leaf.parts) > 1 and leaf.parts[0].lower() in variables:
                    leaf.parts = leaf.parts[1:]
        alias, columns = alias_of(match, self.traits)
        joins[-1] = Join(Derived(inner, alias, columns))

    def _group(self, group: exp.Expr | None, select: Select) -> None:
        if group is None:
            return
        select.group_all = bool(group.args.get("all"))
        select.group += self._keys(group.expressions)
        for key in ("grouping_sets", "cube", "rollup"):
            for part in group.args.get(key) or ():
                if isinstance(part, exp.Expr):
                    select.group += self._keys(part.expressions)

    def order(self, node: exp.Expr) -> list[Expr | int]:
        made: list[Expr | int] = []
        for key in ("order", "sort", "distribute", "cluster"):
            clause = node.args.get(key)
            if isinstance(clause, exp.Expr):
                made += self._keys(clause.expressions)
        return made

    def _keys(self, nodes: Iterable[exp.Expr]) -> list[Expr | int]:
        made: list[Expr | int] = []
        for node in nodes:
            key = node.this if isinstance(node, exp.Ordered) else node
            if isinstance(key, exp.Literal) and not key.is_string and key.this.isdigit():
                made.append(int(key.this))
            elif isinstance(key, exp.Tuple | exp.GroupingSets | exp.Cube | exp.Rollup):
                made += self._keys(key.expressions)
            elif isinstance(key, exp.Expr):
                made.append(self.expressions.read(key))
        return made

    # -- projections ------------------------------------------------------------------------

    def projections(self, nodes: Iterable[exp.Expr], excluded: object = None) -> list[Projection | Star]:
        made: list[Projection | Star] = []
        for node in nodes:
            star = self._star(node)
            if star is not None:
                if isinstance(excluded, list):
                    star.excluded |= {n.lower() for n in column_names(excluded, self.traits)}
                made.append(star)
            elif isinstance(node, exp.Aliases):
                made += self._several(node)
            elif isinstance(node, exp.QueryTransform):
                made += self._transform(node)
            else:
                made.append(self._projection(node, len(made)))
        return made

    def _value_table(self, node: exp.Expr) -> list[Projection | Star]:
        """Read SELECT AS VALUE STRUCT(...): the fields are the columns."""
        fields = self.expressions.read(node).fields or {}
        return [Projection(name, expr) for name, expr in fields.items()]

    def _projection(self, node: exp.Expr, index: int) -> Projection:
        named = isinstance(node, exp.EQ) and self.traits.name in ("tsql", "fabric")
        if named and isinstance(node.this, exp.Column) and len(node.this.parts) == 1:
            expr = self.expressions.read(node.expression)  # alias = expression
            return Projection(name_of(node.this, self.traits), expr)
        expr = self.expressions.read(node)
        if isinstance(node, exp.Alias | exp.PropertyEQ):
            label = node.args.get("alias") if isinstance(node, exp.Alias) else node.this
            expr.at = join_at(expr.at, at_of(label))
            return Projection(name_of(label, self.traits), expr)
        inner = node
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if isinstance(inner, exp.Column):
            return Projection(name_of(inner.this, self.traits), expr)
        if isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Identifier):
            return Projection(name_of(inner.expression, self.traits), expr)
        return Projection(self._invented(inner, index), expr, explicit=False)

    def _invented(self, node: exp.Expr, index: int) -> str:
        if self.traits.name in ("postgres", "redshift", "materialize"):
            if isinstance(node, exp.Cast) and isinstance(node.this, exp.Column):
                return name_of(node.this.this, self.traits)
            if isinstance(node, exp.Anonymous):
                return node.name.lower()
            return node.sql_name().lower() if isinstance(node, exp.Func) else "?column?"
        return self.traits.unnamed.format(index)

    def _several(self, node: exp.Expr) -> list[Projection | Star]:
        """Read `stack(...) AS (a, b)`: a call that makes several columns."""
        names = names_of(node.expressions, self.traits)
        function = self.sources.function(node.this, None, names)
        made: list[Projection | Star] = []
        for produced in function.produced:
            expr = Expr()
            for i in range(len(function.args)):
                if produced.arguments is None or i in produced.arguments:
                    arg = function.args[i]
                    expr.leaves += [_moved(leaf) for leaf in arg.leaves]
                    expr.nested += arg.nested
                    expr.at = join_at(expr.at, arg.at)
            made.append(Projection(produced.name, expr))
        return made

    def _transform(self, node: exp.Expr) -> list[Projection | Star]:
        expr = self.expressions.read_all(node.expressions)
        expr.leaves = [_moved(leaf) for leaf in expr.leaves]
        schema = node.args.get("schema")
        listed = schema.expressions if isinstance(schema, exp.Expr) else ()
        names = column_names(listed, self.traits) or ("key", "value")
        return [Projection(name, expr) for name in names]

    def _star(self, node: exp.Expr) -> Star | None:
        qualifier: list[str] = []
        star: object = node
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            qualifier = [name_of(p, self.traits) for p in node.parts[:-1]]
            star = node.this
        elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star):
            qualifier = dotted(node.this, self.traits)
            star = node.expression
        elif isinstance(node, exp.Columns):
            return Star()
        if not isinstance(star, exp.Star):
            return None
        replaced = {}
        for item in star.args.get("replace") or ():
            replaced[item.alias_or_name.lower()] = self.expressions.read(item)
        renamed = {}
        for item in star.args.get("rename") or ():
            renamed[item.this.name.lower()] = name_of(item.args.get("alias"), self.traits)
        dropped = column_names(star.args.get("except_"), self.traits)
        return Star(tuple(qualifier), frozenset(n.lower() for n in dropped), replaced, renamed, at_of(node))


def _moved(leaf: Leaf) -> Leaf:
    use = TRANSFORMATION if leaf.use == IDENTITY else leaf.use
    return Leaf(leaf.parts, use, leaf.masked, leaf.at, leaf.path)


def _star_of(source: Source) -> Select:
    return Select([Star()], [Join(source)])

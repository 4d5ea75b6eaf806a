"""Turns UPDATE, DELETE, MERGE and ON CONFLICT into canonical writes."""

from sqlglot import exp

from headwater_parsers.ast.names import column_names, dotted, name_of, table_of
from headwater_parsers.ast.queries import Queries
from headwater_parsers.tree import (
    IDENTITY,
    Derived,
    Expr,
    Join,
    Nested,
    Projection,
    Select,
    Star,
    Statement,
    Table,
    Write,
)


class Changes:
    """Reads statements that change rows in place."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._traits = queries.traits

    def update(self, node: exp.Expr) -> Statement:
        named = table_of(node.this, self._traits)
        joins = self._queries.sources.listed(node.this)
        source = node.args.get("from_")
        if isinstance(source, exp.Expr):
            more = self._queries.sources.listed(source.this)
            # UPDATE t ... FROM table t JOIN ...: the target is one of the sources.
            joins = more if _find(more, named) is not None else joins + more
        filters = self._filters(node)
        made = Statement("update")
        targets: dict[str, Table] = {}
        projections: dict[str, list[Projection | Star]] = {}
        for pair in node.expressions:
            for qualifier, projection in self._assignment(pair):
                if qualifier and _find([*joins, Join(named)], Table(qualifier)) is None:
                    projection.name = ".".join((*qualifier, projection.name))  # a field
                target = self._named(joins, qualifier, named)
                key = ".".join(target.parts).lower()
                targets.setdefault(key, target)
                projections.setdefault(key, []).append(projection)
        if not targets:
            targets[""] = self._named(joins, (), named)
            projections[""] = []
        for key, target in targets.items():
            target.written = True
            query = self._queries.with_ctes(node, Select(projections[key], joins, filters=filters))
            made.writes.append(Write(Table(target.parts, at=target.at), query, by_name=True))
        return self._through_ctes(node, made)

    def _named(self, joins: list[Join], qualifier: tuple[str, ...], default: Table) -> Table:
        if qualifier:
            found = _find(joins, Table(qualifier))
            if found is not None:
                return found
        found = _find(joins, default)
        return found if found is not None else default

    def _assignment(self, pair: exp.Expr) -> list[tuple[tuple[str, ...], Projection]]:
        if not isinstance(pair, exp.EQ | exp.PropertyEQ):
            return []
        left, right = pair.this, pair.expression
        read = self._queries.expressions.read
        if isinstance(left, exp.Tuple | exp.Paren):
            targets = left.expressions if isinstance(left, exp.Tuple) else [left.this]
            while isinstance(right, exp.Paren):
                right = right.this
            if isinstance(right, exp.Tuple):
                exprs = [read(e) for e in right.expressions]
            elif isinstance(right, exp.Query):
                query = self._queries.query(right)
                exprs = [
                    Expr(nested=[Nested(query, IDENTITY, masked=False, column=i)])
                    for i in range(len(targets))
                ]
            else:
                exprs = [read(right)]
            named = [self._split(t) for t in targets]
        else:
            exprs = [read(right)]
            named = [self._split(left)]
        return [
            (qualifier, Projection(name, expr)) for (qualifier, name), expr in zip(named, exprs, strict=False)
        ]

    def _split(self, node: exp.Expr) -> tuple[tuple[str, ...], str]:
        parts = dotted(node, self._traits)
        return tuple(parts[:-1]), parts[-1]

    def delete(self, node: exp.Expr) -> Statement:
        joins: list[Join] = []
        if isinstance(node.this, exp.Expr):
            joins += self._queries.sources.listed(node.this)
        for source in node.args.get("using") or ():
            joins += self._queries.sources.listed(source)
        named = [table_of(t, self._traits) for t in node.args.get("tables") or ()]
        if not joins:  # BigQuery's DELETE t WHERE ...
            joins = [Join(name) for name in named]
        if not named and joins and isinstance(joins[0].source, Table):
            named = [joins[0].source]
        made = Statement("delete")
        for name in named:
            found = _find(joins, name)
            target = found if found is not None else name
            target.written = True
            select = Select([], joins, filters=self._filters(node))
            query = self._queries.with_ctes(node, select)
            made.writes.append(Write(Table(target.parts, at=target.at), query))
        return self._through_ctes(node, made)

    def _through_ctes(self, node: exp.Expr, made: Statement) -> Statement:
        """T-SQL changes the table behind a CTE that is named as the target."""
        ctes = {c.name.lower(): c.query for c in self._queries.ctes(node)}
        for write in made.writes:
            seen: set[str] = set()
            while write.target is not None and len(write.target.parts) == 1:
                name = write.target.parts[0].lower()
                query = ctes.get(name)
                if name in seen or not isinstance(query, Select) or len(query.joins) != 1:
                    break
                seen.add(name)
                source = query.joins[0].source
                if not isinstance(source, Table):
                    break
                write.target = Table(source.parts, at=source.at)
        return made

    def _filters(self, node: exp.Expr) -> list[Expr]:
        where = node.args.get("where")
        return [self._queries.expressions.read(where.this)] if where is not None else []

    # -- MERGE ------------------------------------------------------------------------------

    def merge(self, node: exp.Expr) -> Statement:
        target = table_of(node.this, self._traits)
        target.written = True
        using = self._queries.sources.join(node.args["using"])
        read = self._queries.expressions.read
        on = node.args.get("on")
        made = Statement("merge")
        whens = node.args.get("whens")
        for when in whens.expressions if isinstance(whens, exp.Expr) else ():
            then = when.args.get("then")
            source = Join(using.source, using=column_names(node.args.get("using_cond"), self._traits))
            source.on = read(on) if isinstance(on, exp.Expr) else None
            both = [Join(target), source]
            condition = when.args.get("condition")
            filters = [read(condition)] if isinstance(condition, exp.Expr) else []
            write = Write(Table(target.parts, at=target.at), None)
            if isinstance(then, exp.Update):
                write.query = self._merge_update(then, both, filters, target)
                write.by_name = True
            elif isinstance(then, exp.Insert):
                self._merge_insert(then, write, Join(target, hidden=True), source, filters)
            else:  # DELETE
                write.query = Select([], both, filters=filters)
            if write.query is not None:
                write.query = self._queries.with_ctes(node, write.query)
            made.writes.append(write)
        if not made.writes:
            made.writes.append(Write(target, Select([], [Join(target), using])))
        return made

    def _merge_update(self, then: exp.Expr, joins: list[Join], filters: list[Expr], target: Table) -> Select:
        if any(isinstance(e, exp.Star) for e in then.expressions) or not then.expressions:
            source = joins[1]
            return Select([Star()], [Join(target, hidden=True), source], filters=filters)
        made: list[Projection | Star] = []
        for pair in then.expressions:
            made += [projection for _, projection in self._assignment(pair)]
        return Select(made, joins, filters=filters)

    def _merge_insert(
        self,
        then: exp.Expr,
        write: Write,
        target: Join,
        source: Join,
        filters: list[Expr],
    ) -> None:
        read = self._queries.expressions.read
        this, values = then.args.get("this"), then.args.get("expression")
        joins = [target, source]
        if isinstance(this, exp.Star):
            write.by_name = True
            write.query = Select([Star()], joins, filters=filters)
            return
        if isinstance(this, exp.Var) and not isinstance(values, exp.Expr):  # INSERT ROW
            write.query = Select([Star()], joins, filters=filters)
            return
        cells: list[exp.Expr] = []
        if isinstance(values, exp.Tuple):
            cells = values.expressions
        elif isinstance(values, exp.Values):
            cells = values.expressions[0].expressions
        elif isinstance(values, exp.Expr):
            cells = [values]
        if isinstance(this, exp.Tuple | exp.Schema):
            write.columns = tuple(dotted(c, self._traits)[-1] for c in this.expressions)
        elif isinstance(this, exp.Expr) and this.name:
            write.columns = (name_of(this, self._traits),)
        projections: list[Projection | Star] = []
        for i, cell in enumerate(cells):
            if isinstance(cell, exp.Star):
                projections.append(Star())
                continue
            projections.append(Projection(cell.alias_or_name or f"_c{i}", read(cell), explicit=False))
        write.query = Select(projections, joins, filters=filters)

    # -- ON CONFLICT ------------------------------------------------------------------------

    def conflict(self, node: exp.Expr, insert: Write, source: exp.Expr) -> list[Write]:
        """Read DO UPDATE SET: `excluded` is the row that was to be inserted."""
        if insert.query is None or insert.target is None or not node.expressions:
            return []
        alias = source.alias if isinstance(source, exp.Values) and source.alias else "excluded"
        columns = insert.columns or ()
        row = Derived(insert.query, alias, columns)
        target = Table(insert.target.parts, written=True, at=insert.target.at)
        made: list[Projection | Star] = []
        for pair in node.expressions:
            made += [projection for _, projection in self._assignment(pair)]
        where = node.args.get("where")
        filters = []
        if isinstance(where, exp.Expr):
            filters.append(self._queries.expressions.read(where.this))
        query = Select(made, [Join(row, hidden=True), Join(target)], filters=filters)
        return [Write(Table(target.parts, at=target.at), query, by_name=True)]


def _find(joins: list[Join], named: Table) -> Table | None:
    """Find the source that a target's name means: an alias, or the same table."""
    wanted = [p.lower() for p in named.parts]
    for join in joins:
        source = join.source
        alias = source.alias if isinstance(source, Table) else None
        if isinstance(source, Table) and alias is not None and [alias.lower()] == wanted:
            return source
    for join in joins:
        source = join.source
        if isinstance(source, Table):
            parts = [p.lower() for p in source.parts]
            if parts[-len(wanted) :] == wanted:
                return source
    return None

"""Reads what fills the variables of a script: DECLARE, SET, FOR, :=."""

from collections.abc import Iterable

from sqlglot import exp

from headwater_parsers.ast.bodies import declared_type
from headwater_parsers.ast.names import dotted, name_of
from headwater_parsers.ast.queries import Queries
from headwater_parsers.tree import (
    IDENTITY,
    Assign,
    Expr,
    Leaf,
    Query,
    Rows,
    Select,
    Statement,
    Table,
    Write,
)


class Variables:
    """Reads assignments, with the queries of one dialect."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.traits = queries.traits

    def set(self, node: exp.Expr) -> Statement:
        made = Statement("set")
        for item in node.expressions:
            pair = item.this
            if isinstance(pair, exp.EQ | exp.PropertyEQ):
                self._assign(made, pair.this, pair.expression)
        return made

    def declare(self, node: exp.Expr) -> Statement:
        made = Statement("declare")
        for item in node.expressions:
            names = item.this if isinstance(item.this, list) else [item.this]
            kind = item.args.get("kind")
            if isinstance(kind, exp.Schema):  # DECLARE @t TABLE (...)
                declared = tuple(
                    (name_of(c.this, self.traits), declared_type(c))
                    for c in kind.expressions
                    if isinstance(c, exp.ColumnDef)
                )
                columns = tuple(n for n, _ in declared)
                target = Table((name_of(names[0], self.traits),), kind="temporary")
                made.writes.append(Write(target, None, columns, named=True))
                made.declared, made.temporary = declared, True
                continue
            default = item.args.get("default")
            for name in names:
                if isinstance(default, exp.Expr):
                    self._assign(made, name, default)
                else:
                    made.assigns.append(Assign((name_of(name, self.traits),), Rows([Expr()])))
        return made

    def _assign(self, made: Statement, left: exp.Expr, right: exp.Expr) -> None:
        targets = left.expressions if isinstance(left, exp.Tuple) else [left]
        names = tuple(
            name_of(t, self.traits) if isinstance(t, exp.Parameter) else dotted(t, self.traits)[-1]
            for t in targets
        )
        query: Query
        if isinstance(right, exp.Subquery | exp.Query):
            query = self.queries.query(right)
        elif isinstance(right, exp.Tuple):
            query = Rows([self.queries.expressions.read(e) for e in right.expressions])
        else:
            query = Rows([self.queries.expressions.read(right)])
        constant = isinstance(query, Rows) and not any(e.leaves or e.nested for e in query.exprs)
        if constant and not all(n.startswith("@") for n in names):
            return  # SET some.setting = value
        made.assigns.append(Assign(names, query))

    def for_each(self, variable: str, node: exp.Expr) -> Statement:
        """Read the query of FOR r IN (...): r.column is a column of it."""
        query = self.queries.query(node)
        assign = Assign((self.traits.fold(variable, quoted=False),), query, record=True)
        return Statement("for", assigns=[assign])

    def row_of(self, variable: str, cursor: str) -> Statement:
        """Read FOR r IN cursor."""
        held = Expr(leaves=[Leaf((cursor,), IDENTITY, masked=False)])
        return Statement("for", assigns=[Assign((variable,), Rows([held]))])

    def into(self, variables: Iterable[str], node: exp.Expr) -> Statement:
        """Read a query whose columns go to variables."""
        names = tuple(self.traits.fold(v, quoted=False) for v in variables)
        return Statement("execute", assigns=[Assign(names, self.queries.query(node))])

    def assignment(self, variable: str, node: exp.Expr) -> Statement:
        """Read `x := value`; the value comes as SELECT value."""
        name = self.traits.fold(variable, quoted=False)
        return Statement("set", assigns=[Assign((name,), self.queries.query(node))])

    def condition(self, node: exp.Expr) -> Statement:
        """Read the condition of IF or WHILE: it reads tables, and makes no column."""
        select = Select([], filters=[self.queries.expressions.read(node)])
        return Statement("condition", [Write(None, select)])

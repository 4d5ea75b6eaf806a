"""Reads what moves between tables and files: COPY, EXPORT, LOAD DATA."""

from sqlglot import exp

from headwater_parsers.ast.bodies import is_query_body
from headwater_parsers.ast.names import at_of, column_names, table_of
from headwater_parsers.ast.queries import Queries
from headwater_parsers.dialects import Traits
from headwater_parsers.tree import Join, Projection, Query, Select, Star, Statement, Table, Write


class Transfers:
    """Reads copies, with the queries of one dialect."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.traits = queries.traits

    def copy(self, node: exp.Expr) -> Statement:
        files = [f for f in node.args.get("files") or () if isinstance(f, exp.Expr)]
        if not files:
            return Statement("copy")
        if not node.args.get("kind"):  # COPY t TO file
            target = self._file(files[0])
            return Statement("copy", [Write(target, self._copied(node.this))])
        source = files[0]
        if isinstance(node.this, exp.Subquery | exp.Select):
            return Statement("copy", [Write(self._file(source), self._copied(node.this))])
        target, columns = target_of(node.this, self.traits)
        known = [f for f in files if not isinstance(f, exp.Identifier) or self._file(f).parts]
        writes = [Write(target, self._copied(f), columns) for f in known]
        return Statement("copy", writes or [Write(target, None, columns)])

    def _copied(self, node: exp.Expr) -> Query:
        if is_query_body(node) and not isinstance(node, exp.Table):
            return self.queries.query(node)
        if isinstance(node, exp.Literal | exp.Identifier):
            return Select([Star()], [Join(self._file(node))])
        columns = None
        if isinstance(node, exp.Schema):
            columns = column_names(node.expressions, self.traits)
        table = table_of(node, self.traits)
        if columns:
            leaves = [Projection(c, self.queries.expressions.read(exp.column(c))) for c in columns]
            return Select(list(leaves), [Join(table)])
        return Select([Star()], [Join(table)])

    def _file(self, node: exp.Expr) -> Table:
        if isinstance(node, exp.Identifier):
            text = node.name
            bare = not node.args.get("quoted") and text.lower() in ("stdin", "stdout")
            return Table(() if bare else (text,), kind="file", at=at_of(node))
        return table_of(node, self.traits)

    def export(self, node: exp.Expr) -> Statement:
        target = Table(("",), kind="file")
        options = node.args.get("options")
        for option in options.expressions if isinstance(options, exp.Expr) else ():
            if option.name.lower() in ("uri", "location"):
                target = Table((option.args["value"].name,), kind="file")
        return Statement("export", [Write(target, self.queries.query(node.this))])

    def load(self, node: exp.Expr) -> Statement:
        target = table_of(node.this, self.traits)
        paths = [node.args["inpath"].name] if node.args.get("inpath") else []
        files = node.args.get("files")
        if isinstance(files, exp.Expr):
            paths += [x.name for x in files.find_all(exp.Literal) if "/" in x.name]
        joins = [Join(Table((path,), kind="file")) for path in paths]
        return Statement("load", [Write(target, Select([Star()], joins))])


def target_of(node: exp.Expr, traits: Traits) -> tuple[Table, tuple[str, ...] | None]:
    """Return the table or file that a statement writes, and the columns that it lists."""
    columns = None
    if isinstance(node, exp.Schema):
        columns = column_names(node.expressions, traits) or None
        node = node.this
    if isinstance(node, exp.Directory):
        return Table((node.this.name,), kind="file", at=at_of(node.this)), columns
    if isinstance(node, exp.Func):  # INSERT INTO FUNCTION s3('...')
        literal = node.find(exp.Literal)
        name = literal.name if literal is not None else node.name
        return Table((name,), kind="file"), columns
    return table_of(node, traits), columns

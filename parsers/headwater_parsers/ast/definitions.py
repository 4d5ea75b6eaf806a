"""Reads the functions that a script defines in SQL."""

import re

from sqlglot import exp

from headwater_parsers.ast.names import dotted, name_of
from headwater_parsers.ast.queries import Queries
from headwater_parsers.ast.reading import Text, Unreadable, read
from headwater_parsers.tree import Statement

_QUERY = re.compile(r"\s*\(?\s*(select|with)\b", re.IGNORECASE)


class Definitions:
    """Reads CREATE FUNCTION, with the queries of one dialect."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.traits = queries.traits

    def function(self, node: exp.Expr) -> Statement:
        made = Statement("create_function")
        signature = node.this
        if not isinstance(signature, exp.UserDefinedFunction):
            return made
        name = dotted(table_expression(signature), self.traits)[-1].lower()
        params = tuple(name_of(p.this, self.traits) for p in signature.expressions if p.this)
        body = self._in_string(node, node.args.get("expression"))
        while isinstance(body, exp.Return | exp.Paren | exp.Subquery | exp.Heredoc):
            if isinstance(body, exp.Subquery) and not isinstance(body.this, exp.Subquery):
                break
            body = body.this
        if isinstance(body, exp.Subquery) and _returns_table(node):
            body = body.this
        if isinstance(body, exp.Query) and _returns_table(node):
            made.table_function = (name, self.queries.query(body))
        elif isinstance(body, exp.Expr) and not isinstance(body, exp.Literal | exp.Block):
            made.function = (name, params, self.queries.expressions.read(body))
        return made

    def _in_string(self, node: exp.Expr, body: object) -> object:
        """Read a function's body in a string, if it is SQL."""
        if isinstance(body, exp.Heredoc):
            body = body.this
        code = body.this if isinstance(body, exp.Literal) and body.is_string else body
        if not isinstance(code, str) or _language(node) != "sql":
            return body
        try:
            text = Text(code if _QUERY.match(code) else f"SELECT {code}", self.traits.name)
            (made,) = read(text.tokens, text.sql, self.traits.name)
        except (Unreadable, ValueError):
            return body
        if not _QUERY.match(code) and isinstance(made, exp.Select) and len(made.expressions) == 1:
            return made.expressions[0]
        return exp.Subquery(this=made) if isinstance(made, exp.Query) else body


def table_expression(signature: exp.Expr) -> exp.Expr:
    """Return the name in a function's signature."""
    inner = signature.this
    if isinstance(inner, exp.Table):
        return exp.Dot.build(list(inner.parts)) if len(inner.parts) > 1 else inner.this
    return signature.this if isinstance(inner, exp.Expr) else signature


def _language(node: exp.Expr) -> str:
    properties = node.args.get("properties")
    for item in properties.expressions if isinstance(properties, exp.Expr) else ():
        if isinstance(item, exp.LanguageProperty):
            return str(item.name).lower()
    return "sql"


def _returns_table(node: exp.Expr) -> bool:
    properties = node.args.get("properties")
    for item in properties.expressions if isinstance(properties, exp.Expr) else ():
        if isinstance(item, exp.ReturnsProperty):
            return bool(item.args.get("is_table") or item.args.get("table"))
    body = node.args.get("expression")
    return isinstance(body, exp.Select)

"""Tells what kind of body a statement has, and what columns it declares."""

from sqlglot import exp


def is_query_body(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren | exp.Schema):
        return isinstance(node.this, exp.Expr) and is_query_body(node.this)
    return isinstance(node, exp.Query | exp.Values | exp.Pivot | exp.Table)


def has_query_body(node: exp.Expr) -> bool:
    body = node.args.get("expression")
    return isinstance(body, exp.Expr) and is_query_body(body)


def declared_type(column: exp.Expr) -> str:
    kind = column.args.get("kind")
    return kind.sql().lower() if isinstance(kind, exp.Expr) else ""

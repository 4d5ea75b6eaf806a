"""Tells the shapes of expressions apart: subqueries, structs, parts of dates."""

from sqlglot import exp

from headwater_parsers.ast.functions import DATE_PARTS, PART_TAKERS


def is_query(node: exp.Expr) -> bool:
    while isinstance(node, exp.Paren | exp.Alias):
        node = node.this
    if isinstance(node, exp.Array) and len(node.expressions) == 1:
        node = node.expressions[0]
    return isinstance(node, exp.Query)


def makes_struct(node: exp.Expr) -> bool:
    while isinstance(node, exp.Subquery):
        node = node.this
    return isinstance(node, exp.Select) and str(node.args.get("kind") or "").upper() == "STRUCT"


def unordered(node: exp.Expr) -> exp.Expr:
    """Pass through the ORDER BY, LIMIT and DISTINCT inside ARRAY_AGG."""
    while isinstance(node, exp.Order | exp.Limit | exp.Distinct | exp.IgnoreNulls):
        inner = node.this if isinstance(node.this, exp.Expr) else None
        if inner is None and len(node.expressions) == 1:
            inner = node.expressions[0]
        if inner is None:
            break
        node = inner
    return node


def date_part(name: str, node: exp.Expr) -> exp.Expr | None:
    """Return the argument that is a part of a date: `day` in datediff(day, a, b)."""
    if not any(word in name for word in PART_TAKERS):
        return None
    for child in node.expressions:
        if not isinstance(child, exp.Column) or len(child.parts) > 1:
            continue
        if child.name.lower() in DATE_PARTS and not child.this.args.get("quoted"):
            return child
    return None

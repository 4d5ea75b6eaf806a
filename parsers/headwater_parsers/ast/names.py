"""Reads names and places out of sqlglot identifiers."""

from collections.abc import Iterable

from sqlglot import exp

from headwater_parsers.dialects import Traits
from headwater_parsers.tree import NOWHERE, At, Table


def at_of(node: object) -> At:
    """Where a name stands in the text."""
    if not isinstance(node, exp.Expr):
        return NOWHERE
    meta = node.meta
    start = meta.get("start")
    if start is None:
        inner = node.args.get("this")
        return at_of(inner) if isinstance(inner, exp.Expr) else NOWHERE
    return start, meta["end"] + 1


def join_at(first: At, second: At) -> At:
    if first[0] < 0:
        return second
    if second[0] < 0:
        return first
    return min(first[0], second[0]), max(first[1], second[1])


def name_of(node: object, traits: Traits) -> str:
    """Return a name as the engine stores it."""
    if isinstance(node, exp.Identifier):
        return traits.fold(node.this, quoted=bool(node.args.get("quoted")))
    if isinstance(node, exp.Parameter):
        return variable_of(node)
    if isinstance(node, exp.Expr):
        inner = node.args.get("this")
        if isinstance(inner, exp.Expr):
            return name_of(inner, traits)
        return traits.fold(str(node.name), quoted=isinstance(node, exp.Literal))
    return str(node)


def variable_of(node: exp.Expr) -> str:
    inner = node.args.get("this")
    name = inner.name if isinstance(inner, exp.Expr) else str(inner or "")
    return f"${name}" if name.isdigit() else f"@{name.lstrip('@')}"


def names_of(nodes: Iterable[object] | None, traits: Traits) -> tuple[str, ...]:
    return tuple(name_of(n, traits) for n in nodes or ())


def column_names(nodes: Iterable[object] | None, traits: Traits) -> tuple[str, ...]:
    """Return the names in a column list, without constraints and keys."""
    made: list[str] = []
    for node in nodes or ():
        if isinstance(node, exp.Constraint | exp.PrimaryKey | exp.ForeignKey | exp.Tuple):
            continue
        if isinstance(node, exp.Identifier | exp.Column | exp.ColumnDef | exp.Literal | exp.Var):
            made.append(name_of(node, traits))
        elif isinstance(node, exp.Dot):
            made.append(dotted(node, traits)[0])
    return tuple(made)


def dotted(node: exp.Expr, traits: Traits) -> list[str]:
    if isinstance(node, exp.Dot):
        return [*dotted(node.this, traits), *dotted(node.expression, traits)]
    if isinstance(node, exp.Column):
        return [name_of(p, traits) for p in node.parts]
    return [name_of(node, traits)]


def alias_of(node: exp.Expr, traits: Traits) -> tuple[str | None, tuple[str, ...]]:
    """Return the alias of a source, and the names that it gives to the columns."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.Expr):
        return None, ()
    if not isinstance(alias, exp.TableAlias):
        return name_of(alias, traits), ()
    this = alias.args.get("this")
    columns = column_names(alias.args.get("columns"), traits)
    return (name_of(this, traits) if this is not None else None), columns


def table_of(node: exp.Expr, traits: Traits) -> Table:
    """Return the table that a node names: table, stage, file, `schema.table` in quotes."""
    if isinstance(node, exp.Schema):
        return table_of(node.this, traits)
    if isinstance(node, exp.Literal):
        return Table(parts=(node.this,), kind="file", at=at_of(node))
    alias, columns = alias_of(node, traits)
    if not isinstance(node, exp.Table):
        parts = dotted(node, traits)
        return _named(parts, alias, columns, at_of(node))
    this = node.this
    if isinstance(this, exp.Var | exp.Literal):
        return _outside(this, alias, columns)
    if isinstance(this, exp.Parameter):
        return Table((variable_of(this),), alias, columns, "temporary", at_of(node))
    parts = []
    at = NOWHERE
    for part in (node.args.get("catalog"), node.args.get("db"), this):
        if not isinstance(part, exp.Expr):  # db..t
            continue
        at = join_at(at, at_of(part))
        if isinstance(part, exp.Dot):
            parts += dotted(part, traits)
        elif part.name:
            parts.append(_mark(part, name_of(part, traits)))
    return _named(parts, alias, columns, at)


def _mark(part: exp.Expr, name: str) -> str:
    if part.args.get("temporary") and not name.startswith("#"):
        return ("##" if part.args.get("global_") else "#") + name
    return name


def _outside(this: exp.Expr, alias: str | None, columns: tuple[str, ...]) -> Table:
    text = this.name
    kind = "stage" if text.startswith("@") else "file"
    return Table((text,), alias, columns, kind, at_of(this))


_FORMATS = frozenset({"parquet", "delta", "csv", "json", "orc", "avro", "text", "iceberg"})


def _named(parts: list[str], alias: str | None, columns: tuple[str, ...], at: At) -> Table:
    last = parts[-1] if parts else ""
    path = "://" in last or last.startswith(("/", "./"))
    if len(parts) == 2 and "/" in last and parts[0].lower() in _FORMATS:
        path = True
    elif len(parts) > 1:
        path = False
    if path:
        return Table((last,), alias, columns, "file", at)
    if len(parts) == 1 and last.startswith("@"):
        return Table((last,), alias, columns, "stage", at)
    split: list[str] = []
    for part in parts:  # `project.dataset.table` inside one pair of quotes
        split += part.split(".") if "." in part and "/" not in part and " " not in part else [part]
    return Table(tuple(p for p in split if p), alias, columns, "table", at)

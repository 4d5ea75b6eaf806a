"""Fills the columns of a target from the columns of a query. Pure."""

from headwater_parsers.catalog import TableSchema
from headwater_parsers.relation import Column, OpenStar, Relation
from headwater_parsers.tree import Write

Columns = list[Column | OpenStar]


def filled(write: Write, relation: Relation, schema: TableSchema | None) -> Columns:
    """Return the target's columns, each with what it gets."""
    made = relation.columns
    if write.by_name:
        return _by_name(relation, schema)
    names = _names(write, schema)
    if names is None:
        return _with_partitions(made, write.dynamic)
    stars = [i for i, c in enumerate(made) if isinstance(c, OpenStar)]
    if stars:
        return _around_star(made, names, stars[0])
    if write.columns is None and len(made) > len(names):
        return _with_partitions(made, write.dynamic)  # the schema that is known is stale
    return [
        column.renamed(name) for name, column in zip(names, made, strict=False) if isinstance(column, Column)
    ]


def _names(write: Write, schema: TableSchema | None) -> list[str] | None:
    """Return the names that the positions of the query fill."""
    dynamic = list(write.dynamic)
    if write.columns is not None:
        return [*write.columns, *dynamic]
    if write.named or schema is None:
        return None
    apart = {n.lower() for n in (*write.static, *dynamic)}
    return [c for c in schema.columns if c.lower() not in apart] + dynamic


def _with_partitions(made: Columns, dynamic: tuple[str, ...]) -> Columns:
    """Name the last columns by the partitions that they fill."""
    if not dynamic or len(made) < len(dynamic):
        return made
    kept = made[: -len(dynamic)]
    last = made[-len(dynamic) :]
    renamed: Columns = []
    for name, column in zip(dynamic, last, strict=True):
        renamed.append(column.renamed(name) if isinstance(column, Column) else column)
    return kept + renamed


def _around_star(made: Columns, names: list[str], star: int) -> Columns:
    """Place what stands before an unknown star from the left, what stands behind from the right."""
    before: Columns = [
        column.renamed(name)
        for name, column in zip(names, made[:star], strict=False)
        if isinstance(column, Column)
    ]
    tail = made[star + 1 :]
    if any(isinstance(c, OpenStar) for c in tail) or len(names) < len(made) - 1:
        return [*before, *made[star:]]
    behind: Columns = [
        column.renamed(name)
        for name, column in zip(names[len(names) - len(tail) :], tail, strict=False)
        if isinstance(column, Column)
    ]
    return [*before, made[star], *behind]


def _by_name(relation: Relation, schema: TableSchema | None) -> Columns:
    made: Columns = [c for c in relation.columns if isinstance(c, Column)]
    if not relation.open or schema is None:
        return list(relation.columns)
    known = {c.name.lower() for c in made if isinstance(c, Column)}
    for name in schema.columns:
        if name.lower() not in known:
            column, _ = relation.lookup(name.lower(), name)
            if column is not None:
                made.append(column.renamed(name))
    return made

"""What a script does, with the schemas that are known: tables and columns by output, as claims. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from headwater_parsers import ScriptLineage, TableRef, TableSchema, Type, parse
from headwater_server.graph import keys
from headwater_server.openlineage.sql import MAX_READ, Script, SqlSaid, read
from headwater_server.project.claims import Claim

Columns = Callable[[str], Sequence[str]]
"""dataset key -> the columns that schemas told of it, in order; empty: none known."""

_RANK = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}


@dataclass(frozen=True, slots=True)
class Written:
    """One output of a script."""

    inputs: frozenset[str]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class SqlFlow:
    outputs: Mapping[str, Written]
    """By dataset key; `` is a bare SELECT's, which has no name of its own."""
    inputs: frozenset[str]
    ctes: frozenset[str]

    def is_phantom(self, dataset: str) -> bool:
        """A producer named a common table expression as if it were a table."""
        name = keys.parts_of(dataset)[1].casefold() if dataset.startswith("dataset|") else ""
        return name in self.ctes and dataset not in self.inputs


class _Catalog:
    """Schemas as the parser asks for them; it remembers what it was asked."""

    def __init__(self, tables: Mapping[str, str], columns: Columns) -> None:
        self._tables = {name.casefold(): key for name, key in tables.items()}
        self._columns = columns

    def columns(self, name: Sequence[str]) -> TableSchema | None:
        full = ".".join(name).casefold()
        key = self._tables.get(full)
        if key is None:
            ends = [k for n, k in self._tables.items() if n.endswith("." + full) or full.endswith("." + n)]
            key = ends[0] if len(ends) == 1 else None
        found = self._columns(key) if key else ()
        return TableSchema(tuple(name), tuple(found)) if found else None


def sql_flow(script: Script, said: SqlSaid, columns: Columns) -> SqlFlow:
    """Read again with schemas: stars, unqualified names and positional inserts find their columns."""
    tables = said["tables"]
    home = script["database"] or None, script["schema"] or None
    if len(script["sql"]) > MAX_READ:
        lineage = read(script["sql"], script["dialect"], script["database"], script["schema"])
    else:
        lineage = parse(script["sql"], script["dialect"] or None, _Catalog(tables, columns), *home)
    inputs: dict[str, set[str]] = {}
    claims: dict[str, dict[tuple[str, str, bool], Claim]] = {}
    for statement in lineage.statements:
        outs = [tables.get(t.name, "") for t in statement.outputs if t not in lineage.temporary]
        reads = {tables[t.name] for t in statement.inputs if t.name in tables}
        if statement.outputs and not any(outs):
            continue
        for out in outs or ([""] if statement.kind == "select" else []):
            if out or not statement.outputs:
                inputs.setdefault(out, set()).update(reads)
                claims.setdefault(out, {})
    _edges(lineage, tables, inputs, claims)
    outputs = {
        out: Written(frozenset(found), tuple(sorted(claims[out].values()))) for out, found in inputs.items()
    }
    inputs_all = frozenset(tables[t.name] for t in lineage.inputs if t.name in tables)
    return SqlFlow(outputs, inputs_all, frozenset(script["ctes"]))


def _edges(
    lineage: ScriptLineage,
    tables: Mapping[str, str],
    inputs: dict[str, set[str]],
    claims: dict[str, dict[tuple[str, str, bool], Claim]],
) -> None:
    """Column edges to outputs that are known. An ambiguous column is no edge: it may be either table's."""
    for edge in lineage.edges:
        out, source = _key(edge.output.table, tables), _key(edge.input.table, tables)
        if out not in claims or not source or "*" in (edge.output.name, edge.input.name):
            continue
        direct = edge.type is Type.DIRECT
        span = (
            f"{edge.span.line}:{edge.span.col}-{edge.span.end_line}:{edge.span.end_col}" if edge.span else ""
        )
        claim = Claim(
            keys.column(source, edge.input.name),
            edge.output.name.casefold(),
            direct,
            str(edge.subtype),
            edge.masking,
            edge.description or "",
            span,
            round(0.9 * edge.confidence, 3),
        )
        _put(claims[out], claim)
        inputs[out].add(source)
    for whole in lineage.dataset_edges:
        out, source = _key(whole.output, tables), _key(whole.input.table, tables)
        if out not in claims or not source or whole.input.name == "*":
            continue
        span = ""
        if whole.span:
            span = f"{whole.span.line}:{whole.span.col}-{whole.span.end_line}:{whole.span.end_col}"
        column = keys.column(source, whole.input.name)
        _put(claims[out], Claim(column, "", False, str(whole.subtype), False, "", span, 0.9))  # noqa: FBT003
        inputs[out].add(source)


def _key(table: TableRef | None, tables: Mapping[str, str]) -> str:
    return "" if table is None else tables.get(table.name, "?")


def _put(found: dict[tuple[str, str, bool], Claim], claim: Claim) -> None:
    """One claim a pair and type: the strongest direct one, all the indirect ones."""
    at = (claim.source, claim.target, claim.direct)
    known = found.get(at)
    if known is None:
        found[at] = claim
        return
    if claim.direct:
        subtype = max(known.subtype, claim.subtype, key=lambda s: (_RANK.get(s, -1), s))
    else:
        subtype = ",".join(sorted({*known.subtype.split(","), *claim.subtype.split(",")} - {""}))
    masking = known.masking or claim.masking
    found[at] = known._replace(subtype=subtype, masking=masking)

"""The plain-dict form of a script's lineage. Pure."""

from typing import Any

from headwater_parsers.model import ColumnRef, ScriptLineage, TableRef

Plain = dict[str, Any]


def plain(script: ScriptLineage) -> Plain:
    """Return lineage as JSON can carry it.

    `in_tables` and `out_tables` are names. `column_lineage` lists each output column with its
    inputs, `[table, column]`; a table is None where it is not known. `edges` adds type, subtype
    and masking; `dataset_edges` are the columns that decide rows, groups and order;
    `diagnostics` say what could not be read, and where; `error` is there when nothing could.
    """
    writes = bool(script.outputs)  # a bare SELECT beside them makes no dataset
    lineage: dict[tuple[str | None, str], list[list[str | None]]] = {}
    for statement in script.statements:
        for column in statement.columns:
            if writes and column.ref.table is None:
                continue
            if column.ref.table not in script.temporary:
                lineage.setdefault((_name(column.ref.table), column.ref.name), [])
    for edge in script.edges:
        if writes and edge.output.table is None:
            continue
        key = (_name(edge.output.table), edge.output.name)
        inputs = lineage.setdefault(key, [])
        pair = [_name(edge.input.table), edge.input.name]
        if pair not in inputs:
            inputs.append(pair)
    made: Plain = {
        "in_tables": [t.name for t in script.inputs],
        "out_tables": [t.name for t in script.outputs],
        "column_lineage": [{"out": list(out), "in": ins} for out, ins in lineage.items()],
        "edges": [
            {
                "out": _pair(e.output),
                "in": _pair(e.input),
                "type": e.type.value,
                "subtype": e.subtype.value,
                "masking": e.masking,
                "candidates": [t.name for t in e.input.candidates],
                "confidence": e.confidence,
            }
            for e in script.edges
        ],
        "dataset_edges": [
            {
                "out": _name(e.output),
                "in": _pair(e.input),
                "subtype": e.subtype.value,
                "candidates": [t.name for t in e.input.candidates],
            }
            for e in script.dataset_edges
        ],
        "diagnostics": [
            {
                "index": d.index,
                "line": d.line,
                "col": d.col,
                "severity": d.severity.value,
                "code": d.code,
                "text": d.text,
            }
            for d in script.diagnostics
        ],
    }
    errors = [d for d in script.diagnostics if d.severity == "error"]
    if errors and not made["in_tables"] and not made["out_tables"]:
        made["error"] = errors[0].text
    return made


def _name(table: TableRef | None) -> str | None:
    return table.name if table is not None else None


def _pair(column: ColumnRef) -> list[str | None]:
    return [_name(column.table), column.name]

"""What `headwater sql` prints: trees of columns, JSON, OpenLineage, Mermaid."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headwater_parsers.api import parse
from headwater_parsers.model import ColumnRef, Edge, ScriptLineage, StatementLineage, TableRef
from headwater_parsers.openlineage import datasets
from headwater_parsers.plain import plain

FORMATS = ("table", "json", "openlineage", "mermaid")


def run(
    files: Sequence[str],
    dialect: str | None = None,
    schema_file: str | None = None,
    format: str = "table",  # noqa: A002 (the name of the option)
    *,
    namespace: str = "",
    default_database: str | None = None,
    default_schema: str | None = None,
) -> str:
    """Return what the command prints for these files.

    `schema_file` holds `{"db.table": {"column": "type"}}` as JSON. Raise OSError for a file that
    cannot be read, and ValueError for a format or a schema that is none.
    """
    if format not in FORMATS:
        raise ValueError(f"{format!r} is not a format. Use one of: {', '.join(FORMATS)}.")
    schema = _schema(schema_file)
    parsed = [
        (
            file,
            parse(
                Path(file).read_text(encoding="utf-8"),
                dialect,
                schema,
                default_database,
                default_schema,
            ),
        )
        for file in files
    ]
    if format == "json":
        made = [{"file": file, **plain(script)} for file, script in parsed]
        return json.dumps(made[0] if len(made) == 1 else made, indent=2)
    if format == "openlineage":
        rendered = [{"file": file, **datasets(script, namespace)} for file, script in parsed]
        return json.dumps(rendered[0] if len(rendered) == 1 else rendered, indent=2)
    if format == "mermaid":
        return mermaid([script for _, script in parsed])
    return "\n\n".join(tree(file, script) for file, script in parsed)


def _schema(file: str | None) -> dict[str, dict[str, str | None]] | None:
    if file is None:
        return None
    try:
        found: Any = json.loads(Path(file).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{file} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise ValueError(  # noqa: TRY004 (of a file, not of an argument)
            f'{file} holds no object. Expected {{"db.table": {{"column": "type"}}}}.'
        )
    return {
        str(table): dict.fromkeys(columns) if isinstance(columns, list) else columns
        for table, columns in found.items()
    }


def cli_rows(script: ScriptLineage) -> list[tuple[str, str, str, str]]:
    """Return (output column, input column, reason, expression) for every edge."""
    rows = [(_full(e.output), _full(e.input), reason(e), e.expression or "") for e in script.edges]
    rows += [
        (e.output.name if e.output else "(query)", _full(e.input), e.subtype.value.lower(), "")
        for e in script.dataset_edges
    ]
    return rows


def reason(edge: Edge) -> str:
    """Return why an output column depends on an input: `aggregation, masked`."""
    words = [edge.subtype.value.lower()]
    if edge.masking:
        words.append("masked")
    if edge.input.candidates:
        words.append("one of " + ", ".join(t.name for t in edge.input.candidates))
    if edge.description:
        words.append(edge.description)
    return ", ".join(words)


def tree(title: str, script: ScriptLineage) -> str:
    """Draw the statements of a script, their columns, and where each comes from."""
    lines = [title]
    for statement in script.statements:
        if _speaks(statement):
            lines += _statement(statement)
    if len(lines) == 1:
        lines.append("  (no lineage)")
    for problem in script.diagnostics:
        lines.append(f"  {problem.line}:{problem.col} {problem.severity.value}: {problem.text}")
    return "\n".join(lines)


def _speaks(statement: StatementLineage) -> bool:
    return bool(statement.inputs or statement.outputs or statement.columns)


def _statement(statement: StatementLineage) -> list[str]:
    reads = ", ".join(t.name for t in statement.inputs) or "nothing"
    lines = [f"  {statement.kind} at line {statement.span.line}, reads {reads}"]
    targets: list[TableRef | None] = list(statement.outputs)
    if any(c.ref.table is None for c in statement.columns):
        targets.append(None)
    for target in targets:
        columns = [c.ref for c in statement.columns if c.ref.table == target]
        conditions = [e for e in statement.dataset_edges if e.output == target]
        lines.append(f"    {target.name if target else '(query)'}")
        branches: list[tuple[str, list[str]]] = []
        for column in columns:
            leaves = [f"{_full(e.input)}  [{reason(e)}]" for e in statement.edges if e.output == column]
            branches.append((column.name, leaves or ["(no column)"]))
        if conditions:
            rows = [f"{_full(e.input)}  [{e.subtype.value.lower()}]" for e in conditions]
            branches.append(("every row", rows))
        for i, (name, leaves) in enumerate(branches):
            last = i == len(branches) - 1
            lines.append(f"    {'└─' if last else '├─'} {name}")
            for j, leaf in enumerate(leaves):
                stem = " " if last else "│"
                lines.append(f"    {stem}  {'└─' if j == len(leaves) - 1 else '├─'} {leaf}")
    return lines


def mermaid(scripts: Sequence[ScriptLineage]) -> str:
    """Draw the columns of the outputs as a Mermaid flowchart; tables are its subgraphs."""
    columns: dict[str, dict[str, str]] = {}
    links: dict[tuple[str, str, str], None] = {}
    for script in scripts:
        for edge in script.edges:
            ends = []
            for end in (edge.input, edge.output):
                table = _table(end)
                node = _node(f"{table}.{end.name}")
                columns.setdefault(table, {})[end.name] = node
                ends.append(node)
            arrow = "-->" if edge.type.value == "DIRECT" else "-.->"
            links[ends[0], ends[1], f"{arrow}|{edge.subtype.value.lower()}|"] = None
    lines = ["flowchart LR"]
    for table, names in columns.items():
        lines.append(f'  subgraph {_node(table)}["{_label(table)}"]')
        lines += [f'    {node}["{_label(name)}"]' for name, node in names.items()]
        lines.append("  end")
    lines += [f"  {a} {arrow} {b}" for a, b, arrow in links]
    return "\n".join(lines)


def _table(column: ColumnRef) -> str:
    if column.table is not None:
        return column.table.name
    return " or ".join(t.name for t in column.candidates) or "(query)"


def _full(column: ColumnRef) -> str:
    if column.table is None and not column.candidates:
        return column.name
    return f"{_table(column)}.{column.name}"


def _node(name: str) -> str:
    plain_name = re.sub(r"\W", "_", name)
    return f"n_{plain_name}" if plain_name == name.replace(".", "_") else f"n_{plain_name}_{len(name)}"


def _label(name: str) -> str:
    return name.replace('"', "#quot;")

"""Every file of `cases/` is one rule: SQL, and the lineage that it must have.

A case starts with `-- case: what it shows`. Lines `-- dialect:`, `-- schema: db.t(a int, b)`,
`-- default: db.schema` set it up. Lines `-- >` say what is expected:

    -- > tables a, b -> c
    -- > c.x <- a.x:IDENTITY, b.y       every input of a column, with or without the subtype
    -- > c.y <-                         a column that nothing feeds
    -- > every row <- a.z:FILTER
    -- > problem ambiguous-column

Tables are compared always, columns and rows when the case has a line for them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headwater_parsers import ColumnRef, ScriptLineage, TableRef, parse

CASES = Path(__file__).parent / "cases"


@dataclass
class Case:
    title: str
    dialect: str = ""
    schema: dict[str, dict[str, str | None]] = field(default_factory=dict)
    database: str | None = None
    default_schema: str | None = None
    sql: list[str] = field(default_factory=list)
    tables: str | None = None
    columns: dict[str, set[str]] = field(default_factory=dict)
    rows: set[str] | None = None
    problems: list[str] = field(default_factory=list)


def _schema(text: str) -> dict[str, dict[str, str | None]]:
    made: dict[str, dict[str, str | None]] = {}
    for table, columns in re.findall(r"([\w.]+)\s*\(((?:[^()]|\([^()]*\))*)\)", text):
        made[table] = {}
        depth, pieces = 0, [""]
        for char in columns:
            depth += (char == "<") - (char == ">")
            if char == "," and not depth:
                pieces.append("")
            else:
                pieces[-1] += char
        for column in pieces:
            name, _, kind = column.strip().partition(" ")
            made[table][name] = kind or None
    return made


def _items(text: str) -> set[str]:
    return {item.strip() for item in text.split(",") if item.strip()}


def _expect(case: Case, text: str) -> None:
    if text.startswith("tables"):
        case.tables = text[6:].strip()
    elif text.startswith("problem"):
        case.problems.append(text.split()[1])
    elif text.startswith("every row"):
        case.rows = _items(text.partition("<-")[2])
    else:
        column, _, inputs = text.partition("<-")
        case.columns[column.strip()] = _items(inputs)


def read_cases(path: Path) -> Iterator[Case]:
    case: Case | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.removeprefix("-- ").partition(": ")
        if line.startswith("-- case: "):
            if case is not None:
                yield case
            case = Case(value)
        elif case is None:
            continue
        elif line.startswith("-- dialect: "):
            case.dialect = value
        elif line.startswith("-- schema: "):
            case.schema.update(_schema(value))
        elif line.startswith("-- default: "):
            database, _, schema = value.rpartition(".")
            case.database, case.default_schema = database or None, schema or None
        elif line.startswith("-- > "):
            _expect(case, line[5:])
        elif key:
            case.sql.append(line)
    if case is not None:
        yield case


def _table(table: TableRef | None) -> str:
    return table.name.lower() if table is not None else ""


def _column(column: ColumnRef) -> str:
    if column.candidates:
        return "|".join(sorted(_table(t) for t in column.candidates)) + "." + column.name.lower()
    return f"{_table(column.table)}.{column.name}".strip(".").lower()


def _found(script: ScriptLineage) -> tuple[dict[str, set[str]], set[str]]:
    columns: dict[str, set[str]] = defaultdict(set)
    for statement in script.statements:
        for column in statement.columns:
            if column.ref.table not in script.temporary:
                columns[_column(column.ref)].update()
    for edge in script.edges:
        columns[_column(edge.output)].add(f"{_column(edge.input)}:{edge.subtype}")
    rows = {f"{_column(e.input)}:{e.subtype}" for e in script.dataset_edges}
    return dict(columns), rows


def _matches(wanted: set[str], got: set[str]) -> bool:
    exact = {w.rpartition(":")[0].lower() + ":" + w.rpartition(":")[2] for w in wanted if ":" in w}
    loose = {w.lower() for w in wanted if ":" not in w}
    bare = {g.rpartition(":")[0] for g in got}
    named = {w.rpartition(":")[0] for w in exact}
    return (
        exact <= got
        and bare == loose | named
        and all(g in exact for g in got if g.rpartition(":")[0] in named)
    )


ALL = [(path.stem, case) for path in sorted(CASES.glob("*.sql")) for case in read_cases(path)]


@pytest.mark.parametrize(("rule", "case"), ALL, ids=[f"{r}: {c.title}" for r, c in ALL])
def test_a_case_has_the_lineage_it_says(rule: str, case: Case) -> None:
    script = parse("\n".join(case.sql), case.dialect, case.schema or None, case.database, case.default_schema)
    columns, rows = _found(script)
    if case.tables is not None:
        reads, _, writes = case.tables.partition("->")
        assert {_table(t) for t in script.inputs} == {x.lower() for x in _items(reads)}, rule
        assert {_table(t) for t in script.outputs} == {x.lower() for x in _items(writes)}, rule
    if case.columns:
        wanted = {k.lower(): v for k, v in case.columns.items()}
        assert set(columns) == set(wanted), columns
        for column, inputs in wanted.items():
            assert _matches(inputs, columns[column]), (column, columns[column])
    if case.rows is not None:
        assert _matches(case.rows, rows), rows
    codes = {d.code for d in script.diagnostics}
    assert set(case.problems) <= codes, script.diagnostics


def test_every_rule_has_a_case() -> None:
    assert all(any(read_cases(path)) for path in CASES.glob("*.sql"))

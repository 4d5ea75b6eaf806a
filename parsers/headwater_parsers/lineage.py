"""Turns resolved columns into the edges and diagnostics of a statement. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headwater_parsers.model import (
    ColumnRef,
    DatasetEdge,
    Diagnostic,
    Edge,
    OutputColumn,
    Severity,
    StatementLineage,
    Subtype,
    TableRef,
    Type,
)
from headwater_parsers.places import Phrases, Places
from headwater_parsers.relation import Candidates, Column, Key, OpenStar, uses
from headwater_parsers.scope import Problem
from headwater_parsers.tree import AGGREGATION, CONDITIONAL, NOWHERE, WINDOW, At

_SUBTYPES = {
    1: (Type.DIRECT, Subtype.IDENTITY),
    2: (Type.DIRECT, Subtype.TRANSFORMATION),
    AGGREGATION: (Type.DIRECT, Subtype.AGGREGATION),
    CONDITIONAL: (Type.INDIRECT, Subtype.CONDITIONAL),
    WINDOW: (Type.INDIRECT, Subtype.WINDOW),
}
_TEXTS = {
    "ambiguous-column": "Column {0!r} may belong to several tables: give the schema or a qualifier.",
    "unknown-column": "Column {0!r} belongs to none of the sources.",
    "unknown-qualifier": "The qualifier of {0!r} names no source.",
}
_CERTAIN, _LIKELY = 1.0, 0.5


@dataclass(slots=True)
class _Written:
    target: TableRef | None
    columns: Sequence[Column | OpenStar]
    conditions: dict[tuple[Key, str], At]
    names: Sequence[str] = ()


@dataclass(slots=True)
class Outcome:
    """What resolving one statement brought."""

    kind: str
    at: At
    writes: list[_Written] = field(default_factory=list)
    reads: list[TableRef] = field(default_factory=list)
    changes: list[TableRef] = field(default_factory=list)
    renames: list[tuple[TableRef, TableRef]] = field(default_factory=list)
    notes: list[tuple[str, str, Severity, At]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        target: TableRef | None,
        columns: Sequence[Column | OpenStar],
        conditions: dict[tuple[Key, str], At],
        names: Sequence[str] = (),
    ) -> None:
        self.writes.append(_Written(target, columns, conditions, names))

    def note(self, code: str, text: str, severity: Severity, at: At = NOWHERE) -> None:
        self.notes.append((code, text, severity, at))

    def problems(self, problems: Iterable[Problem]) -> None:
        seen = set()
        for problem in problems:
            key = (problem.code, problem.name.lower(), problem.leaf.at)
            if key not in seen:
                seen.add(key)
                text = _TEXTS[problem.code].format(problem.name)
                self.note(problem.code, text, Severity.WARNING, problem.leaf.at)


class Reporter:
    """Writes down the outcome of a statement, with its places in the text."""

    def __init__(
        self, places: Places, phrases: Phrases, base: int, dialect: str, routine: str | None
    ) -> None:
        self._places = places
        self._phrases = phrases
        self._base = base
        self._dialect = dialect
        self._routine = routine
        self._sql = places.sql

    def statement(self, index: int, outcome: Outcome) -> StatementLineage:
        edges: dict[tuple[object, ...], Edge] = {}
        conditions: dict[tuple[object, ...], DatasetEdge] = {}
        columns: dict[ColumnRef, OutputColumn] = {}
        for write in outcome.writes:
            for column in write.columns:
                self._column(write.target, column, edges, columns)
            for name in write.names:
                ref = ColumnRef(write.target, (name,))
                columns.setdefault(ref, OutputColumn(ref))
            for (key, subtype), at in write.conditions.items():
                source = _input(key)
                condition = (write.target, source, subtype)
                if condition not in conditions:
                    span = self._places.span(self._moved(at))
                    conditions[condition] = DatasetEdge(write.target, source, Subtype(subtype), span)
        outputs = tuple(dict.fromkeys(w.target for w in outcome.writes if w.target is not None))
        inputs = dict.fromkeys(outcome.reads)
        for edge in edges.values():  # a target is an input where a value of it is kept
            table = edge.input.table
            if edge.type is Type.DIRECT and table is not None and table in outputs:
                inputs.setdefault(table)
        return StatementLineage(
            index=index,
            kind=outcome.kind,
            span=self._places.certain_span(self._moved(outcome.at)),
            inputs=tuple(inputs),
            outputs=outputs,
            changes=tuple(dict.fromkeys(outcome.changes)),
            renames=tuple(outcome.renames),
            columns=tuple(columns.values()),
            edges=tuple(edges.values()),
            dataset_edges=tuple(conditions.values()),
            diagnostics=tuple(self._diagnostics(index, outcome)),
            dialect=self._dialect,
            schema_versions=tuple(sorted(outcome.versions.items())),
            routine=self._routine,
        )

    def _column(
        self,
        target: TableRef | None,
        column: Column | OpenStar,
        edges: dict[tuple[object, ...], Edge],
        columns: dict[ColumnRef, OutputColumn],
    ) -> None:
        made = column.whole() if isinstance(column, OpenStar) else column
        output = ColumnRef(target, (made.name,))
        at = self._phrases.around(self._moved(made.at))
        span = self._places.span(at)
        text = None
        if span is not None:
            text = " ".join(self._sql[span.start : span.end].split())
        columns.setdefault(output, OutputColumn(output, span, text))
        description = None
        if made.functions:
            description = "through " + ", ".join(made.functions)
        for key, flags in made.origins.items():
            source = _input(key)
            for use, masked in uses(flags):
                kind, subtype = _SUBTYPES[use]
                identity = (output, source, subtype, masked)
                if identity in edges:
                    continue
                edges[identity] = Edge(
                    output,
                    source,
                    kind,
                    subtype,
                    masked,
                    span,
                    text,
                    description,
                    _LIKELY if source.candidates or source.path == ("*",) else _CERTAIN,
                )

    def _diagnostics(self, index: int, outcome: Outcome) -> Iterable[Diagnostic]:
        notes = list(outcome.notes)
        if any(isinstance(c, OpenStar) for w in outcome.writes for c in w.columns):
            text = "A star stands for columns that are not known: give the schema."
            notes.append(("open-star", text, Severity.INFO, NOWHERE))
        for code, text, severity, at in notes:
            where = at if at[0] >= 0 else outcome.at
            line, col = self._places.line_col(self._places.original(self._moved(where)[0]))
            yield Diagnostic(index, line, col, severity, code, text)

    def _moved(self, at: At) -> At:
        return at if at[0] < 0 else (at[0] + self._base, at[1] + self._base)


def _input(key: Key) -> ColumnRef:
    table, path = key
    if isinstance(table, Candidates):
        return ColumnRef(None, path, table.tables)
    return ColumnRef(table, path)

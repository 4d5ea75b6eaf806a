"""Runs through a script: each statement is read, carried out, and remembered for the next."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from headwater_parsers.ast.reading import Text, Unreadable
from headwater_parsers.catalog import Catalog
from headwater_parsers.dialects import traits_of
from headwater_parsers.effects import carry_out
from headwater_parsers.ladder import Ladder, Read
from headwater_parsers.lineage import Outcome, Reporter
from headwater_parsers.model import (
    ColumnRef,
    Diagnostic,
    ScriptLineage,
    Severity,
    StatementLineage,
    TableRef,
)
from headwater_parsers.places import Phrases, Places
from headwater_parsers.scan import scanned
from headwater_parsers.session import Session
from headwater_parsers.split import Chunk, Splitter

# A slip of ours on odd input must not cost the rest of the script.
_SLIPS = (IndexError, KeyError, AttributeError, TypeError, ValueError)
_FRAMES = 6_000
_MAX_NESTING = 4  # code in a string in a string ...


@contextmanager
def _room_to_recurse() -> Iterator[None]:
    """Let queries nest more deeply than Python's default allows; the depth is limited before."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class Script:
    """A script being read, in one dialect, against one catalog."""

    def __init__(
        self,
        dialect: str,
        catalog: Catalog | None,
        default_database: str | None,
        default_schema: str | None,
        masking: frozenset[str],
    ) -> None:
        self._dialect = dialect
        self._masking = masking
        self._session = Session(traits_of(dialect), catalog, default_database, default_schema)
        self._statements: list[StatementLineage] = []
        self._tables_only = False

    def run(
        self,
        sql: str,
        places: Places,
        notes: Sequence[tuple[str, str, int]] = (),
        *,
        tables_only: bool = False,
    ) -> ScriptLineage:
        """Read a script; `notes` are what preparing it brought up: code, text, offset."""
        self._tables_only = tables_only
        diagnostics: list[Diagnostic] = []
        for code, said, at in notes:
            line, col = places.line_col(at)
            diagnostics.append(Diagnostic(0, line, col, Severity.WARNING, code, said))
        try:
            with _room_to_recurse():
                self._text(sql, places, 0, 0)
        except Unreadable as problem:
            line, col = places.line_col(places.original(problem.at))
            diagnostics.append(Diagnostic(0, line, col, Severity.ERROR, "unreadable", problem.text))
        diagnostics += [d for s in self._statements for d in s.diagnostics]
        return ScriptLineage(
            tuple(self._statements),
            tuple(diagnostics),
            self._dialect,
            self._session.collapsed(),
        )

    def _text(self, sql: str, places: Places, base: int, nesting: int) -> None:
        text = Text(sql, self._dialect)
        starts = [t.start + base for t in text.tokens]
        ends = [t.end + 1 + base for t in text.tokens]
        phrases = Phrases(text.words, starts, ends)
        ladder = Ladder(text, self._session, self._masking)
        names = [t.text for t in text.tokens]
        for chunk in Splitter(text.words, names, self._dialect).chunks():
            if chunk.first >= chunk.last:
                continue
            if chunk.kind == "string":
                self._code(chunk, text, places, base, nesting)
                continue
            report = Reporter(places, phrases, base, self._dialect, chunk.routine)
            self._chunk(chunk, text, ladder, report)

    def _code(self, chunk: Chunk, text: Text, places: Places, base: int, nesting: int) -> None:
        """Read a routine's body, or a constant command, that stands in a string."""
        code = text.string(chunk.first)
        if code is None or nesting >= _MAX_NESTING:
            return
        try:
            self._text(code, places, base + text.content_at(chunk.first), nesting + 1)
        except Unreadable:
            outcome = Outcome("code", text.span(chunk.first, chunk.last))
            outcome.note("unreadable", "The code in this string is not SQL.", Severity.INFO)

    def _chunk(self, chunk: Chunk, text: Text, ladder: Ladder, report: Reporter) -> None:
        if chunk.kind in ("dynamic", "foreign"):
            outcome = Outcome("execute", text.span(chunk.first, chunk.last))
            if chunk.kind == "foreign":
                said = f"The routine is written in {chunk.name}: its lineage is not known."
                outcome.note("foreign-code", said, Severity.INFO)
            else:
                said = "The SQL is put together at run time: its lineage is not known."
                outcome.note("dynamic-sql", said, Severity.WARNING)
            self._statements.append(report.statement(len(self._statements), outcome))
            return
        for statement, first, last in self._read(chunk, text, ladder):
            outcome = Outcome(statement.kind, text.span(first, last))
            try:
                carry_out(statement, self._session, outcome)
            except RecursionError:
                said = "The statement is nested too deeply: its columns are not read."
                outcome.note("too-deep", said, Severity.WARNING)
            except _SLIPS as error:
                said = f"A fault of the parser ({error!r}): the statement is read in part."
                outcome.note("internal", said, Severity.ERROR)
            self._statements.append(report.statement(len(self._statements), outcome))
            for old, new in outcome.renames:
                self._renamed(old, new)

    def _read(self, chunk: Chunk, text: Text, ladder: Ladder) -> list[Read]:
        if self._tables_only:
            made = scanned(text, chunk.first, chunk.last, self._session.traits)
            return [(made, chunk.first, chunk.last)]
        try:
            return list(ladder.read(chunk))
        except _SLIPS as error:
            made = scanned(text, chunk.first, chunk.last, self._session.traits)
            said = f"A fault of the parser ({error!r}): only tables are read."
            made.notes.append(("internal", said))
            return [(made, chunk.first, chunk.last)]
        except RecursionError:
            made = scanned(text, chunk.first, chunk.last, self._session.traits)
            said = "The statement is nested too deeply: only its tables are read."
            made.notes.append(("too-deep", said))
            return [(made, chunk.first, chunk.last)]

    def _renamed(self, old: TableRef, new: TableRef) -> None:
        """What the script wrote under the old name now stands under the new one."""

        def table(ref: TableRef) -> TableRef:
            return new if ref == old else ref

        def column(ref: ColumnRef) -> ColumnRef:
            return replace(ref, table=new) if ref.table == old else ref

        for i, s in enumerate(self._statements):
            if old in s.outputs:
                self._statements[i] = replace(
                    s,
                    outputs=tuple(table(t) for t in s.outputs),
                    columns=tuple(replace(c, ref=column(c.ref)) for c in s.columns),
                    edges=tuple(replace(e, output=column(e.output)) for e in s.edges),
                    dataset_edges=tuple(
                        replace(e, output=table(e.output) if e.output else None) for e in s.dataset_edges
                    ),
                )

"""What a parsed script says: statements, columns, edges and the reasons for them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"


class Subtype(StrEnum):
    IDENTITY = "IDENTITY"
    TRANSFORMATION = "TRANSFORMATION"
    AGGREGATION = "AGGREGATION"
    CONDITIONAL = "CONDITIONAL"
    WINDOW = "WINDOW"
    JOIN = "JOIN"
    FILTER = "FILTER"
    GROUP_BY = "GROUP_BY"
    SORT = "SORT"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: half-open offsets, and one-based lines and columns."""

    start: int
    end: int
    line: int
    col: int
    end_line: int
    end_col: int


@dataclass(frozen=True, slots=True)
class TableRef:
    """A dataset as the statement names it, completed by USE and the defaults."""

    parts: tuple[str, ...]
    kind: str = "table"  # table, file, stage, temporary, function

    @property
    def name(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column, or a field inside one.

    `table` is None for the columns of a bare SELECT, and for an input that could belong to
    several tables: those are its `candidates`.
    """

    table: TableRef | None
    path: tuple[str, ...]
    candidates: tuple[TableRef, ...] = ()

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Edge:
    """One column of the output depends on one column of an input, and how."""

    output: ColumnRef
    input: ColumnRef
    type: Type
    subtype: Subtype
    masking: bool = False
    span: Span | None = None
    expression: str | None = None
    description: str | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class DatasetEdge:
    """A whole output depends on a column that decides which rows it holds, or their order."""

    output: TableRef | None
    input: ColumnRef
    subtype: Subtype
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column that a statement makes, even when nothing feeds it."""

    ref: ColumnRef
    span: Span | None = None
    expression: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What the parser could not do, and where."""

    index: int
    line: int
    col: int
    severity: Severity
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class StatementLineage:
    """What one statement reads and writes."""

    index: int
    kind: str
    span: Span
    inputs: tuple[TableRef, ...] = ()
    outputs: tuple[TableRef, ...] = ()
    changes: tuple[TableRef, ...] = ()  # altered, dropped, renamed: no data moves
    renames: tuple[tuple[TableRef, TableRef], ...] = ()  # before, after
    columns: tuple[OutputColumn, ...] = ()
    edges: tuple[Edge, ...] = ()
    dataset_edges: tuple[DatasetEdge, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    dialect: str = ""
    schema_versions: tuple[tuple[str, str], ...] = ()
    routine: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptLineage:
    """What a script reads and writes, statement by statement and as a whole."""

    statements: tuple[StatementLineage, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    dialect: str = ""
    temporary: tuple[TableRef, ...] = ()  # made and read by the script alone: collapsed

    @property
    def inputs(self) -> tuple[TableRef, ...]:
        return _distinct(t for s in self.statements for t in s.inputs if not self._hidden(t))

    @property
    def outputs(self) -> tuple[TableRef, ...]:
        return _distinct(t for s in self.statements for t in s.outputs if not self._hidden(t))

    @property
    def edges(self) -> tuple[Edge, ...]:
        return tuple(
            e
            for s in self.statements
            for e in s.edges
            if e.output.table is None or not self._hidden(e.output.table)
        )

    @property
    def dataset_edges(self) -> tuple[DatasetEdge, ...]:
        return tuple(
            e
            for s in self.statements
            for e in s.dataset_edges
            if e.output is None or not self._hidden(e.output)
        )

    def _hidden(self, table: TableRef) -> bool:
        return table in self.temporary


def _distinct(tables: Iterable[TableRef]) -> tuple[TableRef, ...]:
    return tuple(dict.fromkeys(tables))

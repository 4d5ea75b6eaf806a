"""SQL lineage: what a script reads and writes, column by column, and why."""

from headwater_parsers.api import parse, score_entry
from headwater_parsers.catalog import Catalog, DictCatalog, TableSchema
from headwater_parsers.model import (
    ColumnRef,
    DatasetEdge,
    Diagnostic,
    Edge,
    OutputColumn,
    ScriptLineage,
    Severity,
    Span,
    StatementLineage,
    Subtype,
    TableRef,
    Type,
)

__all__ = [
    "Catalog",
    "ColumnRef",
    "DatasetEdge",
    "Diagnostic",
    "DictCatalog",
    "Edge",
    "OutputColumn",
    "ScriptLineage",
    "Severity",
    "Span",
    "StatementLineage",
    "Subtype",
    "TableRef",
    "TableSchema",
    "Type",
    "parse",
    "score_entry",
]

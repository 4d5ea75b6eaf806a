"""`parseSql`: what a script would read and write, column by column, with the schemas that the graph knows. Nothing is saved."""

import atexit
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import strawberry

from headwater_parsers import ColumnRef, Diagnostic, StatementLineage, TableRef, Type
from headwater_parsers.dialects import canonical
from headwater_parsers.limits import Workers
from headwater_server.api.graphql.answers import LineageGraph, met
from headwater_server.api.graphql.enums import TransformationType
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.sqlgraph import graph_of
from headwater_server.errors import HeadwaterError, Invalid
from headwater_server.graph import keys, names
from headwater_server.graph.words import Kind
from headwater_server.lineage import resolve

MAX_SQL = 1_000_000
"""Characters."""
MAX_TABLES = 200
"""Of one script, whose columns are looked up."""
_MAX_COLUMNS = 2_000


@strawberry.type(description="One output column depends on one input column, as `table.column`")
class SqlColumnEdge:
    output: str
    input: str
    transformation: TransformationType
    subtype: str | None
    masking: bool
    candidates: list[str] | None = strawberry.field(
        description="The tables that the input may belong to, when the script does not tell"
    )


@strawberry.type(description="Names are as the script writes them, completed by USE and the defaults")
class SqlStatement:
    index: int
    kind: str
    inputs: list[str]
    outputs: list[str]
    columns: list[SqlColumnEdge]


@strawberry.type(description="What could not be read, and where")
class SqlDiagnostic:
    severity: str
    code: str
    text: str
    statement_index: int | None
    line: int | None
    column: int | None


@strawberry.type(description="A script's lineage; the columns of a bare SELECT belong to `(query)`")
class SqlLineage:
    dialect: str
    statements: list[SqlStatement]
    diagnostics: list[SqlDiagnostic]
    graph: LineageGraph = strawberry.field(description="The columns and the way between them")


@cache
def _workers() -> Workers:
    """Two processes for all previews: a script that takes too long costs its process, not the server."""
    made = Workers(2)
    atexit.register(made.close)
    return made


def sql_lineage(
    loader: Loader,
    sql: str,
    *,
    dialect: str | None,
    namespace: str | None,
    database: str | None,
    schema: str | None,
) -> SqlLineage:
    """Read twice when the graph knows a table of it: first for the names, then with their columns.

    Raises:
        Invalid: nothing to read, or too much.

    """
    if not sql.strip():
        raise Invalid("`sql` is empty. Give at least one statement.")
    if len(sql) > MAX_SQL:
        raise Invalid(
            f"`sql` has {len(sql)} characters, but at most {MAX_SQL} are read. Preview it in parts."
        )
    namespace = (namespace or "").strip()
    speaks = dialect or (names.platform(namespace) if namespace else None)
    found = _workers().parse(sql, speaks, None, database, schema)
    datasets = _datasets(loader, (*found.inputs, *found.outputs), namespace)
    schemas = _schemas(loader, datasets)
    if schemas:
        found = _workers().parse(sql, speaks, schemas, database, schema)
        more = _datasets(loader, (*found.inputs, *found.outputs), namespace)
        datasets = {**more, **datasets}
    graph = met(
        loader, graph_of(found, lambda table: _key(table, datasets, namespace), now=loader.context.now())
    )
    return SqlLineage(
        dialect=found.dialect,
        statements=[_statement(one) for one in found.statements],
        diagnostics=[*_unknown(dialect), *map(_diagnostic, found.diagnostics)],
        graph=graph,
    )


def _unknown(dialect: str | None) -> list[SqlDiagnostic]:
    if not dialect or canonical(dialect) is not None:
        return []
    text = f"No dialect is called {dialect!r}: the script is read as standard SQL, and tried in others."
    return [
        SqlDiagnostic(
            severity="WARNING",
            code="unknown-dialect",
            text=text,
            statement_index=None,
            line=None,
            column=None,
        )
    ]


def _diagnostic(one: Diagnostic) -> SqlDiagnostic:
    return SqlDiagnostic(
        severity=one.severity.value.upper(),
        code=one.code,
        text=one.text,
        statement_index=one.index,
        line=one.line,
        column=one.col,
    )


def _datasets(loader: Loader, tables: Iterable[TableRef], namespace: str) -> dict[str, str]:
    """Table name -> the dataset of the graph that it means."""
    wanted = list(dict.fromkeys(t for t in tables if t.kind == "table"))[:MAX_TABLES]
    exact = {t.name: keys.dataset(*names.normal(namespace, t.name)) for t in wanted} if namespace else {}
    there = loader.store.get(list(exact.values())) if exact else {}
    found: dict[str, str] = {}
    for table in wanted:
        key = exact.get(table.name)
        if key in there:
            found[table.name] = key
        elif (other := _named(loader, table.name, namespace)) is not None:
            found[table.name] = other
    return found


def _named(loader: Loader, name: str, namespace: str) -> str | None:
    """The one dataset whose name ends so; of the namespace, if one is given."""
    try:
        key = resolve(name, loader.store).key
    except HeadwaterError:
        return None
    if not key.startswith("dataset|") or (
        namespace and keys.parts_of(key)[0] != names.normal(namespace, "")[0]
    ):
        return None
    return key


def _schemas(loader: Loader, datasets: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
    """As the parser takes them: table -> column -> type."""
    found: dict[str, dict[str, str | None]] = {}
    for name, key in datasets.items():
        columns = loader.store.page(Kind.COLUMN, marks=("",), group=key, limit=_MAX_COLUMNS)
        if columns:
            found[name] = {str(c.props["name"]): _text(c.props.get("type")) for c in columns}
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _key(table: TableRef | None, datasets: Mapping[str, str], namespace: str) -> str:
    """Known datasets by their own key, others where the default namespace puts them."""
    if table is None:
        return keys.dataset(namespace or "sql", "(query)")
    if table.kind == "file":
        scheme, separator, rest = table.name.partition("://")
        if separator:
            authority, _, path = rest.partition("/")
            return keys.dataset(*names.normal(f"{scheme}://{authority}", path or "/"))
        return keys.dataset("file", table.name)
    return datasets.get(table.name) or keys.dataset(*names.normal(namespace or "sql", table.name))


def _statement(statement: StatementLineage) -> SqlStatement:
    columns = [
        SqlColumnEdge(
            output=_spelled(edge.output),
            input=_spelled(edge.input),
            transformation=_TYPES[edge.type],
            subtype=edge.subtype.value,
            masking=edge.masking,
            candidates=_candidates(edge.input),
        )
        for edge in statement.edges
    ]
    columns += [
        SqlColumnEdge(
            output=whole.output.name if whole.output else "(query)",
            input=_spelled(whole.input),
            transformation=TransformationType.INDIRECT,
            subtype=whole.subtype.value,
            masking=False,
            candidates=_candidates(whole.input),
        )
        for whole in statement.dataset_edges
    ]
    return SqlStatement(
        index=statement.index,
        kind=statement.kind,
        inputs=_names(statement.inputs),
        outputs=_names(statement.outputs),
        columns=columns,
    )


_TYPES = {Type.DIRECT: TransformationType.DIRECT, Type.INDIRECT: TransformationType.INDIRECT}


def _names(tables: Sequence[TableRef]) -> list[str]:
    return [table.name for table in tables]


def _spelled(column: ColumnRef) -> str:
    """`table.column`; the column alone when its table is open."""
    return f"{column.table.name}.{column.name}" if column.table else column.name


def _candidates(column: ColumnRef) -> list[str] | None:
    return _names(column.candidates) or None

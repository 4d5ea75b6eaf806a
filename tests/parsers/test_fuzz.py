"""Queries made at random, whose lineage is known because it was made with them."""

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater_parsers import parse

SCHEMA: dict[str, dict[str, str | None]] = {f"t{i}": {f"c{i}{j}": None for j in range(4)} for i in range(3)}
Inputs = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Made:
    """SQL of a query, and for each of its columns what feeds it."""

    sql: str
    columns: tuple[tuple[str, Inputs], ...]
    rows: Inputs


@dataclass(frozen=True)
class Source:
    """SQL of an item in FROM: alias, columns, what decides its rows."""

    sql: str
    alias: str
    columns: tuple[tuple[str, Inputs], ...]
    rows: Inputs


NOTHING: Inputs = frozenset()


@st.composite
def sources(draw: st.DrawFn, depth: int, number: int, ctes: tuple[Source, ...]) -> Source:
    alias = f"s{depth}{number}"
    choices = ["table"] + (["query"] if depth > 0 else []) + (["cte"] if ctes else [])
    kind = draw(st.sampled_from(choices))
    if kind == "table":
        i = draw(st.integers(0, 2))
        columns = tuple((c, frozenset({(f"t{i}", c)})) for c in SCHEMA[f"t{i}"])
        return Source(f"t{i} AS {alias}", alias, columns, NOTHING)
    if kind == "cte":
        cte = draw(st.sampled_from(ctes))
        return Source(f"{cte.alias} AS {alias}", alias, cte.columns, NOTHING)
    inner = draw(queries(depth - 1, ctes))
    if draw(st.booleans()) or not _unique(inner):  # two columns of one name cannot be told apart
        names = tuple(f"{alias}n{k}" for k in range(len(inner.columns)))
        renamed = tuple((n, i) for n, (_, i) in zip(names, inner.columns, strict=True))
        return Source(f"({inner.sql}) AS {alias} ({', '.join(names)})", alias, renamed, inner.rows)
    return Source(f"({inner.sql}) AS {alias}", alias, inner.columns, inner.rows)


@st.composite
def expressions(draw: st.DrawFn, given_sources: tuple[Source, ...], depth: int) -> tuple[str, Inputs]:
    every = [c for s in given_sources for c, _ in s.columns]
    if depth == 0 or draw(st.booleans()):
        source = draw(st.sampled_from(given_sources))
        column, inputs = draw(st.sampled_from(source.columns))
        bare = every.count(column) == 1 and draw(st.booleans())
        return (column if bare else f"{source.alias}.{column}"), inputs
    a, ins = draw(expressions(given_sources, depth - 1))
    b, more = draw(expressions(given_sources, depth - 1))
    shape, fed = draw(
        st.sampled_from(
            [
                (f"({a} + {b})", ins | more),
                (f"coalesce({a}, {b})", ins | more),
                (f"CASE WHEN {a} > 1 THEN {b} END", ins | more),
                (f"upper({a})", ins),
                (f"CAST({a} AS INT)", ins),
                (f"sum({a}) OVER (PARTITION BY {b})", ins | more),
                (f"(SELECT max({a}) FROM t0 AS zz)", ins),
                ("42", NOTHING),
            ]
        )
    )
    return shape, fed


@st.composite
def selects(draw: st.DrawFn, depth: int, ctes: tuple[Source, ...], width: int) -> Made:
    chosen = tuple(draw(sources(depth, n, ctes)) for n in range(draw(st.integers(1, 2 if depth else 1))))
    rows = frozenset[tuple[str, str]]().union(*(s.rows for s in chosen))
    items: list[str] = []
    columns: list[tuple[str, Inputs]] = []
    for k in range(width):
        sql, inputs = draw(expressions(chosen, 2))
        name = f"x{depth}{k}"
        items.append(f"{sql} AS {name}")
        columns.append((name, inputs))
    if draw(st.booleans()):
        star = draw(st.sampled_from(chosen))
        items.append(f"{star.alias}.*")
        columns += star.columns
    joined = chosen[0].sql
    for source in chosen[1:]:
        a, ins = draw(expressions((chosen[0],), 0))
        b, more = draw(expressions((source,), 0))
        left, right = f"{chosen[0].alias}.{a.split('.')[-1]}", f"{source.alias}.{b.split('.')[-1]}"
        joined += f" JOIN {source.sql} ON {left} = {right}"
        rows |= ins | more
    sql = f"SELECT {', '.join(items)} FROM {joined}"
    if draw(st.booleans()):
        condition, inputs = draw(expressions(chosen, 1))
        sql += f" WHERE {condition} > 0"
        rows |= inputs
    return Made(sql, tuple(columns), rows)


@st.composite
def queries(draw: st.DrawFn, depth: int, ctes: tuple[Source, ...] = ()) -> Made:
    width = draw(st.integers(1, 3))
    left = draw(selects(depth, ctes, width))
    if draw(st.integers(0, 3)) or len(left.columns) != width:
        return left
    right = draw(selects(depth, ctes, width))
    if len(right.columns) != width:
        return left
    columns = tuple((name, a | b) for (name, a), (_, b) in zip(left.columns, right.columns, strict=True))
    return Made(f"{left.sql} UNION ALL {right.sql}", columns, left.rows | right.rows)


@st.composite
def statements(draw: st.DrawFn) -> Made:
    ctes: tuple[Source, ...] = ()
    parts: list[str] = []
    rows = NOTHING
    for n in range(draw(st.integers(0, 2))):
        inner = draw(queries(1, ctes))
        names = [c for c, _ in inner.columns]
        if len(set(names)) < len(names):
            continue
        parts.append(f"cte{n} AS ({inner.sql})")
        ctes += (Source("", f"cte{n}", inner.columns, NOTHING),)
        rows |= inner.rows
    body = draw(queries(2, ctes))
    prefix = f"WITH {', '.join(parts)} " if parts else ""
    return Made(prefix + body.sql, body.columns, body.rows | rows)


def _unique(made: Made) -> bool:
    names = [name for name, _ in made.columns]
    return len(set(names)) == len(names)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(statements().filter(_unique), st.sampled_from(["", "postgres", "duckdb", "snowflake"]))
def test_random_queries_have_the_lineage_they_were_made_with(made: Made, dialect: str) -> None:
    script = parse(f"CREATE TABLE out_table AS {made.sql}", dialect, SCHEMA)
    found: dict[str, set[tuple[str, str]]] = {
        c.ref.name.lower(): set() for s in script.statements for c in s.columns
    }
    for edge in script.edges:
        assert edge.input.table is not None, (made.sql, edge)
        found[edge.output.name.lower()].add((edge.input.table.name.lower(), edge.input.name.lower()))
    assert found == {name: set(inputs) for name, inputs in made.columns}, made.sql
    rows = {
        (e.input.table.name.lower(), e.input.name.lower())
        for e in script.dataset_edges
        if e.input.table is not None
    }
    assert rows == made.rows, made.sql
    assert not [d for d in script.diagnostics if d.severity != "info"], made.sql


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            [
                "SELECT",
                "FROM",
                "a",
                ",",
                "b",
                ".",
                "*",
                "(",
                ")",
                "WITH",
                "AS",
                "INSERT",
                "INTO",
                "UPDATE",
                "SET",
                "=",
                "t",
                "u",
                "JOIN",
                "ON",
                "USING",
                ";",
                "CASE",
                "WHEN",
                "THEN",
                "END",
                "BEGIN",
                "IF",
                "MERGE",
                "MATCHED",
                "VALUES",
                "'x'",
                '"',
                "`",
                "[",
                "]",
                "{{",
                "}}",
                "{%",
                "%}",
                "$$",
                "@",
                "#",
                "UNION",
                "PIVOT",
                "FOR",
                "IN",
                "LATERAL",
                "UNNEST",
                "OVER",
                "PARTITION",
                "BY",
                "CREATE",
                "PROCEDURE",
                "TABLE",
                "DECLARE",
                "EXEC",
                "GO",
                "COPY",
                "UNLOAD",
            ]
        ),
        max_size=30,
    ),
    st.sampled_from(["", "tsql", "bigquery", "snowflake", "hive", "oracle", "mysql", "postgres"]),
)
def test_nothing_that_is_written_makes_it_raise(words: list[str], dialect: str) -> None:
    script = parse(" ".join(words), dialect)
    assert "internal" not in {d.code for d in script.diagnostics}, script.diagnostics

"""The shapes that lineage is computed on: queries and writes, free of any SQL library. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

IDENTITY, TRANSFORMATION, AGGREGATION, CONDITIONAL, WINDOW = 1, 2, 4, 8, 16
MASKED = 5  # how far a use is shifted when the value is masked on the way

Masked = bool  # a value that a function has hidden on the way
At = tuple[int, int]  # half-open offsets in the text
NOWHERE: At = (-1, -1)


@dataclass(slots=True)
class Leaf:
    """A column named in an expression: `a.b.c.field`, unsplit until the sources are known."""

    parts: tuple[str, ...]
    use: int
    masked: bool
    at: At = NOWHERE
    path: tuple[str, ...] = ()  # fields reached after an index or a call


@dataclass(slots=True)
class Nested:
    """A subquery inside an expression; without a use only its conditions matter."""

    query: "Query"
    use: int | None
    masked: bool
    column: int | None = None  # only this one of its columns
    path: tuple[str, ...] = ()  # only this field
    struct: bool = False  # its columns are the fields of one struct


@dataclass(slots=True)
class Expr:
    """An expression, reduced to what it depends on."""

    leaves: list[Leaf] = field(default_factory=list)
    nested: list[Nested] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)  # user-defined, by name
    fields: "dict[str, Expr] | None" = None  # of a struct built here
    query_alone: bool = False  # one subquery and nothing else: its struct is ours
    at: At = NOWHERE


@dataclass(slots=True)
class Projection:
    name: str
    expr: Expr
    explicit: bool = True  # False: the engine invents the name


@dataclass(slots=True)
class Star:
    """`*`, `t.*` or `t.s.*`, with what it leaves out, replaces and renames."""

    qualifier: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()
    replaced: Mapping[str, Expr] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    at: At = NOWHERE


@dataclass(slots=True)
class Table:
    """A name in FROM: a table, a CTE, a file, or an array of an earlier source."""

    parts: tuple[str, ...]
    alias: str | None = None
    columns: tuple[str, ...] = ()
    kind: str = "table"
    at: At = NOWHERE
    written: bool = False  # the target of the statement itself: no input unless a value is taken


@dataclass(slots=True)
class Derived:
    query: "Query"
    alias: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Rows:
    """VALUES, one expression per column."""

    exprs: list[Expr]
    alias: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Produced:
    """A column that a table function makes, and the arguments that it comes from."""

    name: str
    arguments: tuple[int, ...] | None = None  # None: every one; empty: a position, an index
    element: bool = False  # what the array holds: it has the fields of the argument


@dataclass(slots=True)
class Function:
    """UNNEST, FLATTEN, LATERAL VIEW, JSON_TABLE and every other call in FROM."""

    args: list[Expr]
    alias: str | None = None
    produced: list[Produced] = field(default_factory=list)
    open: bool = True  # other column names may come out as well
    name: str = ""
    query: "Query | None" = None


@dataclass(slots=True)
class Group:
    """A joined list in parentheses."""

    joins: "list[Join]"
    alias: str | None = None


@dataclass(slots=True)
class Pivot:
    """Rows to columns: `made` are the new columns, each with what it aggregates."""

    source: "Source"
    made: list[tuple[str, Expr]]
    keys: Expr
    every: Expr  # what the aggregates read: the source of columns made from unknown values
    group: list[Projection] | None = None
    alias: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Unpivot:
    """Columns to rows: each value column takes one column of every group."""

    source: "Source"
    values: list[tuple[str, list[Leaf]]]
    labels: list[str]
    used: list[Leaf]
    alias: str | None = None
    columns: tuple[str, ...] = ()
    values_first: bool = False


Source = Table | Derived | Rows | Function | Group | Pivot | Unpivot


@dataclass(slots=True)
class Join:
    source: Source
    on: Expr | None = None
    using: tuple[str, ...] = ()
    natural: bool = False
    hidden: bool = False  # SEMI and ANTI: the source is seen by ON alone


@dataclass(slots=True)
class Cte:
    name: str
    query: "Query"
    columns: tuple[str, ...] = ()
    recursive: bool = False
    scalar: Expr | None = None


@dataclass(slots=True)
class Select:
    projections: list[Projection | Star]
    joins: list[Join] = field(default_factory=list)
    ctes: list[Cte] = field(default_factory=list)
    filters: list[Expr] = field(default_factory=list)  # WHERE, HAVING, QUALIFY
    group: list[Expr | int] = field(default_factory=list)  # a number is a position
    order: list[Expr | int] = field(default_factory=list)
    windows: list[Expr] = field(default_factory=list)  # the keys of the named windows in use
    group_all: bool = False
    sort_all: bool = False
    at: At = NOWHERE


@dataclass(slots=True)
class SetOp:
    left: "Query"
    right: "Query"
    ctes: list[Cte] = field(default_factory=list)
    by_name: bool = False
    filters_only: bool = False  # INTERSECT, EXCEPT: the right side gives no value
    order: list[Expr | int] = field(default_factory=list)


@dataclass(slots=True)
class Wrapped:
    """A query in parentheses with its own WITH, ORDER BY or source list."""

    query: "Query"
    ctes: list[Cte] = field(default_factory=list)
    order: list[Expr | int] = field(default_factory=list)


Query = Select | SetOp | Wrapped | Rows


@dataclass(slots=True)
class Write:
    """One canonical write: columns of a target, filled by a query."""

    target: Table | None
    query: Query | None
    columns: tuple[str, ...] | None = None
    by_name: bool = False
    named: bool = False  # CREATE: the query names the columns, no look-up
    static: tuple[str, ...] = ()  # partition columns with a constant
    dynamic: tuple[str, ...] = ()  # partition columns that the query fills, last
    silent: tuple[str, ...] = ()  # sources that are the target itself
    copies: Table | None = None  # every column, as it is: CLONE, APPEND, SWAP


@dataclass(slots=True)
class Assign:
    """Script variables that take the columns of a query, by position."""

    names: tuple[str, ...]
    query: Query
    record: bool = False  # one variable holds the row: FOR r IN (...)


@dataclass(slots=True)
class Statement:
    """A statement in canonical form."""

    kind: str
    writes: list[Write] = field(default_factory=list)
    assigns: list[Assign] = field(default_factory=list)
    reads: list[Table] = field(default_factory=list)
    touches: list[Table] = field(default_factory=list)  # changed without data: ALTER, DROP
    temporary: bool = False
    declared: tuple[tuple[str, str], ...] | None = None  # columns that CREATE TABLE lists
    drops: list[Table] = field(default_factory=list)
    renames: list[tuple[Table, Table]] = field(default_factory=list)
    swaps: list[tuple[Table, Table]] = field(default_factory=list)
    use: tuple[str, tuple[str, ...]] | None = None  # what is set: both, database, schema
    function: "tuple[str, tuple[str, ...], Expr] | None" = None
    table_function: tuple[str, Query] | None = None
    view: bool = False
    notes: list[tuple[str, str]] = field(default_factory=list)  # code, text

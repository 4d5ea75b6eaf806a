"""What sets the dialects apart: names, spelling, defaults. Pure."""

from dataclasses import dataclass

PLATFORMS = {
    "": "",
    "ansi": "",
    "athena": "athena",
    "awsathena": "athena",
    "bigquery": "bigquery",
    "clickhouse": "clickhouse",
    "databricks": "databricks",
    "db2": "",
    "delta": "databricks",
    "dremio": "dremio",
    "duckdb": "duckdb",
    "flink": "",
    "fabric": "fabric",
    "greenplum": "postgres",
    "hive": "hive",
    "impala": "hive",
    "mariadb": "mysql",
    "materialize": "materialize",
    "mssql": "tsql",
    "mysql": "mysql",
    "oracle": "oracle",
    "postgres": "postgres",
    "postgresql": "postgres",
    "presto": "presto",
    "redshift": "redshift",
    "snowflake": "snowflake",
    "spark": "spark",
    "spark2": "spark2",
    "sparksql": "spark",
    "sqlite": "sqlite",
    "sqlserver": "tsql",
    "starrocks": "starrocks",
    "synapse": "tsql",
    "teradata": "teradata",
    "trino": "trino",
    "tsql": "tsql",
    "unitycatalog": "databricks",
}

# What a failing statement is tried in next. The first that reads it wins.
LADDER = ("", "snowflake", "bigquery", "databricks", "tsql", "postgres", "mysql", "oracle")

_UPPER = frozenset({"snowflake", "oracle"})
_LOWER = frozenset({"postgres", "redshift", "materialize", "risingwave", "trino", "presto", "athena", "hive"})
_USE_SCHEMA = frozenset(
    {"mysql", "hive", "spark", "spark2", "databricks", "clickhouse", "doris", "starrocks"}
)
_RECURSIVE_UNSAID = frozenset({"tsql", "oracle", "fabric"})
_LATERAL_ALIASES = frozenset(
    {"snowflake", "redshift", "databricks", "spark", "duckdb", "teradata", "clickhouse"}
)
_UNNAMED = {
    "hive": "_c{0}",
    "trino": "_col{0}",
    "presto": "_col{0}",
    "athena": "_col{0}",
    "bigquery": "f{0}_",
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What lineage needs to know of a dialect."""

    name: str
    case: str  # how an unquoted name is stored: upper, lower, or as written
    use_sets: str  # what USE x sets: schema or database
    recursive_unsaid: bool  # a CTE may read itself without RECURSIVE
    aliases: bool  # a projection reads the alias of an earlier one before an unknown column
    rename_moves: bool  # RENAME TO a bare name moves the table to the current schema
    of_values: str  # the name of the i-th column of VALUES, counted from one
    unnamed: str  # the name of the i-th projection that has none

    def fold(self, name: str, *, quoted: bool) -> str:
        if quoted or self.case == "written":
            return name
        return name.upper() if self.case == "upper" else name.lower()


def canonical(dialect: str | None) -> str | None:
    """Return the parser's name for a dialect or platform; None when it is not known."""
    name = (dialect or "").strip().lower()
    if "://" in name:
        name = name.split("://", 1)[0]
    return PLATFORMS.get(name)


def traits_of(name: str) -> Traits:
    return Traits(
        name=name,
        case="upper" if name in _UPPER else "lower" if name in _LOWER else "written",
        use_sets="schema" if name in _USE_SCHEMA else "database",
        recursive_unsaid=name in _RECURSIVE_UNSAID,
        aliases=name in _LATERAL_ALIASES,
        rename_moves=name in ("snowflake", "mysql"),
        of_values="col{0}" if name in ("spark", "databricks", "hive") else "column{0}",
        unnamed=_UNNAMED.get(name, "_c{0}"),
    )

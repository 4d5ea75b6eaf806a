"""The front door: `parse` for values, `score_entry` for plain dicts."""

from collections.abc import Iterable, Mapping

from headwater_parsers.catalog import Catalog, DictCatalog
from headwater_parsers.dialects import canonical
from headwater_parsers.model import ScriptLineage
from headwater_parsers.places import Places
from headwater_parsers.plain import Plain, plain
from headwater_parsers.prepare import prepare


def parse(
    sql: str,
    dialect: str | None = None,
    catalog: Catalog | Mapping[str, Mapping[str, str | None]] | None = None,
    default_database: str | None = None,
    default_schema: str | None = None,
    *,
    masking: Iterable[str] = (),
    variables: Mapping[str, object] | None = None,
) -> ScriptLineage:
    """Return the lineage of a script, statement by statement.

    Nothing is raised for bad SQL: what cannot be read becomes a diagnostic, and the rest of the
    script is read all the same. `masking` names functions of yours that hide a value;
    `variables` are what `var()` of a dbt model returns.
    """
    from headwater_parsers.script import Script  # sqlglot takes its time to import

    name = canonical(dialect)
    known: Catalog | None
    known = DictCatalog(catalog) if isinstance(catalog, Mapping) else catalog
    prepared = prepare(sql, variables)
    script = Script(
        name or "",
        known,
        default_database,
        default_schema,
        frozenset(m.lower() for m in masking),
    )
    return script.run(prepared.sql, Places(sql, prepared.moves), prepared.notes)


def parse_tables(
    sql: str,
    dialect: str | None = None,
    default_database: str | None = None,
    default_schema: str | None = None,
) -> ScriptLineage:
    """Return only the tables, from the words alone: quick on anything, and less exact."""
    from headwater_parsers.script import Script

    script = Script(canonical(dialect) or "", None, default_database, default_schema, frozenset())
    return script.run(sql, Places(sql), tables_only=True)


def score_entry(
    sql: str,
    dialect: str,
    schema: Mapping[str, Mapping[str, str | None]] | None,
    default_namespace: str | None,
) -> Plain:
    """Return lineage as plain dicts, as `headwater_parsers.plain.plain` describes them.

    `schema` is `{"db.table": {"column": "type" or None}}`; `default_namespace` is "db.schema",
    "schema", or "db." for a database alone.
    """
    database, schema_name = None, None
    if default_namespace:
        first, dot, second = default_namespace.partition(".")
        database, schema_name = (first, second or None) if dot else (None, first)
    return plain(parse(sql, dialect, schema or None, database, schema_name))

"""`headwater sql`: column lineage of SQL files, by the parsers alone, without a server."""

import click

from headwater_server.cli.output import Exit, Failed, write


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("--dialect", help="Like snowflake, bigquery, spark, postgres.")
@click.option("--schema", "schema_file", metavar="FILE", help='JSON: {"db.table": {"column": "type"}}.')
@click.option("--namespace", default="", help="OpenLineage namespace of the tables.")
@click.option("--default-database", metavar="NAME", help="Where a table without a database is.")
@click.option("--default-schema", metavar="NAME", help="Where a table without a schema is.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "openlineage", "mermaid"]),
    default="table",
    show_default=True,
)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
def sql(
    files: tuple[str, ...], dialect: str | None, schema_file: str | None, namespace: str,
    default_database: str | None, default_schema: str | None, form: str, json_: bool,
) -> None:  # fmt: skip
    """Column lineage of SQL files, without a server."""
    from headwater_parsers.cli import run

    try:
        text = run(
            files, dialect, schema_file, "json" if json_ else form,
            namespace=namespace, default_database=default_database, default_schema=default_schema,
        )  # fmt: skip
    except OSError as error:
        raise Failed(f"{error.filename} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Failed(str(error), code="INVALID", exit_code=Exit.USAGE) from None
    write(text)

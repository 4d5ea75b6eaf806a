"""`headwater sql`: column lineage of SQL files, by the parsers alone; with `--emit` told to a server."""

import os
from pathlib import Path
from typing import Any

import click

from headwater_server.cli.importing import deliver
from headwater_server.cli.output import Exit, Failed, note, write
from headwater_server.cli.target import asks


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
@click.option("--emit", is_flag=True, help="Send one OpenLineage JobEvent a file.")
@click.option("--job", metavar="NAME", help="The job of the only file (with --emit); default: its path.")
@asks
def sql(
    files: tuple[str, ...], dialect: str | None, schema_file: str | None, namespace: str,
    default_database: str | None, default_schema: str | None, form: str,
    emit: bool, job: str | None, url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Column lineage of SQL files, without a server; with --emit, told to one."""
    from headwater_parsers.cli import run

    if not emit and (job or url or data or neo4j):
        raise click.UsageError("--job, --url, --data and --neo4j go with --emit.")
    if emit and job and len(files) > 1:
        raise click.UsageError(f"--job names one job, but there are {len(files)} files.")
    try:
        if emit:
            events = _events(files, dialect, schema_file, namespace, default_database, default_schema, job)
        else:
            text = run(
                files, dialect, schema_file, "json" if json_ else form,
                namespace=namespace, default_database=default_database, default_schema=default_schema,
            )  # fmt: skip
            write(text)
            return Exit.DONE
    except OSError as error:
        raise Failed(f"{error.filename} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Failed(str(error), code="INVALID", exit_code=Exit.USAGE) from None
    code = deliver(events, dry_run=False, output=None, url=url, data=data, neo4j=neo4j, json_=json_)
    if not json_:
        for event in events:
            reads, writes = ([d["name"] for d in event[side]] for side in ("inputs", "outputs"))
            write(
                f"{event['job']['name']}: {', '.join(reads) or 'nothing'} → {', '.join(writes) or 'nothing'}"
            )
    return code


def _events(
    files: tuple[str, ...], dialect: str | None, schema_file: str | None, namespace: str,
    database: str | None, schema: str | None, job: str | None,
) -> list[dict[str, Any]]:  # fmt: skip
    from headwater_parsers import parse
    from headwater_server.imports.files import read_json
    from headwater_server.imports.sqlfile import job_of, now, sql_event

    known = read_json(Path(schema_file)) if schema_file else None
    jobs = os.environ.get("OPENLINEAGE_NAMESPACE") or "default"
    tables = namespace or jobs
    spoken = dialect or (tables.partition("://")[0] if "://" in tables or tables == "bigquery" else None)
    found = []
    for file in files:
        text = Path(file).read_text(encoding="utf-8")
        lineage = parse(text, spoken, known, database, schema)
        for problem in lineage.diagnostics:
            note(f"{file}:{problem.line}:{problem.col}: {problem.severity.value}: {problem.text}")
        found.append(
            sql_event(
                text, lineage, job=job or job_of(file), jobs=jobs, tables=tables, dialect=spoken, at=now()
            )
        )
    return found

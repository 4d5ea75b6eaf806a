"""`headwater impact`: what breaks when something changes, and an exit code for a pipeline to stop at."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from headwater_server.cli import gitdiff, gitreport, queries
from headwater_server.cli.completing import complete_ref
from headwater_server.cli.drawing import kind_words
from headwater_server.cli.gitreport import Report
from headwater_server.cli.output import Exit, counted, note, say, table, write, write_json
from headwater_server.cli.target import Server, answering, ask, asks

SEVERITIES = ("low", "medium", "high", "critical")
_STYLES = {"LOW": "dim", "MEDIUM": "yellow", "HIGH": "red", "CRITICAL": "bold red"}


@click.command()
@click.argument("ref", required=False, shell_complete=complete_ref)
@click.option(
    "--from-git-diff",
    "revisions",
    metavar="RANGE",
    help="Instead of REF: what the SQL files of main... change.",
)
@click.option("--dialect", help="Of the SQL files (with --from-git-diff).")
@click.option("--dbt-target", metavar="DIR", help="The dbt target folder that says which table a file makes.")
@click.option("--drop", multiple=True, metavar="COL", help="The column goes. May be given again.")
@click.option("--rename", multiple=True, metavar="COL", help="The column gets another name.")
@click.option("--type", "types", metavar="COL=TYPE", help="The column gets another type.")
@click.option("--delete", is_flag=True, help="The dataset goes, or the model is retired.")
@click.option("--stale", is_flag=True, help="The dataset is no longer refreshed.")
@click.option("--fail", is_flag=True, help="The job fails.")
@click.option("--depth", type=click.IntRange(1), default=25, show_default=True, help="How far to look.")
@click.option("--as-of", metavar="TIME", help="As it was then.")
@click.option("--min-severity", type=click.Choice(SEVERITIES), default="low", show_default=True)
@click.option("--ways", is_flag=True, help="Show the way to each thing too.")
@click.option("--first", type=click.IntRange(1), default=100, show_default=True, help="Show at most so many.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit with 3 when anything is so bad or worse."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "json"]), default="table", show_default=True
)
@asks
def impact(
    ref: str | None, revisions: str | None, dialect: str | None, dbt_target: str | None, drop: tuple[str, ...], rename: tuple[str, ...], types: str | None, delete: bool, stale: bool,
    fail: bool, depth: int, as_of: str | None, min_severity: str, first: int, ways: bool, fail_on: str | None, form: str,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Say what breaks when REF changes, worst first, with the reason and the way there."""
    if revisions is not None:
        if ref or drop or rename or types or delete or stale or fail or as_of or ways:
            raise click.UsageError(
                "--from-git-diff works out by itself what changes: leave REF, changes, --as-of and --ways out."
            )
        found = _of_branch(
            revisions, dialect, dbt_target, lambda: answering(url, data, neo4j), depth, min_severity
        )
        return _told(found, "json" if json_ else form, first=first, fail_on=fail_on)
    if ref is None:
        raise click.UsageError("Say what changes: a REF, or --from-git-diff main...")
    if dialect or dbt_target:
        raise click.UsageError("--dialect and --dbt-target go with --from-git-diff.")
    asked = {
        **change(ref, drop=drop, rename=rename, types=types, delete=delete, stale=stale, fail=fail),
        "depth": depth, "asOf": as_of, "minSeverity": min_severity.upper(), "first": first,
    }  # fmt: skip
    with answering(url, data, neo4j) as server:
        report = ask(server, queries.IMPACT, input=asked)["impact"]
    if json_ or form == "json":
        write_json(report)
    elif form == "markdown":
        write(report["markdown"])
    else:
        _show(report, ways=ways)
    if fail_on is None:
        return Exit.DONE
    bad = {level.upper() for level in SEVERITIES[SEVERITIES.index(fail_on) :]}
    count = sum(c["count"] for c in report["summary"]["bySeverity"] if c["severity"] in bad)
    if count:
        note(
            f"{counted(count, 'thing')} at {fail_on} or worse: exit code {int(Exit.THRESHOLD)} (--fail-on {fail_on})."
        )
        return Exit.THRESHOLD
    return Exit.DONE


def _of_branch(
    revisions: str, dialect: str | None, dbt_target: str | None,
    opened: Callable[[], AbstractContextManager[Server]], depth: int, min_severity: str,
) -> Report:  # fmt: skip
    project = gitdiff.dbt_project(Path(dbt_target)) if dbt_target else gitdiff.Project()
    plan = gitdiff.plan(gitdiff.changed_files(revisions), dialect=dialect, project=project)
    with opened() as server:
        return gitreport.report(server, plan, depth=depth, min_severity=min_severity.upper())


def _told(found: Report, form: str, *, first: int, fail_on: str | None) -> int:
    if form == "json":
        write_json(found.json())
    elif form == "markdown":
        write(gitreport.markdown(found, first=first))
    else:
        gitreport.show(found, first=first)
    count = gitreport.reaches(found, fail_on) if fail_on else 0
    if count:
        note(
            f"{counted(count, 'thing')} at {fail_on} or worse: exit code {int(Exit.THRESHOLD)} (--fail-on {fail_on})."
        )
    return Exit.THRESHOLD if count else Exit.DONE


def change(
    ref: str,
    *,
    drop: tuple[str, ...],
    rename: tuple[str, ...],
    types: str | None,
    delete: bool,
    stale: bool,
    fail: bool,
) -> dict[str, Any]:
    """The part of ImpactInput that says what is to happen.

    Raises:
        UsageError: two changes at once, or a type without a column.

    """
    given = [bool(option) for option in (drop, rename, types, delete, stale, fail)]
    if sum(given) > 1:
        raise click.UsageError(
            "One change at a time: give one of --drop, --rename, --type, --delete, --stale, --fail."
        )
    dataset, _, column = ref.partition("#")
    if types is not None:
        name, equals, new = types.partition("=")
        if not equals or not name.strip() or not new.strip():
            raise click.UsageError(
                f"--type is {types!r}, but must be COLUMN=TYPE, like --type amount=numeric."
            )
        return {"ref": dataset, "change": "COLUMN_TYPE", "columns": [name.strip()], "newType": new.strip()}
    if drop or rename:
        kind = "COLUMN_DROP" if drop else "COLUMN_RENAME"
        return {"ref": dataset, "change": kind, "columns": [*([column] if column else []), *drop, *rename]}
    if delete:
        if column:
            return {"ref": dataset, "change": "COLUMN_DROP", "columns": [column]}
        retired = ref.startswith(("models:/", "hw:model"))
        return {"ref": ref, "change": "MODEL_RETIRE" if retired else "DATASET_DELETE"}
    if stale:
        return {"ref": dataset, "change": "DATASET_STALE"}
    if fail:
        return {"ref": ref, "change": "JOB_FAIL"}
    if column:
        return {"ref": dataset, "change": "SCHEMA_CHANGE", "columns": [column]}
    return {"ref": ref, "change": "SCHEMA_CHANGE"}


def _show(report: dict[str, Any], *, ways: bool) -> None:
    items = [edge["node"] for edge in report["items"]["edges"]]
    subject = report["subject"]
    say(
        Text.assemble(
            (f"{kind_words(report['change'])} of {subject['name']}", "bold"),
            f"  reaches {counted(report['items']['totalCount'], 'thing')}",
        )
    )
    models = report["summary"]["productionModels"]
    if models:
        names = ", ".join(
            f"{m['model']['name']} v{m['version']} ({(m['stage'] or {}).get('name', '')})" for m in models
        )
        say(Text(f"Models that serve from it: {names}", style="bold magenta"))
    owners = [owner["name"] for owner in report["summary"]["owners"]]
    if owners:
        say(f"Tell: {', '.join(owners)}")
    if not items:
        say(Text("Nothing is known to depend on it.", style="dim"))
        return
    say()
    rows: list[list[str | Text]] = []
    for item in items:
        entity, columns = item["entity"], ", ".join(column["name"] for column in item["columns"])
        rows.append(
            [
                Text(item["severity"].lower(), style=_STYLES[item["severity"]]),
                entity["name"] + (f" ({columns})" if columns else ""),
                kind_words(entity["kind"]),
                str(item["distance"]),
                _because(item["reasons"]),
            ]
        )
        if ways:
            rows.append(["", Text(item["path"]["text"], style="dim"), "", "", ""])
    say(table(["Severity", "What", "Kind", "Steps", "Because"], rows, right=["Steps"]))
    if report["items"]["pageInfo"]["hasNextPage"]:
        note(f"The first {len(items)} are shown; --first shows more.")
    if report["truncated"]:
        note("The walk was cut by a limit or the deadline: there may be more.")


def _because(reasons: list[dict[str, str]]) -> str:
    """The reason that tells how the two hang together; its weight and the others are in the JSON."""
    said = [reason["text"] for reason in reasons if reason["code"] == "STRENGTH"]
    return re.sub(r":? [0-9.]+$", "", said[0]) if said else "; ".join(reason["text"] for reason in reasons)

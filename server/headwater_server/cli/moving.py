"""`headwater import mlflow`: another tracking server copied into this one, with a line of what goes on and a summary."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from headwater_server.cli.output import Exit, Failed, console, counted, note, say, table, write_json
from headwater_server.cli.target import DEFAULT_URL, asks, local_settings
from headwater_server.imports.mlflow.copying import copy
from headwater_server.imports.mlflow.http import MlflowServer
from headwater_server.imports.mlflow.port import Refused, Target, Unreachable
from headwater_server.imports.mlflow.report import Report

SHOWN = 20


@click.command()
@click.argument("uri")
@click.option(
    "--only", multiple=True, metavar="EXPERIMENT", help="This one, by name or id. May be given again."
)
@click.option("--no-artifacts", is_flag=True, help="Leave files where they are.")
@click.option(
    "--source-token", envvar="MLFLOW_TRACKING_TOKEN", metavar="TOKEN", help="Of URI (MLFLOW_TRACKING_TOKEN)."
)
@click.option(
    "--source-user",
    envvar="MLFLOW_TRACKING_USERNAME",
    metavar="NAME",
    help="Of URI (MLFLOW_TRACKING_USERNAME).",
)
@click.option(
    "--source-password",
    envvar="MLFLOW_TRACKING_PASSWORD",
    metavar="WORD",
    help="Of URI (MLFLOW_TRACKING_PASSWORD).",
)
@asks
def mlflow(
    uri: str, only: tuple[str, ...], no_artifacts: bool, source_token: str | None, source_user: str | None,
    source_password: str | None, url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Copy the MLflow server at URI: experiments, runs with all points and files, logged models, the registry.

    Break it off at any time and give it again: it goes on where it stood, and what has grown since is added.
    """
    source = MlflowServer(
        uri, token=source_token or "", user=source_user or "", password=source_password or ""
    )
    try:
        with _target(url, data, neo4j) as target:
            if target.where == source.where:
                raise click.UsageError(f"{source.where} cannot be copied into itself.")
            report = _copied(source, target, only, artifacts=not no_artifacts)
            where = target.where
    except Unreachable as error:
        raise Failed(f"{error} What was copied stays: give the command again.", code="UNREACHABLE") from None
    except Refused as error:
        raise Failed(f"{source.where} refuses: {error}", code=error.code) from None
    finally:
        source.close()
    if json_:
        write_json({"from": source.where, "into": where, **report.as_json()})
        return Exit.FAILED if report.refused.count else Exit.DONE
    _tell(report, source.where, where)
    if report.refused.count:
        raise Failed(f"{counted(report.refused.count, 'thing')} could not be copied.", code="REFUSED")
    return Exit.DONE


@contextmanager
def _target(url: str | None, data: str | None, neo4j: str | None) -> Iterator[Target]:
    if url is not None and (data is not None or neo4j is not None):
        raise click.UsageError("--url asks a server, --data and --neo4j work without one: give one of them.")
    if data is not None or neo4j is not None:
        from headwater_server.app import open_local

        opened = open_local(local_settings(data, neo4j))
        try:
            yield opened.mlflow()
        finally:
            opened.close()
        return
    token = os.environ.get("HEADWATER_TOKEN", "").strip()
    remote = MlflowServer(url or os.environ.get("HEADWATER_URL") or DEFAULT_URL, token=token)
    try:
        yield remote
    finally:
        remote.close()


def _copied(source: MlflowServer, target: Target, only: tuple[str, ...], *, artifacts: bool) -> Report:
    err = console(stderr=True)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("")

        def show(report: Report) -> None:
            runs = report.tallies["runs"].all
            bar.update(task, description=f"{counted(runs, 'run')}, {report.points:,} points · {report.doing}")

        report = Report(show)
        copy(source, target, report, only=only, artifacts=artifacts)
    return report


def _tell(report: Report, source: str, target: str) -> None:
    say(f"{source} is in {target}:")
    rows = [
        [kind, f"{one.copied:,}", f"{one.grown:,}", f"{one.present:,}"]
        for kind, one in report.tallies.items()
        if one.all
    ]
    say(table(["", "copied", "grown", "there already"], rows, right=["copied", "grown", "there already"]))
    say(f"{counted(report.points, 'point')} and {report.bytes:,} bytes of files were sent.")
    for title, named in (("Kept as it is here", report.kept), ("Refused", report.refused)):
        for what, why in named.listed[:SHOWN]:
            note(f"{title}: {what}: {' '.join(why.split())}")
        if named.count > SHOWN:
            note(f"… and {named.count - SHOWN:,} more; --json lists {len(named.listed):,} of them.")

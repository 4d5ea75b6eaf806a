"""`headwater import`: what dbt and DVC keep in files, sent as events; and another MLflow server."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from headwater_server.cli.ingest import batches, count, send
from headwater_server.cli.moving import mlflow
from headwater_server.cli.output import Exit, Failed, counted, note, say, write, write_json
from headwater_server.cli.reading import Found
from headwater_server.cli.target import answering, asks

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _sends(function: _Function) -> _Function:
    """Options of a command that makes events: where they go, or that they go nowhere."""
    function = click.option(
        "--output", "output", metavar="FILE", help="Write the events as NDJSON instead of sending them."
    )(function)
    function = click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")(
        function
    )
    return asks(function)


@click.group(name="import")
def import_() -> None:
    """Take in what other tools keep: `headwater import dbt target`, `headwater import mlflow URI`."""


import_.add_command(mlflow)


@import_.command()
@click.argument("target_dir", default="target", type=click.Path(path_type=Path))
@click.option(
    "--namespace", metavar="NS", help="Of the tables; default: as profiles.yml says, like dbt's own events."
)
@click.option("--job-namespace", metavar="NS", help="Of the jobs (OPENLINEAGE_NAMESPACE; default dbt).")
@click.option("--profiles-dir", type=click.Path(path_type=Path), help="The folder of profiles.yml.")
@click.option("--target", metavar="NAME", help="The output of the profile; default: the profile's own.")
@_sends
def dbt(
    target_dir: Path, namespace: str | None, job_namespace: str | None, profiles_dir: Path | None,
    target: str | None, dry_run: bool, output: str | None,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Import a dbt project from its target folder: manifest.json, and catalog.json and run_results.json if there."""
    from headwater_server.imports.dbt import dbt_events
    from headwater_server.imports.dbt_artifacts import read_artifacts
    from headwater_server.imports.dbt_profile import find_profile, warehouse

    artifacts = read_artifacts(target_dir)
    if namespace is None:
        where = target_dir if (target_dir / "dbt_project.yml").exists() else target_dir.resolve().parent
        profile: dict[str, Any] = {}
        if artifacts.adapter != "bigquery":
            chosen = target or (artifacts.results.get("args") or {}).get("target")
            profile = find_profile(where, folder=profiles_dir, target=chosen)
        namespace = warehouse(artifacts.adapter, profile)
    jobs = job_namespace or os.environ.get("OPENLINEAGE_NAMESPACE") or "dbt"
    events = dbt_events(artifacts, warehouse=namespace, jobs=jobs)
    return deliver(events, dry_run=dry_run, output=output, url=url, data=data, neo4j=neo4j, json_=json_)


@import_.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--namespace", metavar="NS", default="file", show_default=True, help="Of the files in the repository."
)
@click.option(
    "--job-namespace", metavar="NS", help="Of the stages (OPENLINEAGE_NAMESPACE; default dvc://<repository>)."
)
@_sends
def dvc(
    folder: Path, namespace: str, job_namespace: str | None, dry_run: bool, output: str | None,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Import DVC pipelines: every dvc.yaml, dvc.lock and .dvc file at or below DIR."""
    from headwater_server.imports.dvc import dvc_events, unread
    from headwater_server.imports.dvc_files import read_project

    project = read_project(folder)
    jobs = job_namespace or os.environ.get("OPENLINEAGE_NAMESPACE") or f"dvc://{project.name}"
    events = dvc_events(project, jobs=jobs, files=namespace)
    for stage in unread(project):
        note(f"{stage} is a template that never ran: left out until `dvc repro` writes it to dvc.lock.")
    return deliver(events, dry_run=dry_run, output=output, url=url, data=data, neo4j=neo4j, json_=json_)


def deliver(
    events: Sequence[dict[str, Any]], *, dry_run: bool, output: str | None,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Send events, or write them, or say what they are."""
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    if output is not None and output != "-":
        Path(output).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        note(f"{counted(len(lines), 'event')} written to {output}; `headwater ingest {output}` sends them.")
        return Exit.DONE
    if output == "-":
        write("\n".join(lines))
        return Exit.DONE
    summary = summarize(events)
    if dry_run:
        _tell(summary, "would be sent", json_=json_)
        return Exit.DONE
    total = {"received": 0, "successful": 0, "failed": 0}
    refused: list[dict[str, Any]] = []
    found = [Found(line.encode(), _called(event)) for line, event in zip(lines, events, strict=True)]
    with answering(url, data, neo4j, fallback=os.environ.get("OPENLINEAGE_URL", "")) as server:
        for batch in batches(found):
            count(send(server, batch), batch, total, refused)
        where = server.where
    _tell({**summary, **total, "failedEvents": refused} if json_ else summary, f"in {where}", json_=json_)
    for failure in refused:
        note(f"{failure['place']}: {failure['reason']}")
    if refused:
        raise Failed(f"{counted(len(refused), 'event')} could not be placed.", code="REFUSED")
    return Exit.DONE


def summarize(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What events speak of."""
    jobs: set[str] = set()
    datasets: set[str] = set()
    runs: set[str] = set()
    number = 0
    for event in events:
        number += 1
        if "job" in event:
            jobs.add(f"{event['job']['namespace']}/{event['job']['name']}")
        if "run" in event:
            runs.add(event["run"]["runId"])
        told = [*event.get("inputs", ()), *event.get("outputs", ())]
        datasets |= {
            f"{d['namespace']}/{d['name']}"
            for d in (*told, *([event["dataset"]] if "dataset" in event else []))
        }
    return {"events": number, "runs": len(runs), "jobs": sorted(jobs), "datasets": sorted(datasets)}


def _tell(summary: dict[str, Any], what: str, *, json_: bool) -> None:
    if json_:
        write_json(summary)
        return
    say(
        f"{counted(summary['events'], 'event')} {what}: {counted(len(summary['datasets']), 'dataset')}, "
        f"{counted(len(summary['jobs']), 'job')}, {counted(summary['runs'], 'run')}."
    )


def _called(event: dict[str, Any]) -> str:
    thing = event.get("job") or event.get("dataset") or {}
    return f"{thing.get('namespace')}/{thing.get('name')}"

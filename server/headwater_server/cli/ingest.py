"""`headwater ingest`: events from files, folders or standard input, in batches, with what was refused and why."""

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from headwater_server.cli import reading
from headwater_server.cli.output import Exit, Failed, console, counted, note, say, write_json
from headwater_server.cli.reading import Found
from headwater_server.cli.target import Server, answering, asks

BATCH_EVENTS = 1000
BATCH_BYTES = 8 * 2**20
TRIES = 6
SHOWN = 20


@click.command()
@click.argument("sources", metavar="FILE|DIR|-", nargs=-1, required=True)
@asks
def ingest(
    sources: tuple[str, ...], url: str | None, data: str | None, neo4j: str | None, json_: bool
) -> int:
    """Send OpenLineage events: NDJSON, a JSON array or one event, also gzipped; `-` reads standard input.

    Goes to --url, HEADWATER_URL or OPENLINEAGE_URL; with --data straight into that folder, without a server.
    Sending the same events again changes nothing.
    """
    files = [file for given in sources for file in reading.sources(given)]
    total = {"files": len(files), "received": 0, "successful": 0, "failed": 0}
    refused: list[dict[str, Any]] = []
    with answering(url, data, neo4j, fallback=os.environ.get("OPENLINEAGE_URL", "")) as server, _bar() as bar:
        task = bar.add_task("", total=sum(map(reading.size, files)) or None)

        def advance(count: int) -> None:
            bar.advance(task, count)

        for file in files:
            before = bar.tasks[0].completed
            for batch in batches(reading.events(file, advance)):
                count(send(server, batch), batch, total, refused)
                bar.update(task, description=f"{total['received']:,} events")
            bar.update(task, completed=before + reading.size(file))
        where = server.where
    if json_:
        write_json({**total, "failedEvents": refused})
    else:
        say(
            f"{counted(total['successful'], 'event')} from {counted(total['files'], 'file')} "
            f"{'is' if total['successful'] == 1 else 'are'} in {where}."
        )
        for failure in refused[:SHOWN]:
            note(f"{failure['place']}: {failure['reason']}")
        if len(refused) > SHOWN:
            note(f"… and {len(refused) - SHOWN} more; --json lists all.")
    if refused:
        if not json_:
            raise Failed(f"{counted(len(refused), 'event')} could not be placed.", code="REFUSED")
        return Exit.FAILED
    return Exit.DONE


def batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    """At most so many events and so many bytes at a time."""
    batch: list[Found] = []
    held = 0
    for event in found:
        if batch and (len(batch) >= BATCH_EVENTS or held + len(event.body) > BATCH_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(event)
        held += len(event.body)
    if batch:
        yield batch


def _bar() -> Progress:
    err = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    )  # fmt: skip


def send(server: Server, batch: list[Found]) -> dict[str, Any]:
    body = b"\n".join(event.body for event in batch)
    for attempt in range(TRIES):
        try:
            return server.ingest(body)
        except Failed as error:
            if error.code != "503" or attempt == TRIES - 1:
                raise
            time.sleep(min(2**attempt, 8))
    raise AssertionError("the last try returns or raises")


def count(
    answer: dict[str, Any], batch: list[Found], total: dict[str, int], refused: list[dict[str, Any]]
) -> None:
    summary = answer.get("summary") or {}
    failures = answer.get("failed_events") or []
    failed = int(summary.get("failed", len(failures)))
    total["received"] += len(batch)
    total["failed"] += failed
    total["successful"] += len(batch) - failed
    for failure in failures:
        index = int(failure.get("index", 0))
        place = batch[index].place if 0 <= index < len(batch) else "?"
        refused.append({"place": place, "reason": failure.get("reason") or "refused"})

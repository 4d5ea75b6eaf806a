"""`headwater audit erase`, `purge`, `rotate-key`: what changes the log for good, through a server or on its folder."""

import getpass
import time
from typing import Any

import click
from rich.text import Text

from headwater_server.cli.http import Remote
from headwater_server.cli.output import Exit, Failed, counted, note, say, write_json
from headwater_server.cli.target import Local, Server, answering, asks
from headwater_server.graph import times

_why = click.option("--reason", required=True, help="Why; it stays in the log.")
_basis = click.option(
    "--basis", required=True, help="The legal basis, like 'GDPR Art. 17'; it stays in the log."
)
_wait = click.option("--no-wait", is_flag=True, help="Do not wait until the graph is made again.")
_PATIENCE = 24 * 3600.0


@click.command()
@click.argument("seqs", type=click.IntRange(1), nargs=-1, required=True, metavar="SEQ…")
@_why
@_basis
@_wait
@asks
def erase(
    seqs: tuple[int, ...], reason: str, basis: str, no_wait: bool,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Delete the bodies of records SEQ… for good, and make the graph again without them."""
    with answering(url, data, neo4j) as server:
        if isinstance(server, Local):
            erased = _told(
                server.opened.audit.erase(seqs, reason=reason, basis=basis, actor=getpass.getuser())
            )
        else:
            asked = {"records": seqs, "reason": reason, "basis": basis}
            erased = _remote(server).post("/api/v1/audit/erase", asked)
        _settle(server, wait=not no_wait)
    return _say(erased, json_=json_)


@click.command()
@click.option("--before", required=True, metavar="TIME", help="Events received before this day or moment.")
@_why
@_basis
@_wait
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@asks
def purge(
    before: str, reason: str, basis: str, no_wait: bool, dry_run: bool,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Delete the bodies of all events before TIME for good, and make the graph again; mutations stay."""
    try:
        moment = times.parse(before)
    except ValueError:
        raise click.UsageError("--before takes a date or a date-time, like 2026-01-31.") from None
    with answering(url, data, neo4j) as server:
        if isinstance(server, Local):
            erased = _told(
                server.opened.audit.purge(
                    moment, reason=reason, basis=basis, actor=getpass.getuser(), dry_run=dry_run
                )
            )
        else:
            asked = {"before": before, "reason": reason, "basis": basis, "dryRun": dry_run}
            erased = _remote(server).post("/api/v1/audit/purge", asked)
        if erased["records"]:
            _settle(server, wait=not no_wait)
    return _say(erased, json_=json_, dry_run=dry_run)


@click.command("rotate-key")
@_why
@asks
def rotate_key(reason: str, url: str | None, data: str | None, neo4j: str | None, json_: bool) -> None:
    """Sign with a new key from now on; a record that both keys sign says so."""
    with answering(url, data, neo4j) as server:
        if isinstance(server, Local):
            key = str(server.opened.audit.rotate_key(reason=reason, actor=getpass.getuser()))
        else:
            key = str(_remote(server).post("/api/v1/audit/rotate-key", {"reason": reason})["key"])
    if json_:
        write_json({"key": key})
    else:
        say(f"Checkpoints are signed by {key} from now on.")
        note("Note it where you keep checkpoints; `headwater audit keys` lists all.")


def _remote(server: Server) -> Remote:
    if not isinstance(server, Remote):
        raise TypeError(f"{server} is neither a server nor a folder")
    return server


def _told(erased: Any) -> dict[str, Any]:
    return {"records": list(erased.records), "count": erased.count, "clean": erased.clean}


def _settle(server: Server, *, wait: bool) -> None:
    """Until the graph shows all of the log."""
    if not wait:
        return
    if isinstance(server, Local):
        server.opened.settle()
        return
    until = time.monotonic() + _PATIENCE
    while True:
        ready = _remote(server).fetch("/readyz")
        if ready["appliedSeq"] >= ready["headSeq"]:
            return
        if time.monotonic() > until:
            raise Failed(
                "It is erased, but the graph is not made again yet; `headwater status` says how far it is."
            )
        time.sleep(0.5)


def _say(erased: dict[str, Any], *, json_: bool, dry_run: bool = False) -> int:
    if json_:
        write_json({**erased, "dryRun": dry_run})
    elif dry_run:
        say(f"{counted(erased['count'], 'record')} would be erased.")
    elif not erased["count"]:
        say("There is nothing to erase.")
    else:
        by = ", ".join(map(str, erased["records"]))
        say(
            f"{counted(erased['count'], 'record')} erased, as told by record {by}. Backups made before still have them."
        )
    if not erased["clean"]:
        say(Text(
            "A reader held the log's write-ahead file: what was erased may still be in it until the server stops.",
            style="yellow",
        ))  # fmt: skip
    return Exit.DONE if erased["clean"] else Exit.FAILED

"""Commands that look after the data: `status`, `rebuild`, `hash`, `doctor`."""

from typing import Any

import click
from rich.text import Text

from headwater_server.cli import checks, queries
from headwater_server.cli.http import Remote
from headwater_server.cli.output import Exit, counted, say, table, write, write_json
from headwater_server.cli.replaying import replaying
from headwater_server.cli.target import answering, as_json, ask, asks, local_settings, place


@click.command()
@asks
def status(url: str | None, data: str | None, neo4j: str | None, json_: bool) -> int:
    """Say whether the server is ready and how much it holds."""
    with answering(url, data, neo4j) as server:
        about: dict[str, Any] = {"where": server.where, **ask(server, queries.SERVER)["server"]}
        if isinstance(server, Remote):
            about["readiness"] = server.fetch("/readyz")
    ready = about.get("readiness", {"ready": True})
    if json_:
        write_json(about)
    else:
        behind = ready.get("headSeq", 0) - ready.get("appliedSeq", 0)
        state = Text("ready", style="bold green") if ready["ready"] else Text("not ready", style="bold red")
        rows: list[list[str | Text]] = [
            ["server", Text.assemble(about["where"], "  ", state)],
            ["version", f"{about['version']} on {about['backend']}"],
            ["records", f"{about['eventsIngested']:,}"],
            ["graph", f"{counted(about['nodeCount'], 'node')}, {counted(about['edgeCount'], 'edge')}"],
        ]
        if behind > 0:
            rows.append(["catching up", f"{behind:,} records behind the log"])
        say(table(["", ""], rows))
    return Exit.DONE if ready["ready"] else Exit.FAILED


@click.command()
@place
@as_json
def rebuild(data: str | None, neo4j: str | None, json_: bool) -> None:
    """Make the graph again from the record log. Stop the server first."""
    from headwater_server.app import open_local

    opened = open_local(local_settings(data, neo4j))
    try:
        with replaying() as progress:
            seq = opened.rebuild(progress)
    finally:
        opened.close()
    if json_:
        write_json({"records": seq})
    else:
        say(f"The graph is made again from {counted(seq, 'record')}.")


@click.command("hash")
@place
@as_json
def hash_(data: str | None, neo4j: str | None, json_: bool) -> None:
    """Print a hash of the graph's content.

    It leaves out sequence numbers and receive times: the same events give the same hash on SQLite and
    on Neo4j, in any order of arrival, any number of times.
    """
    from headwater_server.app import open_local

    opened = open_local(local_settings(data, neo4j))
    try:
        found = opened.hash()
    finally:
        opened.close()
    if json_:
        write_json({"hash": found})
    else:
        write(found)


@click.command()
@click.option("--url", metavar="URL", help="Also look for the server here.")
@place
@as_json
def doctor(url: str | None, data: str | None, neo4j: str | None, json_: bool) -> int:
    """Check the installation, the settings, the data folder, the log, the graph and the server."""
    found = checks.all_of(url=url, data=data, neo4j=neo4j)
    if json_:
        write_json([{"check": c.name, "outcome": c.outcome, "said": c.said, "hint": c.hint} for c in found])
    else:
        marks = {"ok": Text("✓", "green"), "warn": Text("!", "yellow"), "fail": Text("✗", "bold red")}
        say(table(["", "Check", "Found", "Do"], [[marks[c.outcome], c.name, c.said, c.hint] for c in found]))
    return Exit.FAILED if any(c.outcome == "fail" for c in found) else Exit.DONE

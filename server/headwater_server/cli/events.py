"""`headwater events`: the record log, newest first, or one record whole."""

from typing import Any

import click
from rich.text import Text

from headwater_server.cli import queries
from headwater_server.cli.completing import complete_ref
from headwater_server.cli.output import Failed, moment, note, say, table, write_json
from headwater_server.cli.target import answering, ask, asks


@click.command()
@click.argument("ref", required=False, shell_complete=complete_ref)
@click.option("--seq", type=click.IntRange(1), help="Show this record whole, as JSON.")
@click.option("--producer", help="Only from this producer.")
@click.option("--kind", help="Only of this kind, like openlineage.")
@click.option("--first", type=click.IntRange(1), default=20, show_default=True, help="Show at most so many.")
@click.option(
    "--conformance", is_flag=True, help="What producers send that the standard does not allow, counted."
)
@asks
def events(
    ref: str | None, seq: int | None, producer: str | None, kind: str | None, first: int, conformance: bool,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """List the records that were accepted, newest first; with REF those about it."""
    with answering(url, data, neo4j) as server:
        if seq is not None:
            event = ask(server, queries.EVENT, seq=seq)["event"]
            if event is None:
                raise Failed(f"There is no record {seq}.", code="NOT_FOUND")
            write_json(event if json_ else event["raw"])
            return
        if conformance:
            found = ask(server, queries.CONFORMANCE, first=first, producer=producer)["conformance"]
        else:
            found = ask(
                server, queries.EVENTS, first=first, after=None, ref=ref, producer=producer, kind=kind
            )["events"]  # fmt: skip
    if json_:
        write_json(found)
        return
    nodes = [edge["node"] for edge in found["edges"]]
    if not nodes:
        say(Text("Nothing.", style="dim"))
    elif conformance:
        say(
            table(
                ["Times", "Rule", "What", "Producer", "Last", "Example"],
                [
                    [
                        f"{n['count']:,}",
                        n["rule"],
                        n["text"],
                        n["producer"],
                        moment(n["lastSeen"]),
                        str(n["exampleSeq"]),
                    ]
                    for n in nodes
                ],
                right=["Times", "Example"],
            )
        )
    else:
        say(
            table(
                ["Record", "Received", "Kind", "Event", "Job", "Run", "Remarks"],
                [
                    [
                        str(n["seq"]),
                        moment(n["receivedAt"]),
                        n["kind"],
                        " ".join(w for w in (n["eventType"], moment(n["eventTime"])) if w),
                        "/".join(w for w in (n["jobNamespace"], n["jobName"]) if w),
                        n["runId"] or "",
                        Text(_remarks(n), style="yellow"),
                    ]
                    for n in nodes
                ],
                right=["Record"],
            )
        )
    if found["totalCount"] > len(nodes):
        note(f"{len(nodes)} of {found['totalCount']:,} are shown; --first shows more.")


def _remarks(node: dict[str, Any]) -> str:
    erased = [] if node["erasedBy"] is None else [f"erased by record {node['erasedBy']}"]
    return ", ".join([*erased, *node["warnings"]])

"""`headwater paths` and `headwater why`: how data gets from one thing to another, and who says so."""

import click
from rich.text import Text

from headwater_server.cli import drawing, queries
from headwater_server.cli.completing import complete_ref
from headwater_server.cli.output import console, counted, moment, say, table, write_json
from headwater_server.cli.target import answering, ask, asks


@click.command()
@click.argument("source", metavar="FROM", shell_complete=complete_ref)
@click.argument("target", metavar="TO", shell_complete=complete_ref)
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="At most so many paths.")
@click.option("--columns", is_flag=True, help="Follow columns.")
@click.option("--as-of", metavar="TIME", help="As it was then.")
@asks
def paths(
    source: str, target: str, limit: int, columns: bool, as_of: str | None,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Show how data flows from FROM to TO, shortest way first."""
    granularity = "COLUMN" if columns or "#" in source or "#" in target else "ENTITY"
    variables = {"from": source, "to": target, "granularity": granularity, "asOf": as_of, "limit": limit}
    with answering(url, data, neo4j) as server:
        found = ask(server, queries.PATHS, **variables)["paths"]
    if json_:
        write_json(found)
        return
    if not found:
        say(Text(f"No path leads from {source} to {target}.", style="dim"))
        return
    for number, path in enumerate(found, 1):
        by_id = {node["id"]: node for node in path["nodes"]}
        say(Text(f"{number}. {counted(path['length'], 'step')}", style="bold"))
        for depth, node in enumerate(path["nodes"]):
            console().print(
                Text("   " + "  " * depth + ("→ " if depth else "")).append(drawing.label(node, by_id))
            )


@click.command()
@click.argument("source", metavar="FROM", shell_complete=complete_ref)
@click.argument("target", metavar="TO", shell_complete=complete_ref)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many reasons."
)
@asks
def why(
    source: str, target: str, limit: int, url: str | None, data: str | None, neo4j: str | None, json_: bool
) -> None:
    """Show who said that FROM feeds TO, oldest first."""
    variables = {"from": source, "to": target, "first": limit}
    with answering(url, data, neo4j) as server:
        found = ask(server, queries.WHY, **variables)["why"]
    if json_:
        write_json(found)
        return
    rows = [
        [
            Text(node["kind"].lower(), style="bold" if node["current"] else "dim"),
            "now" if node["current"] else "past",
            moment(node["firstSeen"]),
            moment(node["lastSeen"]),
            f"{node['firstSeq']}-{node['lastSeq']}"
            if node["firstSeq"] != node["lastSeq"]
            else str(node["firstSeq"]),
            node["producer"] or "",
            node["note"] or "",
        ]
        for node in (edge["node"] for edge in found["edges"])
    ]
    if not rows:
        say(Text(f"Nobody said that {source} feeds {target} directly. Try `headwater paths`.", style="dim"))
        return
    say(table(["Evidence", "Holds", "First seen", "Last seen", "Records", "Producer", "Note"], rows))

"""`headwater lineage` and `headwater diff`: what a thing is made of and makes, now, then, and what changed."""

from typing import Any

import click
from rich.text import Text

from headwater_server.cli import drawing, queries
from headwater_server.cli.completing import complete_ref
from headwater_server.cli.output import console, moment, note, say, write, write_json
from headwater_server.cli.target import answering, ask, asks


@click.command()
@click.argument("ref", shell_complete=complete_ref)
@click.option("--up", type=click.IntRange(0), help="Levels upstream (3 when neither is given).")
@click.option("--down", type=click.IntRange(0), help="Levels downstream (3 when neither is given).")
@click.option("--columns", is_flag=True, help="Follow columns; REF may be <dataset>#<column>.")
@click.option("--datasets", is_flag=True, help="Datasets only, with jobs folded into the arrows.")
@click.option("--as-of", metavar="TIME", help="As it was then: 2026-01-31, 2026-01-31T12:00Z or P7D ago.")
@click.option(
    "--max-nodes", type=click.IntRange(1), default=500, show_default=True, help="Show at most so many."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "table", "json", "mermaid", "dot"]),
    default="tree",
    show_default=True,
)
@asks
def lineage(
    ref: str, up: int | None, down: int | None, columns: bool, datasets: bool, as_of: str | None,
    max_nodes: int, form: str, url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Draw what REF is made of and what is made of it.

    REF is a name as OpenLineage has it (<namespace>/<name>), with #column for a column, models:/<name>/<stage>,
    runs:/<run id>, or a urn.
    """
    if columns and datasets:
        raise click.UsageError("--columns and --datasets are two ways to look at it: give one of them.")
    if up is None and down is None:
        up = down = 3
    up, down = up or 0, down or 0
    if not up and not down:
        raise click.UsageError("Nothing to draw: give --up or --down at least 1.")
    granularity = "COLUMN" if columns or "#" in ref else "DATASET" if datasets else "ENTITY"
    with answering(url, data, neo4j) as server:
        answer = ask(
            server, queries.LINEAGE, ref=ref, up=max(up, 1), down=max(down, 1), withUp=up > 0, withDown=down > 0,
            granularity=granularity, asOf=as_of, maxNodes=max_nodes,
        )  # fmt: skip
    upstream, downstream = answer.get("upstream"), answer.get("downstream")
    if json_ or form == "json":
        write_json({side: graph for side, graph in answer.items() if graph})
        return
    if form == "tree":
        say(drawing.tree(upstream, downstream))
    elif form == "table":
        say(drawing.rows(*drawing.merged(upstream, downstream)))
    else:
        write((drawing.mermaid if form == "mermaid" else drawing.dot)(*drawing.merged(upstream, downstream)))
    for remark in drawing.remarks(upstream, downstream):
        note(remark)


@click.command()
@click.argument("ref", shell_complete=complete_ref)
@click.option("--from", "from_", metavar="TIME", required=True, help="The earlier moment, or P7D ago.")
@click.option("--to", metavar="TIME", help="The later moment (now).")
@click.option("--depth", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--direction", type=click.Choice(["upstream", "downstream", "both"]), default="both", show_default=True
)
@asks
def diff(
    ref: str, from_: str, to: str | None, depth: int, direction: str,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Compare the lineage of REF at two moments."""
    variables = {"ref": ref, "from": from_, "to": to, "depth": depth, "direction": direction.upper()}
    with answering(url, data, neo4j) as server:
        found = ask(server, queries.DIFF, **variables)["lineageDiff"]
        by_id = {node["id"]: node for node in found["graph"]["nodes"]}
        gone = {
            end for edge in found["removedEdges"] for end in (edge["source"], edge["target"])
        } - by_id.keys()
        named = ask(server, queries.NAMES, ids=sorted(gone))["nodes"] if gone else []
        by_id.update((node["id"], node) for node in named if node and "urn" in node)
    if json_:
        write_json(found)
        return
    say(Text(f"{ref} from {moment(found['from'])} to {moment(found['to'])}", style="bold"))
    graph = found["graph"]
    lines = [
        *(_line("+", graph["edges"][index], by_id) for index in found["addedEdges"]),
        *(_line("-", edge, by_id) for edge in found["removedEdges"]),
    ]
    for line in sorted(lines, key=lambda text: text.plain[2:]):
        console().print(line, soft_wrap=True)
    if not lines:
        say(Text("No difference.", style="dim"))
    for remark in drawing.remarks(graph):
        note(remark)


def _line(sign: str, edge: dict[str, Any], by_id: dict[str, Any]) -> Text:
    ends = [drawing.full_name(by_id[e]) if e in by_id else e for e in (edge["source"], edge["target"])]
    return Text(f"{sign} {ends[0]} → {ends[1]}", style="green" if sign == "+" else "red")

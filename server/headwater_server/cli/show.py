"""`headwater search` and `headwater show`: find a thing by name, then see all about it."""

from typing import Any

import click
from rich.text import Text

from headwater_server.cli import cards, queries
from headwater_server.cli.completing import complete_ref
from headwater_server.cli.drawing import full_name, kind_words
from headwater_server.cli.output import Failed, note, say, table, write_json
from headwater_server.cli.target import answering, ask, asks

KINDS = ("dataset", "column", "job", "run", "registered-model", "model-version")


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these; may be given again."
)
@click.option("--first", type=click.IntRange(1), default=20, show_default=True, help="Show at most so many.")
@asks
def search(
    query: tuple[str, ...], kinds: tuple[str, ...], first: int,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """Find datasets, columns, jobs and models whose names have words that begin with QUERY."""
    text = " ".join(query)
    wanted = [kind.upper().replace("-", "_") for kind in kinds] or None
    with answering(url, data, neo4j) as server:
        found = ask(server, queries.SEARCH, query=text, kinds=wanted, first=first)["search"]
    if json_:
        write_json(found)
        return
    rows = []
    for node in (edge["node"] for edge in found["edges"]):
        tags = " ".join(f"#{tag['key']}" for tag in node["tags"])
        about = (node["description"] or "").split("\n")[0]
        rows.append(
            [kind_words(node["kind"]), Text(full_name(node), style="cyan"), Text(tags, style="blue"), about]
        )
    if not rows:
        meant = f" Did you mean {found['didYouMean']}?" if found["didYouMean"] else ""
        say(Text(f"Nothing is called {text!r}.{meant}", style="dim"))
        return
    say(table(["Kind", "Reference", "Tags", "About"], rows))
    if found["totalCount"] > len(rows):
        note(f"{len(rows)} of {found['totalCount']} are shown; --first shows more.")


@click.command()
@click.argument("ref", shell_complete=complete_ref)
@click.option(
    "--runs", type=click.IntRange(1), default=10, show_default=True, help="Show at most so many runs."
)
@asks
def show(ref: str, runs: int, url: str | None, data: str | None, neo4j: str | None, json_: bool) -> None:
    """Show what is known of REF: columns, runs, versions, stages, owners, tags, facets."""
    with answering(url, data, neo4j) as server:
        entity: dict[str, Any] | None = ask(server, queries.SHOW, ref=ref, runs=runs)["entity"]
    if entity is None:
        raise Failed(f"Nothing is called {ref!r}.", code="NOT_FOUND")
    if json_:
        write_json(entity)
        return
    for part in cards.card(entity):
        say(part)

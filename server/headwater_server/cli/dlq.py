"""`headwater dlq`: records that the graph goes on without; look, try again, leave out."""

from typing import Any

import click
from rich.text import Text

from headwater_server.cli import queries
from headwater_server.cli.output import Exit, counted, moment, note, say, table, write_json
from headwater_server.cli.target import answering, ask, asks, outcome


@click.group()
def dlq() -> None:
    """Dead letters: records that could not be projected. The log keeps them, the others flow."""


@dlq.command("list")
@click.option("--first", type=click.IntRange(1, 200), default=50, show_default=True, help="Show so many.")
@asks
def list_(first: int, url: str | None, data: str | None, neo4j: str | None, json_: bool) -> None:
    """Show them in the log's order, with the reason."""
    with answering(url, data, neo4j) as server:
        found = ask(server, queries.DEAD_LETTERS, first=first)["deadLetters"]
    if json_:
        write_json(found)
        return
    letters = [edge["node"] for edge in found["edges"]]
    if letters:
        say(_table(letters))
    else:
        say(Text("None.", style="dim"))
    if found["totalCount"] > len(letters):
        note(f"{len(letters)} of {found['totalCount']:,} are shown; --first shows more.")


@dlq.command()
@click.argument("seqs", metavar="SEQ", type=click.IntRange(1), nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All of them (1,000 at a time).")
@click.option("-m", "--reason", help="Why, for the log.")
@asks
def retry(
    seqs: tuple[int, ...], all_: bool, reason: str | None,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Project them again, after an upgrade say. What was dropped comes back so, too."""
    return _decide("retryDeadLetters", seqs, all_, reason, (url, data, neo4j), json_)


@dlq.command()
@click.argument("seqs", metavar="SEQ", type=click.IntRange(1), nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All of them (1,000 at a time).")
@click.option("-m", "--reason", help="Why, for the log.")
@asks
def drop(
    seqs: tuple[int, ...], all_: bool, reason: str | None,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> int:  # fmt: skip
    """Leave them out of the graph for good, in every rebuild too. The log keeps them."""
    return _decide("dropDeadLetters", seqs, all_, reason, (url, data, neo4j), json_)


def _decide(
    mutation: str,
    seqs: tuple[int, ...],
    all_: bool,
    reason: str | None,
    where: tuple[str | None, str | None, str | None],
    json_: bool,
) -> int:
    """Exit code 1 when one failed again."""
    if bool(seqs) == all_:
        raise click.UsageError("name records by their numbers, or give --all.")
    wanted = {"seqs": None if all_ else list(seqs), "reason": reason}
    with answering(*where) as server:
        told = outcome(ask(server, queries.DECIDE_DEAD_LETTERS[mutation], input=wanted)[mutation])
    if json_:
        write_json(told)
    else:
        done = counted(len(told["done"]), "record")
        say(f"{done} in the graph." if mutation.startswith("retry") else f"{done} left out.")
        if told["remaining"]:
            say(_table(told["remaining"]))
    return Exit.FAILED if told["remaining"] else Exit.DONE


def _table(letters: list[dict[str, Any]]) -> Any:
    rows = [
        [str(n["seq"]), n["kind"], str(n["tries"]), moment(n["lastFailedAt"]), n["reason"]] for n in letters
    ]
    return table(["Record", "Kind", "Tries", "Last", "Why"], rows, right=["Record", "Tries"])

"""`headwater migrate`: the graph made in the other store from the log, and compared."""

from dataclasses import replace

import click

from headwater_server.cli.output import Exit, Failed, counted, note, say, write_json
from headwater_server.cli.replaying import replaying
from headwater_server.cli.target import as_json, place
from headwater_server.settings import Settings


@click.command()
@click.option(
    "--to",
    required=True,
    type=click.Choice(["neo4j", "sqlite"]),
    help="Where the graph shall be from now on.",
)
@place
@as_json
def migrate(to: str, data: str | None, neo4j: str | None, json_: bool) -> int:
    """Make the graph in the other store from the record log and compare both. Stop the server first.

    The Neo4j is --neo4j or NEO4J_URI. The store that is left is only read, so the way back is this command again.
    What was interrupted goes on where it stood.
    """
    from headwater_server.app import open_local

    on_neo4j = Settings.from_env(data=data, neo4j_uri=neo4j, demo=False)
    if not on_neo4j.neo4j_uri:
        raise click.UsageError("name the Neo4j: --neo4j URI or NEO4J_URI.")
    embedded = replace(on_neo4j, neo4j_uri="")
    target, source = (on_neo4j, embedded) if to == "neo4j" else (embedded, on_neo4j)
    opened = open_local(target)
    try:
        with replaying() as progress:
            moved = opened.migrate(source, progress)
    finally:
        opened.close()
    start = f"headwater up --data {target.data}" + (
        f" --neo4j {target.neo4j_uri}" if target.neo4j_uri else ""
    )
    if json_:
        write_json(
            {
                "records": moved.records,
                "hash": moved.hash,
                "sourceHash": moved.source_hash,
                "equal": moved.equal,
                "deadLetters": moved.dead_letters,
                "start": start,
            }
        )
        return Exit.FAILED if moved.equal is False else Exit.DONE
    say(f"{counted(moved.records, 'record')} {'is' if moved.records == 1 else 'are'} in the graph on {to}.")
    if moved.equal is None:
        note(f"Not compared: {moved.why_not_compared}.")
    elif moved.equal:
        say(f"Both graphs are equal: {moved.hash}")
    if moved.dead_letters:
        note(f"{counted(moved.dead_letters, 'record')} could not be taken: `headwater dlq list` says why.")
    if moved.equal is False:
        raise Failed(
            f"the graphs differ ({moved.source_hash} and {moved.hash}). Run `headwater rebuild` on each and "
            "compare again with `headwater hash`; the log is untouched.",
            code="DIFFERENT",
        )
    say(f"Start with: {start}")
    return Exit.DONE

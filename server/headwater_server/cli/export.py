"""`headwater export`: the closed set of events behind a thing; ingested elsewhere it gives the same graph of it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import click

from headwater_server.cli.completing import complete_ref
from headwater_server.cli.output import Failed, counted, note, write_json
from headwater_server.cli.target import answering, asks


@click.command()
@click.argument("ref", shell_complete=complete_ref)
@click.option(
    "--format", "form", type=click.Choice(["openlineage"]), default="openlineage", show_default=True
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="Write to this file, not to standard output."
)
@asks
def export(
    ref: str, form: str, output: str | None, url: str | None, data: str | None, neo4j: str | None, json_: bool
) -> None:
    """Write the events behind REF as NDJSON, one event a line, in the order in which they were accepted."""
    del form
    with answering(url, data, neo4j) as server:
        lines = server.export(ref)
        if output is None:
            count = _write(lines, sys.stdout.buffer)
        else:
            try:
                with Path(output).open("wb") as file:
                    count = _write(lines, file)
            except OSError as error:
                raise Failed(f"{output} cannot be written: {error.strerror}.") from None
    if json_ and output is not None:
        write_json({"events": count, "file": output})
    else:
        note(f"{counted(count, 'event')} behind {ref}.")


def _write(lines: Iterable[bytes], file: BinaryIO) -> int:
    count = 0
    for line in lines:
        file.write(line + b"\n")
        count += 1
    file.flush()
    return count

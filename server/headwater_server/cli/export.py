"""`headwater export`: the closed set of events behind a thing; ingested elsewhere it gives the same graph of it."""

import sys
from pathlib import Path
from typing import Any

import click

from headwater_server.cli.completing import complete_ref
from headwater_server.cli.http import Remote
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
    from urllib.parse import quote

    with answering(url, data, neo4j) as server:
        local: Any = server
        if isinstance(server, Remote):
            text = str(server.fetch(f"/api/v1/export/openlineage?ref={quote(ref, safe='')}"))
        else:
            text = b"".join(line + b"\n" for line in local.opened.export(ref)).decode()
    count = text.count("\n")
    if output is not None:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failed(f"{output} cannot be written: {error.strerror}.") from None
    else:
        sys.stdout.write(text)
    if json_ and output is not None:
        write_json({"events": count, "file": output})
    else:
        note(f"{counted(count, 'event')} behind {ref}.")

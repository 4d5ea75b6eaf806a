"""`headwater backup`, `headwater restore`: the data folder copied while it is worked on, and put back verified."""

from pathlib import Path

import click

from headwater_server.audit.note import VerifierKey
from headwater_server.cli.output import counted, note, say, write_json
from headwater_server.cli.replaying import replaying
from headwater_server.cli.target import as_json, local_settings

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("dest", type=_FOLDER)
@click.option(
    "--data", metavar="DIR", help="Data folder (HEADWATER_DATA; default .headwater); a server may work on it."
)
@as_json
def backup(dest: Path, data: str | None, json_: bool) -> None:
    """Copy the data folder to DEST (a new folder), also while a server works on it. The graph is left out: it is made again."""
    from headwater_server.backup import back_up

    made = back_up(local_settings(data, None), dest)
    if json_:
        write_json({
            "dest": str(dest), "records": made.checkpoint.size, "root": made.checkpoint.root.hex(), "files": len(made.files),
            "bytes": made.size, "made": made.made, "artifactsElsewhere": made.elsewhere,
        })  # fmt: skip
        return
    say(
        f"{counted(made.checkpoint.size, 'record')} and {counted(len(made.files), 'file')} ({made.size:,} bytes) are in {dest}."
    )
    note("It holds the signing key: keep it as secret as the data. `headwater restore` verifies it.")
    if made.elsewhere:
        note(f"Artifacts are in {made.elsewhere}, not in the backup.")


@click.command()
@click.argument("src", type=_FOLDER)
@click.option("--data", metavar="DIR", required=True, help="Data folder to make: empty, or not there yet.")
@click.option("--neo4j", metavar="URI", help="Make the graph in this Neo4j, which is emptied.")
@click.option("--key", "keys", multiple=True, help="A key of the log, known from elsewhere (name+id+key).")
@as_json
def restore(src: Path, data: str, neo4j: str | None, keys: tuple[str, ...], json_: bool) -> None:
    """Put the backup SRC into a new data folder, verify every record by the signed Merkle root, make the graph."""
    from headwater_server.backup import restore as put_back

    with replaying() as progress:
        restored = put_back(
            src,
            local_settings(data, neo4j),
            trusted=tuple(VerifierKey.read(key) for key in keys),
            progress=progress,
        )
    if json_:
        write_json({
            "data": data, "records": restored.checkpoint.size, "root": restored.checkpoint.root.hex(), "made": restored.made,
            "artifactsElsewhere": restored.elsewhere,
        })  # fmt: skip
        return
    say(
        f"{counted(restored.checkpoint.size, 'record')} of {restored.made} are in {data}, verified; the graph is made."
    )

"""`headwater audit`: is the log what it was, proofs of it, checkpoints to keep elsewhere."""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from headwater_server.audit import proof as proofs
from headwater_server.audit.folder import Folder, Given
from headwater_server.audit.keys import published
from headwater_server.audit.note import Checkpoint, VerifierKey, opened
from headwater_server.cli import queries
from headwater_server.cli.auditing import erase, purge, rotate_key
from headwater_server.cli.output import Exit, Failed, counted, moment, note, say, table, write, write_json
from headwater_server.cli.target import answering, as_json, ask, asks, local_settings
from headwater_server.errors import Invalid
from headwater_server.graph import times

_FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.group()
def audit() -> None:
    """Verify the log, prove what is in it, take checkpoints, erase for good."""


def _reads(function: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--data",
        metavar="DIR",
        help="Data folder (HEADWATER_DATA; default .headwater); a server may work on it.",
    )(function)


@contextmanager
def _folder(data: str | None) -> Iterator[Folder]:
    from headwater_server.parts import open_log

    path = local_settings(data, None).data
    log = open_log(path)
    try:
        yield Folder(path, log)
    finally:
        log.close()


@audit.command()
@click.option(
    "--from-checkpoint",
    "kept",
    type=_FILE,
    multiple=True,
    help="Also against the checkpoints in this file, kept elsewhere. May be given again.",
)
@click.option("--proof", type=_FILE, help="Check this proof instead; neither data nor a server is needed.")
@click.option(
    "--key", "keys", multiple=True, help="A key known from elsewhere (name+id+key) that must have signed."
)
@_reads
@as_json
def verify(
    kept: tuple[Path, ...], proof: Path | None, keys: tuple[str, ...], data: str | None, json_: bool
) -> int:
    """Read every record and compare it with its leaf, the tree and the checkpoints. Exit code 1: something is wrong.

    It reads the files itself, beside a server or without one. A history that was rewritten with all its hashes is
    found only by a checkpoint kept elsewhere: give it.
    """
    trusted = [VerifierKey.read(key) for key in keys]
    if proof is not None:
        return _check_proof(proof, trusted, json_=json_)
    given = [each for path in kept for each in Given.of(path)]
    with _folder(data) as folder:
        seen = folder.verify(given, trusted=trusted)
        where = str(folder.data)
    if json_:
        write_json({
            "ok": seen.ok, "data": where, "records": seen.size, "checked": seen.checked, "erased": seen.erased,
            "root": seen.root.hex(), "checkpoints": len(given), "faultCount": seen.count,
            "faults": [{"seq": fault.seq, "what": fault.what} for fault in seen.faults],
        })  # fmt: skip
        return Exit.DONE if seen.ok else Exit.FAILED
    for fault in seen.faults:
        say(Text.assemble(("✗ ", "bold red"), str(fault)))
    if seen.count > len(seen.faults):
        say(f"… {seen.count - len(seen.faults):,} more")
    erased = f", {seen.erased:,} of them erased" if seen.erased else ""
    if seen.ok:
        say(
            Text.assemble(
                ("✓ ", "green"), f"{counted(seen.checked, 'record')} checked{erased}; root {seen.root.hex()}"
            )
        )
        if not given:
            note("Compared with no checkpoint kept elsewhere; --from-checkpoint FILE does.")
        return Exit.DONE
    say(f"{counted(seen.count, 'fault')} in {counted(seen.size, 'record')} of {where}.")
    return Exit.FAILED


def _check_proof(path: Path, trusted: list[VerifierKey], *, json_: bool) -> int:
    proof = _json(path)
    said, checkpoint, key = proofs.check(proof, trusted)
    body = (
        f"a body of {said.len:,} bytes" if "body" in proof
        else f"erased by record {proof['erasedBy']}" if "erasedBy" in proof else "its body not shown"
    )  # fmt: skip
    if json_:
        write_json({
            "ok": True, "seq": said.seq, "at": times.text(said.at), "actor": said.actor, "kind": said.kind,
            "bytes": said.len, "body": "body" in proof, "erasedBy": proof.get("erasedBy"), "origin": checkpoint.origin, "size": checkpoint.size, "key": str(key),
            "trusted": bool(trusted),
        })  # fmt: skip
        return Exit.DONE
    say(Text.assemble(
        ("✓ ", "green"), f"record {said.seq} ({said.kind}, {times.text(said.at)}, {body}) is in the log {checkpoint.origin} "
        f"of {counted(checkpoint.size, 'record')}",
    ))  # fmt: skip
    say(f"  signed by {key}")
    if not trusted:
        note("That key came with the proof: compare it with the one you know, or give it with --key.")
    return Exit.DONE


@audit.command()
@click.option("--url", metavar="URL", help="Ask the server here instead of reading the folder.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Append it to this file."
)
@_reads
@as_json
def checkpoint(url: str | None, output: Path | None, data: str | None, json_: bool) -> None:
    """Print a signed checkpoint of the log as it is now: keep it where nobody can change it."""
    if url is not None:
        from headwater_server.cli.http import Remote

        signed = str(Remote(url).fetch("/api/v1/audit/checkpoint"))
    else:
        with _folder(data) as folder:
            signed = folder.checkpoint()
    if output is not None:
        with output.open("a", encoding="utf-8") as file:
            file.write(signed + "\n")
    read = Checkpoint.read(signed)
    if json_:
        write_json({"origin": read.origin, "size": read.size, "root": read.root.hex(), "checkpoint": signed})
    elif output is None:
        write(signed)
    else:
        say(f"A checkpoint of {counted(read.size, 'record')} is in {output}.")


@audit.command()
@click.argument("seq", type=click.IntRange(1))
@click.option("--url", metavar="URL", help="Ask the server here instead of reading the folder.")
@click.option(
    "--without-body", is_flag=True, help="Leave out body and salt: that there was a record, not what it said."
)
@_reads
@as_json
def prove(seq: int, url: str | None, without_body: bool, data: str | None, json_: bool) -> None:
    """Print a proof that record SEQ is in the log; `audit verify --proof FILE` checks it anywhere."""
    del json_  # a proof is JSON
    if url is not None:
        from headwater_server.cli.http import Remote

        proof = Remote(url).fetch(f"/api/v1/audit/proof/{seq}")
    else:
        with _folder(data) as folder:
            proof = proofs.prove(
                folder.log, seq, checkpoint=folder.checkpoint(), key=folder.signer().verifier
            )
    if without_body:
        proof = {k: v for k, v in proof.items() if k not in ("body", "salt")}
    write_json(proof)


@audit.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--url", metavar="URL", help="Ask the server here instead of reading the folder.")
@_reads
@as_json
def compare(old: Path, new: Path, url: str | None, data: str | None, json_: bool) -> int:
    """Say whether the log of checkpoint OLD is the beginning of the log of checkpoint NEW. Exit code 1: it is not."""
    notes = Given.of(old)[-1], Given.of(new)[-1]
    with _keys_and_growth(url, data) as (keys, growth):
        first, second = (opened(each.note, keys) for each in notes)
        if first.size > second.size:
            raise Failed(f"{old} is the later one ({first.size} records, {second.size} in {new}); swap them.")
        path = growth(first.size, second.size)
    grew = proofs.grew(first, second, path)
    if json_:
        write_json({
            "ok": grew, "old": first.size, "new": second.size, "path": [base64.b64encode(node).decode() for node in path],
        })  # fmt: skip
    elif grew:
        say(
            Text.assemble(
                ("✓ ", "green"), f"from {first.size:,} to {second.size:,} records the log only grew"
            )
        )
    else:
        say(
            Text.assemble(
                ("✗ ", "bold red"), f"the first {first.size:,} records of {new} are not those of {old}"
            )
        )
    return Exit.DONE if grew else Exit.FAILED


@contextmanager
def _keys_and_growth(url: str | None, data: str | None) -> Iterator[tuple[list[VerifierKey], Any]]:
    """The log's keys, and who proves that it only grew between two sizes."""
    if url is None:
        with _folder(data) as folder:
            yield folder.keys(), lambda old, new: proofs.prove_growth(folder.log, old, new)
        return
    from headwater_server.cli.http import Remote

    server = Remote(url)
    keys = [VerifierKey.read(key["key"]) for key in server.fetch("/.well-known/headwater-keys.json")["keys"]]

    def growth(old: int, new: int) -> list[bytes]:
        answer = server.fetch(f"/api/v1/audit/growth?old={old}&new={new}")
        try:
            return [base64.b64decode(node, validate=True) for node in answer["path"]]
        except (binascii.Error, TypeError, KeyError):
            raise Failed(f"{server.where} did not answer with a proof.") from None

    yield keys, growth


@audit.command()
@_reads
@as_json
def keys(data: str | None, json_: bool) -> None:
    """List the public keys that this log is and was signed with: note them elsewhere."""
    with _folder(data) as folder:
        known = folder.keys()
    if json_:
        write_json(published(known))
        return
    say(table(["Key", ""], [[str(key), "signs now" if key is known[-1] else "before"] for key in known]))


@audit.command("log")
@click.argument("ref", required=False)
@click.option("--action", help="Only this kind, like registry.transition.")
@click.option("--since", metavar="TIME", help="Received then or later.")
@click.option("--until", metavar="TIME", help="Received before.")
@click.option("--first", type=click.IntRange(1), default=50, show_default=True, help="Show at most so many.")
@asks
def log_(
    ref: str | None, action: str | None, since: str | None, until: str | None, first: int,
    url: str | None, data: str | None, neo4j: str | None, json_: bool,
) -> None:  # fmt: skip
    """List what people did, newest first; with REF what they did to it."""
    with answering(url, data, neo4j) as server:
        found = ask(
            server, queries.AUDIT_LOG, first=first, ref=ref, action=action, since=since, until=until
        )["auditLog"]  # fmt: skip
    if json_:
        write_json(found)
        return
    nodes = [edge["node"] for edge in found["edges"]]
    if not nodes:
        say(Text("Nothing.", style="dim"))
        return
    rows = [
        [
            str(n["seq"]),
            moment(n["at"]),
            n["actor"]["name"],
            n["action"],
            (n["subject"] or {}).get("urn", ""),
            _change(n),
        ]
        for n in nodes
    ]
    say(table(["Record", "When", "Who", "Did", "To", "What"], rows, right=["Record"]))
    if found["totalCount"] > len(nodes):
        note(f"{len(nodes)} of {found['totalCount']:,} are shown; --first shows more.")


def _change(told: dict[str, Any]) -> Text:
    if told["erasedBy"] is not None:
        return Text(f"erased by record {told['erasedBy']}", style="yellow")
    before, after = (json.dumps(told[k], ensure_ascii=False) if told[k] else "" for k in ("before", "after"))
    change = f"{before} → {after}" if before else after
    text = f"{told['comment']}: {change}" if told["comment"] else change
    return Text(text if len(text) <= 160 else text[:159] + "…")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise Invalid(f"{path} holds no proof: expected what `headwater audit prove` prints.")
    return found


for _command in (erase, purge, rotate_key):
    audit.add_command(_command)

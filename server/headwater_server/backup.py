"""A data folder copied while it is worked on, and put back: verified by the Merkle root before it counts.

The graph is not copied: it is made again from the log, and meets the same dead letters.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from headwater_server import __version__
from headwater_server.audit.folder import Folder, Given
from headwater_server.audit.note import Checkpoint, VerifierKey
from headwater_server.errors import Conflict, Invalid, NotFound, Unavailable
from headwater_server.parts import Parts, copy_open_database, open_log
from headwater_server.settings import Settings

FILES = ("checkpoint.txt", "signing.key", "signing.next.key")
"""Copied first: the log that is copied then has at least what they speak of."""
DATABASES = ("log.db", "access.db", "webhooks.db", "artifacts.db", "series.db", "traces.db")
"""Copied in this order. The log first: what its records speak of is written before them, so the later copies have it."""
FOLDERS = ("artifacts",)
"""Copied last; their files are never changed."""
LEFT_OUT = ("graph.db", "dead-letters.db", "lock")
"""What a start makes again. A new file of the data folder belongs into one of these four."""

MANIFEST = "manifest.json"
FORMAT = "headwater-backup-v1"
_ASIDE = ("-wal", "-shm", "-journal", ".draft")


@dataclass(frozen=True, slots=True)
class Backup:
    """What a manifest says."""

    made: str
    checkpoint: Checkpoint
    note: str
    keys: tuple[VerifierKey, ...]
    files: dict[str, tuple[int, str]]
    """Size and SHA-256, by path."""
    elsewhere: str
    """Where artifacts are that are not in it; empty: they are, or there are none."""

    @property
    def size(self) -> int:
        return sum(size for size, _ in self.files.values())


def back_up(settings: Settings, target: Path) -> Backup:
    """Copy the data folder, also while a server works on it. Complete when the manifest is there: it is written last.

    Raises:
        NotFound: there is no log.
        Conflict: the target is not empty.
        Invalid: a file in the folder that nobody knows, or no signing key of this log.
        Unavailable: the disk does not take it.

    """
    data = settings.data
    open_log(data).close()
    unknown = sorted(f.name for f in data.iterdir() if not _is_known(f.name))
    if unknown:
        raise Invalid(f"{data} holds {', '.join(unknown)}, which is not Headwater's: move it elsewhere.")
    _must_be_empty(target)
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in FILES:
            if (data / name).exists():
                _copy(data / name, target / name)
        for name in DATABASES:
            if (data / name).exists():
                copy_open_database(data / name, target / name)
        for path in _within(data):
            _copy(data / path, target / path)
        log = open_log(target)
        try:
            copied = Folder(target, log)
            note, keys = copied.checkpoint(), copied.keys()
        finally:
            log.close()
        for name in DATABASES:  # of our own looking into it
            for ending in _ASIDE:
                (target / f"{name}{ending}").unlink(missing_ok=True)
        made = Backup(
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            checkpoint=Checkpoint.read(note),
            note=note,
            keys=tuple(keys),
            files={
                str(p.relative_to(target)): _measured(p) for p in sorted(target.rglob("*")) if p.is_file()
            },
            elsewhere=settings.artifacts,
        )
        _write_durably(target / MANIFEST, _manifest(made))
    except OSError as error:
        raise Unavailable(
            f"the backup to {target} failed ({error}). Without {MANIFEST} it does not count: remove it, make room, try again."
        ) from error
    return made


def restore(
    source: Path,
    settings: Settings,
    *,
    trusted: tuple[VerifierKey, ...] = (),
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> Backup:
    """Put a backup into an empty data folder, verify all of it, make the graph. On a fault the folder is emptied again.

    Raises:
        Invalid: no backup, or not what was backed up.
        Conflict: the folder is not empty.
        Unavailable: the disk or Neo4j does not take it.

    """
    backup = read_manifest(source)
    data = settings.data
    _must_be_empty(data)
    try:
        data.mkdir(parents=True, exist_ok=True)
        for path, (size, digest) in backup.files.items():
            _copy(source / path, data / path)
            if _measured(data / path) != (size, digest):
                raise Invalid(f"{source / path} is not what was backed up: its SHA-256 is another.")  # noqa: TRY301
        _verify(backup, data, trusted)
    except (OSError, NotFound) as error:
        _empty(data)
        raise Unavailable(f"{source} cannot be restored to {data} ({error}).") from error
    except BaseException:  # also Ctrl-C: half a backup is none; it is raised again
        _empty(data)
        raise
    parts = Parts(settings)
    try:
        parts.rebuild(progress)
    finally:
        parts.close()
    return backup


def read_manifest(source: Path) -> Backup:
    """Raises Invalid: this is no backup, or not a complete one."""
    try:
        said = orjson.loads((source / MANIFEST).read_bytes())
        if said["format"] != FORMAT:
            raise Invalid(f"{source} is a backup of format {said['format']}, this Headwater reads {FORMAT}.")
        return Backup(
            made=str(said["made"]),
            checkpoint=Checkpoint.read(said["checkpoint"]),
            note=str(said["checkpoint"]),
            keys=tuple(VerifierKey.read(key) for key in said["keys"]),
            files={_inside(name): (int(of["size"]), str(of["sha256"])) for name, of in said["files"].items()},
            elsewhere=str(said.get("artifactsElsewhere", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"{source} is no complete backup: {MANIFEST} cannot be read ({error}).") from None


def _verify(backup: Backup, data: Path, trusted: tuple[VerifierKey, ...]) -> None:
    log = open_log(data)
    try:
        folder = Folder(data, log)
        if trusted and not set(trusted) & set(folder.keys()):
            raise Invalid("this backup is not of the log with that key.")
        seen = folder.verify([Given("of the manifest", backup.note)])
    finally:
        log.close()
    if not seen.ok:
        raise Invalid(f"this backup is not whole: {'; '.join(map(str, seen.faults[:5]))}.")
    if (seen.size, seen.root) != (backup.checkpoint.size, backup.checkpoint.root):
        raise Invalid("the log in this backup is not the one of its manifest.")


def _manifest(backup: Backup) -> bytes:
    said: dict[str, Any] = {
        "format": FORMAT,
        "made": backup.made,
        "version": __version__,
        "records": backup.checkpoint.size,
        "checkpoint": backup.note,
        "keys": [str(key) for key in backup.keys],
        "artifactsElsewhere": backup.elsewhere,
        "files": {name: {"size": size, "sha256": digest} for name, (size, digest) in backup.files.items()},
    }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def _is_known(name: str) -> bool:
    known = (*DATABASES, *FILES, *FOLDERS, *LEFT_OUT)
    return name in known or any(name == f"{each}{ending}" for each in known for ending in _ASIDE)


def _within(data: Path) -> Iterator[str]:
    """The files of the folders, but for those that are on their way."""
    for folder in FOLDERS:
        for path in (data / folder).rglob("*"):
            if path.is_file() and "incoming" not in path.relative_to(data).parts:
                yield str(path.relative_to(data))


def _copy(source: Path, target: Path) -> None:
    """Readable by its owner alone: a signing key may be in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as read, os.fdopen(opened, "wb") as write:
        shutil.copyfileobj(read, write, 2**20)
        write.flush()
        os.fsync(write.fileno())


def _write_durably(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _inside(name: str) -> str:
    """Raises ValueError: a path that leads out of the folder."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"{name!r} leads out of the folder")
    return name


def _must_be_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not empty. Name a folder that is empty or not there yet.")


def _empty(folder: Path) -> None:
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

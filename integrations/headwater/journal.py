"""Steps that wait on disk for the server, across processes."""

import atexit
import contextlib
import json
import logging
import os
import re
import shutil
import threading
import time
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headwater.errors import Away
from headwater.sending import Step, deliver
from headwater.session import Session

KEPT_DAYS = 7
"""Days after which files go that no journal speaks of: their process was killed."""
_BLOCK = 1 << 20
_LEFT_WITHIN = 5.0

logger = logging.getLogger("headwater")


def folder(home: str) -> Path:
    """Where what belongs to one server waits: below HEADWATER_OUTBOX, else the user's cache folder."""
    given, cache = os.environ.get("HEADWATER_OUTBOX"), os.environ.get("XDG_CACHE_HOME")
    root = (
        Path(given) if given else (Path(cache) if cache else Path.home() / ".cache") / "headwater" / "outbox"
    )
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", home).strip("_")[-80:]
    return root / f"{plain}-{zlib.crc32(home.encode()):08x}"


def kept(home: str, run_id: str, content: Path | bytes) -> Path:
    """A copy of a file, or bytes as a file, until they are delivered. Raises OSError."""
    where = folder(home)
    where.mkdir(parents=True, exist_ok=True)
    copy = where / f"{run_id}.{uuid.uuid4().hex}"
    if isinstance(content, bytes):
        copy.write_bytes(content)
    else:
        shutil.copyfile(content, copy)
    return copy


class Journal:
    """One JSON a line, in order. One process at a time holds the file; `mine`: takes another when it is held."""

    def __init__(self, path: Path, *, mine: bool = False) -> None:
        self.path = path
        self.closed = False
        self._mine = mine
        self._file: Any = None
        self._lock = threading.Lock()
        self.size = path.stat().st_size if path.exists() else 0

    def append(self, steps: Sequence[Step]) -> bool:
        """Whether the disk took them; all or none."""
        lines = b"".join(json.dumps(step).encode() + b"\n" for step in steps)
        try:
            with self._lock:
                file = self._opened()
                end = file.seek(0, os.SEEK_END)
                try:
                    file.write(lines)
                    file.flush()
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(end)
                    raise
                self.size = end + len(lines)
        except OSError as error:
            logger.warning("%d steps of a run could not be kept on disk: %s", len(steps), error)
            return False
        return True

    def replay(self, session: Session) -> None:
        """Send all; the file is empty then.

        Raises:
            Away: what was sent by then is not sent again by this process.
            OSError: another process holds it.

        """
        at = 0
        try:
            while block := self._block(at):
                for line in block.splitlines(keepends=True):
                    with contextlib.suppress(ValueError):  # a line that a crash cut off
                        deliver(session, json.loads(line), self.refused)
                    at += len(line)
        except Away:
            self._forget(at)
            raise

    def refused(self, step: Step, error: Exception) -> None:
        """What the server will never take is told, and kept beside the journal."""
        logger.warning("Headwater did not take %s: %s", step.get("route") or step.get("upload"), error)
        with contextlib.suppress(OSError, TypeError, ValueError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.with_suffix(".refused").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "error": str(error)}, default=str) + "\n")

    def close(self) -> None:
        """An empty file goes."""
        with self._lock:
            self.closed = True
            if self._file is not None:
                if not self.size:
                    self.path.unlink(missing_ok=True)
                self._file.close()
                self._file = None

    def _block(self, at: int) -> bytes:
        """The whole lines from there on; the last ones gone, the file is emptied."""
        with self._lock:
            if self.closed:
                return b""
            file = self._opened()
            file.seek(at)
            block: bytes = file.read(_BLOCK)
            while block and b"\n" not in block and (more := file.read(_BLOCK)):
                block += more
            block = block[: block.rfind(b"\n") + 1]
            if not block:
                file.truncate(0)
                self.size = 0
            return block

    def _forget(self, at: int) -> None:
        """Through a second file, so that a crash in between loses nothing."""
        with self._lock:
            if self.closed or not at:
                return
            file = self._opened()
            file.seek(at)
            rest = file.read()
            other = self.path.with_suffix(".rest")
            fresh = other.open("w+b")
            fresh.write(rest)
            fresh.flush()
            _hold(fresh)
            other.replace(self.path)
            file.close()
            self._file, self.size = fresh, len(rest)

    def _opened(self) -> Any:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._held(self.path)
            self.size = os.fstat(self._file.fileno()).st_size
        return self._file

    def _held(self, path: Path) -> Any:
        path.touch()
        file = path.open("r+b")
        try:
            _hold(file)
        except OSError:
            file.close()
            if not self._mine:
                raise
            self.path = path.with_name(f"{path.stem.partition('-')[0]}-{uuid.uuid4().hex[:8]}.ndjson")
            return self._held(self.path)
        return file


def deliver_left(session: Session) -> None:
    """Send what earlier processes could not deliver to this server, in the background."""
    where = folder(session.home)
    if where.is_dir() and any(where.iterdir()) and _delivering.acquire(blocking=False):
        thread = threading.Thread(target=_deliver_left, args=(session, where), daemon=True)
        thread.start()
        atexit.register(thread.join, _LEFT_WITHIN)


_delivering = threading.Lock()


def _deliver_left(session: Session, where: Path) -> None:
    try:
        for path in sorted(where.glob("*.ndjson")):
            journal = Journal(path)
            try:
                journal.replay(session)
            except OSError:  # a living process holds it
                continue
            finally:
                journal.close()
        _sweep(where)
    except Away:
        return
    finally:
        _delivering.release()


def _sweep(where: Path) -> None:
    waiting = {path.name.partition(".")[0].partition("-")[0] for path in where.glob("*.ndjson")}
    for path in where.iterdir():
        run = path.name.partition(".")[0].partition("-")[0]
        with contextlib.suppress(OSError):
            if run not in waiting and path.stat().st_mtime < time.time() - KEPT_DAYS * 86_400:
                path.unlink()


def _hold(file: Any) -> None:
    """Raises OSError when another process delivers this journal."""
    with contextlib.suppress(ImportError):  # Windows: two processes may deliver; nothing is doubled by it
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""What a running Headwater does for its evidence: signs, writes checkpoints down, verifies, proves, changes its key."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from headwater_server.audit import keys, proof
from headwater_server.audit.erasure import Erased, audit_draft, erase, purge
from headwater_server.audit.folder import LATEST
from headwater_server.audit.note import Checkpoint, SignerKey, VerifierKey, sign
from headwater_server.audit.verify import Verification, verify
from headwater_server.commit.committer import Committer
from headwater_server.errors import HeadwaterError, Unavailable
from headwater_server.log.port import RecordLog

logger = logging.getLogger("headwater.audit")

INTERVAL = 60.0
"""Seconds between two checkpoints that are written down, when something was recorded meanwhile."""


class Audit:
    """Of one data folder. `elsewhere`: a file to which every checkpoint is appended too; None: nowhere."""

    def __init__(
        self,
        data: Path,
        log: RecordLog,
        committer: Committer,
        *,
        elsewhere: Path | None,
        now: Callable[[], int],
    ) -> None:
        self._data = data
        self._log = log
        self._committer = committer
        self._elsewhere = elsewhere
        self._now = now
        self._key: SignerKey = keys.signer(data, log)
        self.noted = 0
        """Records that the last checkpoint which was written down knows."""
        self._sweep = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._note_now_and_then, name="checkpoints", daemon=True)

    # -- checkpoints --------------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        return self._key.name

    def checkpoint(self) -> str:
        """Of all that is durable now, signed."""
        tree = self._log.tree()
        return sign(Checkpoint(self._key.name, tree.size, tree.root()).text(), self._key)

    def keys(self) -> list[VerifierKey]:
        """All that ever signed, the one that signs now last. Raises Invalid when they do not follow from each other."""
        return keys.chain(self._key.verifier, self._log)

    def start(self) -> None:
        """Write checkpoints down from now on."""
        self._thread.start()

    def stop(self) -> None:
        """With the last one. Idempotent; nothing may be appended afterwards."""
        if self._thread.is_alive():
            self._stop.set()
            self._thread.join()

    def _note_now_and_then(self) -> None:
        while not self._stop.wait(INTERVAL):
            self.note()
        self.note()

    def note(self) -> None:
        """Write down where the log is: a line of the server's log, the data folder, and the file elsewhere."""
        tree = self._log.tree()
        if tree.size in (0, self.noted):
            return
        note = sign(Checkpoint(self._key.name, tree.size, tree.root()).text(), self._key)
        logger.info("checkpoint %s", " | ".join(line for line in note.split("\n") if line))
        try:
            draft = self._data / f"{LATEST}.draft"
            draft.write_text(note, "utf-8")
            draft.replace(self._data / LATEST)
            if self._elsewhere is not None:
                with self._elsewhere.open("a", encoding="utf-8") as file:
                    file.write(note + "\n")
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            logger.warning("a checkpoint of %d records could not be written: %s", tree.size, error)
            return
        self.noted = tree.size

    # -- asking -------------------------------------------------------------------------------------

    def verify(self, *, patience: float) -> Verification:
        """As much as can be read in so many seconds; the next call goes on where this one ended."""
        tree = self._log.tree()
        until = time.monotonic() + patience
        now = Checkpoint(self._key.name, tree.size, tree.root())
        seen = verify(
            self._log,
            expected=[now, *noted(self._data / LATEST)],
            first_tile=self._sweep,
            go_on=lambda checked: not checked or time.monotonic() < until,
        )
        self._sweep = seen.next
        return seen

    def prove(self, seq: int) -> dict[str, Any]:
        """Raises NotFound: no such record."""
        return proof.prove(self._log, seq, checkpoint=self.checkpoint(), key=self._key.verifier)

    def prove_growth(self, old: int, new: int) -> list[bytes]:
        """Raises Invalid: not that many records, or `old` is the larger one."""
        return proof.prove_growth(self._log, old, new)

    # -- changing -----------------------------------------------------------------------------------

    def erase(self, seqs: Iterable[int], *, reason: str, basis: str, actor: str) -> Erased:
        """As `erasure.erase`; the graph is made again behind it."""
        reason, basis = map(self._committer.redactor.text, (reason, basis))
        return erase(
            self._log, self._committer.alone, seqs, reason=reason, basis=basis, actor=actor, at=self._now()
        )

    def purge(self, before: int, *, reason: str, basis: str, actor: str, dry_run: bool = False) -> Erased:
        """As `erasure.purge`; the graph is made again behind it."""
        reason, basis = map(self._committer.redactor.text, (reason, basis))
        return purge(
            self._log, self._committer.alone, before, reason=reason, basis=basis, actor=actor, at=self._now(),
            dry_run=dry_run,
        )  # fmt: skip

    def rotate_key(self, *, reason: str, actor: str) -> VerifierKey:
        """The new key. A record that both keys signed says which follows which; killed between, the next start ends it."""
        return self._committer.alone(lambda: self._rotate(self._committer.redactor.text(reason), actor))

    def _rotate(self, reason: str, actor: str) -> VerifierKey:
        path, following = self._data / keys.FILE, self._data / keys.NEXT
        new = keys.make(following, self._key.name)
        body = {"note": keys.rotation_note(self._key, new), "reason": reason, "by": actor, "at": self._now()}
        draft = audit_draft(keys.ROTATION, body)
        try:
            self._log.append([draft], at=self._now())
        except Unavailable:
            with suppress(OSError):
                following.unlink()
            raise
        keys.put_in_place(following, path)
        self._key = new
        return new.verifier


def noted(path: Path) -> list[Checkpoint]:
    """The checkpoint in a file, if there is one that can be read; who signed it is another question."""
    try:
        return [Checkpoint.read(path.read_text("utf-8"))]
    except (OSError, HeadwaterError, UnicodeDecodeError):
        return []

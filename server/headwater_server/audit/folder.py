"""A data folder as a verifier meets it: nothing is changed, nobody need be running."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headwater_server.audit import keys
from headwater_server.audit.note import Checkpoint, SignerKey, VerifierKey, opened, sign
from headwater_server.audit.verify import Verification, verify
from headwater_server.errors import Invalid, NotFound
from headwater_server.log.port import RecordReader

LATEST = "checkpoint.txt"
"""The newest checkpoint that was written down, in the data folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What is needed beside the log to say whether it is whole."""

    data: Path
    log: RecordReader

    @property
    def origin(self) -> str:
        return keys.origin_of(self.log.instance)

    def signer(self) -> SignerKey:
        """Raises NotFound, Invalid, Unavailable: no key, or not this log's."""
        return keys.load(self.data / keys.FILE, self.origin)

    def checkpoint(self) -> str:
        """Of what is durable now, signed. Raises as `signer`."""
        tree = self.log.tree()
        return sign(Checkpoint(self.origin, tree.size, tree.root()).text(), self.signer())

    def keys(self) -> list[VerifierKey]:
        """As `keys.chain`. Raises as `signer`, and Invalid when they do not follow from each other."""
        return keys.chain(self.signer().verifier, self.log)

    def verify(
        self,
        given: Sequence["Given"] = (),
        *,
        trusted: Sequence[VerifierKey] = (),
        progress: Callable[[int], None] = lambda _: None,
    ) -> Verification:
        """All of it, against the folder's own checkpoint and those given, signed by keys of the log or trusted ones.

        Raises:
            Unavailable: it cannot be read.

        """
        wrong: list[str] = []
        known = list(trusted)
        try:
            known += self.keys()
        except (Invalid, NotFound) as error:
            wrong.append(str(error))
        own = self.data / LATEST
        notes = [Given(str(own), own.read_text("utf-8"))] if own.exists() else []
        expected: list[Checkpoint] = []
        for note in (*notes, *given):
            try:
                expected.append(opened(note.note, known, origin=self.origin))
            except Invalid as error:
                wrong.append(f"checkpoint {note.name}: {error}")

        def go_on(checked: int) -> bool:
            progress(checked)
            return True

        seen = verify(self.log, expected=expected, go_on=go_on)
        for what in wrong:
            seen.found(None, what)
        return seen


@dataclass(frozen=True, slots=True)
class Given:
    """A checkpoint that somebody kept, and where it was found."""

    name: str
    note: str = field(repr=False)

    @classmethod
    def of(cls, path: Path) -> "list[Given]":
        """Every checkpoint in a file: one, or all that were appended to it.

        Raises:
            Invalid: it cannot be read, or there is none in it.

        """
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"{path} cannot be read: {error}.") from None
        blocks = [block for block in text.split("\n\n") if block.strip()]
        notes = [
            f"{body.lstrip()}\n\n{lines.strip()}\n"
            for body, lines in zip(blocks[::2], blocks[1::2], strict=False)
        ]
        if not notes or len(blocks) % 2:
            raise Invalid(f"{path} holds no checkpoint: expected what `headwater audit checkpoint` prints.")
        if len(notes) == 1:
            return [cls(str(path), notes[0])]
        return [cls(f"{path} (number {n})", note) for n, note in enumerate(notes, 1)]

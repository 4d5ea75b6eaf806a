"""What people do about dead letters: look, try again, leave out. A decision is a record like any other."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from headwater_server.commit.committer import Committer
from headwater_server.commit.projection import DROP, RETRY, dropped
from headwater_server.errors import Invalid, NotFound
from headwater_server.log.deadletters import DeadLetters, Letter
from headwater_server.log.port import Draft, Receipt, RecordLog

MOST_AT_ONCE = 1_000
MAX_REASON = 2_000


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of the letters that were named."""

    done: list[int]
    """Records that the graph shows now, or that are left out."""
    remaining: list[Letter]
    """Those that failed again, with the newer reason."""


class DeadLetterOffice:
    """Lists, and decides in the committer's turn."""

    def __init__(
        self, committer: Committer, letters: DeadLetters, log: RecordLog, *, now: Callable[[], int]
    ) -> None:
        self._committer = committer
        self._letters = letters
        self._log = log
        self._now = now

    def count(self) -> int:
        return len(self._letters)

    def page(self, *, after: int = 0, limit: int) -> list[Letter]:
        """In the log's order."""
        return self._letters.page(after=after, limit=limit)

    def retry(self, seqs: Sequence[int] | None, *, reason: str | None, actor: str) -> Decided:
        """Project them again (None: the first `MOST_AT_ONCE`); also records that were left out.

        Raises:
            NotFound: one of them is neither a dead letter nor left out; then nothing is tried.
            Invalid: too many, or none.

        """
        return self._decide(RETRY, seqs, reason, actor)

    def drop(self, seqs: Sequence[int] | None, *, reason: str | None, actor: str) -> Decided:
        """Leave them out of the graph for good, in every rebuild too; the log keeps them. Raises as `retry`."""
        return self._decide(DROP, seqs, reason, actor)

    def _decide(self, kind: str, seqs: Sequence[int] | None, reason: str | None, actor: str) -> Decided:
        if reason is not None and len(reason) > MAX_REASON:
            raise Invalid(f"a reason has at most {MAX_REASON} characters.", field="reason")
        if seqs is not None and not 1 <= len(seqs) <= MOST_AT_ONCE:
            raise Invalid(f"name 1 to {MOST_AT_ONCE} records at once.", field="seqs")

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], Decided]]:
            wanted = self._wanted(kind, seqs)
            at = self._now()
            drafts = [_draft(kind, seq, at, actor, reason) for seq in wanted]

            def finish(_: list[Receipt]) -> Decided:
                still = [
                    self._letters.page(after=seq - 1, limit=1)[0] for seq in wanted if seq in self._letters
                ]
                return Decided([seq for seq in wanted if seq not in self._letters], still)

            return drafts, finish

        return self._committer.command(decide)

    def _wanted(self, kind: str, seqs: Sequence[int] | None) -> list[int]:
        if seqs is None:
            return [letter.seq for letter in self._letters.page(limit=MOST_AT_ONCE)]
        wanted = list(dict.fromkeys(seqs))
        left_out = dropped(self._log) if kind == RETRY else {}
        for seq in wanted:
            if seq not in self._letters and seq not in left_out:
                raise NotFound(
                    f"record {seq} is no dead letter. `headwater dlq list` lists them.",
                    ref=str(seq),
                    didYouMean=[],
                )
        return wanted


def _draft(kind: str, seq: int, at: int, actor: str, reason: str | None) -> Draft:
    body = orjson.dumps({"seq": seq, "reason": reason, "at": at, "by": actor})
    return Draft(kind, body, secrets.token_bytes(32), event_time=at, producer="headwater", actor=actor)

"""Brings the graph up to the log, block by block; a record that cannot be projected becomes a dead letter. One thread."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from headwater_server.errors import Conflict, Unavailable
from headwater_server.graph.changes import Changeset
from headwater_server.graph.facts import Facts
from headwater_server.log.deadletters import DeadLetters
from headwater_server.log.port import Record, RecordLog, Which
from headwater_server.project.projector import ERASED, Parsed, Projector, Shown, Translate
from headwater_server.store.port import Applied, GraphStore

logger = logging.getLogger("headwater")

RETRY: Final = "deadletter.retry"
DROP: Final = "deadletter.drop"
"""Kinds of record: what people decided about a dead letter. Body: `seq`, `at`, `by`, `reason`."""
UNREADABLE: Final = "unreadable"
TRIES = 3
"""How often a record is tried alone before it becomes a dead letter."""
REBUILD_BLOCK = 1_000


class _Known(dict[str, Translate]):
    """The translators by kind of record."""

    def __missing__(self, kind: str) -> Translate:
        if kind == UNREADABLE:
            raise ValueError("its body is damaged: restore the log from a backup")
        raise LookupError(f"this Headwater knows no kind of record {kind!r}: upgrade it, then retry")


class Projection:
    """What the graph shows is a function of the log: a rebuild meets the same dead letters and the same decisions.

    `applied` and `unavailable` may be read from any thread, `advance` is one thread's.
    """

    def __init__(
        self, log: RecordLog, store: GraphStore, translators: Mapping[str, Translate], letters: DeadLetters
    ) -> None:
        self._log = log
        self._store = store
        self._letters = letters
        self._known = _Known({**translators, RETRY: self._again, DROP: _nothing, ERASED: _nothing})
        self._edition = log.edition
        """Of the log as the graph shows it: with each erasure a new one begins."""
        self._shown: Shown = lambda *_: None
        self._emptied: Callable[[], None] = lambda: None
        self._projector = Projector(store, self._known, log=self._edition)
        self._dropped: dict[int, int] = {}
        self._sure = False
        self.applied = 0
        """The last record that the graph shows."""
        self.unavailable = ""
        """Why the graph does not take records now; empty: it does."""

    def tell(self, *, shown: Shown, emptied: Callable[[], None]) -> None:
        """Before the first record: `shown` hears of every block that the graph took, `emptied` when it begins again."""
        self._shown = self._projector.shown = shown
        self._emptied = emptied

    def recognise(self) -> None:
        """Read where the graph stands. What was known of it is forgotten: a transaction whose outcome nobody
        heard of may be in it.

        Raises:
            Conflict: the graph was made from another log.
            Unavailable: the store does not answer.

        """
        self._sure = False
        self._projector.forget()
        found = self._store.applied()
        if found.log.partition(".")[0] not in ("", self._log.instance) or found.seq > self._log.head():
            raise Conflict(
                "this graph was built from another record log (or from more of it than is here). "
                "Point --data at the log it came from, or run `headwater rebuild`."
            )
        self._edition = found.log or self._log.edition
        self._dropped = dropped(self._log)
        self.applied = found.seq if self.is_of_now() else 0
        self._letters.keep_to(self.applied)
        self._sure = True

    def is_of_now(self) -> bool:
        """Whether the graph was made from the log as it is since records were last erased."""
        return self._edition == self._log.edition

    def advance(self, at_hand: Sequence[Parsed] = (), *, limit: int) -> bool:
        """Project the next records, `limit` at most; those at hand when they are the next ones.

        Tells whether the graph came on. When it did not, `unavailable` says why; whatever happened to the
        transaction, the next call starts from what the graph really holds.
        """
        try:
            if not self._sure:
                self.recognise()
            if not self.is_of_now():
                self.reset()
            next_ = self.applied + 1
            block = list(at_hand) if at_hand and at_hand[0].seq == next_ else self._read(limit)
            if not block:
                return False
            self._project([self._decided(record) for record in block])
        except (Unavailable, Conflict, MemoryError) as error:
            self._sure = False
            self.unavailable = str(error) or type(error).__name__
            return False
        except Exception as error:  # a bug of ours must not end the thread that projects
            logger.exception("the graph could not be brought on")
            self._sure = False
            self.unavailable = f"{type(error).__name__}: {error}"
            return False
        self.unavailable = ""
        return True

    def reset(self) -> None:
        """Empty the graph, and forget what it could not take."""
        self._sure = False
        self._store.reset()
        self._edition = self._log.edition
        self._projector = Projector(self._store, self._known, log=self._edition)
        self._projector.shown = self._shown
        self._emptied()
        self.recognise()

    def _read(self, limit: int) -> list[Parsed]:
        return [_parsed(record) for record in self._log.read(self.applied, limit=limit)]

    def _decided(self, record: Parsed) -> Parsed:
        """Nothing instead of a record that is left out, and of a retry that was before that decision."""
        of = int(record.body["seq"]) if record.kind == RETRY else record.seq
        left_out = record.seq < self._dropped.get(of, 0)
        return Parsed(record.seq, DROP, None) if left_out else record

    def _project(self, records: Sequence[Parsed]) -> None:
        try:
            self._projector.project(records)
        except (Unavailable, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - one record must not stop all others
            self._projector.forget()
            if len(records) == 1:
                self._insist(records[0], error)
                return
            half = len(records) // 2
            self._project(records[:half])
            self._project(records[half:])
            return
        self._passed(records)

    def _insist(self, record: Parsed, error: Exception) -> None:
        """Try one record again, from what the store holds; then let the others flow."""
        for _ in range(TRIES - 1):
            try:
                self._projector.project([record])
            except (Unavailable, MemoryError):
                raise
            except Exception as again:  # noqa: BLE001 - whatever it is, it is the reason
                self._projector.forget()
                error = again
            else:
                self._passed([record])
                return
        logger.error("record %d cannot be projected", record.seq, exc_info=error)
        self._skip(record, f"{type(error).__name__}: {error}")

    def _skip(self, record: Parsed, reason: str) -> None:
        """The mark passes the record, the log keeps it. A letter without the mark is tried again at the next start."""
        seq, kind = record.seq, record.kind
        if kind == RETRY:
            seq = int(record.body["seq"])
            kept = self._log.get(seq)
            kind = kept.kind if kept else kind
        self._letters.put(seq, kind=kind, reason=reason, tries=TRIES)
        try:
            self._store.apply(Changeset(), upto=Applied(record.seq, self._edition))
        except Unavailable:
            raise
        except Exception as error:  # then it is the store, not the record
            raise Unavailable(f"the graph store refuses every change ({error})") from error
        self.applied = record.seq

    def _passed(self, records: Sequence[Parsed]) -> None:
        self.applied = records[-1].seq
        gone: list[int] = []
        for record in records:
            if record.kind == RETRY or (record.kind == DROP and record.body is not None):
                seq = int(record.body["seq"])
                gone.append(seq)
                self._dropped.pop(seq, None)
                if record.kind == DROP:
                    self._dropped[seq] = record.seq
            elif record.seq in self._letters:
                gone.append(record.seq)
        if gone:
            self._letters.remove(gone)

    def _again(self, body: Any, seq: int) -> Mapping[str, Facts]:
        """A retry says what the record said: facts join in any order, so it is as if it had come through at first."""
        del seq
        record = self._log.get(int(body["seq"]))
        if record is None:
            raise ValueError(f"there is no record {body['seq']}")
        parsed = _parsed(record)
        return self._known[parsed.kind](parsed.body, parsed.seq)


def rebuild(projection: Projection, head: int, *, progress: Callable[[int], None] = lambda _: None) -> int:
    """Bring the graph up to `head` from where it stands; the records it shows.

    Raises:
        Unavailable: the store did not take a block; call again to go on from there.

    """
    while projection.applied < head:
        if not projection.advance(limit=REBUILD_BLOCK):
            raise Unavailable(
                f"{projection.unavailable} Run it again to go on from record {projection.applied}."
            )
        progress(projection.applied)
    return projection.applied


def dropped(log: RecordLog) -> dict[int, int]:
    """The records whose last decision was to leave them out, with that decision's number."""
    last: dict[int, tuple[int, str]] = {}
    for kind in (RETRY, DROP):
        which = Which(kind=kind)
        while found := log.recent(which, limit=1_000):
            which = replace(which, before=found[-1].seq)
            for record in found:
                if record.erased is not None:
                    continue
                seq = int(orjson.loads(record.body)["seq"])
                last[seq] = max(last.get(seq, (0, "")), (record.seq, kind))
    return {seq: decision for seq, (decision, kind) in last.items() if kind == DROP}


def _parsed(record: Record) -> Parsed:
    try:
        return Parsed.of(record)
    except ValueError:  # a damaged body stops no other record
        return Parsed(record.seq, UNREADABLE, None)


def _nothing(body: Any, seq: int) -> Mapping[str, Facts]:
    del body, seq
    return {}

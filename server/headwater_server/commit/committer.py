"""One thread that writes: groups what is queued, appends it with one fsync, answers, then projects.

Commands (which check before they write) run in its turn, with the graph caught up with the log.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from headwater_server.commit.orders import Command, Reader, Submission
from headwater_server.commit.redacting import redacting
from headwater_server.errors import Conflict, HeadwaterError, Unavailable
from headwater_server.graph.changes import Changeset
from headwater_server.log.port import Draft, Receipt, RecordLog
from headwater_server.project.projector import Parsed, Projector, Translate
from headwater_server.redaction.redactor import Redactor
from headwater_server.store.port import Applied, GraphStore

logger = logging.getLogger("headwater")

MAX_BATCH = 1_000
MAX_QUEUED = 20_000
"""Records that may wait. More is answered 503 at once: memory stays bounded, producers try again."""
LAG = 0.25
"""Seconds that records may wait to be projected together; a waiting reader or a command ends it. A run's START and
COMPLETE are then derived once, and a transaction on Neo4j costs as much as some hundred rows of it."""
GATHER = 0.002
"""Seconds to wait for company when the last batch had some: those who were answered together mostly send again
together, and two threads that take turns at every row cost more than the rows. Who sends alone is not kept waiting."""
BLOCK = 250
"""Most records projected in one transaction: more gains little."""
PAUSE = 0.2
"""Seconds that a block should take at most: as long, acknowledgements wait."""
LEAST = 100
MAX_PENDING = 4 * BLOCK
"""Read records kept at hand for the projection; behind that it reads the log again."""
RETRY_AFTER = 0.5
"""Seconds between two tries while the graph store is away."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A record that could not be projected; it stays in the log and is told of here."""

    seq: int
    error: str


class Committer:
    """Starts with `start`, ends with `stop`; everything else may be called from any thread."""

    def __init__(
        self,
        log: RecordLog,
        store: GraphStore,
        translators: Mapping[str, Translate],
        redactor: Redactor | None = None,
    ) -> None:
        self.redactor = redactor or Redactor()
        """What every record passes before the log sees it; events in `ingest`, before they are read."""
        self._log = log
        self._store = store
        self._translators = translators
        self._edition = log.edition
        """Of the log as the graph shows it."""
        self._projector = Projector(store, translators, log=self._edition)
        self._queue: queue.SimpleQueue[Submission | Command[Any] | Reader | None] = queue.SimpleQueue()
        self._queued = 0
        self._lock = threading.Lock()
        self._applied = 0
        self._waiting: list[tuple[int, Future[int]]] = []
        self._pending: list[Parsed] = []
        self._due = 0.0
        self._block = LEAST
        self._stopping = False
        self._together = 0
        """Submissions of the last batch."""
        self.unavailable = ""
        """Why the graph store does not take records now; empty: it does."""
        self.poisoned: list[Poisoned] = []
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    # -- from any thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Check that the graph belongs to this log, then begin.

        Raises:
            Conflict: the graph was made from another log.

        """
        applied = self._store.applied()
        if applied.log.partition(".")[0] not in ("", self._log.instance) or applied.seq > self._log.head():
            raise Conflict(
                "this graph was built from another record log (or from more of it than is here). "
                "Point --data at the log it came from, or run `headwater rebuild`."
            )
        self._edition = applied.log or self._edition
        self._applied = applied.seq if self._edition == self._log.edition else 0
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end. Idempotent."""
        if self._thread.is_alive():
            self._stopping = True
            self._queue.put(None)
            self._thread.join()

    @property
    def applied(self) -> int:
        """The last record that the graph shows."""
        return self._applied

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and not self._stopping

    @property
    def queued(self) -> int:
        return self._queued

    def submit(self, drafts: Sequence[Draft], bodies: Sequence[Any], *, eager: bool = False) -> Submission:
        """Queue drafts; `logged` is done when they are durable, `projected` when the graph shows them: soon,
        at once when `eager`.

        Raises:
            Unavailable: too much waits already.

        """
        submission = Submission(drafts, bodies, eager)
        with self._lock:
            if self._queued + len(drafts) > MAX_QUEUED or self._stopping:
                raise Unavailable(
                    f"{self._queued} records wait to be written. Nothing of this was stored; "
                    "try again in a second."
                )
            self._queued += len(drafts)
        self._queue.put(submission)
        return submission

    def command(self, decide: Callable[[], tuple[Sequence[Draft], Callable[[list[Receipt]], T]]]) -> T:
        """Run `decide` in the writer's turn with the graph caught up, append what it decided, project it, then
        give what its second part says. What `decide` raises is raised here.

        Raises:
            Unavailable: the log or the graph does not answer.

        """
        return self._ordered(Command(redacting(decide, self.redactor)))

    def alone(self, work: Callable[[], T]) -> T:
        """Run `work`, which may write to the log, in the writer's turn, whatever the graph shows. When records were
        erased the graph is made again, block by block, while more is taken.
        """
        return self._ordered(Command(lambda: ((), lambda _: work()), alone=True))

    def _ordered(self, command: Command[T]) -> T:
        with self._lock:
            if self._stopping:
                raise Unavailable("the server is stopping; try again")
        self._queue.put(command)
        return command.done.result()

    def settle(self, *, patience: float) -> bool:
        """Wait until the graph shows every record acknowledged before this call, `patience` seconds at most;
        tells whether it does. Readers call it: who was answered 201 finds what they sent.
        """
        head = self._log.head()
        if self._applied >= head:
            return True
        if self.unavailable or not self.alive:
            return False
        reader = Reader(head)
        self._queue.put(reader)
        try:
            reader.done.result(timeout=patience)
        except (TimeoutError, Unavailable):
            return False
        return True

    # -- the writer's thread ----------------------------------------------------------------------

    def _run(self) -> None:
        open_ = True
        self._due = 0.0
        while open_:
            batch, command, open_ = self._take(self._patience())
            if batch:
                self._write(batch)
            if command is not None:
                self._execute(command)
            if self._applied < self._log.head() and time.monotonic() >= self._due:
                self._advance()
        self._catch_up()
        for _, waiting in self._waiting:
            waiting.set_exception(Unavailable("the server stopped before the graph caught up"))

    def _patience(self) -> float | None:
        """Seconds to wait for more; None: there is nothing else to do."""
        if self._applied >= self._log.head():
            return None
        return max(0.0, self._due - time.monotonic())

    def _take(self, timeout: float | None) -> tuple[list[Submission], Command[Any] | None, bool]:
        """All that is queued up to a command, at most a batch's worth."""
        batch: list[Submission] = []
        size, expected = 0, self._together
        while size < MAX_BATCH:
            try:
                item = self._queue.get(block=not batch, timeout=timeout)
            except queue.Empty:
                break
            if item is None:
                return batch, None, False
            if isinstance(item, Command):
                return batch, item, True
            if isinstance(item, Reader):
                self._waiting.append((item.seq, item.done))
                self._due = 0.0 if not self.unavailable else self._due
                timeout = 0.0
                if not batch:
                    break
                continue
            batch.append(item)
            size += len(item.drafts)
            if len(batch) < expected:
                expected = 0
                time.sleep(GATHER)
        self._together = len(batch)
        return batch, None, True

    def _write(self, batch: list[Submission]) -> None:
        drafts = [d for s in batch for d in s.drafts]
        bodies = [b for s in batch for b in s.bodies]
        try:
            before = self._log.head()
            receipts = self._log.append(drafts, at=time.time_ns() // 1_000)
        except HeadwaterError as error:
            for submission in batch:
                submission.logged.set_exception(error)
            return
        finally:
            with self._lock:
                self._queued -= len(drafts)
        at = 0
        for submission in batch:
            own = receipts[at : at + len(submission.drafts)]
            at += len(submission.drafts)
            submission.logged.set_result(own)
            last = max((r.seq for r in own), default=0)
            self._waiting.append((last, submission.projected))
        idle = self._applied >= before
        self._pending += (
            Parsed(receipt.seq, draft.kind, body)
            for receipt, draft, body in zip(receipts, drafts, bodies, strict=True)
            if not receipt.duplicate
        )
        if len(self._pending) > MAX_PENDING:
            self._pending.clear()
        if any(s.eager for s in batch) and not self.unavailable:
            self._due = 0.0
        elif idle:
            self._due = time.monotonic() + LAG
        self._settle()

    def _execute(self, command: Command[Any]) -> None:
        try:
            if command.alone:
                _, finish = command.decide()
                command.done.set_result(finish([]))
                return
            self._must_be_caught_up("Nothing was changed; try again.")
            drafts, finish = command.decide()
            receipts = self._log.append(drafts, at=time.time_ns() // 1_000) if drafts else []
            self._must_be_caught_up("The change is in the log; the graph shows it when it answers again.")
            command.done.set_result(finish(receipts))
        except HeadwaterError as error:
            command.done.set_exception(error)
        except Exception as error:  # a bug of ours must not end the only writer
            logger.exception("a command failed")
            command.done.set_exception(error)
        finally:
            if self._edition != self._log.edition:
                self._applied, self._due = 0, 0.0
                self._pending.clear()

    def _must_be_caught_up(self, outcome: str) -> None:
        self._catch_up()
        if self._applied < self._log.head():
            raise Unavailable(f"the graph store does not answer ({self.unavailable}). {outcome}")

    def _catch_up(self) -> None:
        """Project what the log has and the graph has not, as long as the store takes it."""
        while self._applied < self._log.head():
            if not self._advance():
                return

    def _advance(self) -> bool:
        """Project one block; tells whether the store took it."""
        if self._edition != self._log.edition and not self._begin_again():
            return False
        block = self._next()
        began = time.monotonic()
        done = self._project(block)
        if done:
            each = max(1e-6, time.monotonic() - began) / len(block)
            self._block = min(BLOCK, max(LEAST, int(PAUSE / each)))
        self._pending = [p for p in self._pending if p.seq > self._applied]
        self._due = 0.0 if done else time.monotonic() + RETRY_AFTER
        self._settle()
        return done

    def _begin_again(self) -> bool:
        """Records were erased: what they said must leave the graph. Tells whether it is empty now."""
        try:
            self._store.reset()
        except Unavailable as error:
            self.unavailable = str(error)
            self._due = time.monotonic() + RETRY_AFTER
            return False
        self._edition = self._log.edition
        self._projector = Projector(self._store, self._translators, log=self._edition)
        return True

    def _next(self) -> list[Parsed]:
        """The records behind the mark: at hand, or from the log."""
        if self._pending and self._pending[0].seq == self._applied + 1:
            return self._pending[: self._block]
        try:
            return [Parsed.of(r) for r in self._log.read(self._applied, limit=self._block)]
        except Unavailable as error:
            self.unavailable = str(error)
            return []

    def _project(self, records: Sequence[Parsed]) -> bool:
        """Tells whether the graph shows them now."""
        if not records:
            return False
        try:
            self._projector.project(records)
        except Unavailable as error:
            self.unavailable = str(error)
            return False
        except Exception as error:  # one record must not stop all others
            if len(records) > 1:
                self._projector.forget()
                return all(self._project([record]) for record in records)
            logger.exception("record %d cannot be projected", records[0].seq)
            self._projector.forget()
            self.poisoned.append(Poisoned(records[0].seq, f"{type(error).__name__}: {error}"))
            return self._skip(records[0].seq)
        self.unavailable = ""
        self._applied = records[-1].seq
        return True

    def _skip(self, seq: int) -> bool:
        """Let the others flow: the mark passes the record, the log keeps it."""
        try:
            self._store.apply(Changeset(), upto=Applied(seq, self._edition))
        except Unavailable as error:
            self.unavailable = str(error)
            return False
        self._applied = seq
        return True

    def _settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        for seq, future in waiting:
            if seq <= self._applied:
                future.set_result(seq)
            else:
                self._waiting.append((seq, future))

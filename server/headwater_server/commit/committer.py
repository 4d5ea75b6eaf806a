"""One thread that writes: groups what is queued, appends it with one fsync, answers; the graph follows.

Commands (which check before they write) run one at a time, with the graph caught up with the log.
"""

import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, TypeVar

import orjson

from headwater_server.commit.orders import Projected, Reader, Submission, Work
from headwater_server.commit.projection import Projection
from headwater_server.commit.redacting import redacting
from headwater_server.commit.room import Room
from headwater_server.errors import HeadwaterError, Unavailable
from headwater_server.log.port import Draft, Receipt, RecordLog
from headwater_server.project.projector import Parsed
from headwater_server.redaction.redactor import Redactor

logger = logging.getLogger("headwater")

MAX_BATCH = 1_000
LAG = 0.25
"""Seconds that records may wait to be projected together; a waiting reader or a command ends it. A run's START and
COMPLETE are then derived once, and a transaction on Neo4j costs as much as some hundred rows of it."""
GATHER = 0.002
"""Seconds to wait for company when the last batch had some: those who were answered together mostly send again
together, and two threads that take turns at every row cost more than the rows. Who sends alone is not kept waiting."""
BESIDE = frozenset({"neo4j"})
"""Stores that another process keeps: they may hang, so the graph is written beside the log, in a thread of its own.
A file is written in turn with the log: two threads would only fight for the interpreter."""
BLOCK = 250
"""Most records projected in one transaction: more gains little."""
PAUSE = 0.2
"""Seconds that a block should take at most: as long, acknowledgements wait."""
LEAST = 100
MAX_PENDING = 4 * BLOCK
"""Read records kept at hand for the projection; behind that it reads the log again."""
RETRY_AFTER = 0.5
"""Seconds between two tries while the graph store is away."""
PATIENCE = 10.0
"""Seconds that a command waits for its turn, and for the graph."""
FAREWELL = 3.0
"""Seconds that a stop gives the graph to come nearer to the log; the next start goes on from there."""

T = TypeVar("T")


class Committer:
    """Starts with `start`, ends with `stop`; everything else may be called from any thread."""

    def __init__(
        self,
        log: RecordLog,
        projection: Projection,
        *,
        backend: str,
        redactor: Redactor | None = None,
        lag: float = LAG,
    ) -> None:
        self.redactor = redactor or Redactor()
        """What every record passes before the log sees it; events in `ingest`, before they are read."""
        self._log = log
        self._projection = projection
        self._lag = lag
        self._queue: queue.SimpleQueue[Submission | Work[Any] | Reader | Projected | None] = (
            queue.SimpleQueue()
        )
        self._room = Room()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[tuple[int, weakref.ref[Future[int]]]] = []
        self._pending: list[Parsed] = []
        self._due = 0.0
        self._wanted = 0
        """The last record that somebody waits to see."""
        self._block = LEAST
        self._stopping = False
        self._together = 0
        """Submissions of the last batch."""
        self._farewell = self._began = 0.0
        self._from = 0
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._busy = False
        self._blocks: queue.SimpleQueue[list[Parsed]] | None = (
            queue.SimpleQueue() if backend in BESIDE else None
        )

    # -- from any thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Check that the graph belongs to this log, then begin; a graph that does not answer is tried again.

        Raises:
            Conflict: the graph was made from another log.

        """
        try:
            self._projection.recognise()
        except Unavailable as error:
            self._projection.unavailable = str(error)
        self._thread.start()
        if self._blocks is not None:
            threading.Thread(target=self._beside, args=(self._blocks,), name="projector", daemon=True).start()

    def stop(self, *, patience: float = FAREWELL) -> None:
        """Write what is queued, give the graph `patience` seconds to follow, then end. Idempotent."""
        if self._thread.is_alive():
            with self._lock:
                self._stopping = True
                self._farewell = time.monotonic() + patience
                self._queue.put(None)
            self._thread.join()

    @property
    def applied(self) -> int:
        """The last record that the graph shows."""
        return self._projection.applied if self._projection.is_of_now() else 0

    @property
    def unavailable(self) -> str:
        """Why the graph store does not take records now; empty: it does."""
        return self._projection.unavailable

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and not self._stopping

    @property
    def queued(self) -> int:
        return self._room.records

    @property
    def queued_bytes(self) -> int:
        return self._room.bytes

    def check_room(self) -> None:
        """Before an event is read: raises Unavailable when too much waits already."""
        self._room.check()

    def submit(self, drafts: Sequence[Draft], bodies: Sequence[Any], *, eager: bool = False) -> Submission:
        """Queue drafts; `logged` is done when they are durable, `projected` when the graph shows them: soon,
        at once when `eager`.

        Raises:
            Unavailable: too much waits already, or it stops.

        """
        submission = Submission(drafts, bodies, eager)
        with self._lock:  # with `stop`: nothing is queued behind the end
            if self._stopping:
                raise Unavailable("the server is stopping. Nothing of this was stored; try again.")
            self._room.take(len(drafts), submission.size)
            self._queue.put(submission)
        return submission

    def command(self, decide: Callable[[], tuple[Sequence[Draft], Callable[[list[Receipt]], T]]]) -> T:
        """Run `decide` with no other command beside it and the graph caught up, append what it decided, project
        it, then give what its second part says. What `decide` raises is raised here.

        Raises:
            Unavailable: the log or the graph does not answer.

        """
        decide = redacting(decide, self.redactor)
        if not self._turn.acquire(timeout=PATIENCE):
            raise Unavailable("other commands take too long. Nothing was changed; try again.")
        try:
            self._must_be_caught_up("Nothing was changed; try again.")
            drafts, finish = decide()
            receipts: list[Receipt] = []
            if drafts:
                bodies = [orjson.loads(draft.body) for draft in drafts]
                receipts = self.submit(drafts, bodies, eager=True).logged.result()
                self._must_be_caught_up("The change is in the log; the graph shows it when it answers again.")
            return finish(receipts)
        finally:
            self._turn.release()

    def alone(self, work: Callable[[], T]) -> T:
        """Run `work`, which may write to the log, in the writer's turn, whatever the graph shows. When records were
        erased the graph is made again, block by block, while more is taken.
        """
        order: Work[T] = Work(work)
        with self._lock:
            if self._stopping:
                raise Unavailable("the server is stopping; try again")
            self._queue.put(order)
        return order.done.result()

    def settle(self, *, patience: float) -> bool:
        """Wait until the graph shows every record acknowledged before this call, `patience` seconds at most;
        tells whether it does. Readers call it: who was answered 201 finds what they sent.
        """
        head = self._log.head()
        if self.applied >= head:
            return True
        if self.unavailable:
            return False
        reader = Reader(head)
        with self._lock:
            if not self.alive:
                return False
            self._queue.put(reader)
        try:
            reader.done.result(timeout=patience)
        except (TimeoutError, Unavailable):
            return False
        return True

    def _must_be_caught_up(self, outcome: str) -> None:
        if not self.settle(patience=PATIENCE):
            behind = self._log.head() - self.applied
            why = self.unavailable or f"the graph is {behind} records behind the log"
            raise Unavailable(f"the graph store does not answer ({why}). {outcome}")

    # -- the writer's thread ----------------------------------------------------------------------

    def _run(self) -> None:
        open_ = True
        while open_:
            batch, work, open_ = self._take(self._patience())
            if batch:
                self._write(batch)
            if work is not None:
                self._do(work)
            self._go_on()
        while self._behind and (left := self._farewell - time.monotonic()) > 0:
            self._due = 0.0
            self._go_on()
            if self._busy:
                self._take(left)
            elif self.unavailable:
                break
        self._tell_waiting(Unavailable("the server stopped before the graph caught up"))

    @property
    def _behind(self) -> bool:
        return self.applied < self._log.head()

    def _patience(self) -> float | None:
        """Seconds to wait for more; None: there is nothing else to do."""
        if self._busy or not self._behind:
            return None
        return max(0.0, self._due - time.monotonic())

    def _take(self, timeout: float | None) -> tuple[list[Submission], Work[Any] | None, bool]:
        """All that is queued up to work of its own, at most a batch's worth."""
        batch: list[Submission] = []
        size, expected = 0, self._together
        while size < MAX_BATCH:
            try:
                item = self._queue.get(block=not batch, timeout=timeout)
            except queue.Empty:
                break
            if item is None:
                return batch, None, False
            if isinstance(item, Work):
                return batch, item, True
            if isinstance(item, Submission):
                batch.append(item)
                size += len(item.drafts)
                if len(batch) < expected:
                    expected = 0
                    time.sleep(GATHER)
                continue
            if isinstance(item, Reader):
                self._waiting.append((item.seq, weakref.ref(item.done)))
                self._tell_waiting()
                self._wanted = max(self._wanted, item.seq)
                self._due = 0.0 if not self.unavailable else self._due
            else:
                self._projected(item.done)
            if not batch:
                break
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
                _fail(submission.logged, error)
            return
        except Exception as error:  # a bug of ours must not end the only writer
            logger.exception("records could not be appended")
            for submission in batch:
                _fail(submission.logged, error)
            return
        finally:
            self._room.give_back(len(drafts), sum(s.size for s in batch))
        at = 0
        for submission in batch:
            own = receipts[at : at + len(submission.drafts)]
            at += len(submission.drafts)
            last = max((r.seq for r in own), default=0)
            self._waiting.append((last, weakref.ref(submission.projected)))
            _answer(submission.logged, own)
        idle = self.applied >= before
        self._pending += (
            Parsed(receipt.seq, draft.kind, body)
            for receipt, draft, body in zip(receipts, drafts, bodies, strict=True)
            if not receipt.duplicate
        )
        if len(self._pending) > MAX_PENDING:
            self._pending.clear()
        if any(s.eager for s in batch) and not self.unavailable:
            self._wanted = self._log.head()
            self._due = 0.0
        elif idle:
            self._due = time.monotonic() + self._lag
        self._tell_waiting()

    def _do(self, work: Work[Any]) -> None:
        edition = self._log.edition
        try:
            _answer(work.done, work.do())
        except HeadwaterError as error:
            _fail(work.done, error)
        except Exception as error:  # a bug of ours must not end the only writer
            logger.exception("work on the log failed")
            _fail(work.done, error)
        if self._log.edition != edition:
            self._pending.clear()
            self._due = 0.0

    def _go_on(self) -> None:
        """Project one block, if one is due."""
        if self._busy or not self._behind or time.monotonic() < self._due:
            return
        applied = self.applied
        self._pending = [p for p in self._pending if p.seq > applied]
        at_hand = self._pending[: self._block]
        self._began, self._from = time.monotonic(), self.applied
        if self._blocks is None:
            self._projected(self._projection.advance(at_hand, limit=self._block))
        else:
            self._busy = True
            self._blocks.put(at_hand)

    def _beside(self, blocks: "queue.SimpleQueue[list[Parsed]]") -> None:
        """The thread that waits for a store which another process keeps."""
        while True:
            at_hand = blocks.get()
            done = self._projection.advance(at_hand, limit=self._block)
            del at_hand
            self._queue.put(Projected(done))

    def _projected(self, done: bool) -> None:  # noqa: FBT001 - the outcome
        self._busy = False
        now = time.monotonic()
        if done:
            each = max(1e-6, now - self._began) / max(1, self.applied - self._from)
            self._block = min(BLOCK, max(LEAST, int(PAUSE / each)))
        if not done:
            self._due = now + RETRY_AFTER
        elif self._wanted > self.applied or self._log.head() - self.applied >= self._block:
            self._due = 0.0
        else:  # what came meanwhile waits for company as what comes to an idle graph does
            self._due = self._began + self._lag
        self._tell_waiting()

    def _tell_waiting(self, end: Unavailable | None = None) -> None:
        """Those whose record the graph shows; who is not there any more is forgotten."""
        waiting, self._waiting = self._waiting, []
        applied = self.applied
        for seq, held in waiting:
            future = held()
            if future is None or future.cancelled():
                continue
            if seq <= applied:
                _answer(future, seq)
            elif end is not None:
                _fail(future, end)
            else:
                self._waiting.append((seq, held))


def _answer(future: "Future[T]", value: T) -> None:
    """Who asked may have gone: a request that was cut off cancels its future."""
    with suppress(InvalidStateError):
        future.set_result(value)


def _fail(future: "Future[Any]", error: Exception) -> None:
    with suppress(InvalidStateError):
        future.set_exception(error)

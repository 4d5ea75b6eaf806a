"""Tells one webhook, in a thread of its own: event by event, in the log's order, each until it is taken or given up.

What is still to be told is what the log holds behind the webhook's position: a queue that takes no memory, survives a
restart and keeps no writer waiting. The position moves when an event is over, so each is told at least once.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from headwater_server.errors import HeadwaterError, NotFound, Unavailable
from headwater_server.log.port import Record, RecordReader
from headwater_server.webhooks.book import Book, Outcome, Webhook
from headwater_server.webhooks.egress import Answer
from headwater_server.webhooks.message import body_of, delivery_id, headers_of

logger = logging.getLogger("headwater")

AGAIN = frozenset({408, 425, 429})
"""Beside 5xx and no answer at all: answers that may be others next time."""
BLOCK = 100
"""Records that are read at once."""
DISTURBED = 5.0
"""Seconds to wait when the log, the graph or the webhooks' file does not answer."""

Told: TypeAlias = Callable[[Record], Sequence[tuple[str, str, dict[str, Any]]]]
"""(entity, action, data) of what a record tells."""
Post: TypeAlias = Callable[[str, bytes, dict[str, str]], Answer]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    first: float = 1.0
    """Before the second try; twice as long before each later one."""
    most: float = 300.0
    whole: float = 86_400.0
    """An event that was recorded so long ago is given up when a try fails."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from."""

    log: RecordReader
    kinds: Sequence[str]
    """Of records that may tell something."""
    told: Told
    settle: Callable[[], bool]
    """Waits until the graph shows what is in the log: a receiver may ask at once for what it was told of."""


@dataclass(frozen=True, slots=True)
class _Due:
    record: Record
    nth: int
    event: str
    data: dict[str, Any]

    @property
    def place(self) -> tuple[int, int]:
        return self.record.seq, self.nth


class Courier:
    def __init__(self, webhook: str, *, book: Book, source: Source, post: Post, patience: Patience) -> None:
        self._id = webhook
        self._book = book
        self._source = source
        self._post = post
        self._patience = patience
        self._bell = threading.Event()
        self._ended = False
        self._until = 0.0
        """When the next try is due, on the monotonic clock."""
        self._hurried = False
        """It is due now, whatever `_until` says: also when somebody says so while a try is under way."""
        self._failed = 0
        """Tries of the next event."""
        self._reached = 0
        """Of the records before it none is to be told any more."""
        self._thread = threading.Thread(target=self._run, name=f"webhook {webhook[:8]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self, *, at_once: bool = False) -> None:
        """There may be something to tell; `at_once` also if the last try was a moment ago. Quick, from any thread."""
        self._hurried |= at_once
        self._bell.set()

    def end(self) -> None:
        """Nothing more is begun. What is under way is told again at the next start, unless it is over soon."""
        self._ended = True
        self._bell.set()

    def keep(self) -> None:
        """Write down how far it is: records that nobody asked for move the position in memory alone."""
        if self._reached:
            self._book.move(self._id, self._reached, 0)

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    # ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended:
            self._bell.clear()
            try:
                pause = self._go_on()
            except NotFound:
                return
            except HeadwaterError:
                pause = DISTURBED
            except Exception:  # a bug of ours must not end it
                logger.exception("the webhook %s could not be told", self._id)
                pause = self._patience.most
            self._bell.wait(pause)
        with suppress(HeadwaterError):
            self.keep()

    def _go_on(self) -> float | None:
        """Tell what there is; seconds until the next try is due, None: nothing is left to do."""
        for due in self._due(self._book.get(self._id)):
            left = self._until - time.monotonic()
            if left > 0 and not self._hurried:
                return left
            if self._hurried:
                self._hurried, self._failed = False, 0
            webhook = self._book.get(self._id)  # as it is now
            if self._ended or not webhook.active:
                return None
            if due.place >= (webhook.seq, webhook.nth) and not self._tell(webhook, due):
                return max(0.0, self._until - time.monotonic())
            if self._ended:  # the log may be closed soon
                return None
        return None

    def _due(self, webhook: Webhook) -> Iterator[_Due]:
        """What the webhook asked for, from its position on; behind it the position is at the end of the log."""
        if not webhook.active:
            return
        first = max((webhook.seq, webhook.nth), (self._reached, 0))
        seq, read, kinds = first[0], self._source.log.read, self._source.kinds
        while not self._ended and (records := read(seq - 1, limit=BLOCK, kinds=kinds)):
            if not self._source.settle():
                raise Unavailable("the graph is behind the log")
            for record in records:
                for nth, (entity, action, data) in enumerate(self._source.told(record)):
                    due = _Due(record, nth, f"{entity}.{action}", data)
                    if due.place >= first and due.event in webhook.events:
                        yield due
            seq = records[-1].seq + 1
        self._reached = seq

    def _tell(self, webhook: Webhook, due: _Due) -> bool:
        """Whether it is over."""
        seq, nth = due.place
        at = due.record.event_time or due.record.received
        body = body_of(due.event, due.data, at)
        id_ = delivery_id(webhook.id, seq, nth)
        answer = self._post(webhook.url, body, headers_of(body, id_, int(time.time()), webhook.secret))
        now = time.time_ns() // 1_000
        may_change = answer.status == 0 or answer.status in AGAIN or answer.status >= 500
        old = now - due.record.received >= self._patience.whole * 1_000_000
        if answer.taken:
            outcome = Outcome.DELIVERED
        else:
            outcome = Outcome.RETRYING if may_change and not old else Outcome.GIVEN_UP
        error = answer.error or ("" if answer.taken else f"HTTP status {answer.status}")
        self._book.note(webhook.id, seq, nth, due.event, outcome, at=now, status=answer.status, error=error)
        if outcome is Outcome.RETRYING:
            self._until = time.monotonic() + self._pause(answer.retry_after)
            self._failed += 1
            return False
        if outcome is Outcome.GIVEN_UP:
            logger.warning("webhook %s: %s of record %d was given up (%s)", webhook.id, due.event, seq, error)
        self._failed = 0
        return True

    def _pause(self, wished: str) -> float:
        """The receiver may wish for a longer one."""
        own = self._patience.first * 2.0 ** min(self._failed, 32)
        return min(self._patience.most, max(own, float(wished) if wished.isdecimal() else 0.0))

"""What a run logs on its way to the server: in memory, on disk while the server is away, delivered in order.

Every step may be sent twice without harm: a run's id is made here, a point is one point however often it is said,
a param that is said again is the same param. So delivery is "at least once" and the effect is "exactly once".
"""

import logging
import os
import threading
import time
import weakref
from collections import deque

from headwater.errors import Away
from headwater.journal import Journal, folder
from headwater.sending import Step, deliver, merged
from headwater.session import Session

MAX_STEPS = 10_000
"""Steps held in memory; what comes on top goes to disk at once."""
CLOSE_WITHIN = 10.0
"""Seconds that the end of a run waits for its delivery."""
CLOSE_AWAY = 3.0
"""The same, when the server does not answer."""
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 15.0
_TO_DISK_EVERY = 1.0
"""Seconds that a step stays in memory alone while the server is away."""

logger = logging.getLogger("headwater")


class Outbox:
    """Steps of one run. `put` never waits for the server, and never raises: a training loop goes on."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self._open()
        _every.add(self)

    def _open(self) -> None:
        self._journal = Journal(folder(self._session.home) / f"{self._name}.ndjson", mine=True)
        self._steps: deque[Step] = deque()
        self._flying: deque[Step] = deque()
        """Those that are being delivered, until each has arrived or is on disk."""
        self._wake = threading.Condition()
        self._idle = not self._journal.size
        self._failures = self._flushing = self._lost = 0
        self._thread: threading.Thread | None = None

    def put(self, step: Step) -> None:
        with self._wake:
            if len(self._steps) >= MAX_STEPS and not self._spill():
                self._lost += 1
                if self._lost == 1:
                    logger.error("the disk takes nothing and the server is away: what is logged now is lost.")
                return
            self._steps.append(step)
            if self._thread is None:
                self._start()
            elif self._idle:
                self._idle = False
                self._wake.notify_all()

    def flush(self, timeout: float = CLOSE_WITHIN) -> bool:
        """Wait until all that was put is with the server; tells whether it is. A server that does not answer is not
        waited for any longer than CLOSE_AWAY.
        """
        began = time.monotonic()
        with self._wake:
            failures = self._failures
            self._flushing += 1
            self._wake.notify_all()
            try:
                if not self._idle and self._thread is None:
                    self._start()
                while not self._idle:
                    waited = time.monotonic() - began
                    if waited >= (timeout if self._failures == failures else min(timeout, CLOSE_AWAY)):
                        return False
                    self._wake.wait(0.1)
                return True
            finally:
                self._flushing -= 1

    def close(self, timeout: float = CLOSE_WITHIN) -> bool:
        """Deliver what is there, `timeout` seconds at most; what is left waits on disk for the next process."""
        delivered = self.flush(timeout)
        with self._wake:
            thread, self._thread = self._thread, None
            self._wake.notify_all()
        if thread is not None:
            thread.join(timeout=0.5)
        with self._wake:
            self._spill()
        self._journal.close()
        return delivered

    def _start(self) -> None:
        if self._journal.closed:
            self._journal = Journal(self._journal.path, mine=True)
        self._idle = False
        self._thread = threading.Thread(target=self._run, name=f"headwater {self._name[:8]}", daemon=True)
        self._thread.start()

    def _spill(self) -> bool:
        """All that is in memory to disk, behind what waits there already; tells whether the disk took it."""
        waiting = [*self._flying, *self._steps]
        if waiting and not self._journal.append(waiting):
            return False
        self._flying.clear()
        self._steps.clear()
        return True

    def _forked(self) -> None:
        """In a child process: its own steps and thread; what its parent put is its parent's."""
        self._name = f"{self._name.partition('-')[0]}-{os.getpid()}"
        self._open()

    # -- the thread that delivers -----------------------------------------------------------------

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while True:
            with self._wake:
                while self._mine() and not (self._flying or self._steps or self._journal.size):
                    self._idle = True
                    self._wake.notify_all()
                    self._wake.wait()
                if not self._mine():
                    return
                if not self._journal.size:
                    self._flying.extend(self._steps)
                    self._flying = deque(merged(self._flying))
                    self._steps.clear()
            try:
                if self._journal.size:
                    self._journal.replay(self._session)
                self._deliver()
                wait = _FIRST_WAIT
            except Away:
                self._wait(wait)
                wait = min(_LONGEST_WAIT, wait * 2)

    def _deliver(self) -> None:
        """Raises Away."""
        while True:
            with self._wake:
                if not self._flying or not self._mine():
                    return
                step = self._flying[0]
            deliver(self._session, step, self._journal.refused)
            with self._wake:
                if (
                    self._flying and self._flying[0] is step
                ):  # else it went to disk meanwhile, and is sent again
                    self._flying.popleft()

    def _wait(self, seconds: float) -> None:
        """Until it is worth another attempt. Somebody who kills this process loses a second's steps at most."""
        with self._wake:
            self._failures += 1
            self._wake.notify_all()
            self._spill()
            end = time.monotonic() + seconds
            while self._mine():
                left = (
                    min(end, time.monotonic() + _FIRST_WAIT) if self._flushing else end
                ) - time.monotonic()
                if left <= 0:
                    return
                self._wake.wait(min(left, _TO_DISK_EVERY))
                self._spill()
                if self._flushing:
                    return

    def _mine(self) -> bool:
        return self._thread is threading.current_thread()


_every: "weakref.WeakSet[Outbox]" = weakref.WeakSet()


def _after_fork() -> None:
    for one in list(_every):
        one._forked()  # noqa: SLF001 - of one module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""Decisions one after the other, each out of what all before it left; written and projected together."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from headwater_server.commit.committer import Committer
from headwater_server.log.port import Draft
from headwater_server.tracking.drafting import Decided

Decision: TypeAlias = Callable[[], Sequence[Decided]]
"""What to write; it has taken it in already. What it raises refuses it."""


class Turn:
    """Who decides holds the turn until its record is queued, not until it is written: many are written with one fsync."""

    def __init__(self, committer: Committer, *, lost: Callable[[], None]) -> None:
        self._committer = committer
        self._lost = lost
        self._lock = threading.RLock()

    @property
    def redactor(self) -> Any:
        return self._committer.redactor

    def decide(self, decision: Decision) -> list[dict[str, Any]]:
        """The bodies of what was decided, once they are durable.

        Raises:
            Unavailable: they could not be written; nothing of it holds.

        """
        with self._lock:
            said = decision()
            if not said:
                return []
            drafts: list[Draft] = [one.draft for one in said]
            bodies = [one.body for one in said]
            try:
                submission = self._committer.submit(drafts, bodies)
            except BaseException:  # also Ctrl-C: what is remembered is not in the log; raised again
                self._lost()
                raise
        try:
            submission.logged.result()
        except BaseException:
            self._lost()
            raise
        return bodies

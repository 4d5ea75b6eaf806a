"""What changed in the graph, told to whoever listens: each thing once, however often it changed meanwhile."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeAlias

from headwater_server.graph.changes import Changeset
from headwater_server.graph.words import COLUMN_FLOW, TABLE_FLOW, EdgeKind

MAX_WAITING = 1_000
"""Keys that wait for a listener; of more the oldest are not told."""
_FLOW = TABLE_FLOW | COLUMN_FLOW | {EdgeKind.FEEDS_WHOLE}


class Told:
    """A block of records that the graph shows now."""

    def __init__(self, entities: Collection[str], changes: Changeset) -> None:
        self.entities = entities
        """Keys of those of which more is known than before."""
        self._changes = changes

    @cached_property
    def flow(self) -> frozenset[str]:
        """Keys of the nodes at which the flow of data as it is now has changed, steps among them."""
        keys = [edge.key for edge in self._changes.edges] + list(self._changes.drop)
        return frozenset(end for key in keys if key.kind in _FLOW for end in (key.source, key.target))


Choose: TypeAlias = Callable[[Told], Iterable[str]]


class Mailbox:
    """One listener's. Any thread may put, one takes."""

    def __init__(self, choose: Choose, ring: Callable[[], None]) -> None:
        self._choose = choose
        self._ring = ring
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()
        self.closed = False
        """Nothing comes any more."""

    def put(self, told: Told) -> None:
        mine = dict.fromkeys(self._choose(told))
        if not mine:
            return
        with self._lock:
            self._waiting |= mine
            while len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
        self._ring()

    def take(self) -> list[str]:
        """All that wait, in the order in which they first changed."""
        with self._lock:
            found, self._waiting = list(self._waiting), {}
        return found

    def close(self) -> None:
        self.closed = True
        self._ring()


class News:
    """Costs nothing where nobody listens. Safe in threads."""

    def __init__(self) -> None:
        self._mailboxes: tuple[Mailbox, ...] = ()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def listeners(self) -> int:
        return len(self._mailboxes)

    def tell(self, entities: Collection[str], changes: Changeset) -> None:
        """In the writer's turn: the graph shows these now."""
        mailboxes = self._mailboxes
        if mailboxes:
            told = Told(entities, changes)
            for mailbox in mailboxes:
                mailbox.put(told)

    @contextmanager
    def listen(self, choose: Choose, ring: Callable[[], None]) -> Iterator[Mailbox]:
        """A mailbox for the keys that `choose` picks of each block; `ring` is called, in any thread, when there is
        something in it, or when it was closed. Both must be quick.
        """
        mailbox = Mailbox(choose, ring)
        with self._lock:
            self._mailboxes = (*self._mailboxes, mailbox)
        if self._closed:
            mailbox.close()
        try:
            yield mailbox
        finally:
            with self._lock:
                self._mailboxes = tuple(m for m in self._mailboxes if m is not mailbox)

    def close(self) -> None:
        """Listeners are told that nothing comes any more."""
        self._closed = True
        for mailbox in self._mailboxes:
            mailbox.close()

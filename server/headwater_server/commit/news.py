"""Which entities changed in the graph, told to whoever listens: each once, however often it changed meanwhile."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

MAX_WAITING = 1_000
"""Entities that wait for a listener; of more the oldest are not told."""


class Mailbox:
    """One listener's. Any thread may put, one takes."""

    def __init__(self, wanted: Callable[[str], bool], ring: Callable[[], None]) -> None:
        self._wanted = wanted
        self._ring = ring
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()
        self.closed = False
        """Nothing comes any more."""

    def put(self, keys: Iterable[str]) -> None:
        mine = [key for key in keys if self._wanted(key)]
        if not mine:
            return
        with self._lock:
            self._waiting |= dict.fromkeys(mine)
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

    def tell(self, keys: Collection[str]) -> None:
        """In the writer's turn: the graph shows these now."""
        for mailbox in self._mailboxes:
            mailbox.put(keys)

    @contextmanager
    def listen(self, wanted: Callable[[str], bool], ring: Callable[[], None]) -> Iterator[Mailbox]:
        """A mailbox for keys that `wanted` knows, by their text alone; `ring` is called, in any thread, when there is
        something in it, or when it was closed. Both must be quick.
        """
        mailbox = Mailbox(wanted, ring)
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

"""How much may wait at once: records and bytes. More is refused, so that memory stays bounded."""

import threading

from headwater_server.errors import Unavailable

MAX_RECORDS = 10_000
"""As many as are written in about the time that clients wait for an answer."""
MAX_BYTES = 32 * 2**20
"""Of bodies as they came; read, they take some times as much."""


class Room:
    """Any thread may call."""

    def __init__(self, records: int = MAX_RECORDS, size: int = MAX_BYTES) -> None:
        self._most_records, self._most_bytes = records, size
        self._lock = threading.Lock()
        self.records = 0
        self.bytes = 0

    def check(self) -> None:
        """Before work is spent on what could not come in. Raises Unavailable when it is full to the brim."""
        if self.records >= self._most_records or self.bytes >= self._most_bytes:
            raise self._full()

    def take(self, records: int, size: int) -> None:
        """What is larger than the whole room is let in when nothing else waits: it could never come in otherwise.

        Raises:
            Unavailable: no room.

        """
        with self._lock:
            full = (
                self.records + records > self._most_records or self.bytes + size > self._most_bytes
            ) and self.records + self.bytes > 0
            if full:
                raise self._full()
            self.records += records
            self.bytes += size

    def give_back(self, records: int, size: int) -> None:
        with self._lock:
            self.records -= records
            self.bytes -= size

    def _full(self) -> Unavailable:
        return Unavailable(
            f"{self.records} records ({self.bytes} bytes) wait to be written. Nothing of this was stored; "
            "try again in a second."
        )

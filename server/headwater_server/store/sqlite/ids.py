"""The numbers that stand for texts inside the file, remembered so that most look-ups are free."""

from collections.abc import Iterable

import apsw
import orjson


def listed(values: Iterable[str] | Iterable[int]) -> str:
    """For `json_each`: any number of values as one parameter. Sorted, what lies together is read together (half the time)."""
    return orjson.dumps(list(values)).decode()


class Ids:
    """Text → number, for the writer alone. Two generations bound it: what was asked lately stays."""

    def __init__(self, connection: apsw.Connection, find: str, last: str, size: int) -> None:
        self._connection = connection
        self._find = find
        self._last = last
        self._size = size
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._next = 0

    def forget(self) -> None:
        """After a transaction that failed, or one that somebody else made."""
        self._young, self._old, self._next = {}, {}, 0

    def of(self, texts: Iterable[str]) -> dict[str, int]:
        """Those that have a number."""
        if len(self._young) > self._size:
            self._young, self._old = {}, self._young
        young, old = self._young, self._old
        found: dict[str, int] = {}
        missing = []
        for text in texts:
            number = young.get(text)
            if number is None:
                number = old.get(text)
                if number is None:
                    missing.append(text)
                    continue
                young[text] = number
            found[text] = number
        if missing:
            read: dict[str, int] = dict(self._connection.execute(self._find, (listed(sorted(missing)),)))
            young.update(read)
            found.update(read)
        return found

    def new(self, text: str) -> int:
        """The next number; the caller writes the row."""
        if not self._next:
            self._next = self._connection.execute(self._last).get + 1
        number = self._next
        self._next = number + 1
        self._young[text] = number
        return number

    def gone(self, text: str) -> None:
        self._young.pop(text, None)
        self._old.pop(text, None)

"""What was made of a text before: runs of a job mostly say the same."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """What was asked for lately stays: two generations of at most `size` texts. Safe in threads: at worst something
    is made twice. What it gives is shared: nobody writes to it.

    Unlike `lru_cache`, what is new is made from what is at hand, not read from its text again.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[str | bytes, T] = {}
        self._old: dict[str | bytes, T] = {}

    def of(self, text: str | bytes, make: Callable[[], T]) -> T:
        """What `make` gave for this text (or its hash), or gives now."""
        found = self._young.get(text)
        if found is None:
            found = self._old.get(text)
            if found is None:
                found = make()
            if len(self._young) >= self._size:
                self._young, self._old = {}, self._young
            self._young[text] = found
        return found

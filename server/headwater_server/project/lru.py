"""A map that forgets what was not used for longest."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Lru(Mapping[str, T], Generic[T]):
    """Holds at most `size` things; `get` and `put` make one the youngest.

    An OrderedDict, not a dict: the oldest of a dict is behind all that were taken out before it.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str, default: T | None = None) -> T | None:  # type: ignore[override]
        if key not in self._held:
            return default
        self._held.move_to_end(key)
        return self._held[key]

    def put(self, key: str, value: T) -> None:
        self._held[key] = value
        self._held.move_to_end(key)
        if len(self._held) > self._size:
            self._held.popitem(last=False)

    def drop(self, key: str) -> None:
        self._held.pop(key, None)

    def __getitem__(self, key: str) -> T:
        return self._held[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

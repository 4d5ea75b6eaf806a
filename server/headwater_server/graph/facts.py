"""Facts of one entity: a value that grows by joining, in any order and any number of times."""

from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(slots=True)
class Facts:
    """A join semilattice of three maps: `join` is commutative, associative and idempotent.

    Names are free text, by convention `what` or `what|which`.
    """

    values: dict[str, list[Any]] = field(default_factory=dict)
    """Last-writer-wins registers: name -> [time, tie, value]. The greater (time, tie) stays; `tie`
    is a text that is a function of the value (a content hash), so equal ties are equal values."""
    first: dict[str, int] = field(default_factory=dict)
    """name -> the least number ever said."""
    last: dict[str, int] = field(default_factory=dict)
    """name -> the greatest number ever said."""

    def join(self, other: "Facts") -> bool:
        """Take in what `other` knows; tells whether that changed anything."""
        changed = False
        for name, entry in other.values.items():
            mine = self.values.get(name)
            if mine is None or (entry[0], entry[1]) > (mine[0], mine[1]):
                self.values[name] = entry
                changed = True
        for name, number in other.first.items():
            if number < self.first.get(name, number + 1):
                self.first[name] = number
                changed = True
        for name, number in other.last.items():
            if number > self.last.get(name, number - 1):
                self.last[name] = number
                changed = True
        return changed

    def copy(self) -> "Facts":
        return Facts(dict(self.values), dict(self.first), dict(self.last))

    def set(self, name: str, at: int, tie: str, value: Any) -> None:
        """Say a register's value; of two in the same facts the greater stays."""
        mine = self.values.get(name)
        if mine is None or (at, tie) > (mine[0], mine[1]):
            self.values[name] = [at, tie, value]

    def since(self, name: str, at: int) -> None:
        self.first[name] = min(at, self.first.get(name, at))

    def until(self, name: str, at: int) -> None:
        self.last[name] = max(at, self.last.get(name, at))

    def span(self, name: str, at: int) -> None:
        self.since(name, at)
        self.until(name, at)

    def get(self, name: str) -> Any:
        """The value of a register, or None."""
        entry = self.values.get(name)
        return None if entry is None else entry[2]

    def named(self, prefix: str) -> list[tuple[str, Any]]:
        """Registers whose name begins so: (the rest of the name, value), in order of name."""
        cut = len(prefix)
        return sorted(
            ((n[cut:], e[2]) for n, e in self.values.items() if n.startswith(prefix)),
            key=lambda pair: pair[0],
        )

    def firsts(self, prefix: str) -> list[tuple[str, int]]:
        cut = len(prefix)
        return sorted((n[cut:], t) for n, t in self.first.items() if n.startswith(prefix))

    def dump(self) -> bytes:
        return orjson.dumps((self.values, self.first, self.last))

    @classmethod
    def load(cls, raw: bytes) -> "Facts":
        return cls(*orjson.loads(raw))

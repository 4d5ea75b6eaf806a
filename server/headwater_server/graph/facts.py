"""Facts of one entity: a value that grows by joining, in any order and any number of times."""

import hashlib
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import orjson

from headwater_server.graph import keys

_LONG = 100


class News(IntEnum):
    """What a join brought."""

    NOTHING = 0
    CLOCKS = 1
    """What was known was said again, later: only times moved on."""
    CONTENT = 2


def mention(facts: MutableMapping[str, "Facts"], key: str) -> "Facts":
    """An edge needs both its ends: what is mentioned is there, and what it belongs to. Its facts, to be added to."""
    if owner := keys.owner_of(key):
        facts.setdefault(owner, Facts())
    return facts.setdefault(key, Facts())


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

    def join(self, other: "Facts") -> News:
        """Take in what `other` knows; tells how much of it was new."""
        content = clocks = False
        values, first, last = self.values, self.first, self.last
        for name, entry in other.values.items():
            mine = values.get(name)
            if mine is None:
                content = True
            elif entry[1] == mine[1]:
                if entry[0] <= mine[0]:
                    continue
                clocks = True
            elif entry[0] > mine[0] or (entry[0] == mine[0] and entry[1] > mine[1]):
                content = True
            else:
                continue
            values[name] = entry
        for name, number in other.first.items():
            if number < first.get(name, number + 1):
                first[name] = number
                content = True
        for name, number in other.last.items():
            known = last.get(name)
            if known is None:
                content = True
            elif number > known:
                clocks = True
            else:
                continue
            last[name] = number
        return News.CONTENT if content else News.CLOCKS if clocks else News.NOTHING

    def copy(self) -> "Facts":
        return Facts(dict(self.values), dict(self.first), dict(self.last))

    def set(self, name: str, at: int, tie: str, value: Any) -> None:
        """Say a register's value; of two in the same facts the greater stays."""
        mine = self.values.get(name)
        if mine is None or (at, tie) > (mine[0], mine[1]):
            self.values[name] = [at, tie, value]

    def say(self, name: str, at: int, value: Any) -> None:
        """`set` a value that is its own tie; a long one's is its hash."""
        tie = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        if len(tie) > _LONG:
            tie = hashlib.blake2b(tie.encode(errors="surrogatepass"), digest_size=16).hexdigest()
        self.set(name, at, tie, value)

    def say_tags(self, tags: Mapping[str, Any], removed: Iterable[str], at: int, *, on: str = "") -> None:
        """A tag is a tag whoever sets it. Of two things said of one at one moment, being set stays."""
        for name, value in tags.items():
            self.set(f"{on}tag|{name}", at, f"1{value}", {"value": value})
        for name in removed:
            self.set(f"{on}tag|{name}", at, "0", {"removed": True})

    def since(self, name: str, at: int) -> None:
        mine = self.first.get(name)
        if mine is None or at < mine:
            self.first[name] = at

    def until(self, name: str, at: int) -> None:
        mine = self.last.get(name)
        if mine is None or at > mine:
            self.last[name] = at

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
        found = [n for n in self.values if n.startswith(prefix)]
        return [(n[cut:], self.values[n][2]) for n in sorted(found)] if found else []

    def firsts(self, prefix: str) -> list[tuple[str, int]]:
        cut = len(prefix)
        found = [n for n in self.first if n.startswith(prefix)]
        return [(n[cut:], self.first[n]) for n in sorted(found)] if found else []

    def dump(self) -> bytes:
        return orjson.dumps((self.values, self.first, self.last))

    @classmethod
    def load(cls, raw: bytes) -> "Facts":
        return cls(*orjson.loads(raw))

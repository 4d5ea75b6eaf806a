"""Is the log what it was? Every body against its leaf, every leaf against the tree, the tree against checkpoints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from headwater_server.audit import records
from headwater_server.audit.note import Checkpoint
from headwater_server.log.leaf import commitment, read_leaf
from headwater_server.log.port import ERASURES, Evidence, RecordReader
from headwater_server.log.tree import TILE, Tree, leaf_hash, of_tiles, roots

MOST_FAULTS = 100
"""Told; behind that they are counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    seq: int | None
    """The record; None: it cannot be said which."""
    what: str

    def __str__(self) -> str:
        return self.what if self.seq is None else f"record {self.seq}: {self.what}"


@dataclass(slots=True)
class Verification:
    size: int
    """Records that there are."""
    checked: int = 0
    """Records whose bodies and leaves were read."""
    erased: int = 0
    root: bytes = b""
    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    """Of all faults, told or not."""
    next: int = 0
    """The tile to go on with when it was cut short; 0: it was not."""

    @property
    def ok(self) -> bool:
        return self.count == 0

    def found(self, seq: int | None, what: str) -> None:
        self.count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(seq, what))


def verify(
    log: RecordReader,
    *,
    expected: Sequence[Checkpoint] = (),
    first_tile: int = 0,
    go_on: Callable[[int], bool] = lambda _: True,
) -> Verification:
    """Read it all, from `first_tile` on, as long as `go_on` (told how many records are checked) says so.

    The tree must have had the root of each expected checkpoint when it had its size.

    Raises:
        Unavailable: it cannot be read.

    """
    low, head = log.extent()
    seen = Verification(size=head)
    if low < 1:
        seen.found(low, f"there is something under the number {low}; records are counted from 1")
    full = head // TILE
    stored = log.tiles(0, full)
    if len(stored) < full:
        seen.found(None, f"{full - len(stored)} of {full} sealed tiles are missing")
    tiles = (stored + [b""] * full)[:full]
    reader = _Reader(log)
    for number in range(first_tile, (head + TILE - 1) // TILE):
        if not go_on(seen.checked):
            seen.next = number
            break
        first, end = number * TILE + 1, min((number + 1) * TILE, head) + 1
        before = seen.count
        hashes = [reader.examine(each, seen) for each in log.evidence(first, end)]
        seen.checked += end - first
        if number < full:
            root = Tree().grown(hashes)[0].root()
            if root != tiles[number] and seen.count == before:
                seen.found(
                    None, f"one of the records {first} to {end - 1} was replaced along with its leaf: the root of "
                    f"tile {number} is another",
                )  # fmt: skip
            tiles[number] = root
    _compare(log, seen, tiles, expected)
    return seen


def _compare(
    log: RecordReader, seen: Verification, tiles: Sequence[bytes], expected: Sequence[Checkpoint]
) -> None:
    def hashes(first: int, end: int) -> list[bytes]:
        return [_hash(each) for each in log.evidence(first + 1, end + 1)]

    seen.root = of_tiles(tiles, hashes(len(tiles) * TILE, seen.size)).root()
    root = roots(tiles, hashes)
    for checkpoint in expected:
        if checkpoint.size > seen.size:
            seen.found(
                seen.size + 1, f"a checkpoint knows {checkpoint.size} records, here are {seen.size}: the last ones were removed, "
                "or an older database was put in place",
            )  # fmt: skip
        elif (root(0, checkpoint.size) if checkpoint.size else Tree().root()) != checkpoint.root:
            seen.found(
                None, f"the first {checkpoint.size} records are not those of the checkpoint of that size: history was rewritten",
            )  # fmt: skip


def _hash(each: Evidence) -> bytes:
    return leaf_hash(_bytes(each.leaf.data) if each.leaf else b"")


def _bytes(found: Any) -> bytes:
    """SQLite gives whatever somebody put there."""
    return found if isinstance(found, bytes) else repr(found).encode()


class _Reader:
    """Looks at one record after the other; remembers what erasures said."""

    def __init__(self, log: RecordReader) -> None:
        self._log = log
        self._erasures: dict[int, Mapping[str, Any]] = {}

    def examine(self, each: Evidence, seen: Verification) -> bytes:
        """The hash of its leaf, from what the leaf says; tells of the first thing that is wrong with it."""
        what = self._fault(each)
        if what:
            seen.found(each.seq, what)
        elif each.record is not None and each.record.erased is not None:
            seen.erased += 1
        return _hash(each)

    def _fault(self, each: Evidence) -> str:
        record, leaf = each.record, each.leaf
        if record is None:
            return "it was removed" if leaf is None else "it was removed; its leaf is still there"
        if leaf is None:
            return "its leaf was removed, or the record was inserted"
        if _hash(each) != leaf.hash:
            return "its leaf was edited"
        try:
            said = read_leaf(_bytes(leaf.data))
        except ValueError:
            return "its leaf cannot be read"
        facts = {"seq": record.seq, "at": record.received, "actor": record.actor, "kind": record.kind}
        for name, value in facts.items():
            if getattr(said, name) != value:
                return f"its {name} was edited: the record says {value!r}, its leaf {getattr(said, name)!r}"
        if record.erased is not None:
            return self._erasure(each.seq, record.erased, record.body, leaf.salt)
        if leaf.salt is None:
            return "its salt is gone, but no record says that it was erased"
        if len(record.body) != said.len or commitment(_bytes(leaf.salt), _bytes(record.body)) != said.commit:
            return "its body was edited"
        return ""

    def _erasure(self, seq: int, by: int, body: bytes, salt: bytes | None) -> str:
        if body or salt is not None:
            return f"it is said to be erased by record {by}, but its {'body' if body else 'salt'} is there"
        if by not in self._erasures:
            record = self._log.get(by)
            said: Any = None
            if record is not None and record.kind in ERASURES and record.erased is None:
                said = orjson.loads(record.body)
            self._erasures[by] = said if isinstance(said, dict) else {}
        if not records.names(self._erasures[by], seq):
            return f"its body is gone, but record {by} does not say that it was erased"
        return ""

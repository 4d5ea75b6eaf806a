"""What a record log must do: durable, ordered, idempotent."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from headwater_server.log.leaf import Leaf
from headwater_server.log.tree import Tree


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd that was accepted all the same: counted by producer and rule."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has a number."""

    kind: str
    """`openlineage`, or the name of a mutation: `registry.transition`, `curation.tag` …"""
    body: bytes
    """JSON, exactly as it was accepted."""
    content_key: bytes
    """32 bytes; a record with the same key is the same record."""
    event_time: int | None = None
    event_type: str = ""
    producer: str = ""
    actor: str = ""
    """Who; for an event with what is theirs, when not all is (`auth.policy.Principal.spoken`)."""
    run_id: str = ""
    job: str = ""
    """Key of the job that speaks; empty when none does."""
    mentions: Sequence[str] = ()
    """Keys of the nodes that the record is about (datasets, job, run, model …): how `about` finds it."""
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class Record:
    seq: int
    received: int
    kind: str
    body: bytes
    event_time: int | None
    event_type: str
    producer: str
    actor: str
    run_id: str
    job: str
    erased: int | None = None
    """The number of the record that says why the body is gone; `body` is empty then."""


@dataclass(frozen=True, slots=True)
class Which:
    """Records that are asked for: those of whom all that is said is true."""

    about: str | None = None
    """A node's key."""
    producer: str | None = None
    kind: str | None = None
    since: int = 0
    """From this number on."""
    before: int | None = None
    """Up to the one before this number."""


ALL = Which()


@dataclass(frozen=True, slots=True)
class Receipt:
    seq: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Conformance:
    producer: str
    rule: str
    text: str
    count: int
    first_seen: int
    last_seen: int
    example_seq: int


ERASURES = ("audit.erase", "audit.purge")
"""Kinds of the records that say why others have no body any more."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A number, and what stands under it. A record without a leaf, or the other way round, was tampered with."""

    seq: int
    record: Record | None
    leaf: Leaf | None


class RecordReader(Protocol):
    """Reads from any thread. Raises from every method: `Unavailable` when it cannot be read now."""

    instance: str
    """Names this log for ever (a random id made with it)."""

    @property
    def edition(self) -> str:
        """The instance, and the number of the last erasure: a graph of another edition holds what is erased."""
        ...

    def head(self) -> int:
        """The last number given; 0 when empty."""
        ...

    def read(self, after: int, *, limit: int, kinds: Sequence[str] = ()) -> list[Record]:
        """Records with seq > after, in order; when kinds are given, of these alone: kinds of what people did, which are
        found without looking at events.
        """
        ...

    def get(self, seq: int) -> Record | None: ...

    def recent(self, which: Which = ALL, *, limit: int) -> list[Record]:
        """Newest first."""
        ...

    def about(self, keys: Sequence[str]) -> list[int]:
        """The numbers of all records that mention one of these nodes, in order, each once."""
        ...

    def count(self, which: Which = ALL) -> int: ...

    def mutations(self) -> list[str]:
        """The kinds that there are, but for events."""
        ...

    def first_at(self, moment: int) -> int:
        """The number of the first record received at a moment or later; behind the head when none was."""
        ...

    def findings_of(self, seq: int) -> list[str]:
        """The rules a record broke."""
        ...

    def conformance(
        self, *, producer: str | None = None, after: tuple[str, str] | None = None, limit: int
    ) -> list[Conformance]:
        """By (producer, rule), in that order; `after` is such a pair."""
        ...

    def producers(self) -> Iterator[str]: ...

    def tree(self) -> Tree:
        """The Merkle tree over the leaves of all records; its size is the head."""
        ...

    def leaves(self, after: int, *, limit: int) -> list[Leaf]:
        """Leaves with seq > after, in order."""
        ...

    def tiles(self, first: int, end: int) -> list[bytes]:
        """Roots of the full tiles from `first` to before `end`, in order; tiles are counted from 0."""
        ...

    def extent(self) -> tuple[int, int]:
        """The lowest and the highest number that is there at all; (1, 0) when nothing is."""
        ...

    def evidence(self, first: int, end: int) -> list[Evidence]:
        """What is under each number from `first` to before `end`, whether anything is or not."""
        ...

    def close(self) -> None: ...


class RecordLog(RecordReader, Protocol):
    """Append-only. `append` by one thread at a time.

    Raises from every method: `Unavailable` when it cannot be stored or read now.
    """

    def append(self, drafts: Sequence[Draft], *, at: int) -> list[Receipt]:
        """Durable (fsync) when it returns; all or none. Numbers are gapless and start at 1.

        A draft whose content key is known gets the number it had. `at` is the receive time; what is
        stored never goes back behind an earlier record's. Each record gets its leaf in the same transaction.
        After `Unavailable` the next call starts from what the disk has.
        """
        ...

    def erase(self, seqs: Collection[int], draft: Draft, *, at: int) -> Receipt:
        """Append `draft` (of a kind in ERASURES), and in the same transaction take from these records the body, the
        salt, what they are about and what else was said in them. Number, kind, receive time, actor and leaf stay.
        What the file held of it is overwritten with zeros.
        """
        ...

    def scrub(self) -> bool:
        """After an erasure: is what was erased gone from the write-ahead file too? False: somebody reads on and on."""
        ...

    def check(self) -> None:
        """Raises Unavailable when what is written is not at the log's path any more (`append` looks too)."""
        ...

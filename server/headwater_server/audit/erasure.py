"""Taking bodies out of the log for good: some records by number, or all events before a day. Each erasure is a record."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Protocol, TypeVar

import orjson

from headwater_server.audit.keys import ROTATION
from headwater_server.audit.records import ERASE, PURGE, ranges
from headwater_server.errors import Conflict, Invalid, NotFound
from headwater_server.log.port import Draft, Receipt, RecordLog

AT_ONCE = 5_000
"""Records that one transaction erases. A purge of more makes several records, each of which did what it says."""
PATIENCE = 30.0
"""Seconds to wait for readers who hold the write-ahead file."""
_KEPT = frozenset({ERASE, PURGE, ROTATION})
_EVENT = "openlineage"
_PAGE = 1_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Erased:
    records: tuple[int, ...]
    """Numbers of the records that say what was erased."""
    count: int
    clean: bool
    """Nothing of it is in the log's files any more; False: a reader still held the write-ahead file."""


class Turn(Protocol):
    """Runs what writes in the writer's turn (`Committer.alone`)."""

    def __call__(self, work: Callable[[], T], /) -> T: ...


def erase(
    log: RecordLog, turn: Turn, seqs: Iterable[int], *, reason: str, basis: str, actor: str, at: int
) -> Erased:
    """Take these records' bodies out.

    Raises:
        Invalid: no reason or basis, nothing to erase, or a record that may not be erased.
        NotFound: a record that is not there.
        Unavailable: the log cannot be written now.

    """
    said = _said(reason, basis)
    wanted = sorted(set(seqs))
    if not wanted:
        raise Invalid("say which records: their numbers, as `headwater events` shows them.")
    if len(wanted) > AT_ONCE:
        raise Invalid(f"{len(wanted)} records are too many at once; erase at most {AT_ONCE}.")

    def work() -> Receipt:
        for seq in wanted:
            _check(log, seq)
        body = {**said, "by": actor, "at": at, "count": len(wanted), "records": ranges(wanted)}
        return log.erase(wanted, audit_draft(ERASE, body), at=at)

    receipt = turn(work)
    return Erased((receipt.seq,), len(wanted), clean=_scrubbed(log, turn))


def purge(
    log: RecordLog,
    turn: Turn,
    before: int,
    *,
    reason: str,
    basis: str,
    actor: str,
    at: int,
    dry_run: bool = False,
    at_once: int = AT_ONCE,
) -> Erased:
    """Take out the bodies of all events that were received before a moment; mutations stay. One record tells of
    `at_once` events at most.

    Raises:
        Invalid: no reason or basis, or the moment is not past.
        Unavailable: the log cannot be written now; what the records made so far name is erased.

    """
    said = _said(reason, basis)
    if before > at:
        raise Invalid("the moment before which events are purged must be past.")
    made: list[int] = []
    count = 0
    for seqs in _events_before(log, before, at_once):
        count += len(seqs)
        if dry_run:
            continue
        body = {**said, "by": actor, "at": at, "before": before, "count": len(seqs), "records": ranges(seqs)}
        draft = audit_draft(PURGE, body)
        made.append(turn(partial(log.erase, seqs, draft, at=at)).seq)
    return Erased(tuple(made), count, clean=not made or _scrubbed(log, turn))


def audit_draft(kind: str, body: dict[str, Any]) -> Draft:
    raw = orjson.dumps({**body, "id": secrets.token_hex(8)})
    return Draft(kind, raw, sha256(raw).digest(), event_time=body["at"], actor=body["by"])


def _check(log: RecordLog, seq: int) -> None:
    record = log.get(seq)
    if record is None:
        raise NotFound(f"There is no record {seq}. Nothing was erased.")
    if record.erased is not None:
        raise Conflict(f"record {seq} was erased already, by record {record.erased}. Nothing was erased.")
    if record.kind in _KEPT:
        raise Invalid(f"record {seq} is of kind {record.kind}: it is evidence itself. Nothing was erased.")


def _said(reason: str, basis: str) -> dict[str, str]:
    said = {"reason": reason.strip(), "basis": basis.strip()}
    for name, text in said.items():
        if not text:
            raise Invalid(
                f"an erasure says its {name}: that stays in the log, without what was erased.", field=name
            )
    return said


def _events_before(log: RecordLog, before: int, at_once: int) -> Iterator[list[int]]:
    """Their numbers, a block at a time. Receive times never go back: the first later one ends it."""
    seq = 0
    block: list[int] = []
    page = min(_PAGE, at_once)
    while records := log.read(seq, limit=page):
        for record in records:
            if record.received >= before:
                break
            if record.kind == _EVENT and record.erased is None:
                block.append(record.seq)
        seq = records[-1].seq
        ended = records[-1].received >= before
        if block and (ended or len(block) + page > at_once):
            yield block
            block = []
        if ended:
            return
    if block:
        yield block


def _scrubbed(log: RecordLog, turn: Turn) -> bool:
    until = time.monotonic() + PATIENCE
    while not turn(log.scrub):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True

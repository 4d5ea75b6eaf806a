"""The way of an event: read, placed, drafted, appended, answered; the graph follows."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from headwater_server.commit.committer import Committer, Submission
from headwater_server.errors import HeadwaterError
from headwater_server.graph.facts import Facts
from headwater_server.ingest.reader import load, refuse_duplicates
from headwater_server.log.port import Draft
from headwater_server.openlineage.translate import translate
from headwater_server.openlineage.wire import Event, read

KIND = "openlineage"


@dataclass(frozen=True, slots=True)
class Failure:
    """An element of a batch that was not taken."""

    index: int
    error: HeadwaterError


def drafted(raw: bytes) -> tuple[Draft, Event]:
    """An event's record.

    Two deliveries with equal JSON (whatever the spaces and the order of names) are one event.

    Raises:
        Unreadable: not JSON.
        Unplaceable: no job, run or dataset identity, or no event time.

    """
    parsed = load(raw)
    event = read(parsed)
    canonical = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)
    refuse_duplicates(raw, canonical)
    draft = Draft(
        KIND,
        raw,
        hashlib.sha256(canonical).digest(),
        event_time=event.at,
        event_type=event.type,
        producer=event.producer,
        run_id=event.run_id,
        job=event.job,
        mentions=event.mentions(),
        findings=event.findings,
    )
    return draft, event


def receive(raw: bytes, committer: Committer, *, eager: bool = False) -> Submission:
    """Queue one event. Raises as `drafted`, and Unavailable when too much waits."""
    draft, event = drafted(raw)
    return committer.submit((draft,), (event,), eager=eager)


def receive_many(
    raws: Sequence[bytes], committer: Committer, *, eager: bool = False
) -> tuple[Submission | None, list[int], list[Failure]]:
    """Queue those of a batch that can be placed: the submission, their indexes, and what failed."""
    drafts: list[Draft] = []
    events: list[Event] = []
    taken: list[int] = []
    failed: list[Failure] = []
    for index, raw in enumerate(raws):
        try:
            draft, event = drafted(raw)
        except HeadwaterError as error:
            failed.append(Failure(index, error))
        else:
            drafts.append(draft)
            events.append(event)
            taken.append(index)
    return (committer.submit(drafts, events, eager=eager) if drafts else None), taken, failed


def translate_record(body: Any, seq: int) -> Mapping[str, Facts]:
    """The translator of records of this kind: an event as it was received, or its JSON from the log."""
    return translate(body if isinstance(body, Event) else read(body), seq=seq)

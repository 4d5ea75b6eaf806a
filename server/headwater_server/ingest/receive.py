"""The way of an event: read, placed, drafted, appended, answered; the graph follows."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from headwater_server.auth.policy import Principal, own_namespaces
from headwater_server.commit.committer import Committer
from headwater_server.commit.orders import Submission
from headwater_server.commit.redacting import findings
from headwater_server.errors import Forbidden, HeadwaterError
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.ingest.reader import load, refuse_duplicates
from headwater_server.log.port import Draft
from headwater_server.openlineage.translate import translate
from headwater_server.openlineage.wire import Event, read
from headwater_server.project.projector import Spoken
from headwater_server.redaction.redactor import Redactor, noted

KIND = "openlineage"


@dataclass(frozen=True, slots=True)
class Failure:
    """An element of a batch that was not taken."""

    index: int
    error: HeadwaterError


def drafted(raw: bytes, redactor: Redactor, *, by: Principal | None = None) -> tuple[Draft, Event]:
    """An event's record, without the secrets in it: what it says of itself is read when they are gone. `by`: who
    sent it; None: whoever works on the data itself.

    Two deliveries with equal JSON (whatever the spaces and the order of names) are one event. The content key is that
    of what is kept: a secret cannot be guessed from it.

    Raises:
        Unreadable: not JSON.
        Unplaceable: no job, run or dataset identity, or no event time.
        Forbidden: its job is not of a namespace that the sender speaks for.

    """
    parsed = load(raw)
    canonical = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)
    refuse_duplicates(raw, canonical)
    parsed, taken = redactor.redact(parsed, canonical)
    event = read(parsed)
    if taken:
        raw = _kept(raw, redactor, canonical)
        canonical = orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)
        event.findings.extend(findings(taken))
    speaker = "" if by is None else by.spoken
    within = own_namespaces(speaker)
    if within:
        event = replace(event, within=within)
        if event.job and not event.owns(event.job):
            raise Forbidden(
                f"{speaker.partition('?')[0]} may not emit for jobs of namespace {keys.parts_of(event.job)[0]!r}, "
                f"only of {', '.join(within)}.",
                needs="events:emit",
                pointer="/job/namespace",
            )
        # the same words of somebody who speaks for more mean more: another record
        canonical += b"\0" + "\n".join(within).encode()
    draft = Draft(
        KIND,
        raw,
        hashlib.sha256(canonical).digest(),
        event_time=event.at,
        event_type=event.type,
        producer=event.producer,
        actor=speaker,
        run_id=event.run_id,
        job=event.job,
        mentions=event.mentions(),
        findings=event.findings,
    )
    return draft, event


def _kept(raw: bytes, redactor: Redactor, canonical: bytes) -> bytes:
    """The event as the log keeps it when something was taken out. Its numbers keep all their digits."""
    document, taken = redactor.redact(json.loads(raw), canonical)
    return json.dumps(noted(document, taken), ensure_ascii=False, separators=(",", ":")).encode()


def receive(
    raw: bytes, committer: Committer, *, by: Principal | None = None, eager: bool = False
) -> Submission:
    """Queue one event. Raises as `drafted`, and Unavailable when too much waits."""
    committer.check_room()
    draft, event = drafted(raw, committer.redactor, by=by)
    return committer.submit((draft,), (event,), eager=eager)


def receive_many(
    raws: Sequence[bytes], committer: Committer, *, by: Principal | None = None, eager: bool = False
) -> tuple[Submission | None, list[int], list[Failure]]:
    """Queue those of a batch that can be placed: the submission, their indexes, and what failed. Raises Unavailable
    when too much waits.
    """
    committer.check_room()
    drafts: list[Draft] = []
    events: list[Event] = []
    taken: list[int] = []
    failed: list[Failure] = []
    for index, raw in enumerate(raws):
        try:
            draft, event = drafted(raw, committer.redactor, by=by)
        except HeadwaterError as error:
            failed.append(Failure(index, error))
        else:
            drafts.append(draft)
            events.append(event)
            taken.append(index)
    return (committer.submit(drafts, events, eager=eager) if drafts else None), taken, failed


def translate_record(body: Any, seq: int) -> Mapping[str, Facts]:
    """The translator of records of this kind: an event as it was received, or its JSON from the log."""
    if isinstance(body, Spoken):
        return translate(replace(read(body.body), within=own_namespaces(body.by)), seq=seq)
    return translate(body if isinstance(body, Event) else read(body), seq=seq)

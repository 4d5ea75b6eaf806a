"""The record log as the API shows it: events, the mutations of one thing, and what producers do wrong."""

import heapq
from collections.abc import Sequence
from typing import Any

import orjson
import strawberry

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.info import Info, context_of, later, loader_of
from headwater_server.api.graphql.pages import Connection, PageInfo, connect
from headwater_server.api.graphql.scalars import JSON, DateTime, Long
from headwater_server.api.graphql.values import Actor, Node
from headwater_server.graph import keys
from headwater_server.lineage.urns import encode_id
from headwater_server.log.port import Conformance, Record
from headwater_server.redaction.redactor import NOTE

MUTATIONS = (
    "curation.annotate", "curation.archive", "curation.edge", "curation.tag", "curation.update",
    "registry.alias", "registry.model", "registry.transition", "registry.version",
)  # fmt: skip
"""The kinds of record that people write."""
_MOST_FINDINGS = 100_000
_ENVELOPE = frozenset({"at", "by", "key", "before", "revision", NOTE})
"""Of a mutation's body: what the event tells in fields of its own."""


@strawberry.type(description="One change that somebody made")
class AuditEvent(Node):
    seq: Long
    at: DateTime
    actor: Actor
    action: str
    before: JSON | None
    after: JSON | None
    comment: str | None
    subject_key: strawberry.Private[str]

    @strawberry.field(graphql_type=later("Entity", "entity") | None)
    def subject(self, info: Info) -> Any:
        return loader_of(info).meet(self.subject_key)


@strawberry.type(description="A secret that was taken out of a record before it was kept")
class Redaction:
    rule: str
    pointer: str = strawberry.field(description="JSON pointer to the text it stood in")


@strawberry.type(description="One record: an OpenLineage event or a mutation, as it was accepted")
class Event:
    seq: Long
    received_at: DateTime
    event_time: DateTime | None
    kind: str
    event_type: str | None
    producer: str | None
    run_id: str | None
    job_name: str | None
    job_namespace: str | None
    projected: bool
    body: strawberry.Private[bytes]

    @strawberry.field
    def raw(self) -> JSON:
        return JSON(orjson.loads(self.body))

    @strawberry.field(description="The rules that it broke; see `conformance`")
    def warnings(self, info: Info) -> list[str]:
        return context_of(info).log.findings_of(self.seq)

    @strawberry.field(description="What was taken out of it, and where; never the value")
    def redactions(self) -> list[Redaction]:
        if NOTE.encode() not in self.body:
            return []
        note = orjson.loads(self.body).get(NOTE)
        told = [n for n in note if isinstance(n, dict)] if isinstance(note, list) else []
        return [Redaction(rule=str(n.get("rule")), pointer=str(n.get("pointer"))) for n in told]


@strawberry.type
class ConformanceFinding:
    producer: str
    rule: str
    text: str
    count: Long
    first_seen: DateTime
    last_seen: DateTime
    example_seq: Long


@strawberry.type
class ConformanceEdge:
    cursor: str
    node: ConformanceFinding


@strawberry.type
class ConformanceConnection:
    edges: list[ConformanceEdge]
    page_info: PageInfo
    total_count: int


def record_id(seq: int, key: str) -> strawberry.ID:
    """Names the thing too: one record may be about several."""
    return strawberry.ID(encode_id(f"record\x1f{seq}\x1f{key}"))


def event_of(record: Record, applied: int) -> Event:
    namespace, name = keys.parts_of(record.job) if record.job else (None, None)
    return Event(
        seq=Long(record.seq),
        received_at=DateTime(record.received),
        event_time=None if record.event_time is None else DateTime(record.event_time),
        kind=record.kind,
        event_type=record.event_type or None,
        producer=record.producer or None,
        run_id=record.run_id or None,
        job_name=name,
        job_namespace=namespace,
        projected=record.seq <= applied,
        body=record.body,
    )


def events_page(
    context: Context,
    *,
    about: str | None,
    producer: str | None,
    kind: str | None,
    first: int | None,
    after: str | None,
) -> Connection[Event]:
    """Newest first."""
    size = page_size(first, 50)
    scope = Scope("events", about, producer, kind)
    position = scope.position(after)
    records = context.log.recent(
        before=None if position is None else int(position[0]),
        limit=size + 1,
        about=about,
        producer=producer,
        kind=kind,
    )
    applied = context.store.applied().seq
    return connect(
        [event_of(record, applied) for record in records[:size]],
        [scope.cursor(record.seq) for record in records[:size]],
        count=lambda: context.log.count(about=about, producer=producer, kind=kind),
        more=len(records) > size,
        began=after is not None,
    )


def audit_page(context: Context, key: str, first: int | None, after: str | None) -> Connection[AuditEvent]:
    """What people did to one thing, newest first."""
    size = page_size(first, 50)
    scope = Scope("history", key)
    position = scope.position(after)
    before = None if position is None else int(position[0])
    log = context.log
    found: list[Sequence[Record]] = [
        log.recent(before=before, limit=size + 1, about=key, kind=kind) for kind in MUTATIONS
    ]
    records = list(heapq.merge(*found, key=lambda record: -record.seq))[: size + 1]
    return connect(
        [audit_event(record, key) for record in records[:size]],
        [scope.cursor(record.seq) for record in records[:size]],
        count=lambda: sum(log.count(about=key, kind=kind) for kind in MUTATIONS),
        more=len(records) > size,
        began=after is not None,
    )


def audit_event(record: Record, key: str) -> AuditEvent:
    body = orjson.loads(record.body)
    comment = next(
        (c for name in ("comment", "reason", "note") if isinstance(c := body.get(name), str)), None
    )
    return AuditEvent(
        id=record_id(record.seq, key),
        seq=Long(record.seq),
        at=DateTime(record.event_time if record.event_time is not None else record.received),
        actor=Actor.of(record.actor),
        action=record.kind,
        before=body.get("before"),
        after=JSON(body.get("after") or {k: v for k, v in body.items() if k not in _ENVELOPE}),
        comment=comment,
        subject_key=key,
    )


def conformance_page(
    context: Context, *, producer: str | None, first: int | None, after: str | None
) -> ConformanceConnection:
    size = page_size(first, 50)
    scope = Scope("conformance", producer)
    found = context.log.conformance(producer=producer, after=scope.key(after), limit=size + 1)
    shown = found[:size]
    cursors = [scope.cursor(f.producer, f.rule) for f in shown]
    page = connect(shown, cursors, count=lambda: 0, more=len(found) > size, began=after is not None)
    return ConformanceConnection(
        edges=[ConformanceEdge(cursor=c, node=_finding(f)) for c, f in zip(cursors, shown, strict=True)],
        page_info=page.page_info,
        total_count=len(context.log.conformance(producer=producer, limit=_MOST_FINDINGS)),
    )


def _finding(found: Conformance) -> ConformanceFinding:
    return ConformanceFinding(
        producer=found.producer,
        rule=found.rule,
        text=found.text,
        count=Long(found.count),
        first_seen=DateTime(found.first_seen),
        last_seen=DateTime(found.last_seen),
        example_seq=Long(found.example_seq),
    )

"""The record log as the API shows it: events, and what producers do wrong."""

from dataclasses import replace

import orjson
import strawberry

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.info import Info, context_of
from headwater_server.api.graphql.pages import Connection, PageInfo, connect
from headwater_server.api.graphql.scalars import JSON, DateTime, Long
from headwater_server.graph import keys
from headwater_server.log.port import Conformance, Record, Which
from headwater_server.redaction.redactor import NOTE

_MOST_FINDINGS = 100_000


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
    erased_by: Long | None = strawberry.field(
        description="The record that says why this one's body is gone; `raw` says it too"
    )
    body: strawberry.Private[bytes]

    @strawberry.field
    def raw(self) -> JSON:
        return JSON({"erasedBy": self.erased_by} if self.erased_by is not None else orjson.loads(self.body))

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
        erased_by=None if record.erased is None else Long(record.erased),
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
    which = Which(about=about, producer=producer, kind=kind)
    before = None if position is None else int(position[0])
    records = context.log.recent(replace(which, before=before), limit=size + 1)
    applied = context.store.applied().seq
    return connect(
        [event_of(record, applied) for record in records[:size]],
        [scope.cursor(record.seq) for record in records[:size]],
        count=lambda: context.log.count(which),
        more=len(records) > size,
        began=after is not None,
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

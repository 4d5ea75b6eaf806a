"""The questions about the record log: what came in, what people did, and whether it is all still so."""

import strawberry

from headwater_server.api.graphql.audits import AuditEvent, AuditVerification, audit_page
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.info import Info, context_of, loader_of
from headwater_server.api.graphql.pages import Connection
from headwater_server.api.graphql.records import (
    ConformanceConnection,
    Event,
    conformance_page,
    event_of,
    events_page,
)
from headwater_server.api.graphql.scalars import DateTime, Long
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.lineage import resolve


@strawberry.type
class LogQueries:
    @strawberry.field
    @needs(Permission.READ)
    def event(self, info: Info, seq: Long) -> Event | None:
        context = context_of(info)
        record = context.log.get(seq)
        return None if record is None else event_of(record, context.store.applied().seq)

    @strawberry.field(description="The record log, newest first")
    @needs(Permission.READ)
    def events(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        ref: str | None = None,
        producer: str | None = None,
        kind: str | None = None,
    ) -> Connection[Event]:
        loader = loader_of(info)
        about = None if ref is None else resolve(ref, loader.store).key
        return events_page(
            loader.context, about=about, producer=producer, kind=kind, first=first, after=after
        )

    @strawberry.field(
        description="What producers send that the spec does not allow, counted, with a last example"
    )
    @needs(Permission.READ)
    def conformance(
        self, info: Info, producer: str | None = None, first: int | None = 50, after: str | None = None
    ) -> ConformanceConnection:
        return conformance_page(context_of(info), producer=producer, first=first, after=after)

    @strawberry.field(
        description="Every record that is no event, newest first: what people did. `action`: its kind, like "
        "registry.transition; `since` and `until` are receive times"
    )
    @needs(Permission.AUDIT)
    def audit_log(
        self,
        info: Info,
        first: int | None = 100,
        after: str | None = None,
        ref: str | None = None,
        action: str | None = None,
        since: DateTime | None = None,
        until: DateTime | None = None,
    ) -> Connection[AuditEvent]:
        loader = loader_of(info)
        about = None if ref is None else resolve(ref, loader.store).key
        return audit_page(
            loader.context,
            about=about,
            action=action,
            since=since,
            until=until,
            first=first,
            after=after,
            default=100,
        )

    @strawberry.field(
        description="Read bodies and leaves and compare them with the tree and the last checkpoint",
        directives=[Cost(weight=1_000)],
    )
    @needs(Permission.AUDIT)
    def verify_audit(self, info: Info) -> AuditVerification:
        context = context_of(info)
        seen = context.audit.verify(patience=context.settings.deadline)
        named = [fault.seq for fault in seen.faults if fault.seq is not None]
        return AuditVerification(
            ok=seen.ok,
            checked=Long(seen.checked),
            head=seen.root.hex(),
            broken_at=Long(min(named)) if named else None,
            faults=[str(fault) for fault in seen.faults],
        )

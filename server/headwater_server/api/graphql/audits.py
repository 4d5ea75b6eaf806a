"""What people did, as the API tells it: who, when, what was before and after, and the hash that stands in the tree."""

import heapq
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import strawberry

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.info import Info, context_of, later, loader_of
from headwater_server.api.graphql.pages import Connection, connect
from headwater_server.api.graphql.scalars import JSON, DateTime, Long
from headwater_server.api.graphql.values import Actor, Node
from headwater_server.graph import keys
from headwater_server.graph.keys import is_key
from headwater_server.lineage.urns import encode_id
from headwater_server.log.port import Record, Which
from headwater_server.redaction.redactor import NOTE

EVENT = "openlineage"
_ENVELOPE = frozenset({"at", "by", "key", "before", "revision", NOTE})
"""Of a mutation's body: what the event tells in fields of its own."""


@strawberry.type(
    description="One record that is no event: a change that somebody made, hashed into the tree of all records"
)
class AuditEvent(Node):
    seq: Long
    at: DateTime
    actor: Actor
    action: str
    before: JSON | None
    after: JSON | None
    comment: str | None
    erased_by: Long | None = strawberry.field(
        description="The record that says why what was changed is told no more"
    )
    subject_key: strawberry.Private[str]

    @strawberry.field(graphql_type=later("Entity", "entity") | None)
    def subject(self, info: Info) -> Any:
        return loader_of(info).meet(self.subject_key) if self.subject_key else None

    @strawberry.field(description="The hash of its leaf, in hex")
    def hash(self, info: Info) -> str:
        [leaf] = context_of(info).log.leaves(self.seq - 1, limit=1)
        return leaf.hash.hex()

    @strawberry.field(description="The hash of the leaf before; zeros before the first")
    def prev_hash(self, info: Info) -> str:
        found = context_of(info).log.leaves(self.seq - 2, limit=1) if self.seq > 1 else []
        return found[0].hash.hex() if found else "0" * 64


@strawberry.type(description="What was found when bodies, leaves and tree were compared")
class AuditVerification:
    ok: bool
    checked: Long = strawberry.field(
        description="Records that were read; fewer than there are when the time was up: the next call goes on there"
    )
    head: str = strawberry.field(description="The root of the tree over all records, in hex")
    broken_at: Long | None = strawberry.field(description="The first record that is not what it was")
    faults: list[str] = strawberry.field(description="What is wrong, a line each")


def record_id(seq: int, key: str) -> strawberry.ID:
    """Names the thing too: one record may be about several."""
    return strawberry.ID(encode_id(f"record\x1f{seq}\x1f{key}"))


def audit_page(
    context: Context,
    *,
    about: str | None,
    action: str | None = None,
    since: int | None = None,
    until: int | None = None,
    first: int | None,
    after: str | None,
    default: int = 50,
) -> Connection[AuditEvent]:
    """What people did (to one thing), newest first: since <= received < until."""
    log = context.log
    size = page_size(first, default)
    scope = Scope("audit", about, action, since, until)
    position = scope.position(after)
    lowest = 0 if since is None else log.first_at(since)
    highest = None if until is None else log.first_at(until)
    before = highest if position is None else int(position[0])
    asked = [
        Which(about=about, kind=kind, since=lowest, before=highest)
        for kind in log.mutations()
        if action in (None, kind)
    ]
    found: list[Sequence[Record]] = [
        log.recent(replace(which, before=before), limit=size + 1) for which in asked
    ]
    records = list(heapq.merge(*found, key=lambda record: -record.seq))[: size + 1]
    return connect(
        [audit_event(record, about) for record in records[:size]],
        [scope.cursor(record.seq) for record in records[:size]],
        count=lambda: sum(map(log.count, asked)),
        more=len(records) > size,
        began=after is not None,
    )


def audit_event(record: Record, key: str | None) -> AuditEvent:
    """As told of the thing with this key; None: of the one that it is about first of all."""
    body = {} if record.erased is not None else orjson.loads(record.body)
    comment = next(
        (c for name in ("comment", "reason", "note") if isinstance(c := body.get(name), str)), None
    )
    subject = _subject(record.kind, body) if key is None else key
    told = JSON(body.get("after") or {k: v for k, v in body.items() if k not in _ENVELOPE})
    return AuditEvent(
        id=record_id(record.seq, subject),
        seq=Long(record.seq),
        at=DateTime(record.event_time if record.event_time is not None else record.received),
        actor=Actor.of(record.actor),
        action=record.kind,
        before=body.get("before"),
        after=None if record.erased is not None else told,
        comment=comment,
        erased_by=None if record.erased is None else Long(record.erased),
        subject_key=subject,
    )


def _subject(kind: str, body: dict[str, Any]) -> str:
    """Its key; empty: it is about nothing that stands in the graph."""
    key = body.get("key")
    if isinstance(key, str) and is_key(key):
        return key
    if kind == "registry.model" and isinstance(name := body.get("name"), str):
        return keys.model(name)
    source, model, number = body.get("source"), body.get("model"), body.get("number")
    if isinstance(source, str) and is_key(source):
        return source
    if not isinstance(model, str):
        return ""
    moves = body.get("moves") or [{}]
    number = number or moves[0].get("number")
    return keys.model_version(model, number) if isinstance(number, str | int) else keys.model(model)

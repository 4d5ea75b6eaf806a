"""Events of OpenLineage, told as the graph takes them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

import orjson
import strawberry
from starlette.concurrency import run_in_threadpool

from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.jobs import Job
from headwater_server.api.graphql.listening import hearing
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.runs import Run
from headwater_server.api.graphql.scalars import DateTime, Long
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.commit.news import Told
from headwater_server.graph import keys
from headwater_server.ingest.receive import KIND
from headwater_server.lineage import resolve
from headwater_server.log.port import Record, Which

PAUSE = 0.5
"""Seconds between two looks at the log, at least."""
MOST = 100
"""Events of one look, the newest."""


@strawberry.type(description="An event of OpenLineage that the graph shows now")
class IngestedEvent:
    id: strawberry.ID
    seq: Long = strawberry.field(description="Its number: `event(seq)` tells all of it")
    event_type: str | None = strawberry.field(
        description="Null: it is of a job or of a dataset, not of a run"
    )
    event_time: DateTime
    inputs: int = strawberry.field(description="How many datasets it names as inputs")
    outputs: int
    skipped: Long = strawberry.field(
        description="How many just before it were not looked at, since too many came at once"
    )
    record: strawberry.Private[Record]

    @strawberry.field
    def job(self, info: Info) -> Job | None:
        found: Job | None = loader_of(info).meet(self.record.job) if self.record.job else None
        return found

    @strawberry.field
    def run(self, info: Info) -> Run | None:
        if not self.record.job or not self.record.run_id:
            return None
        found: Run | None = loader_of(info).meet(keys.run(self.record.run_id, self.record.job))
        return found


@strawberry.type
class EventNews:
    @strawberry.subscription(
        description="Events as the graph takes them, at most 100 each half second; `namespaces`: of whose job or datasets one "
        "is in one of these; `ref`: about this thing"
    )
    @needs(Permission.READ)
    async def event_ingested(
        self, info: Info, namespaces: list[str] | None = None, ref: str | None = None
    ) -> AsyncGenerator[IngestedEvent, None]:
        loader = loader_of(info)
        about, seen = await run_in_threadpool(_begin, loader, ref)
        with hearing(loader.context.news, _whatever) as ears:
            async for _ in ears.changes(PAUSE, at_once=True):
                seen, found = await run_in_threadpool(_came, loader, seen, about, namespaces)
                for event in found:
                    yield event


def _whatever(told: Told) -> tuple[str]:
    """An event that says nothing new has come too."""
    del told
    return ("",)


def _begin(loader: Loader, ref: str | None) -> tuple[str | None, int]:
    """The key of what is meant, and the last record that is told no more. Raises NotFound."""
    about = None if ref is None else resolve(ref, loader.store).key
    return about, loader.store.applied().seq


def _came(
    loader: Loader, seen: int, about: str | None, namespaces: Sequence[str] | None
) -> tuple[int, list[IngestedEvent]]:
    """Up to which record the log was looked at, and the events behind `seen`, oldest first."""
    context = loader.anew()
    upto = context.store.applied().seq
    if upto <= seen:
        return seen, []
    new = Which(about=about, kind=KIND, since=seen + 1, before=upto + 1)
    records = context.log.recent(new, limit=MOST)
    skipped = context.log.count(replace(new, before=records[-1].seq)) if len(records) == MOST else 0
    found = []
    for record in reversed(records):
        body = {} if record.erased is not None else orjson.loads(record.body)
        if namespaces is None or not _namespaces(record, body).isdisjoint(namespaces):
            found.append(_event(record, body, skipped))
            skipped = 0
    return upto, found


def _namespaces(record: Record, body: dict[str, Any]) -> set[str]:
    datasets = [*_listed(body, "inputs"), *_listed(body, "outputs"), body.get("dataset")]
    named = {str(one.get("namespace")) for one in datasets if isinstance(one, dict)}
    return named | ({keys.parts_of(record.job)[0]} if record.job else set())


def _event(record: Record, body: dict[str, Any], skipped: int) -> IngestedEvent:
    return IngestedEvent(
        id=strawberry.ID(str(record.seq)),
        seq=Long(record.seq),
        event_type=record.event_type or None,
        event_time=DateTime(record.received if record.event_time is None else record.event_time),
        inputs=len(_listed(body, "inputs")),
        outputs=len(_listed(body, "outputs")),
        skipped=Long(skipped),
        record=record,
    )


def _listed(body: dict[str, Any], name: str) -> list[Any]:
    found = body.get(name)
    return found if isinstance(found, list) else []

"""All that may be listened to; here: runs that change, models that change their stage."""

from collections.abc import AsyncGenerator, Callable, Sequence

import strawberry
from starlette.concurrency import run_in_threadpool

from headwater_server.api.graphql.context import Context, TransitionView
from headwater_server.api.graphql.enums import RunState
from headwater_server.api.graphql.flowing import LineageNews
from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.ingested import EventNews
from headwater_server.api.graphql.listening import hearing
from headwater_server.api.graphql.lost import states
from headwater_server.api.graphql.models import StageTransition
from headwater_server.api.graphql.runlogs import metrics_of
from headwater_server.api.graphql.runs import Run
from headwater_server.api.graphql.scalars import DateTime, Long
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.commit.news import Choose, Told
from headwater_server.errors import Invalid
from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage import decode_id, resolve

LEAST, MOST = 100, 60_000
"""Milliseconds of `intervalMs`."""
_RUN, _VERSION = "run|", "model_version|"


@strawberry.type(description="The last point of a metric. No finite number is null")
class MetricPoint:
    key: str
    step: Long
    value: float | None
    at: DateTime


@strawberry.type
class RunUpdate:
    at: DateTime = strawberry.field(description="When it was looked at")
    key: strawberry.Private[str]
    metric_keys: strawberry.Private[list[str] | None]

    @strawberry.field
    def run(self, info: Info) -> Run:
        found: Run = loader_of(info).meet(self.key)
        return found

    @strawberry.field
    def state(self, info: Info) -> RunState:
        run = loader_of(info).meet(self.key)
        return states([run.node], loader_of(info).store, now=self.at)[self.key]

    @strawberry.field(description="The last point of each metric, or of the named ones")
    def metrics(self, info: Info) -> list[MetricPoint]:
        return [
            MetricPoint(key=one.key, step=one.last_step or Long(0), value=one.last, at=one.at or self.at)
            for one in metrics_of(loader_of(info).meet(self.key), self.metric_keys)
        ]


@strawberry.type
class Subscription(EventNews, LineageNews):
    @strawberry.subscription(
        description="Runs that begin, log or end: each at most once in `intervalMs`, as it is then"
    )
    @needs(Permission.READ)
    async def run_updated(
        self,
        info: Info,
        run_id: strawberry.ID | None = None,
        experiment_id: strawberry.ID | None = None,
        job_id: strawberry.ID | None = None,
        metric_keys: list[str] | None = None,
        interval_ms: int | None = 500,
    ) -> AsyncGenerator[RunUpdate, None]:
        context, anew = loader_of(info).context, loader_of(info).anew
        pause = _seconds(500 if interval_ms is None else interval_ms)
        wanted = await run_in_threadpool(_runs_wanted, context, run_id, experiment_id, job_id)
        with hearing(context.news, wanted) as ears:
            async for keys_ in ears.changes(pause):
                for key in await run_in_threadpool(_there, anew, keys_):
                    yield RunUpdate(at=DateTime(context.now()), key=key, metric_keys=metric_keys)

    @strawberry.subscription(description="Versions that enter or leave a stage, of one model or of any")
    @needs(Permission.READ)
    async def stage_changed(
        self, info: Info, model: str | None = None
    ) -> AsyncGenerator[StageTransition, None]:
        context, anew = loader_of(info).context, loader_of(info).anew
        told: dict[str, int] = {}
        since = context.now()

        def wanted(told: Told) -> list[str]:
            versions = [key for key in told.entities if key.startswith(_VERSION)]
            return [key for key in versions if model is None or keys.parts_of(key)[0] == model]

        with hearing(context.news, wanted) as ears:
            async for keys_ in ears.changes(LEAST / 1_000):
                for view in await run_in_threadpool(_moves, anew, keys_):
                    if view.at > told.get(view.version_key, since - 1):
                        told[view.version_key] = view.at
                        yield StageTransition.told(view)


def _runs_wanted(context: Context, run: str | None, experiment: str | None, job: str | None) -> Choose:
    """Raises NotFound."""
    only = None if run is None else _found(context, run, f"runs:/{run}", Kind.RUN).key
    jobs = []
    if experiment is not None:
        node = _found(context, experiment, f"hw:experiment:{experiment}", Kind.EXPERIMENT)
        jobs.append(keys.job(keys.TRACKED, str(node.props.get("job"))))
    if job is not None:
        jobs.append(_found(context, job, job, Kind.JOB).key)

    def wanted(told: Told) -> list[str]:
        runs = (key for key in told.entities if key.startswith(_RUN) and only in {None, key})
        return [key for key in runs if all(keys.job_of(key) == one for one in jobs)]

    return wanted


def _found(context: Context, given: str, ref: str, kind: Kind) -> Node:
    node = resolve(given if decode_id(given) else ref, context.store)
    if node.kind is not kind:
        raise Invalid(f"{given!r} is a {node.kind}, not a {kind}.")
    return node


def _there(anew: Callable[[], Context], found: Sequence[str]) -> list[str]:
    """Those that the principal sees."""
    nodes = anew().store.get(found)
    return [key for key in found if key in nodes]


def _moves(anew: Callable[[], Context], found: Sequence[str]) -> list[TransitionView]:
    """Of these versions, oldest first."""
    context = anew()
    nodes = context.store.get(found)
    seen = [key for key in found if key in nodes]
    return sorted((view for key in seen for view in context.registry.history(key)), key=lambda view: view.at)


def _seconds(milliseconds: int) -> float:
    if not LEAST <= milliseconds <= MOST:
        raise Invalid(f"`intervalMs` is {milliseconds}, but must be from {LEAST} to {MOST}.")
    return milliseconds / 1_000

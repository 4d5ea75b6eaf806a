"""The one place that knows every part: an app for a server, and the same without one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware

from headwater_server import __version__
from headwater_server.api.audit import audit_router
from headwater_server.api.bodies import Intake
from headwater_server.api.console import console_router
from headwater_server.api.door import ANONYMOUS, Door, principal_of
from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.late import LateEngine
from headwater_server.api.graphql.operation import Query
from headwater_server.api.graphql.route import graphql_router
from headwater_server.api.graphql.undeclared import check_root_fields
from headwater_server.api.health import health_router
from headwater_server.api.hosts import Hosts, Threshold, refuse_open_doors
from headwater_server.api.marquez import marquez_router
from headwater_server.api.metrics import Metrics
from headwater_server.api.mlflow import mlflow_routes
from headwater_server.api.mlflow.ask import Features
from headwater_server.api.mlflow.direct import Direct
from headwater_server.api.openapi import openapi_router
from headwater_server.api.openlineage import batch_answer, openlineage_router
from headwater_server.api.otlp import otlp_routes
from headwater_server.api.problems import render_all
from headwater_server.api.routes import RouteTable
from headwater_server.api.seen import as_seen
from headwater_server.audit.service import Audit
from headwater_server.auth.login import Login, Proves
from headwater_server.auth.policy import Principal, everybody
from headwater_server.errors import HeadwaterError
from headwater_server.export.events import events_behind
from headwater_server.ingest import reader
from headwater_server.ingest.receive import KIND, receive_many
from headwater_server.lineage import resolve
from headwater_server.log.port import Which
from headwater_server.parts import Migrated, Parts, micros
from headwater_server.settings import Settings
from headwater_server.story import tell

PATIENCE = 2.0
"""Seconds that a read waits for the graph to show what was acknowledged before it."""
REST = 1.0
"""Seconds between the start and the making of GraphQL's engine, when nobody asked before."""
LOOK_AFTER_TOKENS = 1.0
"""Seconds between two looks at what commands did to tokens."""


def create_app(settings: Settings) -> FastAPI:
    """An app with everything it needs of its own; several may live in one process.

    The data is opened when the app starts and let go when it ends.
    """
    refuse_open_doors(settings)
    check_root_fields()
    parts = Parts(settings)
    engine = LateEngine()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        parts.start()
        if settings.demo and not parts.log.recent(Which(kind=KIND), limit=1):
            tell(parts)
        parts.webhooks.start()
        beside = [asyncio.create_task(_warm(engine))]
        if settings.auth == "token":
            beside.append(asyncio.create_task(_record_access(parts)))
        yield
        for task in beside:
            task.cancel()
        parts.close()

    app = FastAPI(
        title="Headwater",
        version=__version__,
        summary="One graph for data lineage, experiment tracking and the model registry.",
        openapi_url=None,  # a route like the others: it declares what it needs
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.retire = parts.retire
    render_all(app)
    metrics = Metrics(parts.gauges)
    context = context_factory(parts)

    def exported(request: Request, ref: str) -> Iterator[bytes]:
        seen = context(principal_of(request))
        return events_behind(resolve(ref, seen.store).key, store=seen.store, log=seen.log)

    # as they are: FastAPI looks through a router that is included twice, for every event
    app.router.routes.extend(openlineage_router(parts.committer, settings, metrics, exported).routes)
    app.include_router(health_router(parts.ready, metrics))
    app.router.routes.extend(mlflow_routes(_features(parts), settings))
    app.router.routes.extend(otlp_routes(parts.tracking, settings))
    app.include_router(marquez_router(lambda request: context(principal_of(request))))
    app.include_router(
        audit_router(parts.audit, lambda request: principal_of(request).name, timeout=settings.body_timeout)
    )
    app.include_router(console_router())
    app.include_router(
        graphql_router(
            lambda connection: context(principal_of(connection)),
            engine,
            max_queries=settings.max_queries,
            max_streams=settings.max_streams,
            body_timeout=settings.body_timeout,
            news=parts.news,
        )
    )
    app.include_router(openapi_router())
    login = Login(parts.tokens, _jwts(settings)) if settings.auth == "token" else None
    app.add_middleware(Intake)
    app.add_middleware(Door, table=RouteTable(app.routes), login=login)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["*"], allow_headers=["*"]
        )
    app.add_middleware(Threshold, hosts=Hosts(settings), origins=settings.cors_origins)
    return app


def _features(parts: Parts) -> Features:
    return Features(parts.tracking, parts.registry, parts.files, parts.webhooks)


def _jwts(settings: Settings) -> Proves | None:
    if not settings.oidc_issuer:
        return None
    from headwater_server.auth.jwt import Jwts, issuer_of  # cryptography: only who needs it waits for it

    return Jwts(issuer_of(settings))


async def _record_access(parts: Parts) -> None:
    """Commands make and revoke tokens beside a running server; its log tells of it a moment later."""
    while True:
        await asyncio.sleep(LOOK_AFTER_TOKENS)
        with suppress(HeadwaterError):  # the log cannot be written now: it is told later
            await asyncio.to_thread(parts.record_access)


async def _warm(engine: LateEngine) -> None:
    """So that the first to open the console need not wait."""
    await asyncio.sleep(REST)
    await asyncio.to_thread(engine.made)


def context_factory(parts: Parts) -> Callable[[Principal], Context]:
    def context(principal: Principal) -> Context:
        parts.committer.settle(patience=PATIENCE)
        whole = Context(
            store=parts.store,
            log=parts.log,
            registry=parts.registry,
            curation=parts.curation,
            office=parts.office,
            tracking=parts.tracking,
            series=parts.series,
            artifacts=parts.artifacts,
            news=parts.news,
            facets=parts.facets,
            updated=parts.updated,
            now=micros,
            actor=principal.name,
            principal=principal,
            settings=parts.settings,
            audit=parts.audit,
            run_records=parts.run_records,
            script_of=parts.script_of,
        )
        return as_seen(whole)

    return context


class Local:
    """The data opened in this process: what a command asks when there is no server."""

    def __init__(self, settings: Settings) -> None:
        self._parts = Parts(settings)
        self._started = False
        self._engine = LateEngine()
        self._context = context_factory(self._parts)

    def graphql(self, query: str, variables: dict[str, Any], *, actor: str = ANONYMOUS) -> dict[str, Any]:
        """The whole answer: `data`, `errors`."""
        self._start()
        return self._engine.run(Query(query, variables), self._context(everybody(actor))).body

    def ingest(self, body: bytes) -> dict[str, Any]:
        """Events as NDJSON; OpenLineage's batch answer, when the graph shows them."""
        self._start()
        raws = list(reader.lines(body))
        submission, taken, failed = receive_many(raws, self._parts.committer, eager=True)
        seqs: list[int] = []
        if submission is not None:
            seqs = [receipt.seq for receipt in submission.logged.result()]
            submission.projected.result()
        return dict(batch_answer(len(raws), len(taken), failed, seqs))

    def mlflow(self, *, actor: str = ANONYMOUS) -> Direct:
        """MLflow's calls, as an import makes them."""
        self._start()
        of = self._parts.settings
        return Direct(_features(self._parts), everybody(actor), where=of.neo4j_uri or str(of.data))

    def export(self, ref: str) -> Iterator[bytes]:
        self._start()
        return self._parts.export(ref)

    def hash(self) -> str:
        self._start()
        return self._parts.fingerprint()

    @property
    def audit(self) -> Audit:
        self._start()
        return self._parts.audit

    def settle(self) -> None:
        """Wait until the graph shows all that is in the log. Raises Unavailable when it does not answer."""
        self._parts.committer.command(lambda: ((), lambda _: None))

    def rebuild(self, progress: Callable[[int, int], None]) -> int:
        """The records replayed. Before anything else: the graph may be another log's, or none."""
        return self._parts.rebuild(progress)

    def migrate(self, source: Settings, progress: Callable[[int, int], None]) -> Migrated:
        """The graph made here from the log, compared with the source's. Before anything else."""
        return self._parts.migrate(source, progress)

    def _start(self) -> None:
        """Catch up with the log, once, as long as the store takes it."""
        if not self._started:
            self._parts.start()
            self._started = True
            committer = self._parts.committer
            while not committer.settle(patience=1.0) and not committer.unavailable:
                pass

    def close(self) -> None:
        self._parts.close()


def open_local(settings: Settings) -> Local:
    """Raises Conflict when a server works on the folder."""
    return Local(settings)

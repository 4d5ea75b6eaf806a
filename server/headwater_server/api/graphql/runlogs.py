"""What a run logged: params, metrics and their curves, who ran it, which code."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import strawberry

from headwater_server.api.graphql.artifacts import Artifact, artifacts_page
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.entity import Entity, facet_value, text, texts
from headwater_server.api.graphql.enums import SeriesAxis
from headwater_server.api.graphql.info import later
from headwater_server.api.graphql.loading import Cohort
from headwater_server.api.graphql.loggedmodels import LoggedModel, models_of
from headwater_server.api.graphql.neighbours import ends
from headwater_server.api.graphql.pages import Connection
from headwater_server.api.graphql.scalars import DateTime, Long
from headwater_server.api.graphql.traced import Traced
from headwater_server.api.graphql.values import Actor
from headwater_server.errors import Invalid
from headwater_server.graph import keys
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.environments import engine_of, environment_hash, packages_of, together
from headwater_server.series.port import Point
from headwater_server.store.port import Direction

MAX_SERIES = 100
MAX_POINTS = 10_000
_WITH_THE_RUN = [Cost(weight=0, multipliers=[])]
"""One call of the store tells them for all runs that came together."""


@strawberry.type
class Param:
    key: str
    value: str


@strawberry.type(description="What all points of a metric come to. No finite number is null")
class Metric:
    key: str
    last: float | None
    min: float | None
    max: float | None
    last_step: Long | None
    at: DateTime | None = strawberry.field(description="Of the last point")


@strawberry.type(
    description="Columnar: point i is (x[i], y[i]); in order of steps. No finite number is null in y"
)
class MetricSeries:
    key: str
    x: list[float]
    y: list[float | None]
    points: Long = strawberry.field(description="How many there are, shown or not")
    sampled: bool = strawberry.field(
        description="Not all are shown: the first, the last, and the least and the greatest of every stretch are"
    )
    of: strawberry.Private[Any]

    @strawberry.field(graphql_type=later("Run", "runs"))
    def run(self) -> Any:
        return self.of


@strawberry.type
class Logging(Entity):
    """The experiment's side of a run."""

    @strawberry.field(graphql_type=later("Experiment", "experiments") | None)
    def experiment(self) -> Any:
        return self.cohort.once(_experiments).get(text(self.node.props, "experiment") or "")

    @strawberry.field
    def user(self) -> Actor | None:
        name = text(self.node.props, "user")
        return None if name is None else Actor.of(name)

    @strawberry.field
    def git_commit(self) -> str | None:
        code = self.cohort.once(_outgoing, EdgeKind.RAN_CODE).get(self.node.key)
        commit = keys.parts_of(code[0].target)[0] if code else ""
        return commit or None  # nameless where the code is not seen

    @strawberry.field(
        description="SHA-256 of the engine that its events tell and of the packages and the Python of the models that it "
        "logged: equal for equal environments; null: nothing of it is told",
        directives=[Cost(weight=5)],
    )
    def environment_hash(self) -> str | None:
        models, needs = self.cohort.once(_environments)
        mine = models.get(self.node.key, [])
        return environment_hash(
            engine=engine_of(facet_value(self.cohort.loader, self.node.key, "processing_engine")),
            pythons=[python for node in mine if (python := text(node.props, "python"))],
            packages=together(needs.get(node.key, {}) for node in mine),
        )

    @strawberry.field(description="Those made in it or linked to it; null: it never had any")
    def traces(self) -> Traced | None:
        return Traced.of(self.node.props)

    @strawberry.field(description="Models that it logged")
    def logged_models(self) -> list[LoggedModel]:
        return self.cohort.once(models_of, EdgeKind.LOGGED).get(self.node.key, [])

    @strawberry.field(description="Logged models that it used")
    def used_models(self) -> list[LoggedModel]:
        return self.cohort.once(models_of, EdgeKind.USED_MODEL).get(self.node.key, [])

    @strawberry.field(
        description="Names of data that it read and that is no dataset which anything else is known of: its lineage ends there"
    )
    def unlinked(self) -> list[str]:
        return texts(self.node.props, "unlinked")

    @strawberry.field(
        description="Files in one folder of what it left behind (`path`; without it the topmost), by name; none where they are "
        "not kept by this server",
        directives=[Cost(weight=2)],
    )
    def artifacts(
        self, path: str | None = None, first: int | None = 100, after: str | None = None
    ) -> Connection[Artifact]:
        return artifacts_page(self.cohort.loader, self.node, path, first=first, after=after)

    @strawberry.field(description="By key; all, or the named", directives=_WITH_THE_RUN)
    def params(self, keys: list[str] | None = None) -> list[Param]:
        return [
            Param(key=said.key, value=str(said.props.get("value")))
            for said in _said(self, EdgeKind.HAS_PARAM, keys)
        ]

    @strawberry.field(description="By key; all, or the named", directives=_WITH_THE_RUN)
    def metrics(self, keys: list[str] | None = None) -> list[Metric]:
        return metrics_of(self, keys)

    @strawberry.field(
        description="Learning curves. A key without points has an empty one. x: steps, seconds since 1970 (TIME), seconds "
        "since the first point (RELATIVE_TIME)",
        directives=[Cost(weight=5, multipliers=["keys"])],
        graphql_type=list[MetricSeries],
    )
    def series(
        self, keys: list[str], x: SeriesAxis | None = SeriesAxis.STEP, max_points: int | None = 1_000
    ) -> Any:
        most = 1_000 if max_points is None else max_points
        if not 2 <= most <= MAX_POINTS:
            raise Invalid(f"`maxPoints` is {most}, but must be from 2 to {MAX_POINTS}.")
        if len(keys) > MAX_SERIES:
            raise Invalid(f"`keys` has {len(keys)} entries, but at most {MAX_SERIES} are taken at once.")
        return [_curve(self, key, x or SeriesAxis.STEP, most) for key in keys]


def _environments(cohort: Cohort) -> tuple[dict[str, list[Node]], dict[str, dict[str, str]]]:
    """The models that each run logged, also those that were deleted since, and what each of them needs."""
    store = cohort.loader.store
    found = ends(store, cohort.keys(Kind.RUN), Direction.DOWNSTREAM, EdgeKind.LOGGED)
    nodes = store.get({key for group in found.values() for key in group})
    models = {run: [nodes[key] for key in group if key in nodes] for run, group in found.items()}
    return models, packages_of(store, nodes)


def metrics_of(run: Logging, wanted: Sequence[str] | None) -> list[Metric]:
    return [
        Metric(
            key=said.key,
            last=_finite(said.props.get("last")),
            min=_finite(said.props.get("min")),
            max=_finite(said.props.get("max")),
            last_step=_long(said.props.get("step")),
            at=_time(said.props.get("ts")),
        )
        for said in _said(run, EdgeKind.HAS_METRIC, wanted)
    ]


class _Said(NamedTuple):
    key: str
    props: Any


def _curve(run: Logging, key: str, axis: SeriesAxis, most: int) -> MetricSeries:
    points, total = run.cohort.loader.context.series.sample(run.node.key, key, most)
    return MetricSeries(
        key=key,
        x=_along(points, axis),
        y=[point.value if math.isfinite(point.value) else None for point in points],
        points=Long(total),
        sampled=total > len(points),
        of=run,
    )


def _along(points: Sequence[Point], axis: SeriesAxis) -> list[float]:
    if axis is SeriesAxis.STEP:
        return [float(point.step) for point in points]
    begin = 0 if axis is SeriesAxis.TIME else min((point.timestamp for point in points), default=0)
    return [(point.timestamp - begin) / 1_000 for point in points]


def _said(run: Logging, kind: EdgeKind, wanted: Sequence[str] | None) -> list[_Said]:
    edges = run.cohort.once(_outgoing, kind).get(run.node.key, [])
    found = sorted((keys.parts_of(edge.target)[1], edge.props) for edge in edges)
    return [_Said(key, props) for key, props in found if wanted is None or key in wanted]


def _outgoing(cohort: Cohort, kind: EdgeKind) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for edge in cohort.loader.store.expand(cohort.keys(Kind.RUN), Direction.DOWNSTREAM, [kind]):
        found.setdefault(edge.source, []).append(edge)
    return found


def _experiments(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(k for node in cohort.of(Kind.RUN) if (k := text(node.props, "experiment")))


def _finite(value: object) -> float | None:
    """NaN and the infinities are texts in the graph."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _long(value: object) -> Long | None:
    return Long(value) if isinstance(value, int) else None


def _time(value: object) -> DateTime | None:
    return DateTime(value) if isinstance(value, int) else None

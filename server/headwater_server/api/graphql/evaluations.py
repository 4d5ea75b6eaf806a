"""What model versions scored on which version of which data."""

from typing import Any

import strawberry

from headwater_server.api.graphql.datasets import DatasetVersion
from headwater_server.api.graphql.loading import Cohort
from headwater_server.api.graphql.runs import Run
from headwater_server.api.graphql.scalars import DateTime
from headwater_server.api.graphql.versions import version_of_each
from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.store.port import Direction

DOWN = Direction.DOWNSTREAM


@strawberry.type(description="A metric of a model on data that a run read")
class Evaluation:
    metric: str
    value: float | None = strawberry.field(description="Null: not a finite number")
    at: DateTime
    digest: str = strawberry.field(description="Of the data, as the client gave it")
    dataset_version: DatasetVersion = strawberry.field(
        description="The last that was written before the run began"
    )
    run: Run | None


def evaluations(cohort: Cohort) -> dict[str, list[Evaluation]]:
    """By model version, the newest first."""
    loader = cohort.loader
    of_model: dict[str, str] = {}
    for edge in loader.store.expand(cohort.keys(Kind.MODEL_VERSION), DOWN, (EdgeKind.OF_MODEL,)):
        of_model[edge.source] = edge.target
    edges = loader.store.expand(sorted(set(of_model.values())), DOWN, (EdgeKind.EVALUATED_ON,))
    versions = version_of_each(loader.store, edges)
    things = {thing.node.key: thing for thing in loader.show(versions.values())}
    runs = loader.load(str(edge.props["run"]) for edge in edges)
    by_model: dict[str, list[Evaluation]] = {}
    for edge in sorted(edges, key=_newest_first):
        if node := versions.get(edge.key):
            found = _evaluation(edge, things[node.key], runs.get(str(edge.props["run"])))
            by_model.setdefault(edge.source, []).append(found)
    return {version: by_model.get(model, []) for version, model in of_model.items()}


def _newest_first(edge: Edge) -> tuple[int, str]:
    at = edge.props.get("at")
    return -at if isinstance(at, int) else 0, edge.tag


def _evaluation(edge: Edge, version: Any, run: Any) -> Evaluation:
    value, at = edge.props.get("value"), edge.props.get("at")
    return Evaluation(
        metric=str(edge.props["metric"]),
        value=float(value) if isinstance(value, int | float) else None,
        at=DateTime(at if isinstance(at, int) else 0),
        digest=str(edge.props["digest"]),
        dataset_version=version,
        run=run,
    )

"""Models that runs logged, what they are made of and the packages that they need."""

from typing import Any, Self

import strawberry

from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.datasets import lists
from headwater_server.api.graphql.entity import id_of, moment, text, texts, whole
from headwater_server.api.graphql.experiments import Experiment
from headwater_server.api.graphql.info import Info, later, loader_of, several
from headwater_server.api.graphql.loading import Cohort
from headwater_server.api.graphql.neighbours import ends
from headwater_server.api.graphql.pages import Connection, page_of_things
from headwater_server.api.graphql.scalars import DateTime, Long
from headwater_server.api.graphql.traced import Traced
from headwater_server.api.graphql.values import Node, Tag
from headwater_server.graph import changes, keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.environments import packages_of
from headwater_server.store.port import Direction

_DOWN, _UP = Direction.DOWNSTREAM, Direction.UPSTREAM


@strawberry.type(description="A package that a model needs")
class PackageNeed:
    name: str = strawberry.field(description="By PEP 503's normal form")
    spec: str = strawberry.field(description="What the model says of its version, like ==2.1.0; may be empty")
    key: strawberry.Private[str]

    @strawberry.field
    def package(self, info: Info) -> "Package | None":
        found: Package | None = loader_of(info).meet(self.key)
        return found


@strawberry.type(description="What `log_model` made, whether it is registered or not")
class LoggedModel(Node):
    model_id: str | None = strawberry.field(
        description="MLflow's id of it; null: it lies among the files of its run"
    )
    name: str
    model_type: str | None
    status: str | None = strawberry.field(description="PENDING, READY or UPLOAD_FAILED")
    description: str | None
    tags: list[Tag]
    created_at: DateTime
    artifact_uri: str | None
    flavors: list[str]
    mlflow_version: str | None
    python: str | None = strawberry.field(description="The version that its environment names")
    bytes: Long | None
    features: list[str] = strawberry.field(description="Names of its signature's inputs")
    targets: list[str] = strawberry.field(description="Names of its signature's outputs")
    unread: list[str] = strawberry.field(
        description="Files that describe it and could not be read, and why not"
    )
    node: strawberry.Private[changes.Node]
    cohort: strawberry.Private[Cohort]

    @classmethod
    def of(cls, node: changes.Node, cohort: Cohort) -> Self:
        props, size = node.props, whole(node.props, "bytes")
        return cls(
            id=id_of(node),
            model_id=keys.logged_model_id(node.key),
            name=text(props, "displayName") or text(props, "name") or keys.parts_of(node.key)[-1],
            model_type=text(props, "modelType") or None,
            status=text(props, "status"),
            description=text(props, "description"),
            tags=[Tag.of(tag) for tag in texts(props, "tags")],
            created_at=moment(props, "created"),
            artifact_uri=text(props, "artifacts"),
            flavors=texts(props, "flavors"),
            mlflow_version=text(props, "mlflowVersion"),
            python=text(props, "python"),
            bytes=None if size is None else Long(size),
            features=texts(props, "features"),
            targets=texts(props, "targets"),
            unread=texts(props, "unread"),
            node=node,
            cohort=cohort,
        )

    @strawberry.field(
        description="By name; `requirements.txt` says them, or what else describes the environment",
        directives=[Cost(weight=1, multipliers=[])],
    )
    def packages(self) -> list[PackageNeed]:
        found = self.cohort.once(_packages).get(self.node.key, {})
        return [
            PackageNeed(name=name, spec=found[name], key=keys.key(Kind.PACKAGE, name))
            for name in sorted(found)
        ]

    @strawberry.field(description="Those that name it (`mlflow.modelId`); null: none ever did")
    def traces(self) -> Traced | None:
        return Traced.of(self.node.props)

    @strawberry.field(graphql_type=later("Run", "runs") | None, description="The run that logged it")
    def run(self) -> Any:
        return self.cohort.once(_runs).get(text(self.node.props, "run") or "")

    @strawberry.field
    def experiment(self) -> Experiment | None:
        found: Experiment | None = self.cohort.once(_experiments).get(
            text(self.node.props, "experiment") or ""
        )
        return found

    @strawberry.field(
        graphql_type=several("ModelVersion", "models"), description="Under which it is registered"
    )
    def model_versions(self) -> Any:
        return self.cohort.once(_versions).get(self.node.key, [])


@strawberry.type(description="A Python package that logged models need")
class Package(Node):
    name: str
    node: strawberry.Private[changes.Node]
    cohort: strawberry.Private[Cohort]

    @classmethod
    def of(cls, node: changes.Node, cohort: Cohort) -> Self:
        return cls(id=id_of(node), name=keys.parts_of(node.key)[-1], node=node, cohort=cohort)

    @strawberry.field(description="The models that need it, newest first")
    def needed_by(self, first: int | None = 20, after: str | None = None) -> Connection[LoggedModel]:
        found = self.cohort.once(_needed_by).get(self.node.key, [])
        return page_of_things(
            found, Scope("neededBy", self.id), first=first, after=after, default=20, newest_first=True
        )


def models_of(cohort: Cohort, kind: EdgeKind) -> dict[str, list[LoggedModel]]:
    """For each run of the cohort the models that it logged or used, for each model version the one that it is."""
    sources = cohort.keys(Kind.MODEL_VERSION if kind is EdgeKind.OF_MODEL else Kind.RUN)
    return _there(lists(cohort, ends(cohort.loader.store, sources, _DOWN, kind)))


def _there(found: dict[str, list[LoggedModel]]) -> dict[str, list[LoggedModel]]:
    """Without those that were deleted."""
    return {key: [model for model in models if not model.node.mark] for key, models in found.items()}


def _packages(cohort: Cohort) -> dict[str, dict[str, str]]:
    found = packages_of(cohort.loader.store, cohort.keys(Kind.LOGGED_MODEL))
    cohort.loader.expect({keys.key(Kind.PACKAGE, name) for needs in found.values() for name in needs})
    return found


def _runs(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(
        run for node in cohort.of(Kind.LOGGED_MODEL) if (run := text(node.props, "run"))
    )


def _experiments(cohort: Cohort) -> dict[str, Any]:
    models = cohort.of(Kind.LOGGED_MODEL)
    return cohort.loader.load(key for node in models if (key := text(node.props, "experiment")))


def _versions(cohort: Cohort) -> dict[str, list[Any]]:
    models = cohort.keys(Kind.LOGGED_MODEL)
    return lists(cohort, ends(cohort.loader.store, models, _UP, EdgeKind.OF_MODEL))


def _needed_by(cohort: Cohort) -> dict[str, list[Any]]:
    return _there(lists(cohort, ends(cohort.loader.store, cohort.keys(Kind.PACKAGE), _UP, EdgeKind.NEEDS)))

"""Registered models, their versions, stages and aliases."""

from typing import Any, Self

import orjson
import strawberry

from headwater_server.api.graphql.answers import at
from headwater_server.api.graphql.context import TransitionView
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.cursors import Scope
from headwater_server.api.graphql.datasets import DatasetVersion, lists, shown_lists
from headwater_server.api.graphql.entity import Entity, id_of, page_of_children, text, whole
from headwater_server.api.graphql.enums import TransitionState
from headwater_server.api.graphql.evaluations import Evaluation, evaluations
from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.loading import Cohort, Loader
from headwater_server.api.graphql.loggedmodels import LoggedModel, models_of
from headwater_server.api.graphql.neighbours import ends
from headwater_server.api.graphql.pages import Connection, page_of_list, page_of_things
from headwater_server.api.graphql.runs import Run
from headwater_server.api.graphql.scalars import JSON, DateTime, TimePoint
from headwater_server.api.graphql.values import Actor, Node
from headwater_server.api.graphql.versions import versions_at_the_end
from headwater_server.graph import changes, keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.urns import encode_id
from headwater_server.store.port import Direction

_IN_A_STAGE = 200
"""Most versions of one model that are looked for in one of its stages."""


@strawberry.type
class RegisteredModel(Entity):
    revision: int = strawberry.field(
        description="Counts every registry change of this model; the optimistic lock"
    )

    @classmethod
    def own(cls, node: changes.Node) -> dict[str, Any]:
        return {"revision": whole(node.props, "revision") or 0}

    @strawberry.field(directives=[Cost(weight=2, multipliers=[])])
    def stages(self) -> "list[Stage]":
        loader = self.cohort.loader
        views = loader.context.registry.stages(self.node.key)
        nodes = loader.store.get(view.key for view in views)
        return loader.show(
            nodes.get(v.key)
            or changes.Node(
                v.key,
                Kind.STAGE,
                group=self.node.key,
                props={"model": self.name, "name": v.name, "order": v.order, "exclusive": v.exclusive},
            )
            for v in sorted(views, key=lambda v: v.order)
        )

    @strawberry.field
    def versions(
        self, first: int | None = 20, after: str | None = None, stage: str | None = None
    ) -> "Connection[ModelVersion]":
        if stage is None:
            return page_of_children(
                self, Kind.MODEL_VERSION, "versions", first=first, after=after, default=20, newest_first=True
            )
        found = self._standing(stage, None)
        scope = Scope("versions", self.id, stage)
        return page_of_things(found, scope, first=first, after=after, default=20, newest_first=True)

    @strawberry.field(description="The newest, or the newest that stands in this stage")
    def latest(self, stage: str | None = None) -> "ModelVersion | None":
        if stage is not None:
            return max(self._standing(stage, None), key=lambda version: version.number, default=None)
        page = page_of_children(
            self, Kind.MODEL_VERSION, "latest", first=1, after=None, default=1, newest_first=True
        )
        return page.edges[0].node if page.edges else None

    @strawberry.field
    def alias(self, name: str) -> "ModelVersion | None":
        found = self.cohort.once(_aliases).get(keys.alias(self.name, name), [])
        return found[0] if found else None

    @strawberry.field(directives=[Cost(weight=2)])
    def aliases(self) -> "list[ModelAlias]":
        return aliases_of(self.cohort.loader, self.node.key)

    @strawberry.field(description="Who was in this stage at that moment")
    def in_stage(self, stage: str, as_of: TimePoint | None = None) -> "list[ModelVersion]":
        return self._standing(stage, at(self.cohort.loader, as_of))

    def _standing(self, stage: str, moment: int | None) -> "list[ModelVersion]":
        loader = self.cohort.loader
        found = loader.context.registry.in_stage(stage, model_key=self.node.key, at=moment, limit=_IN_A_STAGE)
        things = loader.load(found)
        return [things[key] for key in found if key in things]


@strawberry.type
class ModelVersion(Entity):
    version: str
    number: int
    source_uri: str | None
    content_hash: str | None
    signature: JSON | None

    @classmethod
    def own(cls, node: changes.Node) -> dict[str, Any]:
        return {
            "version": keys.parts_of(node.key)[1],
            "number": keys.number_of(node.key),
            "source_uri": text(node.props, "sourceUri"),
            "content_hash": text(node.props, "contentHash"),
            "signature": _json(text(node.props, "signature")),
        }

    @strawberry.field
    def model(self) -> RegisteredModel:
        found: RegisteredModel = self.cohort.once(_models)[keys.model(keys.parts_of(self.node.key)[0])]
        return found

    @strawberry.field
    def stage(self) -> "Stage | None":
        found = self.cohort.once(_stages).get(self.node.key)
        return found[0] if found else None

    @strawberry.field
    def alias_names(self) -> list[str]:
        found = self.cohort.once(_alias_keys).get(self.node.key, [])
        return sorted(keys.parts_of(key)[-1] for key in found)

    @strawberry.field(description="The run that made it")
    def run(self) -> Run | None:
        found: Run | None = self.cohort.once(_runs).get(text(self.node.props, "run") or "")
        return found

    @strawberry.field
    def trained_on(self) -> list[DatasetVersion]:
        return self.cohort.once(_trained_on).get(self.node.key, [])

    @strawberry.field(description="What a run logged and it is; null: it was made of something else")
    def logged_model(self) -> LoggedModel | None:
        found = self.cohort.once(models_of, EdgeKind.OF_MODEL).get(self.node.key)
        return found[0] if found else None

    @strawberry.field(
        description="Features in its signature that are the name of no column that its run read"
    )
    def unmatched_features(self) -> list[str]:
        return self.cohort.once(_unmatched).get(self.node.key, [])

    @strawberry.field(
        description="Metrics of it on data that a run read, newest first", directives=[Cost(weight=2)]
    )
    def evaluations(self) -> list[Evaluation]:
        return self.cohort.once(evaluations).get(self.node.key, [])

    @strawberry.field(directives=[Cost(weight=2)])
    def transitions(self, first: int | None = 50, after: str | None = None) -> "Connection[StageTransition]":
        history = self.cohort.loader.context.registry.history(self.node.key)
        return page_of_list(
            [StageTransition.told(view) for view in history],
            Scope("transitions", self.id),
            first=first,
            after=after,
            default=50,
        )


@strawberry.type(description="A stage is a node; entering and leaving it is a relationship with a time span")
class Stage(Node):
    name: str
    order: int
    exclusive: bool
    node: strawberry.Private[changes.Node]
    cohort: strawberry.Private[Cohort]

    @classmethod
    def of(cls, node: changes.Node, cohort: Cohort) -> Self:
        return cls(
            id=id_of(node),
            name=text(node.props, "name") or keys.parts_of(node.key)[-1],
            order=whole(node.props, "order") or 0,
            exclusive=bool(node.props.get("exclusive")),
            node=node,
            cohort=cohort,
        )

    @strawberry.field
    def current_versions(self) -> list[ModelVersion]:
        return self.cohort.once(_current_versions).get(self.node.key, [])


@strawberry.type
class ModelAlias:
    name: str
    set_at: DateTime
    set_by: Actor
    version_key: strawberry.Private[str]

    @strawberry.field
    def version(self, info: Info) -> ModelVersion:
        found: ModelVersion = loader_of(info).meet(self.version_key)
        return found


@strawberry.type
class StageTransition(Node):
    from_stage: str | None
    to_stage: str
    transition_state: TransitionState
    requested_by: Actor
    requested_at: DateTime
    decided_at: DateTime | None
    comment: str | None
    view: strawberry.Private[TransitionView]

    @classmethod
    def told(cls, view: TransitionView) -> Self:
        return cls(
            id=transition_id(view),
            from_stage=view.from_stage,
            to_stage=view.to_stage,
            transition_state=TransitionState.APPLIED,
            requested_by=Actor.of(view.by),
            requested_at=DateTime(view.at),
            decided_at=DateTime(view.at),
            comment=view.comment,
            view=view,
        )

    @strawberry.field
    def model_version(self, info: Info) -> ModelVersion:
        found: ModelVersion = loader_of(info).meet(self.view.version_key)
        return found

    @strawberry.field(description="Whoever had to leave the stage for it")
    def archived_versions(self, info: Info) -> list[ModelVersion]:
        loader = loader_of(info)
        loader.expect(self.view.archived)
        return [found for key in self.view.archived if (found := loader.meet(key))]


def aliases_of(loader: Loader, model_key: str) -> list[ModelAlias]:
    views = loader.context.registry.aliases(model_key)
    loader.expect([view.version_key for view in views])
    return [
        ModelAlias(
            name=view.name,
            set_at=DateTime(view.set_at),
            set_by=Actor.of(view.set_by),
            version_key=view.version_key,
        )
        for view in views
    ]


def transition_id(view: TransitionView) -> strawberry.ID:
    """Names the version too: a transition is found among its version's."""
    return strawberry.ID(encode_id(f"transition\x1f{view.id}\x1f{view.version_key}"))


def _json(told: str | None) -> JSON | None:
    if told is None:
        return None
    try:
        return JSON(orjson.loads(told))
    except orjson.JSONDecodeError:
        return JSON(told)


def _models(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(keys.model(keys.parts_of(key)[0]) for key in cohort.keys(Kind.MODEL_VERSION))


def _stages(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(
        cohort,
        ends(cohort.loader.store, cohort.keys(Kind.MODEL_VERSION), Direction.DOWNSTREAM, EdgeKind.NOW_IN),
    )


def _alias_keys(cohort: Cohort) -> dict[str, list[str]]:
    return ends(cohort.loader.store, cohort.keys(Kind.MODEL_VERSION), Direction.DOWNSTREAM, EdgeKind.NOW_AT)


def _runs(cohort: Cohort) -> dict[str, Any]:
    return cohort.loader.load(
        run for node in cohort.of(Kind.MODEL_VERSION) if (run := text(node.props, "run"))
    )


def _trained_on(cohort: Cohort) -> dict[str, list[DatasetVersion]]:
    models = cohort.keys(Kind.MODEL_VERSION)
    return shown_lists(cohort, versions_at_the_end(cohort, models, EdgeKind.TRAINED_ON))


def _unmatched(cohort: Cohort) -> dict[str, list[str]]:
    versions = cohort.keys(Kind.MODEL_VERSION)
    edges = cohort.loader.store.expand(versions, Direction.UPSTREAM, (EdgeKind.PRODUCED,))
    told = ((edge.target, edge.props.get("unmatched")) for edge in edges)
    return {version: names for version, names in told if isinstance(names, list)}


def _current_versions(cohort: Cohort) -> dict[str, list[Any]]:
    return lists(
        cohort, ends(cohort.loader.store, cohort.keys(Kind.STAGE), Direction.UPSTREAM, EdgeKind.NOW_IN)
    )


def _aliases(cohort: Cohort) -> dict[str, list[Any]]:
    """The version of every alias of the cohort's models, by the alias's key."""
    store = cohort.loader.store
    places = ends(store, cohort.keys(Kind.MODEL), Direction.UPSTREAM, EdgeKind.STAGE_OF)
    aliases = [k for group in places.values() for k in group if keys.kind_of(k) is Kind.ALIAS]
    return lists(cohort, ends(store, aliases, Direction.UPSTREAM, EdgeKind.NOW_AT))

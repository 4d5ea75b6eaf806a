"""What may stand in the lineage has a name, a namespace, owners, tags, facets, notes and a history."""

from collections.abc import Mapping
from typing import Any, Self

import strawberry

from headwater_server.api.graphql.audits import AuditEvent, audit_page
from headwater_server.api.graphql.context import FacetView
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.enums import KIND_OF, EntityKind
from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.loading import Cohort, Loader
from headwater_server.api.graphql.neighbours import downstream_counts, upstream_counts
from headwater_server.api.graphql.pages import Connection, pages_of, pages_within
from headwater_server.api.graphql.scalars import JSON, DateTime
from headwater_server.api.graphql.values import Actor, Facet, Node, Owner, Platform, Tag
from headwater_server.graph import changes, keys
from headwater_server.graph.words import Kind
from headwater_server.lineage.urns import encode_id, urn
from headwater_server.log.port import Which


@strawberry.type
class Namespace(Node):
    name: str
    platform: Platform

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(
            id=strawberry.ID(encode_id(keys.key(Kind.NAMESPACE, name))), name=name, platform=Platform.of(name)
        )

    @strawberry.field
    def dataset_count(self, info: Info) -> int:
        return _visible_in(loader_of(info), Kind.DATASET, self.name)

    @strawberry.field
    def job_count(self, info: Info) -> int:
        return _visible_in(loader_of(info), Kind.JOB, self.name)


@strawberry.interface(description="Anything that can stand in the lineage graph")
class Entity(Node):
    urn: str = strawberry.field(
        description="Stable, readable name: hw:dataset:<namespace>/<name>, hw:model:<name>@3 …"
    )
    kind: EntityKind
    name: str
    display_name: str
    namespace: Namespace | None
    description: str | None
    owners: list[Owner]
    tags: list[Tag]
    created_at: DateTime
    node: strawberry.Private[changes.Node]
    cohort: strawberry.Private[Cohort]

    @classmethod
    def of(cls, node: changes.Node, cohort: Cohort) -> Self:
        return cls(**shared(node, cohort), **cls.own(node))

    @classmethod
    def own(cls, node: changes.Node) -> dict[str, Any]:
        """The plain attributes that this kind has beside the shared ones."""
        del node
        return {}

    @strawberry.field
    def updated_at(self) -> DateTime:
        return DateTime(self.cohort.loader.context.updated(self.node.key))

    @strawberry.field
    def archived_at(self) -> DateTime | None:
        archived = self.node.props.get("archived")
        if not archived or not isinstance(archived, bool):
            return maybe_moment(self.node.props, "archived") if archived else None
        found = self.cohort.loader.context.log.recent(
            Which(about=self.node.key, kind="curation.archive"), limit=1
        )
        return DateTime(found[0].event_time or found[0].received) if found else None

    @strawberry.field
    def upstream_count(self) -> int:
        return self.cohort.once(upstream_counts).get(self.node.key, 0)

    @strawberry.field
    def downstream_count(self) -> int:
        return self.cohort.once(downstream_counts).get(self.node.key, 0)

    @strawberry.field(
        description="Raw OpenLineage facets, latest by name", directives=[Cost(weight=5, multipliers=[])]
    )
    def facets(self, names: list[str] | None = None) -> list[Facet]:
        found = facets_of(self.cohort.loader, self.node.key)
        return [_facet(f) for f in found if names is None or f.name in names]

    @strawberry.field(graphql_type=pages_of("Annotation", "entity"))
    def annotations(self, first: int | None = 20, after: str | None = None) -> Any:
        # notes hang on things of every kind: all parents of the cohort at once, whatever their kinds
        return page_of_children(
            self, Kind.ANNOTATION, "annotations", first=first, after=after, default=20, newest_first=True
        )

    @strawberry.field(description="What people did to it, newest first", directives=[Cost(weight=2)])
    def history(self, first: int | None = 50, after: str | None = None) -> Connection[AuditEvent]:
        return audit_page(self.cohort.loader.context, about=self.node.key, first=first, after=after)


@strawberry.type
class Annotation(Node):
    body: str
    author: Actor
    created_at: DateTime
    node: strawberry.Private[changes.Node]

    @classmethod
    def of(cls, node: changes.Node, cohort: Cohort) -> Self:
        del cohort
        props = node.props
        return cls(
            id=id_of(node),
            body=text(props, "body") or "",
            author=Actor.of(text(props, "author")),
            created_at=moment(props, "created"),
            node=node,
        )

    @strawberry.field
    def subject(self, info: Info) -> Entity | None:
        found: Entity | None = loader_of(info).meet(self.node.group)
        return found


def shared(node: changes.Node, cohort: Cohort) -> dict[str, Any]:
    """The attributes of `Entity`, by name."""
    props = node.props
    name = name_of(node)
    namespace = props.get("namespace")
    if node.kind is Kind.RUN:
        namespace = keys.parts_of(node.key)[1]
    loader = cohort.loader
    return {
        "id": id_of(node),
        "urn": urn(node),
        "kind": KIND_OF[node.kind],
        "name": name,
        "display_name": text(props, "displayName") or name,
        "namespace": loader.once(f"namespace {namespace}", lambda: Namespace.named(str(namespace)))
        if namespace is not None
        else None,
        "description": text(props, "description"),
        "owners": [Owner.of(owner) for owner in texts(props, "owners")],
        "tags": [Tag.of(tag) for tag in texts(props, "tags")],
        "created_at": moment(props, "created", "first", "started"),
        "node": node,
        "cohort": cohort,
    }


def page_of_children(
    parent: Entity,
    kind: Kind,
    name: str,
    *,
    first: int | None,
    after: str | None,
    default: int,
    newest_first: bool = False,
    marks: tuple[str, ...] = ("",),
) -> Connection[Any]:
    """A page of the nodes whose group is this one; the whole cohort's pages come together."""
    within = parent.node.key if after is not None else None
    pages = parent.cohort.once(
        pages_within, parent.node.kind, kind, name, first, after, default, newest_first, marks, within
    )
    return pages[parent.node.key]


def facets_of(loader: Loader, key: str) -> list[FacetView]:
    return loader.once(f"facets {key}", lambda: list(loader.context.facets(key)))


def facet_value(loader: Loader, key: str, name: str) -> Any:
    """The body of one facet; None without it."""
    return next((f.value for f in facets_of(loader, key) if f.name == name and not f.deleted), None)


def id_of(node: changes.Node) -> strawberry.ID:
    return strawberry.ID(encode_id(node.key))


def name_of(node: changes.Node) -> str:
    match node.kind:
        case Kind.RUN:
            return str(node.props.get("runId") or keys.parts_of(node.key)[0])
        case Kind.MODEL_VERSION:
            return "@".join(keys.parts_of(node.key)[:2])
    return str(node.props.get("name") or keys.parts_of(node.key)[-1])


def text(props: Mapping[str, changes.Value], name: str) -> str | None:
    found = props.get(name)
    return None if found is None else str(found)


def texts(props: Mapping[str, changes.Value], name: str) -> list[str]:
    found = props.get(name)
    return found if isinstance(found, list) else []


def whole(props: Mapping[str, changes.Value], name: str) -> int | None:
    found = props.get(name)
    return found if isinstance(found, int) else None


def maybe_moment(props: Mapping[str, changes.Value], *names: str) -> DateTime | None:
    """The first of these that is known."""
    for name in names:
        found = props.get(name)
        if isinstance(found, int) and not isinstance(found, bool):
            return DateTime(found)
    return None


def moment(props: Mapping[str, changes.Value], *names: str) -> DateTime:
    """The first of these that is known; 1970 when the graph knows the thing by its name alone."""
    return maybe_moment(props, *names) or DateTime(0)


def _facet(view: FacetView) -> Facet:
    return Facet(
        name=view.name,
        producer=view.producer,
        schema_url=view.schema_url,
        value=None if view.value is None else JSON(view.value),
        run_id=None if view.run_id is None else strawberry.ID(view.run_id),
        observed_at=DateTime(view.observed_at),
        deleted=view.deleted,
        restricted=view.restricted,
    )


def _visible_in(loader: Loader, kind: Kind, namespace: str) -> int:
    """Counted for all namespaces at once as long as nothing of the kind is hidden."""
    hidden = loader.once(f"hidden {kind}", lambda: loader.store.count(kind, marks=("h",)))
    if hidden:
        return loader.store.count(kind, marks=("",), group=namespace)
    return loader.once(f"groups {kind}", lambda: loader.store.groups(kind)).get(namespace, 0)

"""The questions about experiments, logged models and packages, and what differs between two runs or versions."""

import strawberry

from headwater_server.api.graphql.comparing import Diff, diff_between
from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.experiments import Experiment
from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.lists import named_things
from headwater_server.api.graphql.loggedmodels import LoggedModel, Package
from headwater_server.api.graphql.pages import Connection
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.graph import keys, names
from headwater_server.graph.words import Kind
from headwater_server.lineage import decode_id


@strawberry.type
class TrackedQueries:
    @strawberry.field(description="Oldest first; with `query`, words of their names, best first")
    @needs(Permission.READ)
    def experiments(
        self, info: Info, first: int | None = 50, after: str | None = None, query: str | None = None
    ) -> Connection[Experiment]:
        return named_things(
            loader_of(info), Kind.EXPERIMENT, namespace=None, query=query, first=first, after=after
        )

    @strawberry.field(description="By MLflow's id of it, or by its id here")
    @needs(Permission.READ)
    def logged_model(self, info: Info, id: strawberry.ID) -> LoggedModel | None:  # noqa: A002 - the API's word
        loader = loader_of(info)
        key = decode_id(id) or keys.logged_model(id)
        found = loader.load([key]).get(key)
        return found if isinstance(found, LoggedModel) else None

    @strawberry.field(description="A package that logged models need, by its name")
    @needs(Permission.READ)
    def package(self, info: Info, name: str) -> Package | None:
        key = keys.key(Kind.PACKAGE, names.package(name.strip()))
        found: Package | None = loader_of(info).load([key]).get(key)
        return found

    @strawberry.field(
        description="Two runs, or two versions of models, datasets or jobs: their params, metrics, code, data read and more",
        directives=[Cost(weight=10)],
    )
    @needs(Permission.READ)
    def diff(self, info: Info, a: str, b: str) -> Diff:
        return diff_between(loader_of(info), a, b)

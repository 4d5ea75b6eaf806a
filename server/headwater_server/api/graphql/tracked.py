"""The questions about experiments."""

import strawberry

from headwater_server.api.graphql.experiments import Experiment
from headwater_server.api.graphql.info import Info, loader_of
from headwater_server.api.graphql.lists import named_things
from headwater_server.api.graphql.pages import Connection
from headwater_server.api.needs import needs
from headwater_server.auth.policy import Permission
from headwater_server.graph.words import Kind


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

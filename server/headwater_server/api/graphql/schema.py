"""The schema, and its text as it is committed in server/schema.graphql."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from headwater_server.api.graphql.mutation import Mutation
from headwater_server.api.graphql.query import Query
from headwater_server.api.graphql.scalars import SCALARS
from headwater_server.api.graphql.shown import TYPES
from headwater_server.api.graphql.subscription import Subscription


def build_schema() -> strawberry.Schema:
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=TYPES,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


schema = build_schema()


def schema_text() -> str:
    return schema.as_str().rstrip() + "\n"

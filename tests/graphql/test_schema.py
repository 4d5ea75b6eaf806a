from itertools import combinations
from pathlib import Path

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
    validate_schema,
)

from headwater_server.api.graphql.schema import schema, schema_text
from tests.graphql.asking import Api

COMMITTED = Path(__file__).parents[2] / "server" / "schema.graphql"
TYPES = schema._schema.type_map


def test_the_committed_schema_is_the_one_that_is_served() -> None:
    assert COMMITTED.read_text() == schema_text(), (
        "run `make schema`: its difference is the review of the API"
    )


def test_the_schema_is_valid() -> None:
    assert validate_schema(schema._schema) == []


def mergeable(one: GraphQLOutputType, other: GraphQLOutputType) -> bool:
    """Whether two fields of one name may stand in two fragments of one selection."""
    for wrapper in (GraphQLNonNull, GraphQLList):
        if isinstance(one, wrapper) or isinstance(other, wrapper):
            return (
                isinstance(one, wrapper)
                and isinstance(other, wrapper)
                and mergeable(one.of_type, other.of_type)
            )
    return one is other or not (is_leaf_type(one) or is_leaf_type(other))


def test_one_name_has_one_shape_on_all_things() -> None:
    things = [
        t
        for t in TYPES.values()
        if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)
        and (t.name == "Node" or any(i.name == "Node" for i in t.interfaces))
    ]
    assert len(things) > 10
    torn = [
        f"{one.name}.{name}: {one.fields[name].type}, {other.name}.{name}: {other.fields[name].type}"
        for one, other in combinations(things, 2)
        for name in one.fields.keys() & other.fields.keys()
        if not mergeable(one.fields[name].type, other.fields[name].type)
    ]
    assert torn == []


def test_every_connection_is_a_page() -> None:
    for type_ in TYPES.values():
        if type_.name.endswith("Connection"):
            assert isinstance(type_, GraphQLObjectType)
            assert {"edges", "pageInfo", "totalCount"} <= type_.fields.keys()


def test_introspection_is_answered(shop: Api) -> None:
    told = shop.ask("{ __schema { queryType { name } types { name fields { name type { name } } } } }")
    assert told["__schema"]["queryType"]["name"] == "Query"


def test_the_page_sizes_of_lists_have_a_default() -> None:
    for type_ in TYPES.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                if "first" in field.args:
                    assert field.args["first"].default_value in range(1, 201), f"{type_.name}.{name}"

"""Nothing answers that does not say what it needs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import strawberry
from fastapi import APIRouter, FastAPI
from graphql import GraphQLSchema, OperationType, parse
from strawberry.utils.str_converters import to_camel_case

from headwater_server.api.graphql.permissions import asked, declared_roots
from headwater_server.api.graphql.schema import schema
from headwater_server.api.graphql.undeclared import check_root_fields
from headwater_server.api.needs import Open, Undeclared, known, needs, public
from headwater_server.api.routes import RouteTable, declared_routes
from headwater_server.app import create_app
from headwater_server.auth.policy import Permission
from headwater_server.settings import Settings


def answer() -> str:
    return "yes"


def core(of: strawberry.Schema) -> GraphQLSchema:
    return of._schema


def test_every_route_and_field_has_a_permission(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path))
    routes = {(r.path, method): r.need for r in declared_routes(app.routes) for method in r.methods}
    assert routes["/api/v1/lineage", "POST"] is Permission.EMIT
    assert routes["/api/v1/lineage", "GET"] is Permission.READ
    assert routes["/graphql", "POST"] is Open.KNOWN
    public_ones = {path for (path, _), need in routes.items() if need is Open.PUBLIC}
    assert public_ones == {
        "/", "/livez", "/health", "/healthcheck", "/readyz", "/docs", "/console/{name}", "/graphql", "/openapi.json",
        "/.well-known/headwater-keys.json",
        "/version", "/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info",
    }  # fmt: skip
    roots = declared_roots(core(schema))
    assert roots[OperationType.QUERY]["lineage"] is Permission.READ
    assert roots[OperationType.MUTATION]["registerModel"] is Permission.REGISTER
    assert Open.PUBLIC not in {need for fields in roots.values() for need in fields.values()}


@pytest.mark.parametrize("add", [lambda r: r.get("/new"), lambda r: r.post("/a/{b:path}")])
@pytest.mark.parametrize("nested", [False, True])
def test_a_route_that_declares_nothing_is_found_when_the_server_starts(
    add: Callable[[APIRouter], Callable[[Any], Any]], nested: bool
) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    router = APIRouter(prefix="/inner")
    add(router)(answer)
    if nested:
        outer = APIRouter()
        outer.include_router(router)
        app.include_router(outer)
    else:
        app.include_router(router)
    with pytest.raises(Undeclared, match="/inner/"):
        declared_routes(app.routes)


def test_a_mounted_application_is_found_when_the_server_starts() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/files", FastAPI())
    with pytest.raises(Undeclared, match="/files"):
        declared_routes(app.routes)


def test_a_root_field_that_declares_nothing_is_found_when_the_server_starts() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        @known
        def good(self) -> int:
            return 1

        @strawberry.field
        def forgotten(self) -> int:
            return 2

        plain: int = 3

    with pytest.raises(Undeclared, match=r"Query\.plain, Query\.forgotten|Query\.forgotten, Query\.plain"):
        declared_roots(core(strawberry.Schema(query=Query)))


ROOT = """
import strawberry
from headwater_server.api.graphql.parts import Half
from headwater_server.api.needs import known, needs

@strawberry.type
class Query(Half):
    secret: strawberry.Private[int]

    @strawberry.field(description="whoever logged in")
    @known
    def good(self) -> int: ...

    def helper(self) -> int: ...
{more}
"""
HALF = """
import strawberry

@strawberry.type
class Half:
    @strawberry.field
    @needs(Permission.READ)
    def below(self) -> int: ...
{more}
"""
FORGOTTEN = """
    @strawberry.field
    async def forgotten(self) -> int: ...
"""


@pytest.mark.parametrize(
    ("root", "half", "named"),
    [
        (FORGOTTEN, "", "Query.forgotten"),
        ("", FORGOTTEN, "Half.forgotten"),
        ("    plain: int = 3", "", "Query.plain"),
        ("    made = strawberry.field(resolver=print)", "", "Query.made"),
        ("@strawberry.type\nclass Query2(Query, object): ...", "", ""),
    ],
)
def test_a_server_finds_it_before_it_starts_and_without_making_the_schema(
    tmp_path: Path, root: str, half: str, named: str
) -> None:
    (tmp_path / "query.py").write_text(ROOT.format(more=root))
    (tmp_path / "parts.py").write_text(HALF.format(more=half))
    roots = (("query", "Query"),)
    if not named:
        assert check_root_fields(tmp_path, roots) == ["below", "good"]
        with pytest.raises(Undeclared, match=r"Query2\.\(object\)"):
            check_root_fields(tmp_path, (("query", "Query2"),))
        return
    with pytest.raises(Undeclared, match=named.replace(".", r"\.")):
        check_root_fields(tmp_path, roots)


def test_what_is_found_before_the_start_is_all_that_the_schema_has() -> None:
    names = [to_camel_case(name) for name in check_root_fields()]
    fields = {name for roots in declared_roots(core(schema)).values() for name in roots}
    assert sorted(names) == sorted(name for name in fields if not name.startswith("__"))


def test_a_function_cannot_need_two_things() -> None:
    def twice() -> None: ...

    needs(Permission.READ)(needs(Permission.READ)(twice))
    with pytest.raises(Undeclared, match="twice"):
        needs(Permission.EMIT)(twice)


def test_a_request_needs_what_the_route_needs_that_will_answer_it() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    router = APIRouter()
    router.get("/open")(public(lambda: 1))
    router.post("/open")(known(lambda: 1))
    router.get("/things/{name}/parts")(needs(Permission.EXPORT)(lambda name: name))
    router.get("/things/{name:path}")(needs(Permission.READ)(lambda name: name))
    app.include_router(router, prefix="/v1")
    table = RouteTable(app.routes)
    assert table.need("GET", "/v1/open") is Open.PUBLIC
    assert table.need("POST", "/v1/open") is Open.KNOWN
    assert table.need("DELETE", "/v1/open") is Open.KNOWN
    assert table.need("GET", "/v1/things/a/parts") is Permission.EXPORT
    assert table.need("GET", "/v1/things/a/b/parts") is Permission.READ
    assert table.need("GET", "/v1/things/a;/../open") is Permission.READ
    assert table.need("GET", "/v1/open/") is None
    assert table.need("GET", "/open") is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{ a b: c }", {"a", "c"}),
        ("query { ...F } fragment F on Query { a { b } ... { c } ...G } fragment G on Query { d @skip(if: true) }",
         {"a", "c", "d"}),
        ("{ ... on Query { ... @include(if: false) { a } } }", {"a"}),
        ("{ __schema { types { name } } }", {"__schema"}),
    ],
)  # fmt: skip
def test_the_root_fields_of_an_operation_are_found_through_fragments(text: str, names: set[str]) -> None:
    document = parse(text)
    operation: Any = document.definitions[0]
    assert asked(document, operation) == names

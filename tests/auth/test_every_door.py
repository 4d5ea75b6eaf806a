"""Each route and each root field: nothing without a token, nothing with one that lacks the permission."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, OperationType, get_named_type, is_leaf_type
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from headwater_server.api.graphql.permissions import declared_roots
from headwater_server.api.graphql.schema import schema
from headwater_server.api.needs import Need, Open
from headwater_server.api.routes import WEBSOCKET, Declared, declared_routes
from headwater_server.app import create_app
from headwater_server.auth.policy import ROLES, Permission
from headwater_server.settings import Settings
from tests.auth.served import Served, bearer

CORE = schema._schema


@cache
def routes() -> list[tuple[str, str, Need]]:
    """Each method of each route, with something in place of its names."""
    with TemporaryDirectory() as folder, TestClient(create_app(Settings(data=Path(folder)))) as client:
        app: Any = client.app
    return [
        (m, fill(route), route.need) for route in declared_routes(app.routes) for m in sorted(route.methods)
    ]


def fill(route: Declared) -> str:
    return re.sub(r"\{[^}]+\}", "x", route.path)


def roots() -> list[tuple[str, str, Need]]:
    return [
        (operation.value, name, need)
        for operation, fields in declared_roots(CORE).items()
        for name, need in fields.items()
        if not name.startswith("__")
    ]


def document(operation: str, name: str) -> str:
    """The field with just the arguments that it must have, and something of its answer."""
    root = CORE.get_root_type(OperationType(operation))
    assert root is not None
    field = root.fields[name]
    required = {
        n: a.type for n, a in field.args.items() if isinstance(a.type, GraphQLNonNull) and not a.default_value
    }
    given = ", ".join(f"{n}: {literal(t)}" for n, t in required.items())
    below = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{operation} {{ {name}{f'({given})' if given else ''}{below} }}"


def literal(type_: Any) -> str:
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    named = get_named_type(type_)
    if hasattr(type_, "of_type"):
        return "[]"
    if isinstance(named, GraphQLInputObjectType):
        fields = {n: f.type for n, f in named.fields.items() if isinstance(f.type, GraphQLNonNull)}
        return "{" + ", ".join(f"{n}: {literal(t)}" for n, t in fields.items()) + "}"
    if hasattr(named, "values"):
        return str(next(iter(named.values)))
    return "1" if named.name in {"Int", "Long", "Float"} else "true" if named.name == "Boolean" else '"x"'


def lacking(need: Need) -> str:
    return next(role for role in ("emitter", "reader") if need not in ROLES[role])


CLOSED = [(m, p, n) for m, p, n in routes() if n is not Open.PUBLIC and m != WEBSOCKET]
SOCKETS = [path for method, path, _ in routes() if method == WEBSOCKET]


@pytest.mark.parametrize(("method", "path", "need"), CLOSED)
def test_a_route_answers_nobody_without_a_token(shop: Served, method: str, path: str, need: Need) -> None:
    answer = shop.http.request(method, shop.url + path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", SOCKETS)
def test_a_websocket_answers_nobody_without_a_token(shop: Served, path: str) -> None:
    url, spoken = f"ws://127.0.0.1:{shop.port}{path}", [Subprotocol("graphql-transport-ws")]
    with connect(url, subprotocols=spoken, proxy=None) as client:
        client.send('{"type": "connection_init"}')
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=30)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4403
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(url, subprotocols=spoken, additional_headers=bearer("hw_none"), proxy=None),
    ):
        pytest.fail("it was let in")
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "need"), [case for case in CLOSED if isinstance(case[2], Permission)]
)
def test_a_route_answers_403_to_a_token_that_lacks_its_permission(
    shop: Served, keys: dict[str, str], method: str, path: str, need: Permission
) -> None:
    answer = shop.http.request(method, shop.url + path, headers=bearer(keys[lacking(need)]))
    assert answer.status_code == 403
    if method != "HEAD":
        assert answer.json()["needs"] == need


@pytest.mark.parametrize(("operation", "name", "need"), roots())
def test_a_root_field_answers_nobody_without_a_token(
    shop: Served, operation: str, name: str, need: Need
) -> None:
    assert shop.graphql(None, document(operation, name)).status_code == 401


@pytest.mark.parametrize(
    ("operation", "name", "need"), [case for case in roots() if isinstance(case[2], Permission)]
)
@pytest.mark.parametrize("hidden", ["{}", "query {{ server {{ version }} }} {}", "... in a fragment"])
def test_a_root_field_answers_403_to_a_token_that_lacks_its_permission(
    shop: Served, keys: dict[str, str], operation: str, name: str, need: Permission, hidden: str
) -> None:
    text = document(operation, name)
    if hidden.startswith("..."):
        body = text[text.index("{") :]
        text = f"{operation} {{ ...F }} fragment F on {operation.capitalize()} {body}"
    else:
        text = (
            hidden.format(text)
            .replace("query { server", "query A { server")
            .replace(f"}} {operation} {{", f"}} {operation} B {{")
        )
    answer = shop.graphql(keys[lacking(need)], text)
    assert answer.status_code == 403, answer.text
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "needs": need}
    assert "data" not in answer.json()


@pytest.mark.parametrize(("method", "path", "need"), [case for case in routes() if case[2] is Open.PUBLIC])
def test_a_public_route_needs_no_token(shop: Served, method: str, path: str, need: Need) -> None:
    assert shop.http.request(method, shop.url + path).status_code not in {401, 403}


def test_a_path_that_there_is_not_is_told_to_nobody_without_a_token(
    shop: Served, keys: dict[str, str]
) -> None:
    assert shop.http.get("/api/v1/nothing").status_code == 401
    assert shop.http.get("/api/v1/nothing", headers=bearer(keys["reader"])).status_code == 404
    assert shop.http.get("/livez/../api/v1/namespaces;/livez").status_code == 401


def test_403_is_the_same_for_what_there_is_and_for_what_there_is_not(
    shop: Served, keys: dict[str, str]
) -> None:
    there = shop.http.get("/api/v1/namespaces/airflow/jobs", headers=bearer(keys["emitter"]))
    not_there = shop.http.get("/api/v1/namespaces/nowhere/jobs", headers=bearer(keys["emitter"]))
    assert (there.status_code, there.content) == (not_there.status_code, not_there.content)


def test_introspection_is_for_those_who_logged_in(shop: Served, keys: dict[str, str]) -> None:
    assert shop.graphql(None, "{ __schema { types { name } } }").status_code == 401
    assert shop.graphql(None, "{ datsets { x } }").status_code == 401  # and no suggestion either
    assert "data" in shop.graphql(keys["emitter"], "{ __schema { types { name } } }").json()


def test_a_mutation_that_may_not_is_refused_before_the_one_that_may(
    shop: Served, key: Callable[..., str]
) -> None:
    text = """mutation { tagEntity(input: {ref: "hw:model:never", set: []}) { __typename }
      registerModel(input: {name: "never-made"}) { __typename } }"""
    answer = shop.graphql(key("experimenter"), text)
    assert answer.status_code == 403
    found = shop.graphql(key("reader"), '{ search(query: "never-made") { totalCount } }').json()
    assert found["data"]["search"]["totalCount"] == 0


@pytest.fixture(scope="session")
def keys(shop: Served) -> dict[str, str]:
    """One for each role."""
    return {role: shop.key(role) for role in ROLES}


def test_webhooks_are_for_who_administers_everything(shop: Served, key: Callable[..., str]) -> None:
    """They tell of every model, whoever may see it."""
    path = "/api/2.0/mlflow/webhooks"
    said = {"name": "a", "url": "https://203.0.113.9/", "events": [{"entity": "PROMPT", "action": "CREATED"}]}
    for method, to in (("POST", path), ("GET", path), ("DELETE", f"{path}/x")):
        body = said if method == "POST" else None
        answer = shop.http.request(method, to, json=body, headers=bearer(key("admin?model=churn*")))
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert shop.http.get(path, headers=bearer(key("admin"))).json() == {}

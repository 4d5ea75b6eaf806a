"""What goes over HTTP: JSON alone, one operation at a time, nothing that another site's form could send."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from headwater_server.api.bodies import Intake
from headwater_server.api.graphql.late import LateEngine
from headwater_server.api.graphql.route import graphql_router
from headwater_server.errors import Unavailable
from tests.graphql.asking import Api

ASSETS = Path(__file__).parents[2] / "server" / "headwater_server" / "api" / "console" / "assets"
QUERY = {"query": "{ server { version backend } }"}


def served(api: Api) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(graphql_router(lambda _: api.context, LateEngine()))
    app.add_middleware(Intake)
    return TestClient(app)


@pytest.fixture
def client(shop: Api) -> Iterator[TestClient]:
    with served(shop) as client:
        yield client


def test_an_operation_is_answered(client: TestClient) -> None:
    answer = client.post("/graphql", json={**QUERY, "variables": None, "operationName": None})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["data"]["server"]["version"]


def test_the_first_requests_wait_until_the_engine_is_made(shop: Api) -> None:
    engine = LateEngine()
    with ThreadPoolExecutor(4) as threads:
        made = {id(one) for one in threads.map(lambda _: engine.made(), range(4))}
    assert len(made) == 1
    with served(shop) as client, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: client.post("/graphql", json=QUERY).json(), range(4)))
    assert [answer["data"]["server"]["backend"] for answer in answers] == ["sqlite"] * 4


def test_one_of_several_operations_is_picked_by_name(client: TestClient) -> None:
    both = "query A { server { version } } query B { server { backend } }"
    assert client.post("/graphql", json={"query": both, "operationName": "B"}).json()["data"] == {
        "server": {"backend": "sqlite"}
    }
    assert "operation name" in client.post("/graphql", json={"query": both}).json()["errors"][0]["message"]
    wrong = client.post("/graphql", json={"query": both, "operationName": "C"}).json()
    assert wrong["errors"][0]["message"] == "Unknown operation named 'C'."
    assert "data" not in wrong


@pytest.mark.parametrize(
    "type_",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json"],
)
def test_what_a_form_can_send_is_not_read(client: TestClient, type_: str) -> None:
    answer = client.post(
        "/graphql", content=b'{"query": "{ server { version } }"}', headers={"content-type": type_}
    )
    assert answer.status_code == 415
    assert "application/json" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"5", b'"{ server { version } }"', b"{}", b'{"query": 5}', b'{"query": "{ a }", "variables": []}',
        b'{"query": "{ a }", "operationName": 5}', b'[{"query": "{ server { version } }"}]', b'{"query": NaN}',
        b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b'{"query": "{ a }", "variables": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}",
        b'{"query": "\\ud800"}',
    ],
)  # fmt: skip
def test_a_body_that_is_no_operation_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "INVALID"


def test_a_body_of_more_than_a_megabyte_is_not_read(client: TestClient) -> None:
    answer = client.post("/graphql", json={"query": "#" * 2**20})
    assert answer.status_code == 413


def test_nothing_is_run_by_get(client: TestClient) -> None:
    for query in ("{ server { version } }", 'mutation { registerModel(input: {name: "x"}) { __typename } }'):
        for accept in ("text/html", "application/json", "*/*"):
            answer = client.get("/graphql", params={"query": query}, headers={"accept": accept})
            assert answer.status_code == 405
            assert answer.headers["allow"] == "POST"
    assert client.post("/graphql", json={"query": '{ models(query: "x") { totalCount } }'}).json()["data"][
        "models"
    ] == {"totalCount": 0}


def test_the_newer_media_type_tells_a_refusal_by_its_status(client: TestClient) -> None:
    newer = {"accept": "application/graphql-response+json"}
    assert client.post("/graphql", json={"query": "{ nothing }"}).status_code == 200
    refused = client.post("/graphql", json={"query": "{ nothing }"}, headers=newer)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/graphql-response+json"
    assert (
        client.post("/graphql", json={"query": '{ entity(ref: "x") { id } }'}, headers=newer).status_code
        == 200
    )


def test_a_failure_of_ours_is_told_by_an_id_and_logged_once_in_one_line(
    shop: Api, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Exception):
        pass

    def fail(*_: Any, **__: Any) -> Any:
        raise Broken("secret\r\nINFO forged line \x1b[31m" + "x" * 5_000)

    with caplog.at_level(logging.ERROR, logger="headwater.graphql"):
        error = shop.with_context(updated=fail).error("{ models { edges { node { updatedAt } } } }")
    assert "secret" not in str(error)
    assert error["extensions"]["code"] == "INTERNAL"
    (record,) = caplog.records
    line = record.getMessage()
    assert error["extensions"]["errorId"] in line
    assert "Broken: secret" in line
    assert len(line) <= 2_000
    assert line.isprintable()


def test_a_store_that_does_not_answer_is_told_so(shop: Api) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("the graph does not answer now")

    error = shop.with_context(updated=away).error("{ models { edges { node { updatedAt } } } }")
    assert (error["message"], error["extensions"]["code"]) == ("the graph does not answer now", "UNAVAILABLE")


def test_the_root_leads_to_the_console(client: TestClient) -> None:
    said = client.get("/", follow_redirects=False)
    assert (said.status_code, said.headers["location"]) == (307, "/graphql")


def test_browsers_are_shown_the_console_and_the_routes(client: TestClient) -> None:
    for path in ("/graphql", "/docs"):
        page = client.get(path, headers={"accept": "text/html,application/xhtml+xml"})
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert "http://" not in page.text
        assert "https://" not in page.text
    assert client.get("/graphql").status_code == 405


@pytest.mark.parametrize("asset", sorted(ASSETS.iterdir()), ids=lambda p: p.name)
def test_the_pages_are_made_of_our_own_files(client: TestClient, asset: Path) -> None:
    text = asset.read_text().replace("http://www.w3.org/2000/svg", "")
    assert "//" + "cdn" not in text
    assert "https://" not in text
    if asset.suffix == ".html":
        for word in ("<style", " style=", " onclick=", "javascript:"):
            assert word not in text
        assert text.count("<script") == text.count('<script type="module" src="/console/')
    else:
        got = client.get(f"/console/{asset.name}")
        assert got.status_code == 200
        assert got.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["pages.py", "..%2Fpages.py", "console.html", "%2e%2e", "nothing.js"])
def test_no_other_file_is_given_away(client: TestClient, name: str) -> None:
    assert client.get(f"/console/{name}").status_code == 404

"""By which names and from which pages requests may come; what a browser can be made to send."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from headwater_server.api.hosts import Hosts, is_loopback
from headwater_server.app import create_app
from headwater_server.cli.group import run
from headwater_server.errors import Invalid
from headwater_server.settings import Settings
from tests.auth.served import Served

QUERY = {"query": "{ server { version } }"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """As it is by default: this machine alone, nobody logs in."""
    with Served(Settings(data=tmp_path_factory.mktemp("here"))) as served:
        yield served


@pytest.mark.parametrize("host", ["evil.com", "evil.com:80", "127.0.0.1.evil.com", "localhost.evil.com", "", "[::2]", "169.254.169.254"])  # fmt: skip
def test_another_name_is_not_answered_to_even_on_this_machine(here: Served, host: str) -> None:
    for path in ("/livez", "/api/v1/namespaces", "/graphql"):
        assert here.http.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:9", "[::1]:4747"])
def test_names_of_this_machine_are_answered_to(here: Served, host: str) -> None:
    assert here.http.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "host", "server", "has"),
    [
        (Settings(allowed_hosts=("hw.example",)), "hw.example:443", ("10.0.0.1", 80), True),
        (Settings(allowed_hosts=("*.example",)), "a.b.example", ("10.0.0.1", 80), True),
        (Settings(allowed_hosts=("*.example",)), "example", ("10.0.0.1", 80), False),
        (Settings(allowed_hosts=("*.example",)), "evilexample", ("10.0.0.1", 80), False),
        (Settings(allowed_hosts=("*",)), "evil.com", ("10.0.0.1", 80), True),
        (Settings(host="0.0.0.0"), "0.0.0.0", ("10.0.0.1", 80), False),
        (Settings(host="0.0.0.0"), "10.0.0.1:80", ("10.0.0.1", 80), True),
        (Settings(host="::"), "[fd00::1]:80", ("fd00::1", 80), True),
        (Settings(host="10.0.0.1"), "10.0.0.1", None, True),
        (Settings(host="hw.local"), "hw.local:4747", None, True),
        (Settings(host="hw.local"), "hw2.local", ("/run/hw.sock", None), False),
    ],
)
def test_a_server_has_the_names_of_its_address_and_of_its_settings(
    settings: Settings, host: str, server: object, has: bool
) -> None:
    assert Hosts(settings).has(host, server) is has


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil", "file://"]
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/graphql"), ("POST", "/api/v1/lineage"), ("GET", "/api/v1/namespaces"), ("OPTIONS", "/graphql")])  # fmt: skip
def test_pages_of_another_origin_are_refused(here: Served, origin: str, method: str, path: str) -> None:
    answer = here.http.request(method, path, headers={"Origin": origin}, json=QUERY)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_pages_may_ask(here: Served) -> None:
    assert here.http.post("/graphql", headers={"Origin": here.url}, json=QUERY).status_code == 200


def test_a_mutation_is_sent_as_json_by_post_alone(here: Served) -> None:
    mutation = 'mutation { registerModel(input: {name: "csrf"}) { __typename } }'
    body = b'{"query": "mutation { registerModel(input: {name: \\"csrf\\"}) { __typename } }"}'
    assert here.http.get("/graphql", params={"query": mutation}).status_code == 405
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
    ):
        assert here.http.post("/graphql", content=body, headers={"Content-Type": kind}).status_code == 415
    assert here.http.post("/graphql", content=body).status_code == 415
    assert here.http.post("/graphql", files={"operations": ("", body)}).status_code == 415
    assert here.http.post("/graphql", json=[{"query": mutation}] * 50).status_code == 400
    found = here.http.post("/graphql", json={"query": '{ models(query: "csrf") { totalCount } }'}).json()
    assert found["data"]["models"]["totalCount"] == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_an_event_from_a_form_is_not_read(here: Served, kind: str) -> None:
    assert here.http.post("/api/v1/lineage", content=b"{}", headers={"Content-Type": kind}).status_code == 415


def test_origins_of_the_settings_may_ask_and_are_told_so(tmp_path: Path) -> None:
    page = "https://portal.example"
    settings = Settings(data=tmp_path, auth="token", cors_origins=(page,))
    with Served(settings) as served:
        key = served.key("reader")
        preflight = {"Origin": page, "Access-Control-Request-Method": "POST",
                     "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
        asked = served.http.options("/graphql", headers=preflight)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, page)
        headers = {"Origin": page, "Authorization": f"Bearer {key}"}
        answer = served.http.post("/graphql", json=QUERY, headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, page)
        assert "access-control-allow-credentials" not in answer.headers
        other = served.http.options("/graphql", headers={**preflight, "Origin": "https://evil.example"})
        assert other.status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "hw.example"])
def test_an_address_that_others_reach_wants_a_login(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Invalid, match="HEADWATER_AUTH=token"):
        create_app(Settings(data=tmp_path, host=host))
    assert not (tmp_path / "log.db").exists()
    if host == "0.0.0.0":
        assert run(["up", "--host", host, "--port", "0", "--data", str(tmp_path)]) == 2
        assert "headwater token create" in capsys.readouterr().err


@pytest.mark.parametrize("auth", ["token", "open"])
def test_an_address_that_others_reach_is_listened_to_when_it_is_said_how(auth: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, host="0.0.0.0", auth=auth)
    with Served(settings) as served:
        status = httpx.get(f"{served.url}/api/v1/namespaces").status_code
        assert status == (401 if auth == "token" else 200)


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.com", False)])  # fmt: skip
def test_what_is_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback

"""API keys over a socket: what opens, what does not, and what is known of them."""

import base64
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from headwater_server.auth.keys import digest, key_id, make_key, matches
from headwater_server.auth.tokens import FILE, Tokens
from headwater_server.cli.group import run
from headwater_server.errors import Invalid, NotFound
from tests.auth.served import Served, bearer

VIEWER = {"query": "{ server { viewer { name kind } } }"}


def viewer(shop: Served, headers: dict[str, str]) -> Any:
    answer = shop.http.post("/graphql", json=VIEWER, headers=headers)
    return answer.json()["data"]["server"]["viewer"] if answer.status_code == 200 else answer.status_code


def test_a_key_opens_as_bearer_and_as_the_password_of_basic(shop: Served, key: Callable[..., str]) -> None:
    made = key("reader", name="spark")
    basic = base64.b64encode(f"whoever:{made}".encode()).decode()
    for header in (f"Bearer {made}", f"bearer  {made}", f"Basic {basic}"):
        assert viewer(shop, {"Authorization": header}) == {"name": "service:spark", "kind": "SERVICE"}


def test_a_key_of_a_person_acts_in_their_name(shop: Served, key: Callable[..., str]) -> None:
    assert viewer(shop, bearer(key("reader", name="ada", person=True))) == {"name": "ada", "kind": "USER"}


def test_a_key_one_character_off_opens_nothing(shop: Served, key: Callable[..., str]) -> None:
    made = key("reader")
    for at in (0, 3, 8, 16, 20, len(made) - 1):
        other = "0" if made[at] != "0" else "1"
        assert viewer(shop, bearer(made[:at] + other + made[at + 1 :])) == 401
    for wrong in (made[:-1], made + "a", made.upper(), made.replace("hw_", "", 1), "hw__", "hw_"):
        assert viewer(shop, bearer(wrong)) == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Basic", "Basic %%%", "Basic aGk=", "Digest x", "Bearer \xe9"]
)
def test_what_is_no_token_opens_nothing(shop: Served, header: str) -> None:
    answer = shop.http.post("/graphql", json=VIEWER, headers=[(b"Authorization", header.encode("latin-1"))])
    assert answer.status_code == 401


def test_a_key_in_the_query_string_or_a_cookie_is_not_read(shop: Served, key: Callable[..., str]) -> None:
    made = key("reader")
    for name in ("token", "api_key", "apiKey", "access_token", "key", "Authorization"):
        assert shop.http.get("/api/v1/namespaces", params={name: made}).status_code == 401
        assert shop.http.get("/api/v1/namespaces", headers={"Cookie": f"{name}={made}"}).status_code == 401


def test_an_expired_key_opens_nothing(shop: Served, key: Callable[..., str]) -> None:
    assert viewer(shop, bearer(key("reader", expires=time.time_ns() // 1_000 - 1))) == 401


def test_a_revocation_beside_the_running_server_is_seen_within_a_second(
    shop: Served, key: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    made = key("reader")
    assert viewer(shop, bearer(made)) != 401
    assert run(["token", "revoke", str(key_id(made)), "--data", str(shop.settings.data)]) == 0
    assert "is revoked" in capsys.readouterr().out
    time.sleep(1)
    assert viewer(shop, bearer(made)) == 401


def test_the_command_makes_a_key_that_opens_and_lists_it_without_its_secret(
    shop: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--data", str(shop.settings.data)]
    assert run(["token", "create", "dbt", "--role", "emitter?namespace=dbt", "--expires", "1h", *folder]) == 0
    made = capsys.readouterr().out.strip()
    shop.forget()
    assert viewer(shop, bearer(made)) == {"name": "service:dbt", "kind": "SERVICE"}
    assert run(["token", "list", "--json", *folder]) == 0
    out = capsys.readouterr().out
    told = next(one for one in orjson.loads(out) if one["id"] == key_id(made))
    assert told["roles"] == ["emitter?namespace=dbt"]
    assert told["valid"]
    assert told["used"] is not None
    assert made[16:] not in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["create", "dbt", "--role", "owner"], 1),
        (["create", "dbt"], 2),
        (["create", "no name", "--role", "reader"], 1),
        (["create", "dbt", "--role", "reader", "--expires", "soon"], 2),
        (["revoke", "0123"], 1),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["token", *arguments, "--data", str(tmp_path)]) == code
    assert capsys.readouterr().err


def test_the_file_holds_no_key_and_is_the_owners_alone(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    _, made = tokens.create("spark", ["reader"], by="ops", at=1)
    tokens.close()
    kept = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert made.encode() not in kept
    assert made[16:].encode() not in kept
    assert digest(made) in kept
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_making_and_revoking_is_told_in_the_log(own: Served) -> None:
    admin = own.key("auditor", "admin", name="ops")
    spark = own.key("emitter", name="spark")
    tokens = Tokens(own.settings.data)
    tokens.revoke(str(key_id(spark)), by="ann", at=time.time_ns() // 1_000)
    tokens.revoke(str(key_id(spark)), by="ann", at=time.time_ns() // 1_000)
    tokens.close()
    time.sleep(1.5)
    asked = own.graphql(admin, '{ events(kind: "access.token") { edges { node { raw } } } }').json()
    told = [edge["node"]["raw"] for edge in asked["data"]["events"]["edges"]]
    assert [(t["action"], t["name"], t["by"]) for t in told] == [
        ("revoked", "spark", "ann"),
        ("created", "spark", "ops"),
        ("created", "ops", "ops"),
    ]
    assert not any("hash" in t or spark in str(t) for t in told)


def test_ten_thousand_wrong_keys_cost_little_and_shut_nobody_out(own: Served) -> None:
    good = own.key("emitter")
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(10_000):
        assert own.app is not None
        answer = own.http.get("/api/v1/namespaces", headers=bearer(make_key()[1]))
        assert answer.status_code == 401
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert own.http.post("/api/v1/lineage", content=b"{}", headers=bearer(good)).status_code == 422
    assert after.ru_maxrss - before.ru_maxrss < 64 * 1024  # nothing is kept of them


def test_a_hash_is_compared_whole() -> None:
    _, made = make_key()
    assert matches(made, digest(made))
    assert not matches(made, digest(made)[:-1] + b"\0")


def test_names_and_roles_are_checked_and_unknown_tokens_told(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    for name in ("", "a b", "-x", "anonymous", "system", "service:x", "x" * 101):
        with pytest.raises(Invalid):
            tokens.create(name, ["reader"], by="ops", at=1)
    with pytest.raises(Invalid):
        tokens.create("x", [], by="ops", at=1)
    with pytest.raises(NotFound):
        tokens.revoke("0" * 12, by="ops", at=1)
    tokens.close()

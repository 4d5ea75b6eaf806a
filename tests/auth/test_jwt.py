"""JSON Web Tokens over a socket: what an issuer signed opens, every known trick does not."""

import base64
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwk, jws, jwt

from headwater_server.auth.jwt import Jwts, issuer_of, read_roles
from headwater_server.auth.policy import Permission
from headwater_server.errors import Invalid, Unauthenticated, Unavailable
from headwater_server.settings import Settings
from tests.auth.served import Served, bearer

ISSUER, AUDIENCE = "https://login.example", "headwater"
RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = jwk.ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
ED = jwk.OKPKey.generate_key("Ed25519", {"kid": "ed-1", "use": "sig"})
STRANGER = jwk.RSAKey.generate_key(2048, {"kid": "rsa-1"})
ROLES = '{"data-eng": ["reader", "emitter?namespace=spark*"], "ml": "registrar"}'


class Unwarned(jws.JWSRegistry):
    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def public_keys(*keys: Any) -> bytes:
    return orjson.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": now + 600, "roles": ["data-eng"], **changes}
    return {name: value for name, value in said.items() if value is not None}


def signed(
    key: Any = RSA, alg: str = "RS256", *, header: dict[str, Any] | None = None, **changes: Any
) -> str:
    head = {"alg": alg, "kid": key.kid, **(header or {})}
    registry = Unwarned(algorithms=[alg], strict_check_header=False)
    return jwt.encode(head, claims(**changes), key, registry=registry)


def by_hand(header: dict[str, Any], said: dict[str, Any], signature: bytes) -> str:
    parts = (orjson.dumps(header), orjson.dumps(said), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def hs_signed_with_the_public_key() -> str:
    unsigned = by_hand({"alg": "HS256", "kid": "rsa-1"}, claims(), b"").rstrip(".")
    made = hmac.digest(RSA.as_pem(private=False), unsigned.encode(), "sha256")
    return unsigned + "." + base64.urlsafe_b64encode(made).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("issuer")
    (folder / "jwks.json").write_bytes(public_keys(RSA, EC, ED))
    settings = Settings(
        data=folder / "data", auth="token", oidc_issuer=ISSUER, oidc_keys=str(folder / "jwks.json"), oidc_roles=ROLES
    )  # fmt: skip
    with Served(settings) as opened:
        yield opened


def status(served: Served, token: str) -> int:
    return served.http.get("/api/v1/namespaces", headers=bearer(token)).status_code


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519")])
def test_what_the_issuer_signed_opens(served: Served, key: Any, alg: str) -> None:
    assert status(served, signed(key, alg)) == 200
    assert status(served, signed(key, alg, aud=["other", AUDIENCE], nbf=int(time.time()) + 10)) == 200
    viewer = served.graphql(signed(key, alg), "{ server { viewer { name kind } } }").json()
    assert viewer["data"]["server"]["viewer"] == {"name": "ada", "kind": "USER"}


NOW = int(time.time())
TRICKS: dict[str, Callable[[], str]] = {
    "none": lambda: by_hand({"alg": "none"}, claims(), b""),
    "None": lambda: by_hand({"alg": "None", "kid": "rsa-1"}, claims(), b""),
    "HS256 with the public key as its secret": hs_signed_with_the_public_key,
    "RS256 with the signature of nothing": lambda: by_hand({"alg": "RS256", "kid": "rsa-1"}, claims(), b"\0" * 256),
    "an algorithm that is not allowed": lambda: signed(RSA, "PS256"),
    "another's key": lambda: signed(STRANGER),
    "the key in the header": lambda: signed(STRANGER, header={"jwk": STRANGER.as_dict(private=False)}),
    "crit": lambda: by_hand({"alg": "RS256", "kid": "rsa-1", "crit": ["exp"], "exp": 1}, claims(), b"x"),
    "jku": lambda: signed(header={"jku": "https://evil.example/jwks.json"}),
    "x5u": lambda: signed(header={"x5u": "https://evil.example/cert.pem"}),
    "kid ../": lambda: signed(header={"kid": "../../../../dev/null"}),
    "kid of another kind": lambda: by_hand({"alg": "RS256", "kid": ["rsa-1"]}, claims(), b"x"),
    "no kid": lambda: by_hand({"alg": "RS256"}, claims(), b"x"),
    "expired": lambda: signed(exp=NOW - 3_600),
    "no exp": lambda: signed(exp=None),
    "exp as text": lambda: signed(exp="tomorrow"),
    "exp is not a number": lambda: by_hand({"alg": "RS256", "kid": "rsa-1"}, claims(exp=None), b"x"),
    "wrong aud": lambda: signed(aud="grafana"),
    "no aud": lambda: signed(aud=None),
    "wrong iss": lambda: signed(iss="https://login.evil"),
    "iss with a slash": lambda: signed(iss=ISSUER + "/"),
    "no iss": lambda: signed(iss=None),
    "nbf in the future": lambda: signed(nbf=NOW + 3_600),
    "iat in the future": lambda: signed(iat=NOW + 3_600),
    "no sub": lambda: signed(sub=None),
    "a service's name": lambda: signed(sub="service:spark"),
    "not base64": lambda: "a.b.c",
    "two parts": lambda: signed().rpartition(".")[0],
    "five parts": lambda: signed() + ".x.y",
    "no JSON": lambda: by_hand({}, {}, b"x"),
    "too long": lambda: signed(note="x" * 20_000),
    "one bit off": lambda: signed()[:-8] + "AAAAAAAA",
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_opens_nothing(served: Served, trick: str) -> None:
    answer = served.http.get("/api/v1/namespaces", headers=bearer(TRICKS[trick]()))
    assert answer.status_code == 401, trick


def test_claims_mean_the_roles_that_the_settings_say(served: Served) -> None:
    assert status(served, signed(roles=["ml"])) == 200
    assert status(served, signed(roles="data-eng other")) == 200
    for nothing in ([], ["admin"], ["reader"], None, 7, [7], {"data-eng": True}):
        assert status(served, signed(roles=nothing)) == 403


def test_without_a_table_the_claims_are_roles_and_may_lie_deeper() -> None:
    settings = Settings(oidc_issuer=ISSUER, oidc_keys="keys", oidc_roles_claim="realm_access.roles")
    jwts = Jwts(issuer_of(settings), fetch=lambda _: public_keys(RSA))
    found = jwts.principal(signed(realm_access={"roles": ["reader", "offline_access"]}, roles=["admin"]))
    assert found.may(Permission.READ)
    assert not found.may(Permission.ADMIN)


def test_a_new_key_of_the_issuer_is_fetched_once_a_minute_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    fetched: list[str] = []
    told = {"https://login.example/.well-known/openid-configuration": orjson.dumps({"jwks_uri": "https://login.example/keys"}),
            "https://login.example/keys": public_keys(EC)}  # fmt: skip

    def fetch(where: str) -> bytes:
        fetched.append(where)
        return told[where]

    jwts = Jwts(issuer_of(Settings(oidc_issuer=ISSUER)), fetch=fetch)
    assert jwts.principal(signed(EC, "ES256")).name == "ada"
    assert len(fetched) == 2
    for at in range(100):
        with pytest.raises(Unauthenticated):
            jwts.principal(signed(RSA, header={"kid": f"made-up-{at}"}))
    assert len(fetched) == 2
    told["https://login.example/keys"] = public_keys(RSA)
    clock[0] += 61
    assert jwts.principal(signed(RSA)).name == "ada"
    assert len(fetched) == 4
    with pytest.raises(Unauthenticated):  # the old key is the issuer's no longer
        jwts.principal(signed(EC, "ES256"))


def test_keys_that_cannot_be_had_are_told_as_such_and_kept_while_they_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    up = [False]

    def fetch(where: str) -> bytes:
        if not up[0]:
            raise OSError(where)
        return public_keys(RSA)

    jwts = Jwts(issuer_of(Settings(oidc_issuer=ISSUER, oidc_keys="https://login.example/keys")), fetch=fetch)
    with pytest.raises(Unavailable):
        jwts.principal(signed())
    clock[0] += 61
    up[0] = True
    assert jwts.principal(signed()).name == "ada"
    clock[0] += 7_200
    up[0] = False
    assert jwts.principal(signed()).name == "ada"


def test_a_symmetric_key_among_the_issuers_is_not_used() -> None:
    secret = jwk.OctKey.generate_key(256, {"kid": "shared"})
    keys = orjson.dumps(
        {"keys": [secret.as_dict(private=True), {"kty": "XX", "kid": "new"}, RSA.as_dict(private=False)]}
    )
    of = replace(issuer_of(Settings(oidc_issuer=ISSUER, oidc_keys="keys")), algorithms=("HS256", "RS256"))
    jwts = Jwts(of, fetch=lambda _: keys)
    assert jwts.principal(signed()).name == "ada"
    with pytest.raises(Unauthenticated):
        jwts.principal(jwt.encode({"alg": "HS256", "kid": "shared"}, claims(), secret, algorithms=["HS256"]))


@pytest.mark.parametrize("algorithms", ["HS256", "none", "RS256,HS512", "", "RS1"])
def test_only_asymmetric_algorithms_can_be_allowed(algorithms: str) -> None:
    with pytest.raises(Invalid, match="HEADWATER_OIDC_ALGORITHMS"):
        Settings.from_env({"HEADWATER_OIDC_ALGORITHMS": algorithms})


@pytest.mark.parametrize("text", ["[]", "x", '{"a": ["owner"]}', '{"a": 7}', '{"a": ["reader?x=y"]}'])
def test_roles_that_cannot_be_read_stop_the_start(text: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        read_roles(text)

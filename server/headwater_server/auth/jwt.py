"""JSON Web Tokens of an OpenID Connect issuer: whom they stand for, and why they are refused."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import JWKRegistry, Key, KeySet

from headwater_server.auth.policy import ROLES, Grant, Principal
from headwater_server.errors import Invalid, Unauthenticated, Unavailable
from headwater_server.settings import Settings

_FORBIDDEN = frozenset({"jku", "x5u", "jwk", "crit", "b64"})
"""In a token's header: it does not say where its own keys are, nor how it is to be read."""
_AGAIN = 60.0
"""Seconds within which keys are not fetched a second time, whatever key ids are asked for."""
_OLD = 3_600.0
_LARGEST = 2**20
_LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class Issuer:
    """What is believed, and what it means here."""

    issuer: str
    audience: str
    keys: str
    """A file or a URL of a JWKS, or of the issuer's discovery document."""
    algorithms: tuple[str, ...]
    leeway: int = 30
    name_claim: str = "sub"
    roles_claim: str = "roles"
    roles: Mapping[str, Sequence[str]] | None = None
    """Grants by the claim's value; None: its values are grants themselves."""


def issuer_of(settings: Settings) -> Issuer:
    """Raises Invalid: the roles cannot be read."""
    return Issuer(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        keys=settings.oidc_keys or settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        algorithms=settings.oidc_algorithms,
        leeway=settings.oidc_leeway,
        name_claim=settings.oidc_name_claim,
        roles_claim=settings.oidc_roles_claim,
        roles=read_roles(settings.oidc_roles) if settings.oidc_roles else None,
    )


class Jwts:
    """Verifies tokens of one issuer. Safe in threads; fetches keys when it has none, or not the right one."""

    def __init__(self, of: Issuer, *, fetch: Callable[[str], bytes] | None = None) -> None:
        self._of = of
        self._keys = _Keys(of.keys, fetch or _fetch)
        self._registry = _Allowed(algorithms=of.algorithms, strict_check_header=False)
        self._claims = jwt.JWTClaimsRegistry(
            leeway=of.leeway,
            iss={"essential": True, "value": of.issuer},
            aud={"essential": True, "value": of.audience},
            exp={"essential": True},
            **{of.name_claim: {"essential": True}},  # type: ignore[arg-type]
        )
        self._roles = None if of.roles is None else {v: _grants(texts) for v, texts in of.roles.items()}

    def principal(self, token: str) -> Principal:
        """Whom it stands for.

        Raises:
            Unauthenticated: it proves nothing; the text says why.
            Unavailable: the issuer's keys cannot be had now.

        """
        claims = self._read(token)
        name = claims[self._of.name_claim]
        if (
            not isinstance(name, str)
            or not name.strip()
            or name.startswith("service:")
            or "?" in name
            or len(name) > 200
        ):
            raise Unauthenticated(f"The token's claim {self._of.name_claim} is no name of a person.")
        return Principal(name, self._granted(claims))

    def _read(self, token: str) -> dict[str, Any]:
        try:
            if len(token) > _LONGEST:
                raise ValueError("too long")  # noqa: TRY301 - refused like every other nonsense
            header = jws.extract_compact(token.encode()).headers()
            if _FORBIDDEN & header.keys() or header.get("alg") not in self._of.algorithms:
                raise ValueError("a header that is not taken")  # noqa: TRY301
            kid = header.get("kid")
            try:
                decoded = jwt.decode(token, self._keys.now(), registry=self._registry)
            except InvalidKeyIdError:
                decoded = jwt.decode(token, self._keys.newer(kid), registry=self._registry)
            self._claims.validate(decoded.claims)
        except JoseError as error:
            raise Unauthenticated(f"The token is not taken: {error.description or error.error}.") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Unauthenticated(
                "The token is not taken: it cannot be read as one of this issuer."
            ) from error
        return decoded.claims

    def _granted(self, claims: Mapping[str, Any]) -> tuple[Grant, ...]:
        found: Any = claims
        for part in self._of.roles_claim.split("."):  # Keycloak: realm_access.roles
            found = found.get(part) if isinstance(found, Mapping) else None
        values = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
        texts = [value for value in values if isinstance(value, str)]
        if self._roles is not None:
            return tuple(dict.fromkeys(grant for text in texts for grant in self._roles.get(text, ())))
        return tuple(Grant(text) for text in texts if text in ROLES)


class _Allowed(jws.JWSRegistry):
    """Just the algorithms of the settings; EdDSA (RFC 8037) too, which the library warns of at each use."""

    max_header_length = 4_096

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(f"algorithm {name} is not allowed")
        return self.algorithms[name]


class _Keys:
    """The issuer's public keys, remembered for an hour."""

    def __init__(self, where: str, fetch: Callable[[str], bytes]) -> None:
        self._where = where
        self._fetch = fetch
        self._lock = threading.Lock()
        self._set: KeySet | None = None
        self._fetched = float("-inf")
        self._tried = float("-inf")

    def now(self) -> KeySet:
        with self._lock:
            if self._set is None or time.monotonic() - self._fetched > _OLD:
                self._again()
            if self._set is None:
                raise Unavailable(f"the keys of the token's issuer cannot be had from {self._where}.")
            return self._set

    def newer(self, kid: object) -> KeySet:
        """Fetched again for a key id that is not known: once a minute, so that made-up ids cost nothing."""
        with self._lock:
            if self._set is not None and not any(key.kid == kid for key in self._set):
                self._again()
            return self._set if self._set is not None else KeySet([])

    def _again(self) -> None:
        if time.monotonic() - self._tried < _AGAIN:
            return
        self._tried = time.monotonic()
        try:
            told = json.loads(self._fetch(self._where))
            if "jwks_uri" in told:
                told = json.loads(self._fetch(str(told["jwks_uri"])))
            self._set = _public(told["keys"])
        except (OSError, ValueError, KeyError, TypeError, JoseError):
            return  # what was known stays good
        self._fetched = time.monotonic()


def _public(told: list[dict[str, Any]]) -> KeySet:
    """Those that signatures can be checked with. A symmetric key would be one that everybody knows."""
    taken: list[Key] = []
    for key in told:
        if key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig":
            with suppress(JoseError, ValueError):  # of a kind that is not known here: the others are good
                taken.append(JWKRegistry.import_key(key))
    return KeySet(taken)


def _fetch(where: str) -> bytes:
    if "://" not in where:
        return Path(where).read_bytes()
    if not where.startswith("https://") and not where.startswith(
        ("http://127.0.0.1", "http://localhost", "http://[::1]")
    ):
        raise ValueError("keys come over https")
    with urllib.request.urlopen(where, timeout=5) as answer:  # noqa: S310 - of the settings, never of a token
        body: bytes = answer.read(_LARGEST)
        return body


def _grants(texts: Sequence[str]) -> tuple[Grant, ...]:
    return tuple(Grant.read(text) for text in texts)


def read_roles(text: str) -> dict[str, list[str]]:
    """`{"data-eng": ["reader", "emitter?namespace=spark-*"]}`.

    Raises:
        Invalid: not such an object.

    """
    try:
        told = json.loads(text)
        if not isinstance(told, dict):
            raise ValueError("no object")  # noqa: TRY301, TRY004
        found = {
            str(value): [texts] if isinstance(texts, str) else list(texts) for value, texts in told.items()
        }
    except (ValueError, TypeError):
        raise Invalid(
            'HEADWATER_OIDC_ROLES must be a JSON object of roles by the claim\'s value, like {"data-eng": ["reader"]}.',
            setting="HEADWATER_OIDC_ROLES",
        ) from None
    for texts in found.values():
        _grants(texts)
    return found

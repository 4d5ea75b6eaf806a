"""Every setting with its environment variable, its default and its bounds, in one frozen table."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from headwater_server.errors import Invalid

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def _setting(default: Any, env: str, read: Callable[[str], Any], about: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"env": env, "read": read, "about": about})


def _text(given: str) -> str:
    if not given.strip():
        raise ValueError("some text")
    return given.strip()


def _secret(given: str) -> str:
    return given


def _maybe(given: str) -> str:
    return given.strip()


def _folder(given: str) -> Path:
    return Path(_text(given)).expanduser()


def _file(given: str) -> Path | None:
    return Path(given.strip()).expanduser() if given.strip() else None


def _flag(given: str) -> bool:
    word = given.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("true or false")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(given: str) -> int:
        if not re.fullmatch(r"\s*[0-9][0-9_]*\s*", given) or not low <= int(given) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(given)

    return read


def _seconds(given: str) -> float:
    if not re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*", given) or not float(given) > 0:
        raise ValueError("seconds, more than 0")
    return float(given)


def _size(given: str) -> int:
    found = re.fullmatch(r"\s*([0-9]+)\s*([A-Za-z]*)\s*", given)
    unit = _UNITS.get(found[2].upper()) if found else None
    if not found or unit is None or not int(found[1]):
        raise ValueError("bytes, like 5242880 or 5MiB")
    return int(found[1]) * unit


def _one_of(*words: str) -> Callable[[str], str]:
    def read(given: str) -> str:
        word = given.strip().lower()
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return read


def _words(given: str) -> tuple[str, ...]:
    return tuple(word for part in given.split(",") if (word := part.strip()))


def _receivers(given: str) -> tuple[str, ...]:
    words = _words(given)
    if not all(_is_host(word) for word in words):
        raise ValueError(
            "names of hosts, with or without a port, like hooks.internal,127.0.0.1:9000,[::1],*.svc.local"
        )
    return tuple(word.lower() for word in words)


def _is_host(word: str) -> bool:
    try:
        port = urlsplit(f"//{word}").port
    except ValueError:  # a port above 65535, brackets around no address
        return False
    return port != 0 and re.fullmatch(r"(\*\.)?[\w.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?", word) is not None


def _algorithms(given: str) -> tuple[str, ...]:
    words = _words(given)
    if not words or not set(words) <= SIGNATURES:
        raise ValueError(f"some of {', '.join(sorted(SIGNATURES))}")
    return words


def _bolt(given: str) -> str:
    uri = given.strip()
    if uri and not re.match(r"(bolt|neo4j)(\+s|\+ssc)?://.", uri):
        raise ValueError("a URI like neo4j://localhost:7687 or bolt://localhost:7687")
    return uri


def _objects(given: str) -> str:
    url = given.strip().rstrip("/")
    if url and not re.match(r"(s3|gs|az|abfss?)://.", url):
        raise ValueError("a URL like s3://bucket/prefix, gs://bucket/prefix or az://container/prefix")
    return url


SIGNATURES = frozenset(f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)) | {
    "EdDSA",
    "Ed25519",
}
"""Algorithms of JSON Web Tokens that may be allowed: asymmetric ones; a public key is no secret to sign with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `create_app` needs to know. Two apps with two of these may live in one process."""

    data: Path = _setting(
        Path(".headwater"),
        "HEADWATER_DATA",
        _folder,
        "Folder of the record log and of the embedded graph.",
    )
    host: str = _setting("127.0.0.1", "HEADWATER_HOST", _text, "Address to listen on.")
    port: int = _setting(4747, "HEADWATER_PORT", _whole(0, 65535), "Port to listen on; 0 picks a free one.")
    demo: bool = _setting(False, "HEADWATER_DEMO", _flag, "Fill a log without events with the demo data.")  # noqa: FBT003
    neo4j_uri: str = _setting("", "NEO4J_URI", _bolt, "Keep the graph in this Neo4j; empty: embedded SQLite.")
    neo4j_username: str = _setting("neo4j", "NEO4J_USERNAME", _text, "Neo4j user.")
    neo4j_password: str = _setting("", "NEO4J_PASSWORD", _secret, "Neo4j password.", secret=True)
    neo4j_database: str = _setting("neo4j", "NEO4J_DATABASE", _text, "Neo4j database.")
    artifacts: str = _setting(
        "",
        "HEADWATER_ARTIFACTS",
        _objects,
        "Keep artifacts in this object store (`s3://bucket/prefix`, `gs://…`, `az://…`); empty: in the data folder.",
    )
    checkpoints: Path | None = _setting(
        None,
        "HEADWATER_CHECKPOINTS",
        _file,
        "Append every checkpoint to this file too: put it where nobody can change it. Empty: nowhere.",
    )
    max_artifact: int = _setting(
        10 * 2**30,
        "HEADWATER_MAX_ARTIFACT",
        _size,
        "Largest file that is taken as an artifact; above it: 413.",
    )
    max_body: int = _setting(
        5 * 2**20, "HEADWATER_MAX_BODY", _size, "Largest event, after decompression; above it: 413."
    )
    max_batch: int = _setting(
        64 * 2**20,
        "HEADWATER_MAX_BATCH",
        _size,
        "Largest batch of events, after decompression; above it: 413.",
    )
    body_timeout: float = _setting(
        30.0,
        "HEADWATER_BODY_TIMEOUT",
        _seconds,
        "Seconds in which a request's body must have come; then: 408.",
    )
    max_queries: int = _setting(
        100,
        "HEADWATER_MAX_QUERIES",
        _whole(1, 10_000),
        "GraphQL operations at once, waiting ones too; then: 503.",
    )
    max_streams: int = _setting(
        200,
        "HEADWATER_MAX_STREAMS",
        _whole(1, 10_000),
        "GraphQL operations answered as events or over WebSockets at once, and open WebSockets; then: 503.",
    )
    sql_literals: str = _setting(
        "keep",
        "HEADWATER_SQL_LITERALS",
        _one_of("keep", "strip"),
        "`strip`: texts and numbers in SQL are replaced, comments dropped, before an event is kept.",
    )
    env_kept: tuple[str, ...] = _setting(
        (),
        "HEADWATER_ENV_KEPT",
        _words,
        "Environment variables (facet environmentVariables) whose values are kept, beside the harmless ones; `A,B_*`.",
    )
    min_free_disk: int = _setting(
        5,
        "HEADWATER_MIN_FREE_DISK",
        _whole(0, 99),
        "Percent of the data folder's disk; with less free `/readyz` says not ready. 0: never.",
    )
    deadline: float = _setting(
        10.0, "HEADWATER_DEADLINE", _seconds, "Seconds after which a graph answer is cut and says so."
    )
    max_depth: int = _setting(
        50, "HEADWATER_MAX_DEPTH", _whole(1, 10_000), "Deepest walk that a query may ask for."
    )
    max_nodes: int = _setting(
        10_000, "HEADWATER_MAX_NODES", _whole(1, 10_000_000), "Most nodes that one graph answer may hold."
    )

    auth: str = _setting(
        "none",
        "HEADWATER_AUTH",
        _one_of("none", "token", "open"),
        "Who must log in; `none`: nobody, and only this machine is listened to; `token`: everybody, with a key or "
        "a JSON Web Token; `open`: nobody, on any address.",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (), "HEADWATER_ALLOWED_HOSTS", _words, "Names that the server answers to, beside its own address."
    )
    cors_origins: tuple[str, ...] = _setting(
        (), "HEADWATER_CORS_ORIGINS", _words, "Origins whose pages may ask from a browser; none without it."
    )
    webhook_hosts: tuple[str, ...] = _setting(
        (),
        "HEADWATER_WEBHOOK_HOSTS",
        _receivers,
        "Hosts that webhooks may reach though they are private or speak http; `hooks.internal,127.0.0.1:9000,*.svc.local`.",
    )
    oidc_issuer: str = _setting(
        "", "HEADWATER_OIDC_ISSUER", _maybe, "Issuer of JSON Web Tokens that are taken; empty: none are."
    )
    oidc_audience: str = _setting(
        "headwater", "HEADWATER_OIDC_AUDIENCE", _text, "Audience that a JSON Web Token must name."
    )
    oidc_keys: str = _setting(
        "",
        "HEADWATER_OIDC_KEYS",
        _maybe,
        "File or URL of the issuer's keys (JWKS); empty: as the issuer's discovery says.",
    )
    oidc_algorithms: tuple[str, ...] = _setting(
        ("RS256", "ES256", "EdDSA", "Ed25519"),
        "HEADWATER_OIDC_ALGORITHMS",
        _algorithms,
        "Signatures of JSON Web Tokens that are taken.",
    )
    oidc_leeway: int = _setting(
        30, "HEADWATER_OIDC_LEEWAY", _whole(0, 600), "Seconds that the issuer's clock may differ."
    )
    oidc_name_claim: str = _setting("sub", "HEADWATER_OIDC_NAME_CLAIM", _text, "Claim that names who acts.")
    oidc_roles_claim: str = _setting(
        "roles", "HEADWATER_OIDC_ROLES_CLAIM", _text, "Claim that holds roles or groups; `a.b` is b within a."
    )
    oidc_roles: str = _setting(
        "",
        "HEADWATER_OIDC_ROLES",
        _maybe,
        "Roles by the claim's value, as JSON; empty: its values are roles.",
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, **given: Any) -> Self:
        """From the environment; what is `given` wins over it (None: not given).

        Raises:
            Invalid: a value cannot be read.

        """
        values = {name: value for name, value in given.items() if value is not None}
        for setting in fields(cls):
            text = values.get(setting.name, env.get(setting.metadata["env"]))
            if isinstance(text, str):
                values[setting.name] = _read(setting, text)
        return cls(**values)


def _read(setting: "Field[Any]", given: str) -> Any:
    try:
        return setting.metadata["read"](given)
    except ValueError as error:
        shown = "***" if not setting.repr else repr(given)
        raise Invalid(
            f"{setting.metadata['env']} is {shown}, but must be {error}. {setting.metadata['about']}",
            setting=setting.metadata["env"],
        ) from None


def documented() -> list[tuple[str, str, str, str]]:
    """(name, environment variable, default, meaning) of every setting, in order."""
    return [(s.name, s.metadata["env"], _shown(s.default), s.metadata["about"]) for s in fields(Settings)]


def _shown(default: Any) -> str:
    if default is None:
        return ""
    return ",".join(default) if isinstance(default, tuple) else str(default)

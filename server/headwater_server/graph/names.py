"""Names of datasets and jobs: one normal form to match by, the words to search by, the platform."""

import re
from functools import lru_cache

_ALIASES = {"s3a": "s3", "s3n": "s3", "abfs": "abfss", "postgresql": "postgres"}
_DEFAULT_PORTS = {
    "postgres": "5432", "mysql": "3306", "sqlserver": "1433", "oracle": "1521", "redshift": "5439",
    "trino": "8080", "hive": "10000", "mongodb": "27017", "cassandra": "9042", "clickhouse": "8123",
}  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


def normal(namespace: str, name: str) -> tuple[str, str]:
    """The same store under its usual spellings gets one name (OpenLineage naming rules).

    `s3a://b/` and `s3n://b` are `s3://b`; `abfs` is `abfss`; a default port and a trailing slash
    go. What is after the scheme keeps its case: paths and tables may differ by it.
    """
    scheme, separator, rest = namespace.partition("://")
    if separator:
        scheme = scheme.lower()
        scheme = _ALIASES.get(scheme, scheme)
        rest = rest.rstrip("/")
        port = _DEFAULT_PORTS.get(scheme)
        if port and rest.endswith(":" + port):
            rest = rest[: -len(port) - 1]
        namespace = f"{scheme}://{rest}"
    if len(name) > 1 and name.endswith("/"):
        name = name.rstrip("/") or "/"
    return namespace, name


@lru_cache(maxsize=32_768)
def words(*texts: str) -> str:
    """What `search` finds a name by: its parts, lower-case, and each dotted piece whole."""
    found: dict[str, None] = {}
    for text in texts:
        for piece in re.split(r"[\s\x00-\x1f./:\\|@#]+", text):
            if piece:
                found[piece.casefold()] = None
                for word in _WORDS.findall(piece):
                    found[word.casefold()] = None
    return " ".join(found)


@lru_cache(maxsize=4_096)
def platform(namespace: str) -> str:
    """`postgres` of `postgres://db:5432`; `file` of `file`."""
    return namespace.partition("://")[0].partition(":")[0].lower() or "unknown"


def package(name: str) -> str:
    """A Python package's name in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()

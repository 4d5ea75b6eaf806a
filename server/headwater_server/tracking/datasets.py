"""Which dataset a source is: what clients log as JSON, in the names that OpenLineage gives data. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from headwater_server.tracking.records import NAMESPACE

OURS = "headwater"
"""The source type of Headwater's own client: `{"ref": "<namespace>/<name>"}`."""
_HOSTED = {"s3": "s3", "s3a": "s3", "s3n": "s3", "gs": "gs", "gcs": "gs", "hdfs": "hdfs", "oss": "oss"}
_AZURE = frozenset({"abfss", "abfs", "wasbs", "wasb"})
_SQL = frozenset(
    {
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "sqlserver",
        "mssql",
        "oracle",
        "redshift",
        "trino",
        "clickhouse",
    }
)
_ADDRESSES = ("uri", "path", "url", "table_name", "delta_table_name", "table", "dataset_uri")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def identity(source_type: str, source: str) -> tuple[str, str] | None:
    """(namespace, name) by the naming rules of OpenLineage; None: nobody else could speak of it."""
    found = _read(source)
    kind = source_type.casefold()
    if kind == "code" or (kind == "" and not found):
        return None
    if kind == "hugging_face" or ("split" in found and "path" in found and "config_name" in found):
        return _named("huggingface", found.get("path"))
    if kind.startswith("delta") or "delta_table_name" in found:
        if table := found.get("delta_table_name"):
            return _table("unity", str(table))
        return _address(str(found.get("path") or ""))
    if kind in ("spark", "databricks-uc-table", "unity_catalog", "uc_volume") or "table_name" in found:
        if table := found.get("table_name"):
            return _table(
                "unity" if kind in ("databricks-uc-table", "unity_catalog") else "spark", str(table)
            )
        return _address(str(found.get("path") or ""))
    for name in _ADDRESSES:
        given = found.get(name)
        if isinstance(given, str) and given:
            return _address(given, table=str(found.get("table") or ""))
    return None


def reference(source: str) -> str:
    """What `OURS` refers to; empty when it says nothing."""
    ref = _read(source).get("ref")
    return ref.strip() if isinstance(ref, str) else ""


def taken_apart(ref: str) -> tuple[str, str] | None:
    """`s3://bucket` and `key/of.csv`; `file` and `/a/path`; else what is before and behind the last slash."""
    if ref.startswith(("/", "file:")):
        return _address(ref)
    scheme, separator, rest = ref.partition("://")
    if separator:
        host, _, name = rest.partition("/")
        return _named(f"{scheme}://{host}", name) if host else None
    namespace, _, name = ref.rpartition("/")
    return _named(namespace, name) if namespace else None


def unlinked(experiment: str, name: str) -> tuple[str, str]:
    """A name for data of which only its run speaks, so that it is seen to have read something."""
    return NAMESPACE, f"{experiment}/{name}"


def schema_facet(schema: str) -> Mapping[str, Any]:
    """OpenLineage's schema facet of a client's: `{"mlflow_colspec": [{name, type}]}`; empty when it names no columns."""
    said = _read(schema)
    specs = said.get("mlflow_colspec") or []
    if not isinstance(specs, list):
        return {}
    fields = [
        {"name": one["name"], "type": str(one.get("type") or "")}
        for one in specs
        if isinstance(one, dict) and isinstance(one.get("name"), str) and one["name"]
    ]
    return {"schema": {"fields": fields}} if fields else {}


def _read(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"uri": text} if "://" in text or text.startswith("/") else {}
    return found if isinstance(found, dict) else {}


def _address(given: str, *, table: str = "") -> tuple[str, str] | None:
    if given.startswith("/"):
        return "file", _clean(given)
    if _DRIVE.match(given):
        return "file", "/" + _clean(given.replace("\\", "/"))
    parts = urlsplit(given)
    scheme, host, path = parts.scheme.lower(), parts.netloc.rpartition("@")[2], unquote(parts.path)
    if scheme in ("file", "local"):
        return _named("file", _clean(path or "/"))
    if scheme == "dbfs":
        return _named("dbfs", _clean(path if not host else f"/{host}{path}"))
    if scheme in _HOSTED and host:
        return _named(f"{_HOSTED[scheme]}://{host}", path.strip("/") or "/")
    if scheme in _AZURE and parts.netloc:
        return _named(f"abfss://{parts.netloc}", path.strip("/") or "/")
    if scheme.partition("+")[0] in _SQL and host:
        return _sql(scheme.partition("+")[0], host, path, table or parts.fragment)
    if scheme == "bigquery":
        return _named("bigquery", f"{host}{path}".replace("/", ".").strip("."))
    if scheme == "snowflake" and host:
        return _named(
            f"snowflake://{host}", ".".join(p for p in (path.strip("/").replace("/", "."), table) if p)
        )
    if scheme in ("http", "https") and host:
        return _named(f"{scheme}://{host}", path.strip("/") or "/")
    return _named(f"{scheme}://{host}" if host else scheme, path.strip("/")) if scheme else None


def _sql(scheme: str, host: str, path: str, table: str) -> tuple[str, str] | None:
    scheme = {"postgresql": "postgres", "mssql": "sqlserver", "mariadb": "mysql"}.get(scheme, scheme)
    database, _, rest = path.strip("/").partition("/")
    wanted = table or rest.replace("/", ".")
    if not wanted:
        return None
    if scheme == "postgres" and "." not in wanted:
        wanted = f"public.{wanted}"
    return f"{scheme}://{host.lower()}", f"{database}.{wanted}" if database else wanted


def _table(namespace: str, name: str) -> tuple[str, str] | None:
    return _named(namespace, name.replace("`", ""))


def _named(namespace: str, name: Any) -> tuple[str, str] | None:
    return (namespace, name) if isinstance(name, str) and name else None


def _clean(path: str) -> str:
    """Without `.`, `..` and double slashes."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept[-1:] = []
        elif part not in ("", "."):
            kept.append(part)
    return "/" + "/".join(kept)

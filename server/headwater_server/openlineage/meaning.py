"""What the standard facets mean to the graph: one small function a facet, JSON in, a small value out."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from headwater_server.graph import times
from headwater_server.openlineage.wire import Json

Meaning: TypeAlias = Callable[[Json], Any]
MAX_TEXT = 20_000


def text(value: Any, limit: int = MAX_TEXT) -> str | None:
    return value[:limit] if isinstance(value, str) and value else None


def listed(value: Any) -> list[Any]:
    """A list as it is; whatever else a producer puts there is none."""
    return value if isinstance(value, list) else []


def owners(facet: Json) -> list[str]:
    """`name` or `name|type`."""
    found = []
    for owner in listed(facet.get("owners")):
        if isinstance(owner, dict) and isinstance(owner.get("name"), str):
            kind = owner.get("type")
            found.append(owner["name"] + (f"|{kind}" if isinstance(kind, str) and kind else ""))
    return sorted(set(found))


def tags(facet: Json) -> list[list[str]]:
    """[tag as `key` or `key=value`, column or ``]."""
    found = set()
    for tag in listed(facet.get("tags")):
        if isinstance(tag, dict) and isinstance(tag.get("key"), str):
            value, column = tag.get("value"), tag.get("field")
            shown = tag["key"] + (f"={value}" if isinstance(value, str) and value else "")
            found.add((shown, column if isinstance(column, str) else ""))
    return sorted(list(pair) for pair in found)


def description(facet: Json) -> str | None:
    return text(facet.get("description"))


def schema(facet: Json) -> list[list[Any]]:
    """[path, name, type, description, ordinal], nested fields behind their parent."""
    found: list[list[Any]] = []

    def visit(fields: Any, prefix: str) -> None:
        for field in fields if isinstance(fields, list) else ():
            if not isinstance(field, dict) or not isinstance(field.get("name"), str):
                continue
            path = f"{prefix}{field['name']}"
            kind = text(field.get("type"), 4_000)
            found.append([path, field["name"], kind, description(field), len(found) + 1])
            visit(field.get("fields"), path + ".")

    visit(facet.get("fields"), "")
    return found


def job_type(facet: Json) -> dict[str, str]:
    pattern = facet.get("emissionPattern")
    mode = pattern.get("eventContentMode") if isinstance(pattern, dict) else None
    known = {
        "processingType": facet.get("processingType"),
        "integration": facet.get("integration"),
        "jobType": facet.get("jobType"),
        "contentMode": mode,
    }
    return {k: v for k, v in known.items() if isinstance(v, str)}


def code_location(facet: Json) -> dict[str, str]:
    known = {k: facet.get(k) for k in ("url", "repoUrl", "path", "version", "branch", "tag")}
    return {k: v for k, v in known.items() if isinstance(v, str)}


@lru_cache(maxsize=1_024)
def repository(url: str) -> str:
    """One spelling for the usual ones: `git@host:org/repo.git` is `https://host/org/repo`; no user, no `.git`."""
    if url.startswith("git@") and "://" not in url:
        host, _, path = url[4:].partition(":")
        url = f"https://{host}/{path}"
    scheme, separator, rest = url.partition("://")
    if separator:
        host, slash, path = rest.partition("/")
        host = host.rpartition("@")[2].lower()
        scheme = "https" if scheme in ("ssh", "git", "http", "git+ssh", "git+https") else scheme
        url = f"{scheme}://{host}{slash}{path}"
    return url.rstrip("/").removesuffix(".git")


def nominal(facet: Json) -> list[int | None]:
    return [_time(facet.get("nominalStartTime")), _time(facet.get("nominalEndTime"))]


def _time(value: Any) -> int | None:
    try:
        return times.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def error(facet: Json) -> dict[str, str]:
    known = {
        "message": text(facet.get("message")),
        "language": text(facet.get("programmingLanguage"), 200),
    }
    return {k: v for k, v in known.items() if v}


def spark_exception(facet: Json) -> dict[str, str]:
    """Spark reports a failed query here, not in errorMessage."""
    said = facet.get("message") or facet.get("exception") or facet.get("stackTrace")
    return {"message": text(said) or "the query failed", "language": "JAVA"}


def statistics(facet: Json) -> dict[str, int]:
    """`rows`, `bytes`, `files` of an input or output."""
    known = {"rows": facet.get("rowCount"), "files": facet.get("fileCount")}
    known["bytes"] = facet.get("size") if "size" in facet else facet.get("bytes")
    return {k: v for k, v in known.items() if isinstance(v, int) and not isinstance(v, bool)}


def assertions(facet: Json) -> list[list[Any]]:
    """[assertion, success, column or None]."""
    found = []
    for one in listed(facet.get("assertions")):
        if isinstance(one, dict) and isinstance(one.get("assertion"), str):
            column = one.get("column")
            found.append(
                [one["assertion"], one.get("success") is True, column if isinstance(column, str) else None]
            )
    return found


def lifecycle(facet: Json) -> str | None:
    change = facet.get("lifecycleStateChange")
    return change.upper() if isinstance(change, str) else None


def _names(*fields: str) -> Meaning:
    def read(facet: Json) -> str | None:
        return next((v for f in fields if (v := text(facet.get(f), 4_000))), None)

    return read


DATASET: Mapping[str, Meaning] = {
    "documentation": description,
    "ownership": owners,
    "tags": tags,
    "dataSource": _names("uri", "name"),
    "datasetType": _names("datasetType"),
    "lifecycleStateChange": lifecycle,
    "dataQualityAssertions": assertions,
}
JOB: Mapping[str, Meaning] = {
    "documentation": description,
    "ownership": owners,
    "tags": tags,
    "jobType": job_type,
    "sourceCodeLocation": code_location,
    "dbt_node": _names("unique_id"),
}
RUN: Mapping[str, Meaning] = {
    "nominalTime": nominal,
    "errorMessage": error,
    "spark.exception": spark_exception,
    "tags": tags,
}
USE: Mapping[str, Meaning] = {
    "outputStatistics": statistics,
    "inputStatistics": statistics,
    "dataQualityMetrics": statistics,
    "dataQualityAssertions": assertions,
}
"""Of an inputFacet or outputFacet."""

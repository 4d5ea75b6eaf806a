"""Events and facets as the OpenLineage spec has them. Pure: the same files give the same events."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

Json: TypeAlias = dict[str, Any]

PRODUCER = "https://github.com/headwater/headwater/imports"
_SPEC = "https://openlineage.io/spec"
_VERSION = {
    "DataQualityAssertionsDatasetFacet": "1-1-0",
    "DatasourceDatasetFacet": "1-0-1",
    "DatasetTypeDatasetFacet": "1-0-1",
    "DatasetVersionDatasetFacet": "1-0-1",
    "DocumentationDatasetFacet": "1-1-0",
    "DocumentationJobFacet": "1-1-0",
    "ErrorMessageRunFacet": "1-0-1",
    "JobTypeJobFacet": "2-0-4",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "OwnershipDatasetFacet": "1-0-1",
    "OwnershipJobFacet": "1-0-1",
    "ParentRunFacet": "1-2-0",
    "SQLJobFacet": "1-1-0",
    "SchemaDatasetFacet": "1-2-0",
    "SourceCodeJobFacet": "1-0-1",
    "SourceCodeLocationJobFacet": "1-1-0",
    "SymlinksDatasetFacet": "1-0-1",
    "TagsDatasetFacet": "1-0-0",
    "TagsJobFacet": "1-0-0",
}


def facet(spec_name: str, /, **content: Any) -> Json:
    """A facet of the spec."""
    url = f"{_SPEC}/facets/{_VERSION[spec_name]}/{spec_name}.json#/$defs/{spec_name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **content}


def own_facet(name: str, /, **content: Any) -> Json:
    """A facet of ours, or of another tool's that the spec does not have."""
    return {"_producer": PRODUCER, "_schemaURL": f"{PRODUCER}/{name}.json", **content}


def run_id(*names: str) -> str:
    """The same names give the same run, so that an import may be repeated."""
    return str(uuid5(NAMESPACE_URL, "/".join((PRODUCER, *names))))


def run_event(
    kind: str,
    at: str,
    run: str,
    job: Json,
    *,
    inputs: Iterable[Json] = (),
    outputs: Iterable[Json] = (),
    facets: Mapping[str, Json] | None = None,
) -> Json:
    """`kind` is START, COMPLETE, FAIL."""
    return {
        "eventType": kind,
        **_head("RunEvent", at),
        "run": {"runId": run, "facets": dict(facets or {})},
        "job": job,
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def job_event(at: str, job: Json, *, inputs: Iterable[Json] = (), outputs: Iterable[Json] = ()) -> Json:
    """What a job is meant to do, before any run."""
    return {**_head("JobEvent", at), "job": job, "inputs": list(inputs), "outputs": list(outputs)}


def dataset_event(at: str, dataset: Json) -> Json:
    return {**_head("DatasetEvent", at), "dataset": dataset}


def _head(form: str, at: str) -> Json:
    url = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/{form}"
    return {"eventTime": at, "producer": PRODUCER, "schemaURL": url}


def named(namespace: str, name: str, facets: Mapping[str, Json] | None = None) -> Json:
    """A job or a dataset."""
    return {"namespace": namespace, "name": name, "facets": dict(facets or {})}


def documentation(text: object, kind: str = "Dataset") -> dict[str, Json]:
    """As part of the facets; nothing for no text."""
    if not isinstance(text, str) or not text.strip():
        return {}
    return {"documentation": facet(f"Documentation{kind}Facet", description=text.strip())}


def ownership(owners: Iterable[tuple[str, str]], kind: str = "Dataset") -> dict[str, Json]:
    """From (name, type or nothing)."""
    told = [
        {"name": name, **({"type": role} if role else {})} for name, role in dict.fromkeys(owners) if name
    ]
    return {"ownership": facet(f"Ownership{kind}Facet", owners=told)} if told else {}


def tags(found: Iterable[tuple[str, str]], source: str, kind: str = "Dataset") -> dict[str, Json]:
    """From (tag, column or nothing)."""
    told = [
        {"key": tag, "value": "true", "source": source, **({"field": column} if column else {})}
        for tag, column in dict.fromkeys(found)
        if tag
    ]
    return {"tags": facet(f"Tags{kind}Facet", tags=told)} if told else {}


_LINK = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/]*)/(?P<path>.+)", re.IGNORECASE)


def located(path: str) -> tuple[str, str]:
    """The dataset that a path or a URL is: (`s3://bucket`, key), or (`file`, path)."""
    link = _LINK.fullmatch(path)
    if link is None:
        return "file", path
    if link["scheme"].lower() == "file":
        return "file", "/" + link["path"]
    return f"{link['scheme']}://{link['authority']}", link["path"]

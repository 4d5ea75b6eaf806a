"""OpenLineage JSON as it comes: refuse what has no place, flag what is odd, keep the rest as it is.

Refused (422) is only what cannot be placed: no job, run or dataset identity, no event time. A 4xx
loses the event for good (the official clients do not send it again), so whatever else is odd is
accepted and told under conformance.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from headwater_server.auth.policy import fits
from headwater_server.errors import Unplaceable
from headwater_server.graph import keys, names, times
from headwater_server.log.port import Finding

Json: TypeAlias = dict[str, Any]

MAX_NAME = 4_096
MAX_DATASETS = 10_000
"""Inputs or outputs of one event."""
MAX_COLUMNS = 10_000
"""Fields of one schema, or of one columnLineage."""
TYPES = frozenset({"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"})
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Controls, and what turns the direction of writing: a name must not read as another."""


class Form(StrEnum):
    RUN = "run"
    JOB = "job"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class DatasetSaid:
    """A dataset as an event names it."""

    key: str
    namespace: str
    name: str
    facets: Mapping[str, Json]
    run_facets: Mapping[str, Json]
    """inputFacets or outputFacets: of this run's use of it."""
    pointer: str


@dataclass(frozen=True, slots=True)
class Event:
    form: Form
    at: int
    type: str
    producer: str
    job: str
    """Key of the job; empty for a DatasetEvent."""
    run: str
    """Key of the run; empty unless it is a RunEvent."""
    run_id: str
    job_facets: Mapping[str, Json]
    run_facets: Mapping[str, Json]
    inputs: Sequence[DatasetSaid]
    outputs: Sequence[DatasetSaid]
    findings: list[Finding] = field(default_factory=list)
    within: tuple[str, ...] = ()
    """Namespaces that its speaker speaks for (patterns); empty: all."""

    def owns(self, key: str) -> bool:
        """Whether the speaker may speak for it; of anything else it tells as an observer."""
        return not self.within or fits(keys.parts_of(key)[0], self.within)

    def mentions(self) -> list[str]:
        """The nodes this event is about."""
        said = [d.key for d in (*self.inputs, *self.outputs)]
        return list(dict.fromkeys(k for k in (self.job, self.run, *said) if k))


def read(raw: Any) -> Event:
    """Place an event.

    Raises:
        Unplaceable: with the JSON pointer, what was expected there and what was got.

    """
    if not isinstance(raw, dict):
        raise _refused("", "an OpenLineage event (a JSON object)", raw)
    findings: list[Finding] = []
    at = _time(raw, findings)
    producer = raw.get("producer")
    if not isinstance(producer, str) or not producer:
        findings.append(Finding("producer-missing", "the event names no producer"))
        producer = ""
    if not isinstance(raw.get("schemaURL"), str):
        findings.append(Finding("schemaURL-missing", "the event names no schemaURL"))
    if "run" in raw or ("job" not in raw and "dataset" not in raw):
        form = Form.RUN
    else:
        form = Form.JOB if "job" in raw else Form.DATASET
    if form is Form.DATASET:
        said = _dataset(raw["dataset"], "/dataset", "", findings)
        return Event(form, at, "", producer, "", "", "", {}, {}, (), (said,), findings)
    job_raw = _object(raw, "job", "", "a job with namespace and name")
    job = keys.job(_name(job_raw, "namespace", "/job"), _name(job_raw, "name", "/job"))
    job_facets = _facets(job_raw, "facets", "/job", findings)
    inputs = _datasets(raw, "inputs", "inputFacets", findings)
    outputs = _datasets(raw, "outputs", "outputFacets", findings)
    if form is Form.JOB:
        return Event(form, at, "", producer, job, "", "", job_facets, {}, inputs, outputs, findings)
    run_raw = _object(raw, "run", "", "a run with runId")
    run_id = _name(run_raw, "runId", "/run")
    if not _UUID.fullmatch(run_id):
        findings.append(Finding("runId-not-uuid", f"runId is not a UUID: {run_id[:80]}"))
    run_facets = _facets(run_raw, "facets", "/run", findings)
    return Event(
        form, at, _type(raw, findings), producer, job, keys.run(run_id, job), run_id,
        job_facets, run_facets, inputs, outputs, findings,
    )  # fmt: skip


def _time(raw: Json, findings: list[Finding]) -> int:
    text = raw.get("eventTime")
    if not isinstance(text, str):
        raise _refused("/eventTime", "an ISO-8601 date-time", text)
    try:
        at, zoned = times.read(text)
    except ValueError:
        raise _refused("/eventTime", "an ISO-8601 date-time", text) from None
    if not zoned:
        findings.append(Finding("eventTime-no-zone", f"eventTime has no zone, read as UTC: {text}"))
    return at


def _type(raw: Json, findings: list[Finding]) -> str:
    """Absent is legal (OTHER); any case is read; what is unknown counts as OTHER."""
    given = raw.get("eventType")
    if given is None:
        return "OTHER"
    upper = given.upper() if isinstance(given, str) else ""
    if upper not in TYPES:
        findings.append(Finding("eventType-unknown", f"eventType is read as OTHER: {given!r:.80}"))
        return "OTHER"
    if upper != given:
        findings.append(Finding("eventType-case", f"eventType is not upper-case: {given}"))
    return upper


def _datasets(raw: Json, name: str, run_facets: str, findings: list[Finding]) -> tuple[DatasetSaid, ...]:
    given = raw.get(name)
    if given is None:
        return ()
    if not isinstance(given, list):
        raise _refused(f"/{name}", "an array of datasets", given)
    if len(given) > MAX_DATASETS:
        raise _refused(f"/{name}", f"at most {MAX_DATASETS} datasets", f"{len(given)} datasets")
    return tuple(_dataset(d, f"/{name}/{i}", run_facets, findings) for i, d in enumerate(given))


def _dataset(raw: Any, pointer: str, run_facets: str, findings: list[Finding]) -> DatasetSaid:
    if not isinstance(raw, dict):
        raise _refused(pointer, "a dataset with namespace and name", raw)
    namespace, name = _name(raw, "namespace", pointer), _name(raw, "name", pointer)
    facets = _facets(raw, "facets", pointer, findings)
    for facet in ("schema", "columnLineage"):
        fields = facets.get(facet, {}).get("fields")
        if isinstance(fields, list | dict) and len(fields) > MAX_COLUMNS:
            where = f"{pointer}/facets/{facet}/fields"
            raise _refused(where, f"at most {MAX_COLUMNS} columns", f"{len(fields)} columns")
    return DatasetSaid(
        node_key(namespace, name),
        namespace,
        name,
        facets,
        _facets(raw, run_facets, pointer, findings) if run_facets else {},
        pointer,
    )


@lru_cache(maxsize=16_384)
def node_key(namespace: str, name: str) -> str:
    """What an OpenLineage dataset identity names in the graph: a dataset, or something registered.

    Namespace `models:` is the registry, as in MLflow's model URIs: `churn`, `churn/3`,
    `churn/Production`, `churn@champion`.
    """
    if namespace.rstrip("/") == "models:":
        name = name.strip("/")
        model, at, alias = name.rpartition("@")
        if at and model:
            return keys.alias(model, alias)
        model, slash, last = name.rpartition("/")
        if slash and model:
            return keys.model_version(model, last) if last.isdecimal() else keys.stage(model, last)
        return keys.model(name)
    return keys.dataset(*names.normal(namespace, name))


def _facets(raw: Json, name: str, pointer: str, findings: list[Finding]) -> dict[str, Json]:
    given = raw.get(name)
    if given is None:
        return {}
    if not isinstance(given, dict):
        findings.append(Finding("facets-not-object", f"{pointer}/{name} is not an object, ignored"))
        return {}
    good: dict[str, Json] = {}
    for facet, value in given.items():
        if not isinstance(value, dict):
            text = f"{pointer}/{name}/{facet} is not an object, kept in the record only"
            findings.append(Finding("facet-not-object", text))
            continue
        if "_producer" not in value or "_schemaURL" not in value:
            missing = "_producer" if "_producer" not in value else "_schemaURL"
            text = f"{pointer}/{name}/{facet} has no {missing}"
            findings.append(Finding(f"facet-without-{missing}", text))
        good[facet] = value
    return good


def _object(raw: Json, name: str, pointer: str, expected: str) -> Json:
    found = raw.get(name)
    if not isinstance(found, dict):
        raise _refused(f"{pointer}/{name}", expected, found)
    return found


def _name(raw: Json, field_name: str, pointer: str) -> str:
    """A text that identifies something: not empty, not endless, without control characters (they
    break XML exports and terminals).
    """
    found = raw.get(field_name)
    where = f"{pointer}/{field_name}"
    if not isinstance(found, str) or not found.strip():
        raise _refused(where, "a text that is not empty", found)
    if len(found) > MAX_NAME:
        raise _refused(where, f"at most {MAX_NAME} characters", f"{len(found)} characters")
    if not found.isprintable() and _CONTROL.search(found):  # most are, and it is told at once
        raise _refused(where, "a text without control characters (bidirectional ones neither)", found)
    return found


def _refused(pointer: str, expected: str, got: Any) -> Unplaceable:
    shown = "nothing" if got is None else f"{got!r:.120}"
    return Unplaceable(
        f"This event cannot be placed: {pointer or 'the body'} should be {expected}, got {shown}. "
        "Correct the producer and send it again.",
        pointer=pointer,
        expected=expected,
        got=shown,
    )

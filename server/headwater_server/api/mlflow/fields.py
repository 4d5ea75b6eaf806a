"""What a call may say: field by field, from a query string or a JSON body. Unknown fields are passed over.

A route's fields are one text: `run_id! key! value!:double tags:pair*`. `!` is required, `*` is a list, the type is
`string` unless told: a number, a message of NESTED, or what proto3 writes in its own way (`time` and `duration` become
milliseconds, `mask` the names of fields).
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from headwater_server.api.bodies import read_json
from headwater_server.errors import Invalid

NESTED: dict[str, str] = {
    "pair": "key! value",
    "metric": "key! value!:double timestamp!:int64 step:int64 dataset_name dataset_digest model_id run_id",
    "dataset": "name! digest! source_type! source! schema profile",
    "input_tag": "key! value!",
    "dataset_input": "tags:input_tag* dataset!:dataset",
    "model_input": "model_id!",
    "model_output": "model_id! step!:int64",
    "dataset_name": "dataset_name! dataset_digest",
    "webhook_event": "entity! action!",
    "order": "field_name! ascending:bool dataset_name dataset_digest",
    "trace": "trace_info:trace_info spans:json*",
    "trace_info": "trace_id client_request_id trace_location:trace_location request response request_preview response_preview "
    "request_time:time execution_duration:duration state:trace_state trace_metadata:map assessments:assessment* tags:map",
    "trace_location": "type:location_type mlflow_experiment:experiment_location inference_table:table_location",
    "experiment_location": "experiment_id",
    "table_location": "full_table_name",
    "assessment": "assessment_id assessment_name! trace_id span_id source:assessment_source create_time:time "
    "last_update_time:time feedback:feedback expectation:expectation issue:issue rationale error:assessment_error "
    "metadata:map overrides valid:bool",
    "assessment_change": "assessment_id assessment_name trace_id span_id source:assessment_source create_time:time "
    "last_update_time:time feedback:feedback expectation:expectation issue:issue rationale error:assessment_error "
    "metadata:map overrides valid:bool",
    "assessment_source": "source_type!:source_type source_id!",
    "feedback": "value:json error:assessment_error",
    "expectation": "value:json serialized_value:serialized",
    "serialized": "serialization_format value",
    "assessment_error": "error_code error_message stack_trace",
    "issue": "issue_name!",
}
"""The messages that fields hold."""
ENUMS: dict[str, tuple[str, ...]] = {
    "view": ("", "ACTIVE_ONLY", "DELETED_ONLY", "ALL"),
    "run_status": ("", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"),
    "model_status": (
        "LOGGED_MODEL_STATUS_UNSPECIFIED", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY",
        "LOGGED_MODEL_UPLOAD_FAILED",
    ),
    "trace_state": ("STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"),
    "location_type": ("TRACE_LOCATION_TYPE_UNSPECIFIED", "MLFLOW_EXPERIMENT", "INFERENCE_TABLE"),
    "source_type": ("SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE", "CODE"),
}  # fmt: skip
"""The words that fields take, by the numbers that stand for them too."""
_LEAST, _MOST = -(2**63), 2**63 - 1
_WHOLE = re.compile(r"\s*-?[0-9]{1,19}\s*")
_EXACT = {"string": str, "double": float, "bool": bool, "int64": int}
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Spec:
    name: str
    type: str = "string"
    required: bool = False
    repeated: bool = False
    exact: object = None
    """What JSON makes of it mostly: nothing is left to be looked at then."""

    @property
    def may_be_empty(self) -> bool:
        """Of an empty text, and of what is not so, nothing is left on the wire: MLflow's server takes none for it."""
        return self.type == "bool" or (self.name == "value" and self.type == "string")


@lru_cache(maxsize=512)
def specs(text: str) -> tuple[Spec, ...]:
    return tuple(_spec(word) for word in text.split())


def _spec(word: str) -> Spec:
    name, _, kind = word.partition(":")
    repeated = word.endswith("*")
    kind = kind.rstrip("*") or "string"
    return Spec(name.strip("!*"), kind, "!" in name, repeated, None if repeated else _EXACT.get(kind))


def from_body(raw: bytes, fields: Sequence[Spec]) -> dict[str, Any]:
    """Raises Invalid."""
    if not raw:
        return checked({}, fields)
    said = read_json(raw)
    if not isinstance(said, dict):
        raise Invalid("The body is not a JSON object.")
    return checked(said, fields)


def from_query(pairs: Sequence[tuple[str, str]], fields: Sequence[Spec]) -> dict[str, Any]:
    """Raises Invalid."""
    said: dict[str, Any] = {}
    known = {f.name: f for f in fields}
    for name, value in pairs:
        field = known.get(name)
        if field is not None and field.repeated:
            said.setdefault(name, []).append(value)
        else:
            said[name] = value
    return checked(said, fields)


def checked(said: Mapping[str, Any], fields: Sequence[Spec], inside: str = "") -> dict[str, Any]:
    """The fields that are there, each of its type.

    Raises:
        Invalid: one is missing, or of another type.

    """
    found: dict[str, Any] = {}
    for field in fields:
        value = said.get(field.name)
        if value is None and not field.required:
            continue
        kind = type(value)
        if kind is field.exact and value and (kind is not int or _LEAST <= value <= _MOST):
            found[field.name] = value
            continue
        name = inside + field.name
        if field.required and value in (None, ""):
            if not field.may_be_empty:
                raise Invalid(f"Missing value for required parameter '{name}'.")
            value = "" if field.type == "string" else False
        if not field.repeated:
            found[field.name] = _one(value, field, name)
        elif isinstance(value, list):
            found[field.name] = _all(value, field, name)
        else:
            raise _wrong(value, name, "a list")
    return found


def _all(values: list[Any], field: Spec, name: str) -> list[Any]:
    """Places are named for a refusal alone: it is looked for again, with its place."""
    if field.type in NESTED and _are_exact(values, specs(NESTED[field.type])):
        return values
    try:
        return [_one(one, field, name) for one in values]
    except Invalid:
        return [_one(one, field, f"{name}[{place}]") for place, one in enumerate(values)]


def _are_exact(messages: Sequence[Any], fields: Sequence[Spec]) -> bool:
    """Whether `checked` would change none of them. Asked of a field of all at once: metrics come by the thousand."""
    if set(map(type, messages)) != {dict}:
        return False
    said: set[str] = set().union(*messages)
    if not said.issubset(field.name for field in fields):
        return False
    for field in fields:
        if field.name not in said:
            if field.required:
                return False
            continue
        values = [one.get(field.name) for one in messages]
        if set(map(type, values)) != {field.exact}:
            return False
        if field.exact is str and field.required and not all(values):
            return False
        if field.exact is int and not (min(values) >= _LEAST and max(values) <= _MOST):
            return False
    return True


def _one(value: Any, field: Spec, name: str) -> Any:
    match field.type:
        case "string":
            if isinstance(value, str):
                return value
            raise _wrong(value, name, "a text")
        case "int64":
            return _whole(value, name)
        case "double":
            return _double(value, name)
        case "bool":
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true"
            raise _wrong(value, name, "true or false")
        case "json":
            return value
        case "map":
            if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
                return value
            raise _wrong(value, name, "an object of texts")
        case "time" | "duration" | "mask":
            return _written(value, field.type, name)
        case word if word in ENUMS:
            return _word(value, ENUMS[word], name)
    if not isinstance(value, dict):
        raise _wrong(value, name, "an object")
    return checked(value, specs(NESTED[field.type]), f"{name}.")


def _word(value: Any, words: Sequence[str], name: str) -> str:
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 3 else value
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(words):
        value = words[number]
    if not value or value not in words:
        raise _wrong(value, name, f"one of {', '.join(filter(None, words))}")
    return str(value)


def _written(value: Any, kind: str, name: str) -> Any:
    """What proto3 writes as a text (https://protobuf.dev/programming-guides/json/)."""
    if isinstance(value, str):
        if kind == "mask":
            return [_CAMEL.sub(r"_\1", path).lower() for path in value.split(",") if path]
        if kind == "duration" and (found := _DURATION.fullmatch(value)):
            return round(float(found[1]) * 1_000)
        if kind == "time" and (moment := _millis(value)) is not None:
            return moment
    raise _wrong(
        value, name, {"mask": "names of fields", "duration": 'seconds like "1.5s"'}.get(kind, _TIMES)
    )


_CAMEL = re.compile("([A-Z])")
_DURATION = re.compile(r"([0-9]{1,11}(?:\.[0-9]{1,9})?)s")
_TIMES = 'a time like "2026-01-02T03:04:05.678Z", from 1970 on'


def _millis(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    found = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return found if found >= 0 else None


def _whole(value: Any, name: str) -> int:
    """64 bits come as numbers or as texts."""
    found: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif (isinstance(value, float) and value.is_integer()) or (
        isinstance(value, str) and _WHOLE.fullmatch(value)
    ):
        found = int(value)
    if found is None or not _LEAST <= found <= _MOST:
        raise _wrong(value, name, "a whole number of 64 bits")
    return found


def _double(value: Any, name: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in _NUMBERS:
            return _NUMBERS[value]
        try:
            return float(value)
        except ValueError:
            pass
    raise _wrong(value, name, 'a number, or one of "NaN", "Infinity", "-Infinity"')


def _wrong(value: Any, name: str, expected: str) -> Invalid:
    shown = orjson.dumps(value, default=str).decode()
    shown = shown if len(shown) <= 200 else shown[:200] + "…"
    return Invalid(f"Invalid value {shown} for parameter '{name}' supplied: expected {expected}.")

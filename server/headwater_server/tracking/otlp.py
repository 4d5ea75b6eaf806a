"""Spans as OpenTelemetry sends them (OTLP 1), protobuf or JSON, as one form: proto3 JSON with the names of the protos. Pure.

One table of fields and two readers in place of protobuf's library: that costs the first request 0.14 s of CPU and
9 MiB for good, and its messages would still have to become JSON (for 20 spans of 2 kB twice the CPU of all this).
Tests compare the table with the library's descriptors, and what both readers make with what it makes.
"""

import base64
import math
import struct
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from headwater_server.errors import Unreadable

MAX_DEPTH = 100
"""Messages within each other, as protobuf's own readers have it."""
TABLE: Mapping[str, Mapping[int, str]] = {
    "Request": {1: "resource_spans:ResourceSpans*"},
    "ResourceSpans": {1: "resource:Resource", 2: "scope_spans:ScopeSpans*", 3: "schema_url:string"},
    "Resource": {1: "attributes:KeyValue*", 2: "dropped_attributes_count:uint32"},
    "ScopeSpans": {1: "scope:Scope", 2: "spans:Span*", 3: "schema_url:string"},
    "Scope": {
        1: "name:string", 2: "version:string", 3: "attributes:KeyValue*", 4: "dropped_attributes_count:uint32",
    },
    "Span": {
        1: "trace_id:id", 2: "span_id:id", 3: "trace_state:string", 4: "parent_span_id:id", 5: "name:string",
        6: "kind:SpanKind", 7: "start_time_unix_nano:fixed64", 8: "end_time_unix_nano:fixed64",
        9: "attributes:KeyValue*", 10: "dropped_attributes_count:uint32", 11: "events:Event*",
        12: "dropped_events_count:uint32", 13: "links:Link*", 14: "dropped_links_count:uint32", 15: "status:Status",
        16: "flags:fixed32",
    },
    "Event": {
        1: "time_unix_nano:fixed64", 2: "name:string", 3: "attributes:KeyValue*",
        4: "dropped_attributes_count:uint32",
    },
    "Link": {
        1: "trace_id:id", 2: "span_id:id", 3: "trace_state:string", 4: "attributes:KeyValue*",
        5: "dropped_attributes_count:uint32", 6: "flags:fixed32",
    },
    "Status": {2: "message:string", 3: "code:StatusCode"},
    "KeyValue": {1: "key:string", 2: "value:AnyValue"},
    "AnyValue": {
        1: "string_value:string", 2: "bool_value:bool", 3: "int_value:int64", 4: "double_value:double",
        5: "array_value:ArrayValue", 6: "kvlist_value:KeyValueList", 7: "bytes_value:bytes",
    },
    "ArrayValue": {1: "values:AnyValue*"},
    "KeyValueList": {1: "values:KeyValue*"},
}  # fmt: skip
ENUMS = {
    "SpanKind": tuple(
        f"SPAN_KIND_{kind}"
        for kind in ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
    ),
    "StatusCode": ("STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"),
}
ONE_OF = "AnyValue"
"""Of its fields the last that comes counts."""
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_WIRE = {
    "fixed64": _EIGHT,
    "double": _EIGHT,
    "fixed32": _FOUR,
    "string": _BYTES,
    "bytes": _BYTES,
    "id": _BYTES,
}
_WIDTH = {_EIGHT: 8, _FOUR: 4}
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_RANGES = {
    "int64": (-(2**63), 2**63), "uint32": (0, 2**32), "fixed32": (0, 2**32), "fixed64": (0, 2**64),
}  # fmt: skip


class Field(NamedTuple):
    name: str
    type: str
    repeated: bool
    wire: int

    @property
    def camel(self) -> str:
        first, *others = self.name.split("_")
        return first + "".join(part.title() for part in others)


def _field(text: str) -> Field:
    name, _, kind = text.partition(":")
    plain = kind.rstrip("*")
    wire = _BYTES if plain in TABLE else _WIRE.get(plain, _VARINT)
    return Field(name, plain, kind.endswith("*"), wire)


FIELDS = {message: {n: _field(text) for n, text in table.items()} for message, table in TABLE.items()}


def of_protobuf(raw: bytes, message: str = "Request") -> dict[str, Any]:
    """Unknown fields are passed over.

    Raises:
        Unreadable: not such a message, or nested deeper than MAX_DEPTH.

    """
    try:
        return _message(raw, 0, len(raw), message, 0)
    except (IndexError, struct.error):
        raise _refused("it ends within a field") from None
    except UnicodeDecodeError as error:
        raise _refused(f"a text is not UTF-8 ({error.reason} at byte {error.start})") from None


def _message(raw: bytes, at: int, end: int, message: str, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise _refused(f"messages lie within each other more than {MAX_DEPTH} deep")
    found: dict[str, Any] = {}
    fields = FIELDS[message]
    while at < end:
        key, at = _varint(raw, at)
        wire, number, start = key & 7, 0, at
        if wire == _BYTES:
            size, start = _varint(raw, at)
            at = start + size
        elif wire == _VARINT:
            number, at = _varint(raw, at)
        elif wire in _WIDTH:
            at += _WIDTH[wire]
        else:
            raise _refused(f"a field has the wire type {wire}")
        if at > end:
            raise _refused("it ends within a field")
        field = fields.get(key >> 3)
        if field is None:
            continue
        if field.wire != wire:
            raise _refused(f"{message}.{field.name} has the wire type {wire}")
        if field.type in FIELDS:
            value: Any = _message(raw, start, at, field.type, depth + 1)
        elif wire == _BYTES:
            part = raw[start:at]
            value = part.decode() if field.type == "string" else base64.b64encode(part).decode()
        elif wire == _VARINT:
            value = _of_varint(number, field.type)
        else:
            value = _of_fixed(raw[start:at], field.type)
        if message == ONE_OF:
            found.clear()
        if field.repeated:
            found.setdefault(field.name, []).append(value)
        else:
            found[field.name] = value
    return found


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    byte = raw[at]
    if byte < 128:
        return byte, at + 1
    found, shift = byte & 127, 7
    while shift < 70:
        at += 1
        byte = raw[at]
        found |= (byte & 127) << shift
        if byte < 128:
            return found & (2**64 - 1), at + 1
        shift += 7
    raise _refused("a number has more than ten bytes")


def _of_varint(number: int, kind: str) -> Any:
    match kind:
        case "bool":
            return number != 0
        case "int64":
            return number - 2**64 if number >= 2**63 else number
        case "uint32":
            return number & (2**32 - 1)
    return _enum(number & (2**31 - 1), kind)


def _of_fixed(part: bytes, kind: str) -> Any:
    if kind == "double":
        return _double(struct.unpack("<d", part)[0])
    return int.from_bytes(part, "little")


def _double(value: float) -> float | str:
    """NaN and the infinities are texts in proto3 JSON."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _enum(number: int, kind: str) -> str | int:
    names = ENUMS[kind]
    return names[number] if number < len(names) else number


def of_json(document: Any, message: str = "Request", *, ids: Callable[[str], bytes] = bytes.fromhex) -> Any:
    """Names in camelCase or as in the protos; unknown ones are passed over. `ids` reads trace and span ids, which
    are hexadecimal in OTLP and Base64 wherever else protobuf is written as JSON.

    Raises:
        Unreadable: a value of another type, with its place.

    """
    return _of_object(document, message, ids, "")


def _of_object(document: Any, message: str, ids: Callable[[str], bytes], where: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _expected("an object", where)
    found: dict[str, Any] = {}
    for field in FIELDS[message].values():
        said = document.get(field.camel, document.get(field.name))
        if said is None:
            continue
        place = f"{where}/{field.name}"
        if not field.repeated:
            found[field.name] = _of_value(said, field.type, ids, place)
        elif isinstance(said, list):
            found[field.name] = [
                _of_value(one, field.type, ids, f"{place}/{n}") for n, one in enumerate(said)
            ]
        else:
            raise _expected("a list", place)
    return found


def _of_value(said: Any, kind: str, ids: Callable[[str], bytes], where: str) -> Any:
    if kind in FIELDS:
        return _of_object(said, kind, ids, where)
    try:
        match kind:
            case "string" if isinstance(said, str):
                return said
            case "bool" if isinstance(said, bool):
                return said
            case "id" if isinstance(said, str):
                return base64.b64encode(ids(said)).decode()
            case "bytes" if isinstance(said, str):
                return base64.b64encode(base64.b64decode(said)).decode()
            case "double" if not isinstance(said, bool):
                return _double(_NUMBERS[said] if said in _NUMBERS else float(said))
            case _ if kind in ENUMS and isinstance(said, str):
                return ENUMS[kind][ENUMS[kind].index(said)]
            case _ if kind in ENUMS and isinstance(said, int):
                return _enum(max(0, int(said)), kind)
            case _ if kind in _RANGES and isinstance(said, int | str) and not isinstance(said, bool):
                low, high = _RANGES[kind]
                if low <= int(said) < high:
                    return int(said)
    except (ValueError, TypeError, BadBase64):
        pass
    raise _expected(f"a value of type {kind}", where)


def _refused(why: str) -> Unreadable:
    return Unreadable(
        f"the body is no protobuf message of OTLP (ExportTraceServiceRequest): {why}. Nothing was stored."
    )


def _expected(what: str, where: str) -> Unreadable:
    return Unreadable(f"the body is no OTLP in JSON: expected {what} at {where or '/'}. Nothing was stored.")

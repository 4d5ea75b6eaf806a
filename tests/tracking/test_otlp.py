"""OpenTelemetry's spans are read as its own library reads them, whatever is in them."""

import base64
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from headwater_server.errors import Unreadable
from headwater_server.tracking.otlp import ENUMS, FIELDS, MAX_DEPTH, of_json, of_protobuf
from headwater_server.tracking.spans import plain

MESSAGES: dict[str, Any] = {
    "Request": ExportTraceServiceRequest,
    "ResourceSpans": trace_pb2.ResourceSpans,
    "Resource": resource_pb2.Resource,
    "ScopeSpans": trace_pb2.ScopeSpans,
    "Scope": common_pb2.InstrumentationScope,
    "Span": trace_pb2.Span,
    "Event": trace_pb2.Span.Event,
    "Link": trace_pb2.Span.Link,
    "Status": trace_pb2.Status,
    "KeyValue": common_pb2.KeyValue,
    "AnyValue": common_pb2.AnyValue,
    "ArrayValue": common_pb2.ArrayValue,
    "KeyValueList": common_pb2.KeyValueList,
}
OF_LATER = {"entity_refs", "string_value_strindex", "key_strindex"}
"""Fields that are no part of the stable protocol of traces."""
TYPES = {
    "string": FieldDescriptor.TYPE_STRING,
    "bytes": FieldDescriptor.TYPE_BYTES,
    "id": FieldDescriptor.TYPE_BYTES,
    "bool": FieldDescriptor.TYPE_BOOL,
    "int64": FieldDescriptor.TYPE_INT64,
    "uint32": FieldDescriptor.TYPE_UINT32,
    "fixed32": FieldDescriptor.TYPE_FIXED32,
    "fixed64": FieldDescriptor.TYPE_FIXED64,
    "double": FieldDescriptor.TYPE_DOUBLE,
}


@pytest.mark.parametrize("name", FIELDS)
def test_the_table_is_what_the_descriptors_say(name: str) -> None:
    theirs = {f.number: f for f in MESSAGES[name].DESCRIPTOR.fields if f.name not in OF_LATER}
    assert theirs.keys() == FIELDS[name].keys()
    for number, field in FIELDS[name].items():
        other = theirs[number]
        assert (field.name, field.camel, field.repeated) == (other.name, other.json_name, other.is_repeated)
        if field.type in FIELDS:
            assert MESSAGES[field.type].DESCRIPTOR is other.message_type
        elif field.type in ENUMS:
            assert ENUMS[field.type] == tuple(v.name for v in other.enum_type.values)
        else:
            assert other.type == TYPES[field.type]


texts = st.text(max_size=5)
values = st.recursive(
    st.one_of(
        st.builds(lambda v: common_pb2.AnyValue(string_value=v), texts),
        st.builds(lambda v: common_pb2.AnyValue(int_value=v), st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda v: common_pb2.AnyValue(double_value=v), st.floats()),
        st.builds(lambda v: common_pb2.AnyValue(bool_value=v), st.booleans()),
        st.builds(lambda v: common_pb2.AnyValue(bytes_value=v), st.binary(max_size=4)),
        st.builds(common_pb2.AnyValue),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(
            lambda v: common_pb2.AnyValue(array_value=common_pb2.ArrayValue(values=v))
        ),
        st.lists(st.builds(lambda k, v: common_pb2.KeyValue(key=k, value=v), texts, inner), max_size=3).map(
            lambda v: common_pb2.AnyValue(kvlist_value=common_pb2.KeyValueList(values=v))
        ),
    ),
    max_leaves=6,
)
pairs = st.lists(st.builds(lambda k, v: common_pb2.KeyValue(key=k, value=v), texts, values), max_size=3)
spans = st.builds(
    trace_pb2.Span,
    trace_id=st.binary(min_size=16, max_size=16),
    span_id=st.binary(min_size=8, max_size=8),
    name=texts,
    kind=st.integers(0, 5),
    start_time_unix_nano=st.integers(0, 2**64 - 1),
    dropped_attributes_count=st.integers(0, 2**32 - 1),
    flags=st.integers(0, 2**32 - 1),
    attributes=pairs,
    events=st.lists(
        st.builds(lambda n, a: trace_pb2.Span.Event(name=n, attributes=a), texts, pairs), max_size=2
    ),
    links=st.lists(st.builds(lambda i: trace_pb2.Span.Link(span_id=i), st.binary(max_size=8)), max_size=2),
    status=st.builds(lambda c, m: trace_pb2.Status(code=c, message=m), st.integers(0, 2), texts),
)


def request(*every: trace_pb2.Span) -> ExportTraceServiceRequest:
    scope = trace_pb2.ScopeSpans(spans=every)
    return ExportTraceServiceRequest(resource_spans=[trace_pb2.ResourceSpans(scope_spans=[scope])])


@settings(deadline=None, max_examples=100)
@given(spans)
def test_both_readers_make_what_the_library_makes(span: trace_pb2.Span) -> None:
    sent = request(span)
    mine = of_protobuf(sent.SerializeToString())
    # what proto3 leaves out because it is zero may be there or not: the library reads both alike
    assert json_format.ParseDict(mine, ExportTraceServiceRequest()) == sent or "nan" in str(sent)
    camel = json_format.MessageToDict(sent)
    again = of_json(camel, ids=base64.b64decode)
    assert str(json_format.ParseDict(again, ExportTraceServiceRequest())) == str(sent)
    one = camel["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    for name in ("traceId", "spanId"):
        one[name] = base64.b64decode(one[name]).hex()
    for link in one.get("links", ()):
        link["spanId"] = base64.b64decode(link.get("spanId", "")).hex()
    assert str(json_format.ParseDict(of_json(camel), ExportTraceServiceRequest())) == str(sent)


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=60), spans.map(lambda one: request(one).SerializeToString()[:-1])))
def test_whatever_else_comes_is_read_or_refused(raw: bytes) -> None:
    with suppress(Unreadable):
        of_protobuf(raw)


def test_fields_that_nobody_knows_are_passed_over() -> None:
    more = b"\xa2\x06\x03abc" + b"\xa8\x06\x96\x01" + b"\xb1\x06" + b"8" * 8 + b"\xbd\x06" + b"4" * 4
    sent = request(trace_pb2.Span(name="a")).SerializeToString()
    assert of_protobuf(more + sent + more) == of_protobuf(sent)


def nested(depth: int) -> bytes:
    """A value in arrays within each other: the library itself writes none so deep."""
    raw: bytes = common_pb2.AnyValue(string_value="x").SerializeToString()
    for _ in range(depth):
        for tag in (b"\x0a", b"\x2a"):
            raw = tag + _VarintBytes(len(raw)) + raw
    return raw


def test_what_lies_too_deep_is_refused() -> None:
    value = plain(of_protobuf(nested(MAX_DEPTH // 2), "AnyValue"))
    for _ in range(MAX_DEPTH // 2):
        (value,) = value
    assert value == "x"
    with pytest.raises(Unreadable, match="100 deep"):
        of_protobuf(nested(MAX_DEPTH // 2 + 1), "AnyValue")


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "an object at /"),
        ({"resourceSpans": {}}, "a list at /resource_spans"),
        ({"resourceSpans": [1]}, "an object at /resource_spans/0"),
        ({"resourceSpans": [{"schemaUrl": 1}]}, "type string at /resource_spans/0/schema_url"),
        (
            {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz"}]}]}]},
            "type id at /resource_spans/0/scope_spans/0/spans/0/trace_id",
        ),
        (
            {"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "-1"}]}]}]},
            "type fixed64 at /resource_spans/0/scope_spans/0/spans/0/start_time_unix_nano",
        ),
        (
            {"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SPAN_KIND_ODD"}]}]}]},
            "type SpanKind at /resource_spans/0/scope_spans/0/spans/0/kind",
        ),
    ],
)
def test_json_of_another_shape_is_refused_with_its_place(document: Any, place: str) -> None:
    with pytest.raises(Unreadable, match=place):
        of_json(document)

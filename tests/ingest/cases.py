"""Bad and odd bodies, each with the answer it gets: data for test_bad_inputs."""

import gzip
from typing import Any, NamedTuple

import orjson

from tests.openlineage import said

EVENT = said.run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"])


def event(**changes: Any) -> bytes:
    return orjson.dumps({k: v for k, v in {**EVENT, **changes}.items() if v is not ...})


def with_facet(value: bytes) -> bytes:
    return event(run={"runId": "0190a5a0-0000-7000-8000-000000000000", "facets": {"x": "HERE"}}).replace(
        b'"HERE"', b'{"_producer":"p","_schemaURL":"s","value":' + value + b"}"
    )


def named(name: str) -> bytes:
    return event(job={"namespace": "n", "name": name})


class Case(NamedTuple):
    what: str
    body: bytes
    status: int
    pointer: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012


GZIP = {"content-encoding": "gzip"}
BODY = event()
PACKED = gzip.compress(BODY)
CASES = [
    Case("a byte more than the limit", b" " * (5 * 2**20 - len(BODY) + 1) + BODY, 413),
    Case("as much as the limit", b" " * (5 * 2**20 - len(BODY)) + BODY, 201),
    Case("a gzip bomb", gzip.compress(b" " * 200_000_000, 9), 413, headers=GZIP),
    Case("a cut gzip", PACKED[:-9], 400, headers=GZIP),
    Case("rubbish behind the gzip", PACKED + b"rubbish", 400, headers=GZIP),
    Case("two gzip members", gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), 201, headers=GZIP),
    Case("not gzip", BODY, 400, headers=GZIP),
    Case("an empty gzip", b"", 400, headers=GZIP),
    Case("brotli", BODY, 415, headers={"content-encoding": "br"}),
    Case("plain text", BODY, 415, headers={"content-type": "text/plain"}),
    Case("a form", b"a=1", 415, headers={"content-type": "application/x-www-form-urlencoded"}),
    Case("latin-1", BODY, 415, headers={"content-type": "application/json; charset=latin-1"}),
    Case("utf-8 said so", BODY, 201, headers={"content-type": 'application/json; charset="UTF-8"'}),
    Case("a +json type", BODY, 201, headers={"content-type": "application/vnd.openlineage+json"}),
    Case("nothing", b"", 400),
    Case("half of it", BODY[: len(BODY) // 2], 400),
    Case("depth 64", with_facet(b"[" * 60 + b"]" * 60), 201),
    Case("depth 65", with_facet(b"[" * 61 + b"]" * 61), 422, ""),
    Case("depth 300", with_facet(b"[" * 300 + b"]" * 300), 422, ""),
    Case("depth 100,000", with_facet(b"[" * 100_000 + b"]" * 100_000), 422, ""),
    Case("NaN", with_facet(b"NaN"), 400),
    Case("Infinity", with_facet(b"-Infinity"), 400),
    Case("5,000 digits", with_facet(b"9" * 5_000), 422, ""),
    Case("1e999", with_facet(b"1e999"), 400),
    Case("30 digits", with_facet(b"9" * 30), 201),
    Case("a lone surrogate", with_facet(b'"\\ud800"'), 422, ""),
    Case("a NUL in a facet", with_facet(b'"\\u0000"'), 201),
    Case("a NUL in a name", named("a\x00b"), 422, "/job/name"),
    Case("a line break in a name", named("a\nb"), 422, "/job/name"),
    Case("U+FFFE in a name", named("a\ufffeb"), 422, "/job/name"),
    Case("a name of 4,096", named("x" * 4_096), 201),
    Case("a name of 4,097", named("x" * 4_097), 422, "/job/name"),
    Case("a name of spaces", named("  "), 422, "/job/name"),
    Case("utf-16", BODY.decode().encode("utf-16"), 400),
    Case("a byte order mark", b"\xef\xbb\xbf" + BODY, 400),
    Case("bad utf-8", BODY.replace(b"load", b"lo\xffd"), 400),
    Case("__proto__", with_facet(b'{"__proto__": {"constructor": 1}}'), 201),
    Case("an array", b"[" + BODY + b"]", 422, ""),
    Case("a number", b"7", 422, ""),
    Case("null", b"null", 422, ""),
    Case("an unknown eventType", event(eventType="SHRUG"), 201),
    Case("a number as eventType", event(eventType=7), 201),
    Case("no job", event(job=...), 422, "/job"),
    Case("a job that is a text", event(job="load"), 422, "/job"),
    Case("a job without a name", event(job={"namespace": "n"}), 422, "/job/name"),
    Case("a job with an empty namespace", event(job={"namespace": "", "name": "x"}), 422, "/job/namespace"),
    Case("neither run, job nor dataset", event(job=..., run=...), 422, "/job"),
    Case("a run without an id", event(run={}), 422, "/run/runId"),
    Case("a run that is null", event(run=None), 422, "/run"),
    Case("a runId that is a number", event(run={"runId": 7}), 422, "/run/runId"),
    Case("a runId that is no UUID", event(run={"runId": "seven"}), 201),
    Case("no eventTime", event(eventTime=...), 422, "/eventTime"),
    Case("a number as eventTime", event(eventTime=1700000000), 422, "/eventTime"),
    Case("24:00", event(eventTime="2026-03-02T24:00:00Z"), 422, "/eventTime"),
    Case("no zone", event(eventTime="2026-03-02T10:00:00"), 201),
    Case("year 1", event(eventTime="0001-01-01T00:00:00+14:00"), 201),
    Case("year 9999", event(eventTime="9999-12-31T23:59:59.999999-12:00"), 201),
    Case("not a time", event(eventTime="yesterday"), 422, "/eventTime"),
    Case("inputs that are an object", event(inputs={}), 422, "/inputs"),
    Case("inputs that are null", event(inputs=None), 201),
    Case("an input that is a text", event(inputs=["a"]), 422, "/inputs/0"),
    Case("the second output without a name", event(outputs=[EVENT["outputs"][0], {"namespace": "n"}]), 422, "/outputs/1/name"),
    Case("a dataset without a name", event(job=..., run=..., dataset={"namespace": "n"}), 422, "/dataset/name"),
    Case("a Cypher injection", named("x') DETACH DELETE n //x `y`"), 201),
    Case("a facet named like a label", event(run={"runId": "r", "facets": {"Dataset": {}, "key": {}, "`": {}}}), 201),
    Case("SQL nested 20,000 deep", event(job={"namespace": "n", "name": "j", "facets": {"sql": said.facet(query="SELECT " + "(" * 20_000)}}), 201),
    Case("SQL of more than a megabyte", event(job={"namespace": "n", "name": "j", "facets": {"sql": said.facet(query="SELECT 1" + " " * 1_100_000)}}), 201),
    Case("markup in a name", named("<script>alert(1)</script>"), 201),
]  # fmt: skip

ODD_VALUES = [
    None,
    0,
    7,
    -1.5,
    True,
    "",
    "text",
    [],
    [None],
    [1, [2]],
    {},
    {"x": None},
    [{"name": 1}],
    "\x00",
]
"""What a facet may hold where the standard wants something else."""

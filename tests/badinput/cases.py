"""Bad and odd requests, each with its exact answer: data for test_bad_input. `number` groups what is of one kind."""

import gzip
from typing import Any, NamedTuple

import orjson

from tests.ingest.cases import EVENT, GZIP, event, named, with_facet
from tests.openlineage import said

LINEAGE, BATCH, GRAPHQL = "/api/v1/lineage", "/api/v1/lineage/batch", "/graphql"
PLAIN = {"content-type": "text/plain"}


class Case(NamedTuple):
    number: int
    what: str
    path: str
    body: bytes
    status: int
    problem: str = ""
    """Title of the problem document, or code of the GraphQL error; empty: it is taken."""
    pointer: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012
    chunked: bool = False
    """Without a Content-Length."""
    finding: str = ""
    """Rule under which `conformance` tells of it, though it is taken."""


def ask(query: str, **variables: Any) -> bytes:
    return orjson.dumps({"query": query, "variables": variables})


def graphql(number: int, what: str, query: str, problem: str, **variables: Any) -> Case:
    return Case(number, what, GRAPHQL, ask(query, **variables), 200, problem)


def one(
    number: int,
    what: str,
    body: bytes,
    status: int,
    problem: str = "",
    pointer: str | None = None,
    **more: Any,
) -> Case:
    return Case(number, what, LINEAGE, body, status, problem, pointer, **more)


def bomb(levels: int, branches: int) -> str:
    """A fragment that spreads the next one again and again: small to write, endless to validate naively."""
    inner = " ".join(
        f"fragment f{i} on Query {{ {' '.join([f'...f{i + 1}'] * branches)} }}" for i in range(levels)
    )
    return f"{{ ...f0 }} {inner} fragment f{levels} on Query {{ server {{ version }} }}"


def wide(text: str) -> bytes:
    return orjson.dumps(
        {**EVENT, "inputs": [{"namespace": "n", "name": f"{text}{i}"} for i in range(100_000)]}
    )


SMALL = event()
SIZE = 5 * 2**20
SQL = {"namespace": "n", "name": "j"}


def sql(query: str) -> bytes:
    return event(job={**SQL, "facets": {"sql": said.facet(query=query)}})


def doubling(levels: int) -> str:
    tables = ", ".join(
        f"t{i + 1} as (select a.x from t{i} a join t{i} b on a.x = b.x)" for i in range(levels)
    )
    return f"with t0 as (select x from base), {tables} select x from t{levels}"


FIRST = "{ datasets(first: %s) { edges { cursor } } }"

CASES = [
    one(1, "5 MiB and a byte", b" " * (SIZE - len(SMALL) + 1) + SMALL, 413, "TooLarge"),
    one(1, "5 MiB and a byte, without a length", b" " * (SIZE - len(SMALL) + 1) + SMALL, 413, "TooLarge", chunked=True),
    one(1, "5 MiB", b" " * (SIZE - len(SMALL)) + SMALL, 201),
    Case(1, "a GraphQL body of a megabyte and a byte", GRAPHQL, b" " * 2**20 + b"1", 413, "INVALID"),
    one(2, "a gzip bomb", gzip.compress(b" " * 200_000_000, 9), 413, "TooLarge", headers=GZIP),
    Case(2, "a gzip bomb for GraphQL", GRAPHQL, gzip.compress(b" " * 200_000_000, 9), 413, "INVALID", headers=GZIP),
    one(3, "a cut gzip", gzip.compress(SMALL)[:-9], 400, "Unreadable", headers=GZIP),
    one(3, "rubbish behind the gzip", gzip.compress(SMALL) + b"rubbish", 400, "Unreadable", headers=GZIP),
    one(3, "not gzip", SMALL, 400, "Unreadable", headers=GZIP),
    one(4, "brotli", SMALL, 415, "Unsupported", headers={"content-encoding": "br"}),
    one(5, "plain text", SMALL, 415, "Unsupported", headers=PLAIN),
    one(6, "depth 65", with_facet(b"[" * 61 + b"]" * 61), 422, "Unplaceable", ""),
    one(6, "depth 64", with_facet(b"[" * 60 + b"]" * 60), 201),
    one(6, "depth 64 and brackets in texts", with_facet(b'["]]\\"}",' + b"[" * 59 + b'"[{\\\\"' + b"]" * 60), 201),
    one(6, "depth 100,000", with_facet(b"[" * 100_000 + b"]" * 100_000), 422, "Unplaceable", ""),
    one(6, "depth 100,000, never closed", b'{"a":' * 100_000, 422, "Unplaceable", ""),
    Case(6, "depth 100,000 in a batch", BATCH, b"[" * 100_000 + b"]" * 100_000, 422, "Unplaceable", ""),
    Case(6, "depth 100,000 for GraphQL", GRAPHQL, b'{"query":' * 100_000, 400, "INVALID"),
    one(7, "NaN", with_facet(b"NaN"), 400, "Unreadable"),
    one(7, "Infinity", with_facet(b"Infinity"), 400, "Unreadable"),
    one(7, "-Infinity", with_facet(b"-Infinity"), 400, "Unreadable"),
    one(7, "1e999", with_facet(b"1e999"), 400, "Unreadable"),
    Case(7, "NaN for GraphQL", GRAPHQL, b'{"query": "{ server { version } }", "variables": {"a": NaN}}', 400, "INVALID"),
    one(8, "5,000 digits", with_facet(b"9" * 5_000), 422, "Unplaceable", ""),
    one(8, "41 digits", with_facet(b"9" * 41), 422, "Unplaceable", ""),
    one(8, "40 digits", with_facet(b"9" * 40), 201),
    one(8, "50 digits in a text", with_facet(b'"' + b"9" * 50 + b'"'), 201),
    one(9, "a lone surrogate", with_facet(b'"\\ud800"'), 422, "Unplaceable", ""),
    *(
        one(9, f"U+{ord(c):04X} in a name", named(f"a{c}b"), 422, "Unplaceable", "/job/name")
        for c in "\x00\x01\n\x1b\x7f\ufffe\uffff"
    ),
    one(10, "a name twice", SMALL[:-1] + b',"job":{"namespace":"n","name":"other"}}', 422, "Unplaceable", ""),
    one(10, "a name twice, hidden by escapes", with_facet(b'{"a":1,"a":"\\u0022\\u0022"}'), 422, "Unplaceable", ""),
    Case(10, "a name twice for GraphQL", GRAPHQL, b'{"query": "{ server { version } }", "query": "{ a }"}', 400, "INVALID"),
    one(11, "UTF-16", SMALL.decode().encode("utf-16"), 400, "Unreadable"),
    one(11, "a byte order mark", b"\xef\xbb\xbf" + SMALL, 400, "Unreadable"),
    one(11, "bad UTF-8", SMALL.replace(b"load", b"lo\xffd"), 400, "Unreadable"),
    Case(11, "bad UTF-8 in a batch", BATCH, b"[" + SMALL.replace(b"load", b"lo\xffd") + b"]", 400, "Unreadable"),
    one(12, "__proto__ and constructor", with_facet(b'{"__proto__": {"constructor": {"prototype": 1}}}'), 201),
    one(13, "an unknown facet", event(run={"runId": "r13", "facets": {"myOwn": {"_producer": "p", "_schemaURL": "s", "x": [1]}}}), 201),
    one(13, "an unknown eventType", event(eventType="SHRUG"), 201, finding="eventType-unknown"),
    one(13, "a lower-case eventType", event(eventType="complete"), 201, finding="eventType-case"),
    one(14, "a runId that is no UUID", event(run={"runId": "seven"}), 201, finding="runId-not-uuid"),
    one(14, "no job", event(job=...), 422, "Unplaceable", "/job"),
    one(14, "no runId", event(run={}), 422, "Unplaceable", "/run/runId"),
    one(14, "no eventTime", event(eventTime=...), 422, "Unplaceable", "/eventTime"),
    one(14, "no name", event(job={"namespace": "n"}), 422, "Unplaceable", "/job/name"),
    one(14, "no namespace", event(outputs=[{"name": "x"}]), 422, "Unplaceable", "/outputs/0/namespace"),
    one(15, "the year 9999", event(eventTime="9999-12-31T23:59:59.999999Z"), 201),
    one(15, "the year 1", event(eventTime="0001-01-01T00:00:00Z"), 201),
    one(15, "24:00", event(eventTime="2026-03-02T24:00:00Z"), 422, "Unplaceable", "/eventTime"),
    one(15, "no zone", event(eventTime="2026-03-02T10:00:00"), 201, finding="eventTime-no-zone"),
    one(16, "100,000 inputs", wide(""), 422, "Unplaceable", "/inputs"),
    one(16, "50,000 columns", event(outputs=[said.table("w", schema=said.columns(*(f"c{i}" for i in range(50_000))))]), 422, "Unplaceable", "/outputs/0/facets/schema/fields"),
    one(21, "a dataset made of itself", event(job={**SQL, "name": "self"}, inputs=[EVENT["inputs"][0]], outputs=[EVENT["inputs"][0]]), 201),
    one(24, "SQL nested 20,000 deep", sql("SELECT " + "(" * 20_000), 201),
    one(25, "SQL of more than a megabyte", sql("SELECT 1" + " " * 1_100_000), 201),
    one(25, "100,000 values", sql(f"insert into u select x from t where x in ({','.join(map(str, range(100_000)))})"), 201),
    one(25, "common table expressions that double", sql(doubling(40)), 201),
    one(28, "a Cypher injection", named("x') DETACH DELETE n //"), 201),
    one(28, "backticks", named("`x`-[:Y]->(`z`)"), 201),
    one(29, "facets named like labels", event(run={"runId": "r29", "facets": {"Dataset": said.facet(), "key": said.facet(), "`": said.facet()}}), 201),
    one(30, "markup in a name", named("<script>alert(1)</script><img onerror=alert(1)>"), 201),
    *(
        one(31, f"U+{ord(c):04X} turns a name", named(f"inv{c}eciovni"), 422, "Unplaceable", "/job/name")
        for c in "\u202e\u202d\u2066\u2067\u200f\u061c"
    ),
    *(
        graphql(32, f"a model called {name!r}", "mutation ($n: String!) { registerModel(input: {name: $n}) { __typename } }", "ValidationError", n=name)
        for name in ("churn%2F", "churn/", " churn", "", "a\x00", "inv\u202eeciovni", "x" * 5_000, "AKI" + "AIOSFODNN7EXAMPLE")
    ),
    Case(38, "another host", LINEAGE, SMALL, 421, "Misdirected", headers={"host": "evil.com"}),
    Case(39, "a page of another origin", GRAPHQL, ask('mutation { archive(input: {ref: "x"}) { __typename } }'), 403, "Forbidden", headers={"origin": "https://evil.com", "sec-fetch-site": "cross-site"}),
    *(
        Case(40, f"GraphQL as {kind or 'nothing'}", GRAPHQL, ask("{ server { version } }"), 415, "INVALID", headers={"content-type": kind})
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
    ),
    graphql(52, "depth 100", "{ server " + "{ a " * 100 + "}" * 100 + " }", "LIMIT_EXCEEDED"),
    graphql(52, "depth 3,000", "{ a " * 3_000 + "}" * 3_000, "LIMIT_EXCEEDED"),
    graphql(53, "fragments that double 15 times", bomb(15, 2), "LIMIT_EXCEEDED"),
    graphql(53, "fragments that grow fourfold 10 times", bomb(10, 4), "LIMIT_EXCEEDED"),
    graphql(54, "2,000 aliases", "{ " + " ".join(f"a{i}: __typename" for i in range(2_000)) + " }", "LIMIT_EXCEEDED"),
    graphql(54, "5,000 fields", "{ " + "__typename " * 5_000 + "}", "LIMIT_EXCEEDED"),
    graphql(54, "2,000 directives", "{ __typename " + "@skip(if: false) " * 2_000 + "}", "LIMIT_EXCEEDED"),
    *(graphql(55, f"first: {first}", FIRST % first, "INVALID") for first in ("-1", "0", '"5"', "1.5", "201", "99999999999")),
    graphql(55, "first: 1e9, with more in it", "{ datasets(first: 1000000000) { edges { node { id name } } } }", "LIMIT_EXCEEDED"),
    graphql(55, "a forged size in a variable", "query ($n: Int) { datasets(first: $n) { edges { node { id } } } }", "LIMIT_EXCEEDED", n=2**31 - 1),
    *(graphql(56, f"a forged cursor {c!r}", "query ($c: String) { datasets(after: $c) { edges { cursor } } }", "INVALID", c=c) for c in ("x", "", "W10", "é", "A" * 10_000)),
    Case(57, "50 operations in an array", GRAPHQL, orjson.dumps([{"query": "{ server { version } }"}] * 50), 400, "INVALID"),
    graphql(58, "a field nearly right", "{ dataset { id } }", "INVALID"),
    graphql(62, "line breaks in a query", "{ a\n\nFATAL forged line\n}", "INVALID"),
    graphql(62, "36 kB that are no query", "{ " + "zz9 " * 4_500 + "}", "LIMIT_EXCEEDED"),
    one(62, "line breaks in a name", named("a\r\n2026-01-01 FATAL forged"), 422, "Unplaceable", "/job/name"),
]  # fmt: skip

RAW = {
    "both lengths": b"POST /api/v1/lineage HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": b"POST /api/v1/lineage HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a chunk without a size": b"POST /api/v1/lineage HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than said": b"POST /api/v1/lineage HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}}}\r\n0\r\n\r\n",
    "a negative length": b"POST /api/v1/lineage HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}  # fmt: skip
"""Requests that two readers could read differently."""

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
PATHS = {
    34: (
        "../secret", "a/../../secret", "a/..", "..%2Fsecret", "%2e%2e/secret", "%252e%252e/secret", "%252e%252e%252fsecret",
        "a/%25252e%25252e/secret", "..%5Csecret", "a%5C..%5Csecret", "%255c%255chost%255cshare", ";/../secret", "%23/../secret",
        "/etc/passwd", "%2Fetc/passwd", "//host/share", "%5C%5Chost%5Cshare", "file:/etc/passwd", "file:///etc/passwd",
        "file%3A///etc/passwd", "C:%5CWindows", "c%3A/Windows", "s3://bucket/key", "http://169.254.169.254/",
        "a%00b", "a%01b", "", "a" * 5_000,
    ),
}  # fmt: skip
"""Paths of artifacts that lead elsewhere by some reading, or nowhere."""

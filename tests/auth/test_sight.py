"""What a principal does not see: absent where things are named, without a name where a walk goes through it."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLNonNull, get_named_type, is_leaf_type

from headwater_server.api.graphql.schema import schema
from headwater_server.lineage.urns import encode_id
from headwater_server.settings import Settings
from tests.auth.scene import EVENTS, LINEAGE, READER, SECRET, tells_nothing
from tests.auth.served import Served, bearer


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(Settings(data=tmp_path_factory.mktemp("chain"), auth="token")) as served:
        key = served.key("emitter")
        batch = served.http.post("/api/v1/lineage/batch?wait=projected", json=EVENTS, headers=bearer(key))
        assert batch.json()["summary"]["failed"] == 0
        yield served


@pytest.fixture(scope="module")
def narrow(chain: Served) -> str:
    return chain.key(READER, "auditor?namespace=open&namespace=jobs", name="narrow")


@pytest.fixture(scope="module")
def wide(chain: Served) -> str:
    return chain.key("auditor", name="wide")


@pytest.mark.parametrize(("granularity", "hidden"), [("ENTITY", 3), ("DATASET", 1)])
def test_a_walk_goes_through_what_is_not_seen_and_counts_it(
    chain: Served, narrow: str, wide: str, granularity: str, hidden: int
) -> None:
    def asked(key: str) -> Any:
        answer = chain.graphql(key, LINEAGE, ref="open/raw", g=granularity, d="DOWNSTREAM")
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]["lineage"], answer.text

    whole, _ = asked(wide)
    seen, text = asked(narrow)
    tells_nothing(text)
    assert seen["totalNodes"] == whole["totalNodes"]
    assert len(seen["edges"]) == len(whole["edges"])
    assert sorted(n["depth"] for n in seen["nodes"]) == sorted(n["depth"] for n in whole["nodes"])
    dark = [n for n in seen["nodes"] if n["restricted"]]
    assert len(dark) == hidden
    assert {(n["name"], n["namespace"]) for n in dark} == {("restricted", None)}
    assert {n["name"] for n in seen["nodes"]} >= {"raw", "first", "last", "end"}
    assert not any(n["restricted"] for n in whole["nodes"])


@pytest.mark.parametrize("direction", ["UPSTREAM", "DOWNSTREAM"])
def test_a_walk_of_columns_does_too(chain: Served, narrow: str, direction: str) -> None:
    ref = "open/raw#c" if direction == "DOWNSTREAM" else "open/end#c"
    answer = chain.graphql(narrow, LINEAGE, ref=ref, g="COLUMN", d=direction)
    tells_nothing(answer.text)
    nodes = answer.json()["data"]["lineage"]["nodes"]
    columns = [n for n in nodes if n["kind"] == "COLUMN"]
    assert len(columns) == 5
    assert sum(n["restricted"] for n in columns) == 1


QUERIES = {
    "paths": '{ paths(from: "open/raw", to: "open/end") { length text nodes { name restricted } edges { via } } }',
    "impact": '{ impact(input: {ref: "open/raw", change: COLUMN_DROP, columns: ["c"]}) { markdown '
    "items { edges { node { entity { name urn } distance path { text } columns { name } reasons { text } } } } "
    "summary { owners { name } } } }",
    "why": '{ why(from: "open/first", to: "open/last") { edges { node { note } } } }',
    "overview": "{ overview { nodes { name } groups { label } edges { source target } } }",
    "diff": '{ lineageDiff(ref: "open/raw", from: "2026-01-01T00:00:01Z", depth: 9) { graph { nodes { name urn } } } }',
    "search": '{ search(query: "merger") { totalCount didYouMean edges { node { __typename } } facets { values { value } } } }',
    "search all": '{ search(query: "", first: 100) { totalCount edges { node { ... on Dataset { name } } } facets { values { value } } } }',
    "namespaces": "{ namespaces { totalCount edges { node { name datasetCount jobCount } } } }",
    "datasets": "{ datasets { totalCount edges { node { name columns { name } facets { name value } } } } }",
    "jobs": "{ jobs { totalCount edges { node { name facets { name value restricted } } } } }",
    "runs": "{ runs { totalCount edges { node { name } } } }",
    "events": "{ events(first: 100) { totalCount edges { node { raw jobName jobNamespace runId warnings } } } }",
    "event": "{ a: event(seq: 1) { raw } b: event(seq: 2) { raw } }",
    "conformance": "{ conformance { totalCount edges { node { text } } } }",
    "neighbours": '{ entity(ref: "open/first") { ... on Dataset { upstreamCount downstreamCount '
    "producers: facets { value } } } }",
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_answer_tells_a_name_that_is_not_seen(chain: Served, narrow: str, wide: str, name: str) -> None:
    answer = chain.graphql(narrow, QUERIES[name])
    assert answer.status_code == 200
    assert "errors" not in answer.json(), answer.text
    tells_nothing(answer.text)
    if name in {
        "paths",
        "impact",
        "search",
        "namespaces",
        "datasets",
        "jobs",
        "events",
    }:  # there is something to tell
        assert any(word in chain.graphql(wide, QUERIES[name]).text for word in SECRET)


def test_lists_count_what_is_seen(chain: Served, narrow: str) -> None:
    def count(field: str, more: str = "") -> int:
        found: int = chain.graphql(narrow, f"{{ {field}{more} {{ totalCount }} }}").json()["data"][field][
            "totalCount"
        ]
        return found

    assert [count("datasets"), count("jobs"), count("runs"), count("namespaces")] == [4, 2, 2, 2]
    assert count("events") == 2
    paged: list[str] = []
    after = None
    while True:
        text = "query Q($after: String) { datasets(first: 1, after: $after) { edges { node { name } } pageInfo { hasNextPage endCursor } } }"
        page = chain.graphql(narrow, text, after=after).json()["data"]["datasets"]
        paged += [e["node"]["name"] for e in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sorted(paged) == ["end", "first", "last", "raw"]


CORE = schema._schema
ENTITIES = {
    "Dataset": ("open/first", "open/last"),
    "Column": ("open/first#c", "open/last#c"),
    "Job": ("jobs/load", "jobs/after"),
    "Run": ("runs:/00000000-0000-0000-0000-000000000004",),
}


def selection(type_: Any, depth: int) -> str:
    """Every field of a type that needs no argument, and theirs."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    if depth == 0 or not hasattr(named, "fields"):
        return " { __typename }"
    chosen = [
        name + selection(field.type, depth - 1)
        for name, field in named.fields.items()
        if not any(isinstance(a.type, GraphQLNonNull) for a in field.args.values())
    ]
    return " { " + " ".join(chosen) + " }"


def every_field() -> list[tuple[str, str, str]]:
    found = []
    for kind, refs in ENTITIES.items():
        type_: Any = CORE.type_map[kind]
        for name, field in type_.fields.items():
            if not any(isinstance(a.type, GraphQLNonNull) for a in field.args.values()):
                found += [(kind, ref, name) for ref in refs]
    return found


@pytest.mark.parametrize(("kind", "ref", "field"), every_field())
def test_no_field_of_a_thing_leads_to_a_name_that_is_not_seen(
    chain: Served, narrow: str, kind: str, ref: str, field: str
) -> None:
    type_: Any = CORE.type_map[kind]
    for depth in (4, 3, 2, 1):
        below = selection(type_.fields[field].type, depth)
        text = f"query Q($ref: String!) {{ entity(ref: $ref) {{ ... on {kind} {{ {field}{below} }} }} }}"
        answer = chain.graphql(narrow, text, ref=ref)
        errors = answer.json().get("errors", [])
        if any(e["extensions"]["code"] == "LIMIT_EXCEEDED" for e in errors):
            continue
        assert not errors, answer.text
        tells_nothing(answer.text)
        return
    pytest.fail("every selection is over the limits")


@pytest.mark.parametrize("as_of", ["2026-01-01T00:00:30Z", "2026-01-01T00:00:03Z"])
@pytest.mark.parametrize("granularity", ["ENTITY", "COLUMN", "VERSION", "GROUP"])
def test_no_walk_of_the_past_tells_a_name_that_is_not_seen(
    chain: Served, narrow: str, as_of: str, granularity: str
) -> None:
    text = f"""{{ lineage(ref: "open/raw", depth: 20, asOf: "{as_of}", granularity: {granularity}) {{
      nodes {{ id urn name namespace parentId groupId }} edges {{ source target via }} groups {{ id label }} }} }}"""
    answer = chain.graphql(narrow, text)
    assert "errors" not in answer.json(), answer.text
    tells_nothing(answer.text)


HIDDEN_REFS = [
    "secret-ns/merger", "hw:dataset:secret-ns/merger", "dataset:secret-ns:merger", "merger", "secret-ns/merger#c",
    "secret-ns/hush", "runs:/00000000-0000-0000-0000-000000000002", encode_id("dataset|secret-ns|merger"),
    "dataset|secret-ns|merger",
]  # fmt: skip


@pytest.mark.parametrize("ref", HIDDEN_REFS)
@pytest.mark.parametrize("text", ["query Q($ref: String!) { entity(ref: $ref) { id } }", LINEAGE,
    "query Q($ref: String!) { events(ref: $ref) { totalCount } }",
    'query Q($ref: String!) { paths(from: "open/raw", to: $ref) { length } }'])  # fmt: skip
def test_what_is_not_seen_is_not_found_as_if_it_were_not_there(
    chain: Served, narrow: str, ref: str, text: str
) -> None:
    there = chain.graphql(narrow, text, ref=ref).json()["errors"][0]
    not_there = chain.graphql(narrow, text, ref=ref.replace("merger", "margin")).json()["errors"][0]
    assert there["extensions"]["code"] == not_there["extensions"]["code"] == "NOT_FOUND"
    assert not [m for m in there["extensions"]["didYouMean"] if "secret" in m]


def test_a_hidden_name_from_one_answer_opens_nothing_in_the_next(chain: Served, narrow: str) -> None:
    nodes = chain.graphql(narrow, LINEAGE, ref="open/raw", d="DOWNSTREAM").json()["data"]["lineage"]["nodes"]
    dark = [n["id"] for n in nodes if n["restricted"]]
    answer = chain.graphql(narrow, "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=dark).json()
    assert answer["data"]["nodes"] == [None] * len(dark)


MARQUEZ = [
    "/namespaces", "/namespaces/open/datasets", "/namespaces/open/datasets/last", "/namespaces/jobs/jobs",
    "/namespaces/jobs/jobs/after", "/namespaces/jobs/jobs/after/runs", "/jobs", "/search?q=e", "/events/lineage",
    "/lineage?nodeId=dataset:open:raw", "/column-lineage?nodeId=datasetField:open:raw:c&withDownstream=true",
    "/namespaces/open/datasets/last/versions",
]  # fmt: skip


@pytest.mark.parametrize("path", MARQUEZ)
def test_marquez_reads_tell_no_name_that_is_not_seen(chain: Served, narrow: str, path: str) -> None:
    answer = chain.http.get("/api/v1" + path, headers=bearer(narrow))
    assert answer.status_code == 200
    tells_nothing(answer.text)


@pytest.mark.parametrize("path", ["/namespaces/secret-ns", "/namespaces/secret-ns/datasets/merger", "/namespaces/secret-ns/jobs/hush",
    "/jobs/runs/00000000-0000-0000-0000-000000000002", "/lineage?nodeId=dataset:secret-ns:merger"])  # fmt: skip
def test_marquez_reads_do_not_find_what_is_not_seen(chain: Served, narrow: str, path: str) -> None:
    there = chain.http.get("/api/v1" + path, headers=bearer(narrow))
    assert there.status_code == 404


def test_an_export_holds_what_is_seen(chain: Served, narrow: str, wide: str) -> None:
    path = "/api/v1/export/openlineage?ref=open/raw"
    assert len(chain.http.get(path, headers=bearer(wide)).text.splitlines()) == 4
    text = chain.http.get(path, headers=bearer(narrow)).text
    tells_nothing(text)
    assert len(text.splitlines()) == 2


SQL = '{ entity(ref: "jobs/load") { ... on Job { sql facets { name value restricted } } } }'


def test_sql_is_for_those_who_may_read_it(chain: Served, narrow: str) -> None:
    plain = chain.graphql(chain.key("reader", name="plain"), SQL).json()["data"]["entity"]
    assert {f["name"]: (f["value"], f["restricted"]) for f in plain["facets"]}["sql"] == (None, True)
    assert "select c from" not in str(plain)
    allowed = chain.graphql(narrow, SQL).json()["data"]["entity"]
    assert {f["name"]: f["restricted"] for f in allowed["facets"]}["sql"] is False
    assert "select c from raw" in str(allowed)


@pytest.mark.parametrize("text", ["{ events { edges { node { raw } } } }", "{ event(seq: 1) { raw } }",
    '{ why(from: "open/raw", to: "open/first") { edges { node { note } } } }'])  # fmt: skip
def test_a_reader_meets_sql_nowhere_else(chain: Served, text: str) -> None:
    answer = chain.graphql(chain.key("reader", name="plain"), text)
    assert "errors" not in answer.json()
    assert "select c" not in answer.text
    marquez = chain.http.get("/api/v1/namespaces/jobs/jobs/load", headers=bearer(chain.key("reader")))
    assert marquez.json()["facets"]["sql"] == {"restricted": True}
    assert (
        "select c" not in chain.http.get("/api/v1/events/lineage", headers=bearer(chain.key("reader"))).text
    )


def test_records_of_tokens_are_for_auditors(chain: Served) -> None:
    text = '{ events(kind: "access.token") { totalCount edges { node { raw } } } }'
    assert chain.graphql(chain.key("reader"), text).json()["data"]["events"]["totalCount"] == 0

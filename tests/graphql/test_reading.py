from typing import Any

from tests.graphql.asking import Api, dataset, run_event

ORDERS = "hw:dataset:postgres://warehouse/dw.marts.orders"
OVERWRITTEN: dict[str, Any] = {
    "lifecycleStateChange": {"_producer": "p", "lifecycleStateChange": "OVERWRITE"}
}
CUSTOMERS = "hw:dataset:postgres://warehouse/dw.marts.customers"


def names(connection: Any) -> list[str]:
    return [edge["node"]["name"] for edge in connection["edges"]]


def test_a_thing_is_found_by_its_urn_and_again_by_its_id(shop: Api) -> None:
    entity = shop.ask(
        "query ($ref: String!) { entity(ref: $ref) { __typename id urn kind name } }", ref=ORDERS
    )["entity"]
    assert entity["__typename"] == "Dataset"
    assert entity["urn"] == ORDERS
    assert entity["kind"] == "DATASET"
    node = shop.ask("query ($id: ID!) { node(id: $id) { id ... on Dataset { name } } }", id=entity["id"])[
        "node"
    ]
    assert node == {"id": entity["id"], "name": "dw.marts.orders"}


def test_a_miss_is_an_error_with_what_was_perhaps_meant(shop: Api) -> None:
    error = shop.error('{ entity(ref: "postgres://warehouse/dw.marts.ordesr") { id } }')
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert ORDERS in error["extensions"]["didYouMean"]


def test_an_id_that_names_nothing_is_null_and_keeps_its_place(shop: Api) -> None:
    id_ = shop.ask("query ($ref: String!) { entity(ref: $ref) { id } }", ref=ORDERS)["entity"]["id"]
    found = shop.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["nonsense", id_, "", "YQ", id_])
    assert found["nodes"] == [None, {"id": id_}, None, None, {"id": id_}]


def test_every_kind_of_thing_is_found_by_the_id_that_it_shows(shop: Api) -> None:
    told = shop.ask(
        """
        {
          namespaces(first: 1) { edges { node { id } } }
          datasets(first: 3) { edges { node { id currentVersion { id } columns { id } } } }
          jobs(first: 3) { edges { node { id currentVersion { id } latestRun { id inputs { id } } } } }
          models(first: 5) { edges { node { id history { edges { node { id } } } stages { id }
            versions { edges { node { id transitions { edges { node { id } } } } } } } } }
        }
        """
    )
    ids: list[str] = []

    def collect(value: Any) -> None:
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            collect(inner)
        if isinstance(value, dict) and "id" in value:
            ids.append(value["id"])

    collect(told)
    found: list[Any] = []
    for start in range(0, len(ids), 200):
        found += shop.ask(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=ids[start : start + 200]
        )["nodes"]
    assert [node and node["id"] for node in found] == ids
    assert {node["__typename"] for node in found} >= {
        "Namespace", "Dataset", "Column", "DatasetVersion", "Job", "JobVersion", "Run", "RegisteredModel",
        "ModelVersion", "Stage", "StageTransition", "AuditEvent",
    }  # fmt: skip


def test_a_dataset_tells_its_columns_in_order_and_where_they_come_from(shop: Api) -> None:
    told = shop.ask(
        """
        query ($ref: String!) { entity(ref: $ref) { ... on Dataset {
          columns { name ordinal dataset { urn } upstream { type column { urn } job { name } } downstream { column { urn } } }
        } } }
        """,
        ref=CUSTOMERS,
    )["entity"]
    ordinals = [column["ordinal"] for column in told["columns"]]
    assert ordinals == sorted(ordinals)
    assert {column["dataset"]["urn"] for column in told["columns"]} == {CUSTOMERS}
    sources = [dep for column in told["columns"] for dep in column["upstream"]]
    assert {"DIRECT", "INDIRECT"} <= {dep["type"] for dep in sources}
    assert {dep["job"]["name"] for dep in sources} == {"shop.marts.customers"}
    assert any(column["downstream"] for column in told["columns"])


def test_jobs_and_datasets_know_each_other(shop: Api) -> None:
    told = shop.ask(
        """query ($ref: String!) { entity(ref: $ref) { upstreamCount downstreamCount ... on Dataset {
          producers { totalCount edges { node { name inputs { name } outputs { urn } } } }
          consumers { totalCount edges { node { name inputs { urn } } } } } } }""",
        ref=ORDERS,
    )["entity"]
    (producer,) = (edge["node"] for edge in told["producers"]["edges"])
    assert producer["name"] == "shop.marts.orders"
    assert [out["urn"] for out in producer["outputs"]] == [ORDERS]
    assert told["upstreamCount"] == told["producers"]["totalCount"] == 1
    assert told["downstreamCount"] == told["consumers"]["totalCount"] >= 2
    for edge in told["consumers"]["edges"]:
        assert ORDERS in [source["urn"] for source in edge["node"]["inputs"]]


def test_a_run_tells_the_versions_that_it_read_and_wrote(shop: Api) -> None:
    job = shop.ask(
        """{ jobs(query: "ml.build_features") { edges { node { name latestRun { runId state durationMs job { name }
          inputs { version dataset { name } producedBy { state } } outputs { version dataset { name } consumedBy { totalCount } } } } } } }"""
    )["jobs"]["edges"][0]["node"]
    run = job["latestRun"]
    assert run["state"] == "COMPLETE"
    assert run["job"]["name"] == job["name"]
    assert [v["dataset"]["name"] for v in run["outputs"]] == ["dw.ml.churn_features"]
    assert {v["producedBy"]["state"] for v in run["inputs"]} == {"COMPLETE"}


def test_facets_are_told_as_they_came(shop: Api) -> None:
    found = shop.ask(
        """query ($ref: String!) { entity(ref: $ref) { facets(names: ["schema"]) {
          name producer schemaURL value observedAt deleted } } }""",
        ref=ORDERS,
    )["entity"]["facets"]
    (facet,) = found
    assert facet["name"] == "schema"
    assert facet["value"]["fields"][0]["name"]
    assert facet["producer"].startswith("https://")
    assert facet["observedAt"].endswith("Z")


def test_columns_of_a_moment_are_those_that_were_there(api: Api) -> None:
    api.tell(
        run_event(
            "COMPLETE", "2026-01-01T00:00:00Z", "r1", "j", outputs=[dataset("t", "a", "b", **OVERWRITTEN)]
        ),
        run_event(
            "COMPLETE", "2026-01-03T00:00:00Z", "r2", "j", outputs=[dataset("t", "b", "c", **OVERWRITTEN)]
        ),
    )
    told = api.ask(
        """{ entity(ref: "pg://db/t") { ... on Dataset {
          now: columns { name } then: columns(asOf: "2026-01-02T00:00:00Z") { name } before: columns(asOf: "2025-12-01") { name }
          versions { edges { node { columns { name } } } } } } }"""
    )["entity"]
    assert [c["name"] for c in told["now"]] == ["b", "c"]
    assert [c["name"] for c in told["then"]] == ["a", "b"]
    assert told["before"] == []
    assert [[c["name"] for c in e["node"]["columns"]] for e in told["versions"]["edges"]] == [
        ["b", "c"],
        ["a", "b"],
    ]


def test_namespaces_count_what_can_be_seen(shop: Api) -> None:
    told = shop.ask("{ namespaces(first: 200) { totalCount edges { node { name datasetCount jobCount } } } }")
    for edge in told["namespaces"]["edges"]:
        node = edge["node"]
        listed = shop.ask(
            "query ($n: String!) { datasets(namespace: $n) { totalCount } jobs(namespace: $n) { totalCount } }",
            n=node["name"],
        )
        assert node["datasetCount"] == listed["datasets"]["totalCount"]
        assert node["jobCount"] == listed["jobs"]["totalCount"]


def test_words_find_things_by_kind_and_namespace(shop: Api) -> None:
    told = shop.ask(
        """{ all: datasets(query: "orders") { totalCount edges { node { name } } }
             some: datasets(query: "orders", namespace: "postgres://warehouse") { edges { node { namespace { name } } } }
             jobs(query: "score") { edges { node { name } } } models(query: "churn") { edges { node { name } } } }"""
    )
    assert told["all"]["totalCount"] >= 3
    assert {e["node"]["namespace"]["name"] for e in told["some"]["edges"]} == {"postgres://warehouse"}
    assert "ml.score_churn" in names(told["jobs"])
    assert names(told["models"]) == ["churn"]


def test_the_server_tells_what_it_is(shop: Api) -> None:
    server = shop.ask(
        """{ server { version backend nodeCount edgeCount eventsIngested readOnly viewer { name kind }
          limits { maxDepth maxNodes maxPage maxCost } } }"""
    )["server"]
    assert server["backend"] == "sqlite"
    assert server["eventsIngested"] > 1_000
    assert server["viewer"] == {"name": "ada", "kind": "USER"}
    assert server["limits"] == {"maxDepth": 50, "maxNodes": 10_000, "maxPage": 200, "maxCost": 50_000}


def test_events_are_told_newest_first_and_one_by_its_number(shop: Api) -> None:
    told = shop.ask(
        """{ events(first: 3, kind: "openlineage") { totalCount edges { node { seq eventType eventTime jobName raw projected } } }
             event(seq: 1) { seq raw receivedAt } nothing: event(seq: 999999) { seq } }"""
    )
    seqs = [edge["node"]["seq"] for edge in told["events"]["edges"]]
    assert seqs == sorted(seqs, reverse=True)
    assert all(edge["node"]["projected"] for edge in told["events"]["edges"])
    assert told["event"]["raw"]["producer"]
    assert told["nothing"] is None


def test_events_of_one_thing_are_about_it(shop: Api) -> None:
    told = shop.ask(
        "query ($ref: String!) { events(ref: $ref, first: 5) { totalCount edges { node { raw } } } }",
        ref=ORDERS,
    )
    assert 0 < told["events"]["totalCount"] < 1_000
    assert all("dw.marts.orders" in str(edge["node"]["raw"]) for edge in told["events"]["edges"])


def test_what_producers_do_wrong_is_counted(api: Api) -> None:
    api.tell(run_event("COMPLETE", "2026-01-01T00:00:00", "not-a-uuid", "j"))
    found = api.ask(
        "{ conformance { totalCount edges { cursor node { producer rule text count exampleSeq } } } }"
    )
    assert found["conformance"]["totalCount"] >= 1
    assert found["conformance"]["edges"][0]["node"]["exampleSeq"] == 1
    event = api.ask("{ event(seq: 1) { warnings } }")["event"]
    assert event["warnings"]

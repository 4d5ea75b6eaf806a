"""Marquez' API as its clients and its UI use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from headwater_server.api.marquez import marquez_router
from headwater_server.story import tell
from tests.graphql.asking import Api, dataset, opened, run_event

WAREHOUSE = "postgres://warehouse"
ORDERS = f"dataset:{WAREHOUSE}:dw.marts.orders"


def client(api: Api) -> TestClient:
    app = FastAPI()
    app.include_router(marquez_router(lambda _: api.context))
    return TestClient(app)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with opened(tmp_path_factory.mktemp("shop")) as api:
        tell(api.parts)
        yield client(api)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    with opened(tmp_path) as api:
        yield api


def get(shop: TestClient, path: str, **query: Any) -> Any:
    answer = shop.get("/api/v1" + path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def in_warehouse(path: str) -> str:
    return f"/namespaces/{quote(WAREHOUSE, safe='')}{path}"


def test_namespaces_are_listed_and_found(shop: TestClient) -> None:
    names = [n["name"] for n in get(shop, "/namespaces")["namespaces"]]
    assert WAREHOUSE in names
    assert get(shop, "/namespaces", limit=1, offset=1)["namespaces"][0]["name"] == names[1]
    assert get(shop, in_warehouse(""))["name"] == WAREHOUSE


def test_datasets_of_a_namespace_come_with_fields_facets_and_a_total(shop: TestClient) -> None:
    page = get(shop, in_warehouse("/datasets"), limit=2)
    assert page["totalCount"] > 2
    assert len(page["datasets"]) == 2
    orders = get(shop, in_warehouse("/datasets/dw.marts.orders"))
    assert orders["id"] == {"namespace": WAREHOUSE, "name": "dw.marts.orders"}
    assert orders["type"] == "DB_TABLE"
    assert all(f["name"] for f in orders["fields"])
    assert "schema" in orders["facets"]
    assert orders["currentVersion"]
    assert orders["updatedAt"].endswith("Z")


def test_the_versions_of_a_dataset_tell_the_run_that_made_them(shop: TestClient) -> None:
    page = get(shop, in_warehouse("/datasets/dw.marts.orders/versions"), limit=3)
    made = [v["createdAt"] for v in page["versions"]]
    assert made == sorted(made, reverse=True)
    first = page["versions"][0]
    assert first["createdByRun"]["state"] == "COMPLETED"
    assert page["totalCount"] >= 3
    again = get(shop, in_warehouse(f"/datasets/dw.marts.orders/versions/{quote(first['version'], safe='')}"))
    assert again["version"] == first["version"]


def test_jobs_come_with_their_datasets_and_their_latest_run(shop: TestClient) -> None:
    job = get(shop, "/namespaces/dbt/jobs/shop.marts.orders")
    assert job["outputs"] == [{"namespace": WAREHOUSE, "name": "dw.marts.orders"}]
    assert job["latestRun"]["state"] == "COMPLETED"
    assert job["facets"]["sql"]["query"]
    listed = get(shop, "/namespaces/dbt/jobs")
    assert listed["totalCount"] == len(listed["jobs"])
    assert get(shop, "/jobs", limit=3)["totalCount"] > listed["totalCount"]


def test_runs_are_told_newest_first_and_one_by_its_id(shop: TestClient) -> None:
    page = get(shop, "/namespaces/dbt/jobs/shop.marts.orders/runs", limit=2)
    starts = [run["startedAt"] for run in page["runs"]]
    assert starts == sorted(starts, reverse=True)
    run = get(shop, f"/jobs/runs/{page['runs'][0]['id']}")
    assert run["outputDatasetVersions"][0]["datasetVersionId"]["name"] == "dw.marts.orders"
    assert run["durationMs"] > 0


def test_the_lineage_of_a_dataset_is_a_graph_whose_edges_stand_at_both_ends(shop: TestClient) -> None:
    graph = get(shop, "/lineage", nodeId=ORDERS, depth=20)["graph"]
    by_id = {node["id"]: node for node in graph}
    assert by_id[ORDERS]["type"] == "DATASET"
    assert by_id["job:dbt:shop.marts.orders"]["data"]["latestRun"]["state"] == "COMPLETED"
    edges = [(e["origin"], e["destination"]) for node in graph for e in node["outEdges"]]
    assert ("job:dbt:shop.marts.orders", ORDERS) in edges
    assert sorted(edges) == sorted((e["origin"], e["destination"]) for n in graph for e in n["inEdges"])
    assert all(end in by_id for edge in edges for end in edge)
    assert [f["name"] for f in by_id[ORDERS]["data"]["fields"]]


def test_a_shallow_lineage_is_smaller(shop: TestClient) -> None:
    near = get(shop, "/lineage", nodeId=ORDERS, depth=1)["graph"]
    far = get(shop, "/lineage", nodeId=ORDERS, depth=20)["graph"]
    assert 0 < len(near) < len(far)
    from_job = get(shop, "/lineage", nodeId="job:dbt:shop.marts.orders", depth=1)["graph"]
    assert ORDERS in {node["id"] for node in from_job}


def test_every_job_of_a_large_graph_comes_with_its_latest_run(own: Api) -> None:
    own.tell(
        *(
            run_event("COMPLETE", "2026-01-01T00:00:00Z", f"00000000-0000-4000-8000-{n:012}", f"job {n}",
                      inputs=[dataset("hub")])
            for n in range(600)  # more than are drawn at once
        )
    )  # fmt: skip
    graph = get(client(own), "/lineage", nodeId="dataset:pg://db:hub", depth=1)["graph"]
    jobs = [node for node in graph if node["type"] == "JOB"]
    assert len(jobs) == len({job["id"] for job in jobs}) == 600
    assert {job["data"]["latestRun"]["state"] for job in jobs} == {"COMPLETED"}


def test_column_lineage_leads_upstream_and_downstream_when_asked(shop: TestClient) -> None:
    field = f"datasetField:{WAREHOUSE}:dw.marts.orders:order_id"
    up = get(shop, "/column-lineage", nodeId=field)["graph"]
    node = next(n for n in up if n["id"] == field)
    assert node["type"] == "DATASET_FIELD"
    assert node["data"]["inputFields"]
    assert {edge["origin"] for edge in node["inEdges"]} == {field}
    assert len(node["inEdges"]) == len(node["data"]["inputFields"])
    both = get(shop, "/column-lineage", nodeId=ORDERS, withDownstream="true")["graph"]
    assert len(both) > len(get(shop, "/column-lineage", nodeId=ORDERS)["graph"])


def test_search_finds_datasets_and_jobs(shop: TestClient) -> None:
    found = get(shop, "/search", q="orders", limit=50)
    assert {r["type"] for r in found["results"]} == {"DATASET", "JOB"}
    assert found["totalCount"] == len(found["results"])
    only = get(shop, "/search", q="orders", filter="DATASET", sort="name")["results"]
    assert {r["type"] for r in only} == {"DATASET"}
    assert [r["name"] for r in only] == sorted(r["name"] for r in only)
    assert ORDERS in {r["nodeId"] for r in only}


def test_events_are_given_back_as_they_came(own: Api) -> None:
    told = [run_event("COMPLETE", f"2026-01-0{day}T00:00:00Z", f"r{day}", "j") for day in range(1, 6)]
    own.tell(*told)
    reads = client(own)
    assert get(reads, "/events/lineage")["events"] == told[::-1]
    part = get(reads, "/events/lineage", limit=2, offset=1, sortDirection="asc")
    assert part == {"events": told[1:3], "totalCount": 5}
    bounded = get(reads, "/events/lineage", after="2026-01-02T00:00:00Z", before="2026-01-04T00:00:00Z")
    assert bounded == {"events": [told[2], told[1]], "totalCount": 2}


def test_names_may_hold_slashes_and_the_words_of_paths(own: Api) -> None:
    names = ["a/b", "x/versions", "sales/jobs/runs", "100%", "ü ä", "a:b"]
    outputs = [dataset(name, "c", namespace="s3://bucket/deep") for name in names]
    own.tell(run_event("COMPLETE", "2026-01-01T00:00:00Z", "r1", "team/etl/runs", outputs=outputs))
    reads = client(own)
    for name in names:
        path = f"/namespaces/{quote('s3://bucket/deep', safe='')}/datasets/{quote(name, safe='')}"
        assert get(reads, path)["name"] == name
        assert len(get(reads, path + "/versions")["versions"]) == 1
        graph = get(reads, "/lineage", nodeId=f"dataset:s3://bucket/deep:{name}")["graph"]
        assert f"dataset:s3://bucket/deep:{name}" in {node["id"] for node in graph}
    assert get(reads, "/namespaces/etl/jobs/team%2Fetl%2Fruns")["name"] == "team/etl/runs"
    assert len(get(reads, "/namespaces/etl/jobs/team%2Fetl%2Fruns/runs")["runs"]) == 1


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/namespaces/nowhere", 404, "Namespace 'nowhere' not found."),
        ("/namespaces/dbt/jobs/none", 404, "Job 'none' not found."),
        ("/namespaces/dbt/datasets/none", 404, "Dataset 'none' not found."),
        ("/jobs/runs/none", 404, "Run 'none' not found."),
        ("/lineage?nodeId=dataset:dbt:none", 404, "Nothing is called"),
        ("/lineage", 400, "`nodeId` is missing"),
        ("/search", 400, "`q` is missing"),
        ("/jobs?limit=many", 400, "`limit`"),
        ("/events/lineage?before=yesterday", 400, "`before`"),
        ("/namespaces/a/b/c", 404, "%2F"),
    ],
)
def test_a_refusal_has_a_code_and_a_message(shop: TestClient, path: str, status: int, message: str) -> None:
    answer = shop.get("/api/v1" + path)
    assert answer.status_code == answer.json()["code"] == status
    assert message in answer.json()["message"]


def test_the_reads_are_documented(shop: TestClient) -> None:
    paths = shop.get("/openapi.json").json()["paths"]
    versions = paths["/api/v1/namespaces/{namespace}/datasets/{dataset}/versions"]["get"]
    assert [p["name"] for p in versions["parameters"]] == ["namespace", "dataset", "limit", "offset"]
    assert [p["name"] for p in paths["/api/v1/lineage"]["get"]["parameters"]] == ["nodeId", "depth"]

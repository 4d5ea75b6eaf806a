"""What the client answers about the graph, as objects that show themselves."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

import headwater as hw
from headwater import errors
from tests.client.test_recording import quick

ORDERS, MART = "warehouse/raw.orders", "warehouse/marts.revenue"


@pytest.fixture(scope="module")
def sent() -> dict[str, bool]:
    return {}


@pytest.fixture(autouse=True)
def pipeline(url: str, sent: dict[str, bool]) -> None:
    """orders → revenue by a job that says its columns; a model was trained on it and is in Production."""
    if sent:
        return
    sent["yes"] = True
    fields = [{"name": "amount", "type": "NUMBER"}, {"name": "day", "type": "DATE"}]
    lineage = {
        "fields": {
            "amount": {"inputFields": [{"namespace": "warehouse", "name": "raw.orders", "field": "amount"}]}
        }
    }
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T08:00:00Z",
        "run": {"runId": str(uuid4())},
        "job": {"namespace": "etl", "name": "build_revenue"},
        "inputs": [
            {"namespace": "warehouse", "name": "raw.orders", "facets": {"schema": {"fields": fields}}}
        ],
        "outputs": [
            {
                "namespace": "warehouse",
                "name": "marts.revenue",
                "facets": {"schema": {"fields": fields}, "columnLineage": lineage},
            }
        ],
        "producer": "test",
    }
    hw.current().json("POST", "/api/v1/lineage?wait=projected", event)
    for lr in ("0.1", "0.2"):
        with quick(f"lr {lr}", experiment="revenue") as run:
            run.params(lr=lr)
            run.log(auc=0.5 + float(lr))
            run.input(None, MART)
            run.register(lr.encode(), "revenue")
    hw.version("revenue", "2").promote("Production")


def node_names(graph: hw.Lineage) -> set[str]:
    return {node["name"] for node in graph}


def test_lineage_shows_itself_as_text_page_diagram_and_tables() -> None:
    graph = hw.lineage(MART, up=2, down=4)
    assert {"raw.orders", "marts.revenue", "build_revenue"} <= node_names(graph)
    text = str(graph)
    assert text.index("build_revenue") < text.index("● marts.revenue")
    page = graph.to_html()
    assert page.count("<g ") == len(graph)
    assert "http:" not in page
    assert "https:" not in page
    assert "src=" not in page
    assert graph.to_mermaid().startswith("flowchart LR\n")
    assert graph.to_mermaid().count(" --> ") == len(graph.edges)
    assert graph.to_dot().count(" -> ") == len(graph.edges)
    nodes, edges = graph.to_pandas()
    assert (len(nodes), len(edges)) == (len(graph.nodes), len(graph.edges))
    network = graph.to_networkx()
    assert network.number_of_nodes() == len(graph)
    assert any(urn.endswith("warehouse/marts.revenue") for urn in network)
    assert set(graph._repr_mimebundle_()) == {"text/html", "text/mermaid", "text/plain"}
    assert not graph.truncated


def test_a_name_that_is_markup_stays_a_name() -> None:
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T08:00:00Z",
        "run": {"runId": str(uuid4())},
        "job": {"namespace": "etl", "name": "</title><script>alert(1)</script>"},
        "outputs": [{"namespace": "odd", "name": 'a"b]-->'}],
        "producer": "test",
    }
    hw.current().json("POST", "/api/v1/lineage?wait=projected", event)
    graph = hw.lineage('odd/a"b]-->', up=1, down=0)
    page = graph.to_html()
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert '"]' in graph.to_mermaid()
    assert "#quot;" in graph.to_mermaid()


def test_columns_are_followed_when_they_are_asked_for() -> None:
    graph = hw.lineage(f"{MART}#amount", up=2, down=0)
    assert {node["parentId"] for node in graph.of("column")} != {None}
    assert len(graph.of("column")) >= 2


def test_impact_ranks_what_breaks_and_stops_a_build() -> None:
    found = hw.impact(ORDERS, drop=["amount"])
    assert found.total >= 1
    assert len(found.top(1)) == 1
    assert "amount" in found.markdown
    assert found.to_pandas()["severity"].isin(["LOW", "MEDIUM", "HIGH", "CRITICAL"]).all()
    with pytest.raises(errors.ImpactTooHigh) as caught:
        found.raise_if("low")
    assert caught.value.items == found.at_least("low")
    with pytest.raises(errors.HeadwaterError, match="expected one of low"):
        found.raise_if("dreadful")
    with pytest.raises(errors.HeadwaterError, match="ask for each type"):
        hw.impact(ORDERS, change_type={"amount": "TEXT", "day": "INT"})


def test_paths_and_reasons() -> None:
    (shortest, *_) = hw.path(ORDERS, MART)
    assert shortest["nodes"][0]["name"] == "raw.orders"
    assert shortest["nodes"][-1]["name"] == "marts.revenue"
    assert hw.why(ORDERS, MART)
    about = hw.why("models:/revenue/2")
    assert about["stage"]["name"] == "Production"
    assert about["run"]["runId"]


def test_two_versions_are_compared() -> None:
    found = hw.diff("models:/revenue/1", "models:/revenue/2")
    assert not found.identical
    assert {"key": "lr", "before": "0.1", "after": "0.2"}.items() <= found["params"][0].items()
    assert "lr: 0.1 → 0.2" in repr(found)


def test_runs_are_found_by_what_they_logged() -> None:
    found = hw.runs("metrics.auc > 0.65 and params.lr = '0.2'", experiment="revenue")
    assert [run["info"]["run_name"] for run in found] == ["lr 0.2"]
    table = hw.runs(experiment="revenue", order_by=["metrics.auc DESC"]).to_pandas()
    assert list(table["params.lr"]) == ["0.2", "0.1"]
    assert len(hw.runs(limit=1)) == 1


def test_models_are_found_by_number_alias_and_stage() -> None:
    model = hw.models["revenue"]
    assert [one.version for one in model.versions] == ["2", "1"]
    assert model["latest"].version == "2"
    assert [one.version for one in model.in_stage("Production")] == ["2"]
    assert model.in_stage("Production", as_of="2026-01-01") == []
    assert "revenue" in {one.name for one in hw.models}
    assert "marts.revenue" in node_names(model["2"].lineage())


def test_errors_are_types_that_carry_the_answer() -> None:
    with pytest.raises(errors.NotFound) as missing:
        hw.lineage("warehouse/raw.order")
    assert any("raw.orders" in name for name in missing.value.did_you_mean)
    with pytest.raises(errors.NotFound):
        hw.version("revenue", "99")
    stale = hw.version("revenue", "1")
    stale.promote("Staging")
    with pytest.raises(errors.Conflict) as lost:
        stale.promote("Archived")
    assert lost.value.details["actualRevision"] > lost.value.details["expectedRevision"]
    with pytest.raises(errors.Refused):
        hw.gql("{ no_such_field }")
    with pytest.raises(errors.HeadwaterError, match="expected http"):
        hw.connect("localhost:4747")


def test_the_same_for_asyncio() -> None:
    async def work() -> tuple[hw.ModelVersion, Any]:
        async with hw.aio.run("later", experiment="aio", environment=False, diff=False) as run:
            assert hw.active() is run
            run.log(loss=1)
            made = await hw.aio.register(run, b"w", "aio-model")
        return await hw.aio.promote(made, "Staging"), await hw.aio.lineage(
            "models:/aio-model/1", up=2, down=0
        )

    staged, graph = asyncio.run(work())
    assert staged.stage == "Staging"
    assert len(graph) >= 1
    assert hw.runs(experiment="aio")[0]["info"]["status"] == "FINISHED"

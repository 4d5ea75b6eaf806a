"""A dbt project is taken in from its artifacts, under the names that dbt's own events use."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater_server.errors import HeadwaterError
from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.imports.dbt import dbt_events
from headwater_server.imports.dbt_artifacts import Artifacts, read_artifacts
from headwater_server.imports.dbt_profile import find_profile, warehouse
from headwater_server.openlineage import wire
from tests.imports.conftest import Headwater, Run

WAREHOUSE = "duckdb://orchard.duckdb"
RECORDED = Path(__file__).parents[1] / "fixtures" / "openlineage"


def table(name: str) -> str:
    return keys.dataset(WAREHOUSE, f"orchard.{name}")


def told(project: Path) -> list[dict[str, Any]]:
    return dbt_events(read_artifacts(project / "target"), warehouse=WAREHOUSE, jobs="dbt")


def rewrite(file: Path, change: Callable[[Any], None]) -> None:
    found = json.loads(file.read_text())
    change(found)
    file.write_text(json.dumps(found))


def test_tables_are_called_as_in_dbts_own_events(orchard: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(orchard))
    names = {keys.parts_of(key)[1] for key in embedded.visible(Kind.DATASET) if f"|{WAREHOUSE}|" in key}
    assert names == {
        "orchard.main.raw_pickings", "orchard.main.raw_trees", "orchard.main.weather",
        "orchard.main.stg_pickings", "orchard.main.stg_trees", "orchard.main.stg_weather",
        "orchard.main.harvest", "orchard.main.harvest_by_day", "orchard.main_history.trees_over_time",
    }  # fmt: skip


def test_a_project_of_the_recorded_shape_has_the_recorded_datasets_and_jobs() -> None:
    recorded = [
        json.loads(line) for line in (RECORDED / "dbt-duckdb-default.ndjson").read_text().splitlines()
    ]
    results: list[dict[str, Any]] = []
    nodes: dict[str, Any] = {}
    for event in recorded:  # what its manifest said, as far as the events carry it on
        node = event["job"].get("facets", {}).get("dbt_node")
        if node and event["outputs"] and ".build." not in event["job"]["name"]:
            kind = node["unique_id"].partition(".")[0]
            nodes[node["unique_id"]] = {**_node(node), "resource_type": kind, "name": node["alias"]}
    made = dbt_events(
        Artifacts(
            {
                "metadata": {
                    "generated_at": "2026-11-23T03:00:00Z",
                    "adapter_type": "duckdb",
                    "project_name": "shop",
                },
                "nodes": nodes,
            },
            results={"metadata": {}, "results": results},
        ),
        warehouse=warehouse("duckdb", {"path": "shop.duckdb"}),
        jobs="dbt-shop",
    )
    outputs = {(o["namespace"], o["name"]) for e in recorded for o in e["outputs"]}
    assert {(o["namespace"], o["name"]) for e in made for o in e["outputs"]} == outputs
    jobs = {e["job"]["name"] for e in recorded if e["outputs"] and ".build." not in e["job"]["name"]}
    assert {e["job"]["name"] for e in made} == jobs


def _node(facet: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facet.items() if not key.startswith("_")}


def test_every_name_in_dbts_own_events_of_the_project_is_ours_too(orchard: Path, embedded: Headwater) -> None:
    """dbt-ol 1.54 ran the same project; its events come on top of ours, and every table and job is there already."""
    recorded = [json.loads(line) for line in (orchard / "dbt-ol.ndjson").read_text().splitlines()]
    embedded.send_at_once(told(orchard))
    tables, jobs = embedded.visible(Kind.DATASET), embedded.visible(Kind.JOB)
    named = {keys.dataset(d["namespace"], d["name"]) for e in recorded for d in (*e["inputs"], *e["outputs"])}
    assert len(named) == 7
    assert named <= tables
    embedded.send_at_once(recorded)
    assert embedded.visible(Kind.JOB) == jobs


def test_columns_flow_as_the_compiled_sql_says(orchard: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(orchard))
    grams = keys.column(table("main.harvest"), "grams")
    assert embedded.into(grams, EdgeKind.DERIVES) == {keys.column(table("main.stg_pickings"), "grams")}
    weight = keys.column(table("main.stg_pickings"), "grams")
    assert embedded.into(weight, EdgeKind.DERIVES) == {keys.column(table("main.raw_pickings"), "kilos")}
    snapshot = keys.column(table("main_history.trees_over_time"), "variety")
    assert embedded.into(snapshot, EdgeKind.DERIVES) == {keys.column(table("main.stg_trees"), "variety")}


def test_a_source_is_one_table_under_its_two_names(orchard: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(orchard))
    assert table("main.raw_weather") not in embedded.visible(Kind.DATASET)
    assert (table("main.weather"), table("main.stg_weather")) in embedded.flows()


def test_an_exposure_is_downstream_of_what_it_shows(orchard: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(orchard))
    board = keys.dataset("dbt://orchard", "harvest_board")
    assert {i for i, o in embedded.flows() if o == board} == {
        table("main.harvest"),
        table("main.harvest_by_day"),
    }
    props = embedded.props(board)
    assert (props["type"], props["owners"], props["tags"]) == ("DASHBOARD", ["Barn|OWNER"], ["barn=true"])


def test_docs_owners_tags_and_types_are_kept(orchard: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(orchard))
    props = embedded.props(table("main.harvest"))
    assert props["description"] == "What each variety gave, day by day"
    assert props["owners"] == ["Growers|GROUP", "team-harvest"]
    assert {tag.partition("=")[0] for tag in props["tags"]} == {"marts", "nightly"}
    variety = embedded.props(keys.column(table("main.harvest"), "variety"))
    assert (variety["type"], variety["description"]) == ("VARCHAR", "In capitals")
    assert [tag.partition("=")[0] for tag in variety["tags"]] == ["dimension"]


def test_runs_have_the_times_of_dbt(orchard: Path) -> None:
    harvest = [e for e in told(orchard) if e.get("job", {}).get("name") == "orchard.main.orchard.harvest"]
    results = json.loads((orchard / "target" / "run_results.json").read_text())["results"]
    (result,) = [r for r in results if r["unique_id"] == "model.orchard.harvest"]
    assert [e["eventType"] for e in harvest] == ["START", "COMPLETE"]
    assert harvest[0]["eventTime"] == result["timing"][0]["started_at"]
    assert harvest[1]["eventTime"] == result["timing"][-1]["completed_at"]
    assert len({e["run"]["runId"] for e in harvest}) == 1


def test_a_model_that_failed_is_a_failed_run_with_its_message(orchard: Path) -> None:
    def fail(found: Any) -> None:
        (result,) = [r for r in found["results"] if r["unique_id"] == "model.orchard.harvest"]
        result |= {"status": "error", "message": "Runtime Error: out of apples"}

    rewrite(orchard / "target" / "run_results.json", fail)
    events = told(orchard)
    (failed,) = [
        e
        for e in events
        if e.get("eventType") == "FAIL" and e["outputs"] == [] and "sql" in e["job"]["facets"]
    ]
    assert failed["run"]["facets"]["errorMessage"]["message"] == "Runtime Error: out of apples"
    assert events[-2]["eventType"] == "FAIL"
    assert events[-2]["job"]["name"] == "dbt-run-orchard"


def test_tests_are_assertions_on_the_table_that_they_check(orchard: Path) -> None:
    events = told(orchard)
    (checked,) = [
        e
        for e in events
        if e.get("job", {}).get("name") == "orchard.main.orchard.stg_trees.test" and e["eventType"] != "START"
    ]
    assert checked["eventType"] == "COMPLETE"  # it warns
    (said,) = checked["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (said["assertion"], said["success"], said["column"], said["severity"]) == (
        "accepted_values",
        False,
        "variety",
        "warn",
    )
    singular = [e for e in events if e.get("job", {}).get("name") == "test.orchard.no_empty_pickings"]
    assert [i["name"] for i in singular[0]["inputs"]] == ["orchard.main.harvest"]


def test_without_results_the_project_is_told_as_it_is_designed(orchard: Path, embedded: Headwater) -> None:
    (orchard / "target" / "run_results.json").unlink()
    (orchard / "target" / "catalog.json").unlink()
    events = told(orchard)
    assert not [e for e in events if "run" in e]
    embedded.send_at_once(events)
    assert (table("main.stg_trees"), table("main.harvest")) in embedded.flows()
    assert embedded.into(keys.column(table("main.harvest"), "grams"), EdgeKind.DERIVES)


def test_an_ephemeral_model_is_no_table(orchard: Path) -> None:
    def inline(found: Any) -> None:
        found["nodes"]["model.orchard.stg_trees"]["config"]["materialized"] = "ephemeral"

    rewrite(orchard / "target" / "manifest.json", inline)
    harvest = next(e for e in told(orchard) if e.get("job", {}).get("name") == "orchard.main.orchard.harvest")
    assert "orchard.main.raw_trees" in {i["name"] for i in harvest["inputs"]}


def test_the_events_are_as_the_spec_has_them(orchard: Path) -> None:
    for event in told(orchard):
        assert wire.read(event).findings == []


def test_importing_twice_changes_nothing(orchard: Path, embedded: Headwater) -> None:
    embedded.send_at_once(told(orchard))
    once = embedded.fingerprint()
    embedded.send_at_once(told(orchard))
    assert embedded.fingerprint() == once


def test_the_command_finds_the_warehouse_and_says_what_is_in(orchard: Path, tmp_path: Path, run: Run) -> None:
    said = run("import", "dbt", str(orchard / "target"), "--data", str(tmp_path / "data"))
    assert (said.code, said.out.split(": ", 1)[1]) == (0, "10 datasets, 15 jobs, 14 runs.\n")
    shown = run(
        "lineage", f"{WAREHOUSE}/orchard.main.harvest", "--data", str(tmp_path / "data"), "--down", "2"
    )
    assert "harvest_board" in shown.out


def test_a_dry_run_sends_nothing_and_an_output_can_be_ingested(
    orchard: Path, tmp_path: Path, run: Run
) -> None:
    data = str(tmp_path / "data")
    dry = run("import", "dbt", str(orchard), "--dry-run", "--json", "--data", data)
    assert dry.json["events"] == 30
    assert not (tmp_path / "data").exists()
    file = tmp_path / "orchard.ndjson"
    assert run("import", "dbt", str(orchard), "--output", str(file)).code == 0
    assert run("ingest", str(file), "--data", data, "--json").json["successful"] == 30


def test_a_folder_without_a_manifest_is_refused_by_name(tmp_path: Path, run: Run) -> None:
    said = run("import", "dbt", str(tmp_path), "--data", str(tmp_path / "data"))
    assert said.code == 1
    assert "manifest.json" in said.err


@pytest.mark.parametrize(
    ("adapter", "profile", "namespace"),
    [
        ("duckdb", {"path": "shop.duckdb"}, "duckdb://shop.duckdb"),
        ("postgres", {"host": "db", "port": 6432}, "postgres://db:6432"),
        ("postgres", {"host": "db"}, "postgres://db:5432"),
        ("snowflake", {"account": "org-acc.eu"}, "snowflake://org-acc"),
        ("snowflake", {"account": "xy12345"}, "snowflake://xy12345.us-west-1.aws"),
        ("bigquery", {}, "bigquery"),
        ("databricks", {"host": "a.cloud.databricks.com"}, "databricks://a.cloud.databricks.com"),
        ("spark", {"host": "h", "method": "thrift"}, "spark://h:10001"),
        ("athena", {"region_name": "eu-west-1"}, "awsathena://athena.eu-west-1.amazonaws.com"),
        ("glue", {"region": "r", "role_arn": "arn:aws:iam::123:role/x"}, "arn:aws:glue:r:123"),
    ],
)
def test_the_namespace_is_made_of_the_profile(adapter: str, profile: dict[str, Any], namespace: str) -> None:
    assert warehouse(adapter, profile) == namespace


def test_a_profile_is_read_with_the_environment(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("profile: p\n")
    (tmp_path / "profiles.yml").write_text(
        "p: {target: ci, outputs: {ci: {type: postgres, host: \"{{ env_var('DB_HOST', 'db') }}\"}}}\n"
    )
    found = find_profile(tmp_path, folder=None, target=None, env={"DB_HOST": "elsewhere"})
    assert found["host"] == "elsewhere"
    with pytest.raises(HeadwaterError, match="has no output 'prod'; it has ci"):
        find_profile(tmp_path, folder=None, target="prod", env={})

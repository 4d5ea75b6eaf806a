"""The demo shop is true to the standard and to itself."""

import json
import re
from typing import Any
from uuid import UUID

import pytest

from headwater_server.demo import commands, events, jobs
from headwater_server.demo.jobs import Work
from headwater_server.demo.tables import TABLES
from headwater_server.graph import times

WORKS = [
    *jobs.LOADS, jobs.LOAD_CONTACTS, *jobs.MODELS, jobs.STG_CUSTOMERS, jobs.STG_CUSTOMERS_FROM_CRM,
    jobs.FEATURES, jobs.TRAIN, jobs.SCORE, jobs.RETENTION, jobs.DASHBOARD,
]  # fmt: skip


def test_the_events_are_the_same_every_time() -> None:
    assert list(events()) == list(events())


def test_no_event_is_told_twice() -> None:
    told = [json.dumps(event, sort_keys=True) for event in events()]
    assert len(told) == len(set(told))


def test_every_event_has_what_the_standard_requires() -> None:
    for event in events():
        times.parse(event["eventTime"])
        assert event["producer"].startswith("https://")
        assert event["schemaURL"].startswith("https://openlineage.io/spec/")
        assert ("job" in event) != ("dataset" in event)
        if "run" in event:
            UUID(event["run"]["runId"])
            assert event["eventType"] in {"START", "COMPLETE", "FAIL"}
        for facet in _facets(event):
            assert {"_producer", "_schemaURL"} <= facet.keys()


def _facets(value: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"facets", "inputFacets", "outputFacets"}:
                found += inner.values()
            found += _facets(inner)
    elif isinstance(value, list):
        for inner in value:
            found += _facets(inner)
    return found


@pytest.mark.parametrize("work", WORKS, ids=lambda work: f"{work.name} of {work.reads[0]}")
def test_columns_come_from_columns_that_are_read_and_go_to_columns_that_are_written(work: Work) -> None:
    written = {column.name for name in work.writes for column in TABLES[name].columns}
    assert set(work.columns) <= written
    for text in (*work.columns.values(), *([work.rows] if work.rows else [])):
        for table, column in re.findall(r"([a-z]+\.[a-z]+)\.(\w+)", text):
            assert table in work.reads
            assert column in {known.name for known in TABLES[table].columns}


def test_a_run_starts_before_it_ends_and_parents_are_runs_of_the_shop() -> None:
    started: set[str] = set()
    known = {event["run"]["runId"] for event in events() if "run" in event}
    for event in events():
        if "run" not in event:
            continue
        run = event["run"]
        if event["eventType"] == "START":
            started.add(run["runId"])
        assert run["runId"] in started
        parent = run["facets"].get("parent")
        if parent:
            assert {parent["run"]["runId"], parent["root"]["run"]["runId"]} <= known


def test_one_load_is_retried_one_model_fails_and_one_scoring_is_under_way() -> None:
    ends: dict[str, tuple[str, str]] = {}
    for event in events():
        if "run" in event:
            ends[event["run"]["runId"]] = (event["eventType"], event["job"]["name"])
    failed = sorted(name for kind, name in ends.values() if kind == "FAIL")
    assert failed == [
        "dbt-run-shop",
        "shop.marts.customers",
        "shop_nightly",
        "shop_nightly.dbt_run",
        "shop_nightly.load_payments",
    ]
    under_way = sorted(name for kind, name in ends.values() if kind == "START")
    assert under_way == ["ml.score_churn", "shop_nightly", "shop_nightly.score_churn"]


def test_versions_are_made_from_runs_that_trained() -> None:
    trained = {
        event["run"]["runId"]
        for event in events()
        if "run" in event and event["job"]["name"] == "ml.train_churn" and event["eventType"] == "COMPLETE"
    }
    made = [command.input["runId"] for command in commands() if command.mutation == "createModelVersion"]
    assert set(made) == trained
    assert len(made) == 3


def test_commands_are_told_in_the_order_of_their_times() -> None:
    told = [times.parse(command.at) for command in commands()]
    assert told == sorted(told)

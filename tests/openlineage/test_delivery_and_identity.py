"""Traps 1 to 12: events that come twice, late, out of order, oddly spelled, or without an end."""

import gzip
import json
import threading
from typing import Any

import orjson
import pytest

from headwater_server.graph import keys, times
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.ingest import reader
from headwater_server.ingest.receive import receive
from tests.app import Headwater
from tests.openlineage.said import (
    columns,
    dataset_key,
    facet,
    job_key,
    moment,
    run,
    run_key,
    table,
    uuid_of,
)


def state(headwater: Headwater, job: str = "load", word: str = "one") -> str:
    return str(headwater.props(run_key(job, word))["state"])


def test_1_the_same_event_six_times_is_one_record_one_version_one_statistic(headwater: Headwater) -> None:
    event = run(
        "COMPLETE", "load", "one", 1, writes=[table("a", use={"outputStatistics": facet(rowCount=7)})]
    )
    receipts = headwater.send(*[event] * 6)
    assert [r.duplicate for r in receipts] == [False, *[True] * 5]
    assert headwater.log.head() == 1
    assert {r.seq for r in receipts} == {1}
    versions = headwater.store.page(Kind.DATASET_VERSION, marks=[""], limit=9)
    assert [v.props["rows"] for v in versions] == [7]


def test_1_the_same_json_with_other_spaces_and_order_of_names_is_the_same_event(headwater: Headwater) -> None:
    event = run("COMPLETE", "load", "one", 1, writes=["a"])
    turned = json.dumps(dict(reversed(event.items())), indent=3).encode()
    first, second = headwater.send(event, turned)
    assert second.duplicate
    assert second.seq == first.seq


def test_2_a_hundred_events_at_once_lose_nothing(headwater: Headwater) -> None:
    runs = [
        run(kind, f"job {n % 5}", f"run {n}", minute, reads=["a"], writes=[f"b{n % 3}"])
        for n in range(50)
        for minute, kind in ((1, "START"), (2, "COMPLETE"))
    ]
    together = threading.Barrier(10)

    def producer(mine: list[Any]) -> None:
        together.wait()
        for event in mine:
            receive(orjson.dumps(event), headwater.parts.committer).projected.result()

    threads = [threading.Thread(target=producer, args=(runs[n::10],)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert headwater.log.head() == 100
    assert headwater.store.count(Kind.RUN, marks=["C", "T"]) == 50
    assert headwater.visible(Kind.DATASET) == {dataset_key(n) for n in ("a", "b0", "b1", "b2")}


def test_3_a_terminal_wins_over_a_start_of_the_same_time(headwater: Headwater) -> None:
    start, complete = (run(kind, "load", "one", 1, writes=["a"]) for kind in ("START", "COMPLETE"))
    headwater.send(start, complete)
    assert state(headwater) == "COMPLETE"
    headwater.send(*(run(kind, "load", "two", 1, writes=["a"]) for kind in ("COMPLETE", "START")))
    assert state(headwater, word="two") == "COMPLETE"


def test_4_complete_first_and_start_later_is_a_complete_run_that_started_then(headwater: Headwater) -> None:
    start = run("START", "load", "one", 1)
    headwater.send(run("COMPLETE", "load", "one", 5), start)
    seen = headwater.props(run_key("load", "one"))
    assert (seen["state"], seen["started"], seen["ended"]) == ("COMPLETE", moment(1), moment(5))
    headwater.send(start)
    assert state(headwater) == "COMPLETE"


def test_5_a_terminal_without_a_start_has_an_end_and_no_known_start(headwater: Headwater) -> None:
    headwater.send(run("FAIL", "load", "one", 5))
    seen = headwater.props(run_key("load", "one"))
    assert (seen["state"], seen["ended"]) == ("FAIL", moment(5))
    assert "started" not in seen


@pytest.mark.parametrize(
    ("told", "stays"),
    [
        (["FAIL", "COMPLETE"], "FAIL"),
        (["COMPLETE", "FAIL"], "FAIL"),
        (["ABORT", "COMPLETE"], "ABORT"),
        (["ABORT", "FAIL"], "FAIL"),
        (["FAIL", "ABORT", "COMPLETE"], "FAIL"),
    ],
    ids=str,
)
def test_6_of_several_terminals_the_worst_stays_whatever_the_time(
    headwater: Headwater, told: list[str], stays: str
) -> None:
    headwater.send(run("START", "load", "one", 0))
    headwater.send(*(run(kind, "load", "one", minute) for minute, kind in enumerate(told, 1)))
    assert state(headwater) == stays
    heard = {name for name in headwater.facts(run_key("load", "one")).first if name.startswith("at|")}
    assert heard == {"at|START", *(f"at|{kind}" for kind in told)}


def test_6_only_a_later_start_opens_a_new_attempt(headwater: Headwater) -> None:
    headwater.send(run("START", "load", "one", 1), run("FAIL", "load", "one", 2))
    headwater.send(run("START", "load", "one", 3))
    assert state(headwater) == "RUNNING"
    headwater.send(run("COMPLETE", "load", "one", 4))
    assert state(headwater) == "COMPLETE"


def test_7_what_comes_after_the_terminal_still_counts(headwater: Headwater) -> None:
    headwater.send(run("COMPLETE", "load", "one", 1, reads=["a"]))
    late = table("b", use={"outputStatistics": facet(rowCount=3)})
    headwater.send(run("OTHER", "load", "one", 2, writes=[late]))
    assert state(headwater) == "COMPLETE"
    assert headwater.flows() == {(dataset_key("a"), dataset_key("b"))}
    (version,) = headwater.store.page(Kind.DATASET_VERSION, marks=[""], limit=9)
    assert version.props["rows"] == 3


def test_7_other_before_start_absent_and_lower_case_types_are_read(headwater: Headwater) -> None:
    headwater.send(run("OTHER", "load", "one", 1), run("START", "load", "one", 2))
    assert state(headwater) == "RUNNING"
    headwater.send(run(None, "load", "two", 1))
    assert state(headwater, word="two") == "RUNNING"
    (receipt,) = headwater.send(run("complete", "load", "one", 3))
    assert state(headwater) == "COMPLETE"
    assert headwater.log.findings_of(receipt.seq) == ["eventType-case"]


def test_9_a_run_id_that_is_no_uuid_is_taken_and_flagged(headwater: Headwater) -> None:
    event = run("COMPLETE", "load", "one", 1)
    event["run"]["runId"] = "nightly 2026-03-02"
    (receipt,) = headwater.send(event)
    assert headwater.has(keys.run("nightly 2026-03-02", job_key("load")))
    assert "runId-not-uuid" in headwater.log.findings_of(receipt.seq)


def test_9_a_run_id_that_two_jobs_say_is_flagged_on_the_second(embedded: Headwater) -> None:
    receipts = embedded.send(
        run("START", "load", "one", 1), run("START", "merge", "one", 1), run("COMPLETE", "load", "one", 2)
    )
    found = [embedded.log.findings_of(r.seq) for r in receipts]
    assert found == [[], ["runId-of-two-jobs"], []]


def test_9_one_run_id_under_two_jobs_is_two_runs_and_two_lineages(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"]),
        run("FAIL", "merge", "one", 2, reads=["c"], writes=["d"]),
        run("COMPLETE", "load", "one", 3, reads=["c"], writes=["b"], ns="elsewhere"),
    )
    assert state(headwater, "load") == "COMPLETE"
    assert state(headwater, "merge") == "FAIL"
    assert (dataset_key("a"), dataset_key("d")) not in headwater.flows()
    assert headwater.reads_of(job_key("load")) == {dataset_key("a")}
    versions = headwater.store.page(Kind.DATASET_VERSION, marks=[""], group=dataset_key("b"), limit=9)
    assert {v.props["run"] for v in versions} == {
        run_key("load", "one"),
        run_key("load", "one", ns="elsewhere"),
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:00:00+00:00", "2026-03-02T10:00:00Z"),
        ("2026-03-02T11:00:00+01:00", "2026-03-02T10:00:00Z"),
        ("2026-03-02T10:00:00.123456789Z", "2026-03-02T10:00:00.123456Z"),
        ("2026-03-02T10:00:00", "2026-03-02T10:00:00Z"),
        ("2026-03-02T11:00:00+01:00[Europe/Berlin]", "2026-03-02T10:00:00Z"),
    ],
)
def test_10_every_spelling_of_a_time_is_kept_as_utc(embedded: Headwater, written: str, meant: str) -> None:
    (receipt,) = embedded.send({**run("COMPLETE", "load", "one", 1), "eventTime": written})
    assert embedded.props(run_key("load", "one"))["ended"] == times.parse(meant)
    flagged = "eventTime-no-zone" in embedded.log.findings_of(receipt.seq)
    assert flagged is not times.read(written)[1]


def test_10_the_clock_of_the_arrival_is_nowhere_in_the_graph(embedded: Headwater) -> None:
    embedded.send(run("COMPLETE", "load", "one", 1, reads=["a"], writes=[table("b", schema=columns("x"))]))
    numbers = [v for n in embedded.store.all_nodes() for v in n.props.values() if isinstance(v, int)]
    numbers += [t for e in embedded.store.all_edges() for t in (e.since, e.until) if t is not None]
    assert max(numbers) == moment(1)


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "a/b",
        "a:b",
        "a%2Fb",
        "a|b",
        "a\\b",
        "größe.テーブル",
        "a'b\"c`d",
        "x') DETACH DELETE n // y",
        "a@1#2",
    ],
)
def test_11_any_character_in_a_name_is_the_name(headwater: Headwater, name: str) -> None:
    namespace = f"arn:aws:glue:eu:{name}"
    headwater.send(
        run("COMPLETE", name, "one", 1, reads=[table(name, ns=namespace)], writes=["b"], ns=namespace)
    )
    key = dataset_key(name, namespace)
    assert keys.parts_of(key) == [namespace, name]
    assert headwater.props(key)["name"] == name
    assert headwater.props(job_key(name, namespace))["namespace"] == namespace
    assert headwater.flows() == {(key, dataset_key("b"))}


def test_11_five_megabytes_in_a_facet_are_kept_as_they_came(embedded: Headwater) -> None:
    plan = "x" * (5 * 2**20)
    event = orjson.dumps(
        run("COMPLETE", "load", "one", 1, run_facets={"spark.logicalPlan": facet(plan=plan)})
    )
    (receipt,) = embedded.send(event)
    record = embedded.log.get(receipt.seq)
    assert record is not None
    assert record.body == event
    assert embedded.facets(run_key("load", "one"))["spark.logicalPlan"].value["plan"] == plan


def test_11_gzip_is_read_in_whatever_pieces_it_comes() -> None:
    body = orjson.dumps(run("START", "load", "one", 1))
    packed = gzip.compress(body)
    inflater = reader.Inflater("gzip", limit=len(body))
    for at in range(len(packed)):
        inflater.feed(packed[at : at + 1])
    assert inflater.done() == body


def test_11_a_nul_in_a_facet_is_kept(headwater: Headwater) -> None:
    said = "before\x00after"
    headwater.send(
        run("FAIL", "load", "one", 1, run_facets={"errorMessage": facet(message=said)}, reads=["a"])
    )
    assert headwater.facets(run_key("load", "one"))["errorMessage"].value["message"] == said


def test_12_whatever_is_odd_is_taken_kept_and_flagged(headwater: Headwater) -> None:
    event = run("SHRUG", "load", uuid_of("x"), 1, writes=["a"], run_facets={"odd": {"no": "producer"}})
    event["job"]["facets"] = ["not", "an", "object"]
    event["run"]["facets"]["number"] = 7
    del event["producer"], event["schemaURL"]
    (receipt,) = headwater.send(event)
    record = headwater.log.get(receipt.seq)
    assert record is not None
    assert orjson.loads(record.body) == event
    rules = {
        "producer-missing",
        "schemaURL-missing",
        "eventType-unknown",
        "facets-not-object",
        "facet-not-object",
        "facet-without-_producer",
    }
    assert set(headwater.log.findings_of(receipt.seq)) == rules
    assert {c.rule for c in headwater.log.conformance(limit=99)} == rules
    assert headwater.into(job_key("load"), EdgeKind.RUN_OF)

"""The contract of /api/v1/lineage and /batch: what is answered to what."""

import gzip
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from tests.openlineage.said import dataset_event, job_event, run

JSON = {"content-type": "application/json"}
ONE, MANY = "/api/v1/lineage", "/api/v1/lineage/batch"
EVENT = run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"])


def pieces(body: bytes) -> Iterator[bytes]:
    """Sent so, a body has no length: it is chunked."""
    for at in range(0, len(body), 100):
        yield body[at : at + 100]


def metric(door: TestClient, name: str) -> float:
    lines = door.get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_an_event_is_created_with_its_number(door: TestClient) -> None:
    answer = door.post(ONE, json=EVENT)
    assert (answer.status_code, answer.json()) == (201, {"seq": 1})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("event", [EVENT, job_event("load", 1, reads=["a"]), dataset_event("a", 1)])
def test_every_form_of_event_is_taken(door: TestClient, event: Any) -> None:
    assert door.post(ONE, json=event).status_code == 201


def test_the_same_event_again_has_the_number_it_had(door: TestClient) -> None:
    door.post(ONE, json=EVENT)
    door.post(ONE, json=run("START", "load", "two", 2))
    again = door.post(ONE, json=dict(reversed(EVENT.items())))
    assert (again.status_code, again.json()) == (200, {"seq": 1})
    assert door.get("/readyz").json()["headSeq"] == 2


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_gzip_and_chunks_are_read(door: TestClient, encoding: str, chunked: bool) -> None:
    body = orjson.dumps(EVENT)
    sent = gzip.compress(body, 3) if encoding == "gzip" else body
    headers = {"content-type": "application/json; charset=UTF-8", "content-encoding": encoding}
    answer = door.post(ONE, content=pieces(sent) if chunked else sent, headers=headers)
    assert answer.status_code == 201


def test_a_refusal_says_where_what_was_expected_and_what_was_got(door: TestClient) -> None:
    answer = door.post(ONE, json={**EVENT, "job": {"namespace": "n", "name": 7}})
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["pointer"], problem["got"]) == ("/job/name", "7")
    assert problem["expected"] in problem["detail"]
    assert problem["type"] == "urn:headwater:error:Unplaceable"


def test_an_event_that_is_waited_for_is_in_the_graph(door: TestClient) -> None:
    door.post(f"{ONE}?wait=projected", json=EVENT)
    ready = door.get("/readyz").json()
    assert ready["ready"] is True
    assert (ready["headSeq"], ready["appliedSeq"]) == (1, 1)
    query = '{ entity(ref: "postgres://db/b") { name upstreamCount } }'
    found = door.post("/graphql", json={"query": query}).json()
    assert found["data"]["entity"]["name"] == "b"


def test_a_batch_is_answered_as_the_standard_says(door: TestClient) -> None:
    bad = {**EVENT, "eventTime": "yesterday"}
    other = run("START", "load", "two", 2)
    answer = door.post(MANY, json=[EVENT, bad, other, EVENT])
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "partial_success"
    assert told["summary"] == {
        "received": 4,
        "successful": 3,
        "failed": 1,
        "retriable": 0,
        "non_retriable": 1,
    }
    (failed,) = told["failed_events"]
    assert (failed["index"], failed["pointer"], failed["retriable"]) == (1, "/eventTime", False)
    assert told["seqs"] == [1, 2, 1]


def test_a_batch_without_failures_is_a_success_and_so_is_an_empty_one(door: TestClient) -> None:
    assert door.post(MANY, json=[EVENT]).json()["status"] == "success"
    assert door.post(MANY, json=[]).json()["summary"]["received"] == 0


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/ndjson", "application/jsonl"])
def test_lines_are_a_batch_and_a_bad_line_spoils_only_itself(door: TestClient, kind: str) -> None:
    body = b"\n".join([orjson.dumps(EVENT), b"{", b"", orjson.dumps(run("START", "load", "two", 2))])
    told = door.post(MANY, content=body + b"\r\n", headers={"content-type": kind}).json()
    assert (told["summary"]["successful"], told["summary"]["failed"]) == (2, 1)
    assert told["failed_events"][0]["index"] == 1


def test_a_batch_keeps_each_event_as_it_was_sent(door: TestClient) -> None:
    spaced = orjson.dumps(EVENT, option=orjson.OPT_INDENT_2).replace(b'"load"', b'"l\\u006fad"')
    door.post(f"{MANY}?wait=projected", content=b"[ " + spaced + b" ]", headers=JSON)
    query = "{ event(seq: 1) { raw jobName } }"
    assert door.post("/graphql", json={"query": query}).json()["data"]["event"]["jobName"] == "load"
    exported = door.get("/api/v1/export/openlineage", params={"ref": "postgres://db/b"})
    assert exported.text.encode() == spaced.replace(b"\n", b" ") + b"\n"


def test_a_gzipped_batch_is_read(door: TestClient) -> None:
    body = gzip.compress(orjson.dumps([EVENT]))
    assert door.post(MANY, content=body, headers={**JSON, "content-encoding": "gzip"}).status_code == 200


@pytest.mark.parametrize("body", [b"{}", b"7", b"", b"[", b'[{"a":1}'])
def test_a_batch_that_is_no_array_is_refused(door: TestClient, body: bytes) -> None:
    assert door.post(MANY, content=body, headers=JSON).status_code == 400


def test_what_was_taken_doubled_and_refused_is_counted(door: TestClient) -> None:
    door.post(ONE, json=EVENT)
    door.post(ONE, json=EVENT)
    door.post(ONE, json={})
    assert metric(door, "headwater_events_accepted_total") == 1
    assert metric(door, "headwater_events_duplicate_total") == 1
    assert metric(door, 'headwater_events_rejected_total{reason="Unplaceable"}') == 1
    assert metric(door, "headwater_log_head") == 1


def test_it_lives_and_says_who_it_is(door: TestClient) -> None:
    assert door.get("/livez").text == "OK"
    assert set(door.get("/readyz").json()) >= {"ready", "instance", "headSeq", "appliedSeq"}


def test_odd_events_are_listed_by_producer_and_rule(door: TestClient) -> None:
    for word in ("one", "two"):
        door.post(f"{ONE}?wait=projected", json={**run("start", "load", word, 1)})
    query = "{ conformance { edges { node { producer rule count exampleSeq } } } }"
    (edge,) = door.post("/graphql", json={"query": query}).json()["data"]["conformance"]["edges"]
    assert edge["node"]["rule"] == "eventType-case"
    assert (edge["node"]["count"], edge["node"]["exampleSeq"]) == (2, 2)


def test_other_methods_and_paths_are_no_error_of_the_server(door: TestClient) -> None:
    assert door.delete(ONE).status_code == 405
    assert door.get(MANY).status_code == 405
    assert door.post("/api/v1/nothing", json=EVENT).status_code == 404


def test_a_lost_run_and_a_running_stream_are_told_apart(door: TestClient) -> None:
    """A batch that runs ten times longer than ever is lost (trap 8); a stream has no usual end."""
    streaming = {"jobType": {"_producer": "p", "_schemaURL": "s", "processingType": "STREAMING"}}
    events = [
        run("START", "batch", "done", 0),
        run("COMPLETE", "batch", "done", 5),
        run("START", "batch", "lost", 10),
        run("START", "stream", "live", 10, job_facets=streaming),
    ]
    door.post(f"{MANY}?wait=projected", json=events)
    query = "{ runs { edges { node { state job { name } } } } }"
    found = door.post("/graphql", json={"query": query}).json()["data"]["runs"]["edges"]
    states = sorted((e["node"]["job"]["name"], e["node"]["state"]) for e in found)
    assert states == [("batch", "COMPLETE"), ("batch", "LOST"), ("stream", "RUNNING")]

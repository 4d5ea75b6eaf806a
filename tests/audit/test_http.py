"""Checkpoints, proofs, keys and erasure over HTTP, and what GraphQL and Marquez' routes say of erased records."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from headwater_server.app import create_app
from headwater_server.audit.note import Checkpoint, VerifierKey, opened
from headwater_server.audit.proof import check, grew
from headwater_server.settings import Settings
from tests.openlineage.said import run

WHY = {"reason": "asked", "basis": "GDPR Art. 17"}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(data=tmp_path / "data", checkpoints=tmp_path / "kept.txt")
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        for n in range(5):
            client.post(
                "/api/v1/lineage", json=run("COMPLETE", f"job{n}", f"r{n}", n, reads=["a"], writes=["b"])
            )
        yield client


def ask(door: TestClient, query: str, **variables: Any) -> Any:
    answer = door.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def keys(door: TestClient) -> list[VerifierKey]:
    told = door.get("/.well-known/headwater-keys.json").json()["keys"]
    assert [key["current"] for key in told] == [False] * (len(told) - 1) + [True]
    return [VerifierKey.read(key["key"]) for key in told]


def test_a_checkpoint_is_signed_by_a_published_key(door: TestClient) -> None:
    answer = door.get("/api/v1/audit/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    assert opened(answer.text, keys(door)).size == 5


def test_a_proof_is_whole_in_itself(door: TestClient) -> None:
    proof = door.get("/api/v1/audit/proof/3").json()
    said, checkpoint, _ = check(proof, keys(door))
    assert (said.seq, checkpoint.size) == (3, 5)
    assert json.loads(proof["body"])["job"]["name"] == "job2"
    assert door.get("/api/v1/audit/proof/9").status_code == 404


def test_growth_is_proved_between_two_checkpoints(door: TestClient) -> None:
    old = Checkpoint.read(door.get("/api/v1/audit/checkpoint").text)
    door.post("/api/v1/lineage", json=run("COMPLETE", "late", "late", 9, writes=["c"]))
    new = Checkpoint.read(door.get("/api/v1/audit/checkpoint").text)
    path = door.get("/api/v1/audit/growth", params={"old": old.size, "new": new.size}).json()["path"]
    assert grew(old, new, [base64.b64decode(node) for node in path])
    assert not grew(
        Checkpoint(old.origin, old.size, b"x" * 32), new, [base64.b64decode(node) for node in path]
    )
    assert door.get("/api/v1/audit/growth", params={"old": 4, "new": 99}).status_code == 409


def test_checkpoints_are_written_down_where_the_setting_says_when_it_stops(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", checkpoints=tmp_path / "kept.txt")
    for n in range(2):
        with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
            client.post("/api/v1/lineage", json=run("COMPLETE", "job", f"r{n}", n, writes=["b"]))
    kept = (tmp_path / "kept.txt").read_text()
    assert [line for line in kept.splitlines() if line.isdigit()] == ["1", "2"]
    assert (tmp_path / "data" / "checkpoint.txt").read_text().split("\n")[1] == "2"


def test_a_key_is_changed_and_the_old_one_stays_known(door: TestClient) -> None:
    before = door.get("/api/v1/audit/checkpoint").text
    changed = door.post("/api/v1/audit/rotate-key", json={"reason": "yearly"}).json()["key"]
    assert str(keys(door)[-1]) == changed
    assert opened(before, keys(door)).size == 5
    assert opened(door.get("/api/v1/audit/checkpoint").text, keys(door)[-1:]).size == 6


def test_an_erased_record_is_told_as_such_everywhere(door: TestClient) -> None:
    answer = door.post("/api/v1/audit/erase", json={"records": [2], **WHY})
    assert (answer.status_code, answer.json()) == (200, {"records": [6], "count": 1, "clean": True})
    event = ask(door, "{ event(seq: 2) { raw erasedBy runId jobName warnings producer } }")["event"]
    assert event == {
        "raw": {"erasedBy": 6}, "erasedBy": 6, "runId": None, "jobName": None, "warnings": [], "producer": None,
    }  # fmt: skip
    assert len(ask(door, "{ events { edges { node { seq raw } } } }")["events"]["edges"]) == 6
    marquez = door.get("/api/v1/events/lineage").json()
    assert "erased by record 6" in [each["job"]["name"] for each in marquez["events"]]
    exported = door.get("/api/v1/export/openlineage", params={"ref": "postgres://db/b"}).text.splitlines()
    assert sorted(json.loads(line)["job"]["name"] for line in exported) == ["job0", "job2", "job3", "job4"]
    log = ask(door, "{ auditLog { edges { node { action after actor { name } } } } }")["auditLog"]["edges"]
    assert [each["node"]["action"] for each in log] == ["audit.erase"]
    assert log[0]["node"]["after"]["records"] == [[2, 2]]
    proof = door.get("/api/v1/audit/proof/2").json()
    assert proof["erasedBy"] == 6
    assert check(proof)[0].seq == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("erase", {"records": [99], **WHY}, 404),
        ("erase", {"records": [], **WHY}, 400),
        ("erase", {"records": ["1"], **WHY}, 400),
        ("erase", {"records": [True], **WHY}, 400),
        ("erase", {"records": [1], "reason": "r"}, 400),
        ("erase", [1], 400),
        ("purge", {"before": "soon", **WHY}, 400),
        ("purge", {"before": "2999-01-01", **WHY}, 400),
        ("purge", {"before": "2020-01-01"}, 400),
        ("rotate-key", {}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_done(
    door: TestClient, path: str, body: Any, status: int
) -> None:
    assert door.post(f"/api/v1/audit/{path}", json=body).status_code == status
    assert door.get("/readyz").json()["headSeq"] == 5


def test_a_form_of_another_site_erases_nothing(door: TestClient) -> None:
    answer = door.post(
        "/api/v1/audit/erase", content=b'{"records":[1]}', headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 415


def test_the_log_is_verified_over_graphql(door: TestClient) -> None:
    found = ask(door, "{ verifyAudit { ok checked head brokenAt faults } }")["verifyAudit"]
    root = Checkpoint.read(door.get("/api/v1/audit/checkpoint").text).root
    assert found == {"ok": True, "checked": 5, "head": root.hex(), "brokenAt": None, "faults": []}


def test_what_people_did_is_told_with_its_hash_before_and_after(door: TestClient) -> None:
    tag = 'mutation { tagEntity(input: {ref: "postgres://db/a", set: [{key: "pii"}]}) { ... on EntityPayload { entity { id } } } }'
    for change in (tag, tag.replace("pii", "tier"), tag.replace("/a", "/b")):
        ask(door, change)
    edge = """mutation { setManualEdge(input: {from: "postgres://db/a", to: "postgres://db/c2", kind: DERIVES, note: "by hand"})
              { __typename } }"""
    ask(door, edge)
    fields = "seq action comment before after prevHash hash subject { urn }"
    about = ask(
        door,
        '{ auditLog(ref: "postgres://db/a") { totalCount edges { node { FIELDS } } } }'.replace(
            "FIELDS", fields
        ),
    )["auditLog"]
    newest, oldest = (edge["node"] for edge in about["edges"])
    assert (oldest["before"], oldest["after"]) == ({"tags": []}, {"tags": ["pii"]})
    assert (newest["before"], newest["after"]) == ({"tags": ["pii"]}, {"tags": ["pii", "tier"]})
    assert newest["prevHash"] == oldest["hash"]
    whole = ask(door, "{ auditLog { totalCount edges { node { FIELDS } } } }".replace("FIELDS", fields))[
        "auditLog"
    ]
    assert whole["totalCount"] == 3
    assert [e["node"]["subject"]["urn"] for e in whole["edges"]][1] == newest["subject"]["urn"]
    history = ask(
        door,
        '{ entity(ref: "postgres://db/a") { history { edges { node { FIELDS } } } } }'.replace(
            "FIELDS", fields
        ),
    )
    assert [e["node"] for e in history["entity"]["history"]["edges"]] == [newest, oldest]
    page = ask(door, "{ auditLog(first: 1) { pageInfo { endCursor hasNextPage } } }")["auditLog"]["pageInfo"]
    after = ask(
        door,
        "query Q($a: String) { auditLog(first: 1, after: $a) { edges { node { seq } } } }",
        a=page["endCursor"],
    )
    assert after["auditLog"]["edges"][0]["node"]["seq"] == newest["seq"]
    assert ask(door, '{ auditLog(action: "registry.model") { totalCount } }')["auditLog"]["totalCount"] == 0
    assert (
        ask(door, '{ auditLog(since: "2199-01-01T00:00:00Z") { totalCount } }')["auditLog"]["totalCount"] == 0
    )
    assert (
        ask(
            door, '{ auditLog(since: "2001-01-01T00:00:00Z", until: "2199-01-01T00:00:00Z") { totalCount } }'
        )["auditLog"]["totalCount"]
        == 3
    )
    assert (
        ask(door, '{ auditLog(until: "2001-01-01T00:00:00Z") { totalCount edges { cursor } } }')["auditLog"][
            "totalCount"
        ]
        == 0
    )


def test_an_edge_by_hand_tells_whether_it_was_said_before(door: TestClient) -> None:
    for remove in ("false", "true"):
        ask(
            door,
            'mutation { setManualEdge(input: {from: "postgres://db/b", to: "postgres://db/a", kind: DERIVES, note: "n", remove: REMOVE}) { __typename } }'.replace(
                "REMOVE", remove
            ),
        )
    log = ask(door, '{ auditLog(action: "curation.edge") { edges { node { comment before after } } } }')[
        "auditLog"
    ]["edges"]
    assert [e["node"] for e in log] == [
        {"comment": "n", "before": {"said": True}, "after": {"said": False}},
        {"comment": "n", "before": {"said": False}, "after": {"said": True}},
    ]

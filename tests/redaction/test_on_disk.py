"""No secret that comes in by HTTP is in any file of the data folder; what was taken out can be read there."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from headwater_server.app import create_app
from headwater_server.settings import Settings
from tests.openlineage import said
from tests.redaction.shapes import SHAPES, WORD

ONE, MANY = "/api/v1/lineage?wait=projected", "/api/v1/lineage/batch?wait=projected"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(data=tmp_path / "data")), base_url="http://localhost") as client:
        yield client


def ask(door: TestClient, query: str, **variables: Any) -> Any:
    answer = door.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer
    return answer["data"]


def files(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in folder.rglob("*") if path.is_file())


def event_with(text: str, number: int) -> dict[str, Any]:
    """The text where producers put such things, and where nobody would think of it."""
    return said.run(
        "FAIL", f"job {number}", "one", 1,
        reads=[said.table("a", documentation=said.facet(description=text), dataSource=said.facet(name="x", uri=text))],
        writes=["b"],
        run_facets={"errorMessage": said.facet(message=text, stackTrace=f"at x\n{text}\nat y"), "custom": said.facet(deep=[{"er": [text]}])},
        job_facets={"sql": said.facet(query=text), "sourceCode": said.facet(sourceCode=text), "documentation": said.facet(description=text)},
    )  # fmt: skip


def test_no_shape_of_a_secret_reaches_a_file(door: TestClient, tmp_path: Path) -> None:
    for number, case in enumerate(SHAPES):
        event = event_with(case.text, number)
        body = gzip.compress(orjson.dumps(event))
        answer = door.post(
            ONE, content=body, headers={"content-type": "application/json", "content-encoding": "gzip"}
        )
        assert answer.status_code == 201
        again = door.post(ONE, json=event)
        assert (again.status_code, again.json()) == (200, answer.json())
    more = [event_with(case.text, 1_000 + number) for number, case in enumerate(SHAPES)]
    assert door.post(MANY, json=more).json()["summary"]["successful"] == len(SHAPES)
    kept = list(files(tmp_path))
    assert any(b"REDACTED" in one for one in kept)
    for case in SHAPES:
        escaped = orjson.dumps(case.secret)[1:-1]
        assert not [one for one in kept if case.secret.encode() in one or escaped in one], case
    assert "headwater_dead_letters 0.0" in door.get("/metrics").text


def test_a_secret_behind_escapes_is_found(door: TestClient, tmp_path: Path) -> None:
    body = orjson.dumps(event_with("x", 1)).replace(
        b'"description":"x"', b'"description":"\\u0070assword\\u003d%s, postgres:\\/\\/u:%sx@h"' % (WORD.encode(), WORD.encode())
    )  # fmt: skip
    assert door.post(ONE, content=body, headers={"content-type": "application/json"}).status_code == 201
    assert not [one for one in files(tmp_path) if WORD.encode() in one]


def test_a_name_with_a_secret_is_kept_without_it(door: TestClient, tmp_path: Path) -> None:
    event = said.run("COMPLETE", "load", "one", 1, reads=[said.table("a")], writes=["b"])
    event["inputs"][0]["namespace"] = f"postgres://etl:{WORD}@db:5432"
    event["producer"] = f"https://u:{WORD}@example.org"
    assert door.post(ONE, json=event).status_code == 201
    found = ask(door, '{ entity(ref: "postgres://etl:REDACTED@db:5432/a") { name } }')
    assert found["entity"]["name"] == "a"
    assert not [one for one in files(tmp_path) if WORD.encode() in one]


def test_what_was_taken_out_is_told_with_rule_and_place(door: TestClient) -> None:
    event = event_with(f"password={WORD}", 1)
    event["run"]["facets"]["environmentVariables"] = said.facet(
        environmentVariables=[{"name": "DB_PASSWORD", "value": WORD}, {"name": "HOME", "value": "/root"}]
    )
    event["run"]["facets"]["big"] = said.facet(number=7)
    raw = orjson.dumps(event).replace(b'"number":7', b'"number":' + b"9" * 30)
    door.post(ONE, content=raw, headers={"content-type": "application/json"})
    query = "{ event(seq: 1) { raw warnings redactions { rule pointer } } conformance { edges { node { rule text } } } }"
    told = ask(door, query)
    redactions = {(r["rule"], r["pointer"]) for r in told["event"]["redactions"]}
    assert ("assigned-secret", "/job/facets/sql/query") in redactions
    assert ("named-secret", "/run/facets/environmentVariables/environmentVariables/0/value") in redactions
    assert (
        "environment-variable",
        "/run/facets/environmentVariables/environmentVariables/1/value",
    ) in redactions
    assert {"redacted-assigned-secret", "redacted-named-secret", "redacted-environment-variable"} <= set(
        told["event"]["warnings"]
    )
    rules = {edge["node"]["rule"]: edge["node"]["text"] for edge in told["conformance"]["edges"]}
    assert "/run/facets/errorMessage/message" in rules["redacted-assigned-secret"]
    assert WORD not in str(told)
    exported = door.get("/api/v1/export/openlineage", params={"ref": "postgres://db/b"}).content
    assert b"9" * 30 in exported
    again = door.post(ONE, content=exported.strip(), headers={"content-type": "application/json"})
    assert (again.status_code, again.json()) == (200, {"seq": 1})


def test_an_event_without_secrets_stays_as_it_was_sent(door: TestClient, tmp_path: Path) -> None:
    raw = b' {"eventTime" : "2026-03-02T10:00:00Z", "job": {"namespace":"n", "name":"token secret password"}, "x": 1.50, "run":{"runId":"r"}}'
    assert door.post(ONE, content=raw, headers={"content-type": "application/json"}).status_code == 201
    assert [one for one in files(tmp_path) if raw in one]


def test_texts_of_mutations_are_clean_too(door: TestClient, tmp_path: Path) -> None:
    text = f"see postgres://u:{WORD}@h, password={WORD}"
    door.post(ONE, json=said.run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"]))
    ref = "postgres://db/b"
    ask(
        door,
        "mutation ($i: AnnotateInput!) { annotate(input: $i) { __typename } }",
        i={"ref": ref, "body": text},
    )
    ask(
        door,
        "mutation ($i: UpdateEntityInput!) { updateEntity(input: $i) { __typename } }",
        i={"ref": ref, "description": text},
    )
    ask(door, "mutation ($i: TagEntityInput!) { tagEntity(input: $i) { __typename } }",
        i={"ref": ref, "set": [{"key": "password", "value": WORD}]})  # fmt: skip
    made = ask(
        door, "mutation ($i: RegisterModelInput!) { registerModel(input: $i) { __typename } }",
        i={"name": "churn", "description": text, "tags": [{"key": "k", "value": text}]},
    )  # fmt: skip
    assert made["registerModel"]["__typename"] == "RegisterModelPayload"
    assert not [one for one in files(tmp_path) if WORD.encode() in one]
    left = "see postgres://u:REDACTED@h, password=REDACTED"
    assert ask(door, f'{{ entity(ref: "{ref}") {{ description }} }}')["entity"]["description"] == left
    event = ask(door, "{ events(first: 1) { edges { node { redactions { rule pointer } } } } }")["events"][
        "edges"
    ][0]["node"]
    assert {"rule": "url-password", "pointer": "/description"} in event["redactions"]


def test_nothing_can_be_called_by_a_secret(door: TestClient, tmp_path: Path) -> None:
    name = "ghp_" + "aB3" * 12
    query = "mutation ($i: RegisterModelInput!) { registerModel(input: $i) { __typename ... on ValidationError { message } } }"
    made = ask(door, query, i={"name": name})["registerModel"]
    assert made["__typename"] == "ValidationError"
    assert "secret" in made["message"]
    assert name not in made["message"]
    assert not [one for one in files(tmp_path) if name.encode() in one]


def test_values_in_sql_are_not_kept_where_that_is_set(tmp_path: Path) -> None:
    settings = Settings.from_env({"HEADWATER_SQL_LITERALS": "strip"}, data=tmp_path / "data")
    with TestClient(create_app(settings), base_url="http://localhost") as door:
        sql = "insert into b select x from a where name = 'Ada Lovelace' and age > 4242 -- Ada Lovelace\n order by 1"
        event = said.run(
            "COMPLETE", "load", "one", 1, reads=["a"], writes=["b"], job_facets={"sql": said.facet(query=sql)}
        )
        assert door.post(ONE, json=event).status_code == 201
        assert door.post(ONE, json=event).status_code == 200
        kept = b"".join(files(tmp_path))
        assert b"Ada" not in kept
        assert b"4242" not in kept
        assert b"name = '?' and age > 1" in kept


def test_what_mlflow_logs_is_clean_too(door: TestClient, tmp_path: Path) -> None:
    api = "/api/2.0/mlflow"
    experiment = door.post(f"{api}/experiments/create", json={"name": "e"}).json()["experiment_id"]
    tags = [{"key": "db_password", "value": WORD}]
    made = door.post(f"{api}/runs/create", json={"experiment_id": experiment, "tags": tags}).json()
    run = made["run"]["info"]["run_id"]
    for key, value in (("password", WORD), ("uri", f"postgres://u:{WORD}@h"), ("max_tokens", "12")):
        assert (
            door.post(
                f"{api}/runs/log-parameter", json={"run_id": run, "key": key, "value": value}
            ).status_code
            == 200
        )
    data = door.get(f"{api}/runs/get", params={"run_id": run}).json()["run"]["data"]
    assert {p["key"]: p["value"] for p in data["params"]} == {
        "password": "REDACTED", "uri": "postgres://u:REDACTED@h", "max_tokens": "12",
    }  # fmt: skip
    assert not [one for one in files(tmp_path) if WORD.encode() in one]

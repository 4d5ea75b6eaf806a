"""`headwater dlq` and `headwater migrate`, offline and beside a server."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from headwater_server.log.port import Draft
from headwater_server.parts import Parts
from headwater_server.settings import Settings
from tests.cli.conftest import Run
from tests.faults.server import Server
from tests.neo4j_server import Server as Neo4j


def plant(folder: Path) -> int:
    """A record of a kind that this version does not know."""
    parts = Parts(Settings(data=folder))
    parts.start()
    draft = Draft("future.note", b"{}", secrets.token_bytes(32))
    (receipt,) = parts.committer.submit([draft], [{}], eager=True).logged.result()
    parts.close()
    return receipt.seq


@pytest.fixture(params=["offline", "server"])
def where(request: pytest.FixtureRequest, own_shop: Path) -> Iterator[tuple[list[str], int]]:
    seq = plant(own_shop)
    if request.param == "offline":
        yield ["--data", str(own_shop)], seq
        return
    with Server(own_shop) as server:
        yield ["--url", server.url], seq


def test_a_dead_letter_is_listed_tried_again_and_left_out(run: Run, where: tuple[list[str], int]) -> None:
    place, seq = where
    assert f"{seq}" in run("dlq", "list", *place).out
    (edge,) = run("dlq", "list", "--json", *place).json["edges"]
    assert edge["node"]["seq"] == seq
    assert edge["node"]["tries"] == 3
    assert "upgrade it, then retry" in edge["node"]["reason"]
    again = run("dlq", "retry", str(seq), "--json", *place)
    assert (again.code, again.json["done"], again.json["remaining"][0]["tries"]) == (1, [], 6)
    gone = run("dlq", "drop", "--all", "-m", "a test", *place)
    assert (gone.code, gone.out) == (0, "1 record left out.\n")
    assert run("dlq", "list", *place).out == "None.\n"
    (decision,) = run("events", "--kind", "deadletter.drop", "--json", *place).json["edges"]
    told = run("events", "--seq", str(decision["node"]["seq"]), *place).json
    assert (told["seq"], told["reason"]) == (seq, "a test")
    lost = run("dlq", "drop", str(seq + 1), *place)
    assert (lost.code, lost.out) == (1, "")
    assert "is no dead letter" in lost.err


@pytest.mark.parametrize("arguments", [["retry"], ["drop", "3", "--all"], ["list", "--first", "0"]])
def test_wrong_usage_of_dlq_is_exit_code_2(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    assert run("dlq", *arguments, "--data", str(tmp_path)).code == 2


def test_migrating_needs_a_neo4j(run: Run, own_shop: Path) -> None:
    said = run("migrate", "--to", "neo4j", "--data", str(own_shop))
    assert said.code == 2
    assert "NEO4J_URI" in said.err


@pytest.mark.neo4j
def test_a_graph_goes_to_neo4j_and_back_and_is_the_same(
    run: Run, own_shop: Path, neo4j_server: Neo4j, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.user)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    data, neo4j = ("--data", str(own_shop)), ("--neo4j", neo4j_server.uri)
    assert run("rebuild", *data, *neo4j).code == 0  # whatever was there before is not this log's
    before = run("hash", *data).out.strip()

    there = run("migrate", "--to", "neo4j", *data, *neo4j, "--json")
    assert there.code == 0, there.err
    assert there.json["equal"] is True
    assert there.json["hash"] == before
    assert there.json["start"] == f"headwater up --data {own_shop} --neo4j {neo4j_server.uri}"

    tagged = run("ingest", _event(own_shop), *data, *neo4j)
    assert tagged.code == 0, tagged.err
    back = run("migrate", "--to", "sqlite", *data, *neo4j)
    assert back.code == 0, back.err
    assert "Both graphs are equal" in back.out
    assert run("hash", *data).out != before


def _event(folder: Path) -> str:
    file = folder.parent / "one.json"
    event = {
        "eventTime": "2026-01-01T00:00:00Z",
        "job": {"namespace": "n", "name": "after"},
        "producer": "https://example.com/x",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
    }
    file.write_bytes(orjson.dumps(event))
    return str(file)

"""A trace that was acknowledged is there after a kill -9, whole, once, and counted."""

import itertools
import threading
from pathlib import Path
from typing import Any

import httpx

from tests.faults.server import Server

HEADERS = {"x-mlflow-experiment-id": "0"}
KILLS, EACH = 3, 25


def export(number: int) -> dict[str, Any]:
    spans = [
        {
            "traceId": f"{number:032x}",
            "spanId": f"{own:016x}",
            "parentSpanId": "" if own == 1 else f"{1:016x}",
            "name": f"span {own}",
            "startTimeUnixNano": str(number * 1_000_000),
        }
        for own in (1, 2)
    ]
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


def send(server: Server, numbers: "itertools.count[int]", acked: list[int], enough: threading.Event) -> None:
    """One after the other until the server is gone; `enough` is set when EACH of this life are acknowledged."""
    with httpx.Client(base_url=server.url) as client:
        for place, number in enumerate(numbers, 1):
            try:
                client.post("/v1/traces", json=export(number), headers=HEADERS).raise_for_status()
            except httpx.TransportError:
                break
            acked.append(number)
            if place == EACH:
                enough.set()
    enough.set()


def test_acknowledged_traces_survive_kills(tmp_path: Path) -> None:
    numbers, acked = itertools.count(1), list[int]()
    with Server(tmp_path / "data") as server:
        for _ in range(KILLS):
            enough = threading.Event()
            sending = threading.Thread(target=send, args=(server, numbers, acked, enough))
            sending.start()
            enough.wait()
            server.kill()
            sending.join()
            server.start()
        assert len(acked) >= KILLS * EACH
        with httpx.Client(base_url=server.url) as client:
            for start in range(0, len(acked), 50):
                names = [f"tr-{number:032x}" for number in acked[start : start + 50]]
                answer = client.get("/api/3.0/mlflow/traces/batchGet", params={"trace_ids": names}).json()
                found = {one["trace_info"]["trace_id"]: one["spans"] for one in answer["traces"]}
                assert list(found) == names
                assert all(
                    [span["name"] for span in spans] == ["span 1", "span 2"] for spans in found.values()
                )
            last = client.post("/v1/traces", json=export(next(numbers)), headers=HEADERS)
            assert last.status_code == 200
            server.caught_up()
            asked = {"query": "{ experiments { edges { node { traces { count } } } } }"}
            (edge,) = client.post("/graphql", json=asked).json()["data"]["experiments"]["edges"]
            # what was on the disk when the kill came may be there though nobody was told
            count = edge["node"]["traces"]["count"]
            assert len(acked) + 1 <= count <= len(acked) + 1 + KILLS

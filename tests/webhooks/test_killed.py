"""A server that is killed while it tells something: everything is told all the same, and known again by its id."""

from pathlib import Path
from typing import Any

import httpx

from tests.faults.server import Server
from tests.webhooks.receiver import Receiver


def test_everything_is_told_though_the_server_is_killed_again_and_again(
    tmp_path: Path, receiver: Receiver
) -> None:
    event = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
    said = {"name": "hook", "url": receiver.url, "events": [event], "secret": "s3cr3t"}
    acknowledged: list[str] = []
    told: dict[str, str] = {}
    with Server(tmp_path / "data", environment={"HEADWATER_WEBHOOK_HOSTS": "127.0.0.1"}) as server:
        post(server, "webhooks", said)
        for life in range(2):
            receiver.open.clear()  # a try is under way when the server is killed
            for number in range(5):
                acknowledged.append(f"model {life}.{number}")
                post(server, "registered-models/create", {"name": acknowledged[-1]})
            came = receiver.next()
            server.kill()
            receiver.open.set()
            name = came.said["data"]["name"]
            assert told.setdefault(name, came.id) == came.id
            server.start()
            while acknowledged[-1] not in told:
                came = receiver.next()
                name = came.said["data"]["name"]
                assert told.setdefault(name, came.id) == came.id
                assert came.is_signed_by("s3cr3t")
    assert list(told) == acknowledged
    assert len(set(told.values())) == len(acknowledged)


def post(server: Server, call: str, body: dict[str, Any]) -> None:
    answer = httpx.post(f"{server.url}/api/2.0/mlflow/{call}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text

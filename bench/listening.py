"""What it costs the server to tell a change to one who listens, over WebSockets and as server-sent events."""

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.typing import Subprotocol

from bench import servers
from bench.client import Connection
from bench.figures import Figure, compared, progress

LISTENERS = 50
INTERVAL = 0.1
_STEPS = count()
QUERY = "subscription ($run: ID) { runUpdated(runId: $run, intervalMs: 100) { state run { runId } metrics { key value } } }"


def measure(size: float) -> Iterator[Figure]:
    changes = max(10, int(100 * size))
    with tempfile.TemporaryDirectory() as folder, servers.headwater(Path(folder)) as server:
        server.warm()
        asking = server.connect()
        made = _ask(asking, "runs/create", experiment_id="0", run_name="bench")
        run = made["run"]["info"]["run_id"]
        _change(server, asking, run, 10)
        alone = _change(server, asking, run, changes)
        idle = _idle(server)
        for what, listen in (("a WebSocket", _socket), ("server-sent events", _events)):
            heard = [0] * LISTENERS
            ends = [listen(server, run, heard, at) for at in range(LISTENERS)]
            most = 2 * LISTENERS if what == "a WebSocket" else LISTENERS  # a connection listens for the end
            _until(partial(_listen, asking, most), "they do not listen")
            if what == "a WebSocket":
                progress(
                    f"{LISTENERS} WebSockets that hear nothing: {1_000 * (_idle(server) - idle) / LISTENERS:.2f} CPU ms/s each"
                )
            spent = _change(server, asking, run, changes)
            time.sleep(5 * INTERVAL)
            told = sum(heard)
            for end in ends:
                end()
            _until(partial(_listen, asking, 0), "they listen on")
            yield compared(
                f"tell a change over {what}, {LISTENERS} listen, {told:,} answers",
                1_000 * (spent - alone) / told,
                "CPU ms/answer",
                with_="the change itself",
                floor=1_000 * alone / changes,
            )


def _change(server: servers.Server, asking: Connection, run: str, times: int) -> float:
    """CPU seconds of the server for so many changes, each told alone."""
    before = server.cpu()
    for step in islice(_STEPS, times):  # what is told again is no change
        _ask(asking, "runs/log-metric", run_id=run, key="loss", value=step, timestamp=1, step=step)
        time.sleep(1.2 * INTERVAL)
    return server.cpu() - before


def _idle(server: servers.Server) -> float:
    """CPU seconds in a second."""
    before = server.cpu()
    time.sleep(3)  # a connection that is asked nothing is closed after five
    return (server.cpu() - before) / 3


def _socket(server: servers.Server, run: str, heard: list[int], at: int) -> Callable[[], None]:
    opened = ExitStack()
    client = opened.enter_context(
        connect(
            f"ws://{server.host}:{server.port}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            proxy=None,
        )
    )
    client.send('{"type": "connection_init"}')
    client.recv()
    payload = {"query": QUERY, "variables": {"run": run}}
    client.send(json.dumps({"type": "subscribe", "id": "a", "payload": payload}))

    def listen() -> None:
        for _ in client:
            heard[at] += 1

    threading.Thread(target=listen, daemon=True).start()
    return opened.close


def _events(server: servers.Server, run: str, heard: list[int], at: int) -> Callable[[], None]:
    connection = server.connect()
    body = json.dumps({"query": QUERY, "variables": {"run": run}}).encode()
    lines = connection.stream("/graphql", body, accept="text/event-stream")

    def listen() -> None:
        for piece in lines:
            heard[at] += piece.count(b"event: next")

    threading.Thread(target=listen, daemon=True).start()
    return connection.close


def _listen(asking: Connection, number: int) -> bool:
    _, said = asking.get("/metrics")
    line = next(line for line in said.decode().splitlines() if line.startswith("headwater_listeners "))
    return int(float(line.split()[1])) == number


def _ask(asking: Connection, call: str, **body: Any) -> Any:
    status, said = asking.post(f"/api/2.0/mlflow/{call}", json.dumps(body).encode())
    if status != 200:
        raise SystemExit(f"{call}: {status} {said.decode()}")
    return json.loads(said)


def _until(so: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + servers.PATIENCE
    while not so():
        if time.monotonic() > until:
            raise SystemExit(otherwise)
        time.sleep(0.05)

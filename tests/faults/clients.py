"""Producers that send events, some twice on purpose, and try again as openlineage-python does."""

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

CLIENTS = 8
RESENT = 0.2
TIMEOUT = 5.0
PAUSES = (0.0, 0.6, 1.2, 2.4, 4.8)
"""Seconds before each further try of the official client; then it drops the event."""
PATIENT = 1.0
"""Ours goes on, each so many seconds: whether an event is lost must not depend on when a client gives up."""
AGAIN = frozenset({500, 502, 503, 504})


@dataclass(slots=True)
class Sent:
    """What producers know at the end."""

    acks: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By event: (status, seq) of each answer that came."""
    waits: list[float] = field(default_factory=list)
    """Seconds from the first try of a delivery to its acknowledgement."""
    refused: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    """Tries that ended without an answer."""
    given_up: int = 0
    """Deliveries that the official client would have dropped: more tries than it makes."""
    wrong: list[str] = field(default_factory=list)


class Producers:
    """Threads that send from `start` to `finish`; at most `rate` events a second in all."""

    def __init__(self, port: int, *, rate: float = 200.0, clients: int = CLIENTS, seed: int = 1) -> None:
        self.sent = Sent()
        self._port, self._pause = port, clients / rate
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._produce, args=(number, random.Random(seed * 1_000 + number)))
            for number in range(clients)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> Sent:
        """No new events; what is under way is delivered."""
        self._end.set()
        for thread in self._threads:
            thread.join()
        return self.sent

    def acknowledged(self) -> int:
        return len(self.sent.acks)

    def _produce(self, number: int, dice: random.Random) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
        count = 0
        due = time.monotonic()
        while not self._end.is_set():
            name = f"{number}-{count}"
            body = json.dumps(event(name, number, count, dice)).encode()
            for _ in range(2 if dice.random() < RESENT else 1):
                self._deliver(connection, name, body)
            count += 1
            due = max(due + self._pause, time.monotonic() - 1.0)
            self._end.wait(max(0.0, due - time.monotonic()))
        connection.close()

    def _deliver(self, connection: http.client.HTTPConnection, name: str, body: bytes) -> None:
        began = time.monotonic()
        tries = 0
        while True:
            answer = self._try(connection, body)
            if answer is not None and answer[0] not in AGAIN:
                break
            time.sleep(PAUSES[tries] if tries < len(PAUSES) else PATIENT)
            tries += 1
        status, told = answer
        with self._lock:
            self.sent.waits.append(time.monotonic() - began)
            self.sent.given_up += tries > len(PAUSES)
            if status in (200, 201):
                self.sent.acks.setdefault(name, []).append((status, told["seq"]))
            else:
                self.sent.wrong.append(f"{name}: {status} {told}")

    def _try(self, connection: http.client.HTTPConnection, body: bytes) -> tuple[int, Any] | None:
        try:
            connection.request("POST", "/api/v1/lineage", body, {"Content-Type": "application/json"})
            with connection.getresponse() as response:
                told = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            with self._lock:
                self.sent.cut += 1
            return None
        if response.status in AGAIN:
            with self._lock:
                self.sent.refused[response.status] += 1
        return response.status, told


def event(name: str, client: int, count: int, dice: random.Random) -> dict[str, Any]:
    """A run of one of a client's jobs, begun or ended; the facet tells which event it is."""
    kind = ("START", "RUNNING", "COMPLETE")[count % 3]
    job = f"job_{client}_{count // 3 % 5}"
    return {
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_767_225_600 + count)) + ".000Z",
        "eventType": kind,
        "producer": "https://example.com/faults",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {
            "runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{client}-{count // 3}")),
            "facets": {"delivery": {"_producer": "x", "_schemaURL": "x", "name": name}},
        },
        "job": {"namespace": "faults", "name": job},
        "inputs": [{"namespace": "db", "name": f"source_{dice.randrange(20)}"}],
        "outputs": [{"namespace": "db", "name": f"{job}_out"}],
    }


class Flood:
    """Batches as fast as they are answered, from more threads than the queue has room for; a 503 is tried again soon."""

    SIZE = 500
    THREADS = 64
    SOON = 0.1
    """Seconds; ten times sooner than `Retry-After` says."""

    def __init__(self, port: int) -> None:
        self.events = self.taken = self.refused = 0
        self._port = port
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._pour, args=(n,)) for n in range(self.THREADS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _pour(self, number: int) -> None:
        dice, count = random.Random(number), 0
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        lines = [json.dumps(event(f"flood-@-{n}", 100 + number, n, dice)).encode() for n in range(self.SIZE)]
        template = b"\n".join(lines)
        while not self._end.is_set():
            body = template.replace(b"flood-@", b"flood-%d-%d" % (number, count))
            connection.request(
                "POST", "/api/v1/lineage/batch", body, {"Content-Type": "application/x-ndjson"}
            )
            with connection.getresponse() as response:
                response.read()
            with self._lock:
                self.events += self.SIZE
                if response.status == 200:
                    self.taken += self.SIZE
                    count += 1
                else:
                    self.refused += 1
            if response.status != 200:
                self._end.wait(self.SOON)
        connection.close()

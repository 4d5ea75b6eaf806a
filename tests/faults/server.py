"""A real server process that a test kills, stops and starts: it never mistakes another process for it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent.parent
START_WITHIN = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """`headwater up` on 127.0.0.1, on one port through all its lives.

    The nonce is the `instance` that /readyz tells: the log's own name. An answer with another one is somebody
    else's and fails the test.
    """

    def __init__(self, data: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.instance = ""
        self.starts: list[float] = []
        """Seconds from start to ready, of each life."""
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._said = (data.parent / f"{data.name}.server").open("ab")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._said.close()

    def start(self, *, wait: bool = True) -> None:
        began = time.monotonic()
        path = os.pathsep.join(str(ROOT / home) for home in ("server", "parsers", "integrations"))
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "headwater_server", "up", "--json",
                "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port),
            ],
            env={**os.environ, "PYTHONPATH": path, **self._environment},
            stdout=self._said,
            stderr=self._said,
            cwd=ROOT,
        )  # fmt: skip
        if wait:
            self.wait_until_ready(began)

    def wait_until_ready(self, began: float) -> None:
        while True:
            told = self.readiness()
            if told is not None and told["ready"]:
                break
            assert self._process is not None
            assert self._process.poll() is None, f"the server ended while it started: {self.said()}"
            assert time.monotonic() - began < START_WITHIN, f"not ready: {told}, {self.said()}"
            time.sleep(0.02)
        self.instance = self.instance or told["instance"]
        assert told["instance"] == self.instance, "another server answers on this port"
        self.starts.append(time.monotonic() - began)

    def readiness(self) -> dict[str, Any] | None:
        """What /readyz says, also with 503; None: nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return dict(json.load(refusal))
        except (OSError, ValueError):
            return None

    def post(self, event: Any) -> tuple[int, Any]:
        """Status and answer to one event."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/lineage", json.dumps(event).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status), json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def caught_up(self, within: float = 60.0) -> None:
        """Wait until the graph shows the whole log."""
        end = time.monotonic() + within
        while True:
            told = self.readiness()
            if told is not None and told["appliedSeq"] == told["headSeq"]:
                return
            assert time.monotonic() < end, f"the graph does not catch up: {told}"
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def send(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self, within: float = 30.0) -> float:
        """SIGTERM; the seconds that it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(within)
        return time.monotonic() - began

    def resident(self) -> int:
        """Bytes of memory that the process holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024

    def said(self) -> str:
        """The end of what it wrote."""
        return Path(self._said.name).read_text()[-2_000:]

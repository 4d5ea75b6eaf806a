"""A real server for bad inputs, and what it wrote to the terminal."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.badinput.cases import GRAPHQL, Case

BODY_TIMEOUT = 2


class Server:
    """`headwater up` in a process of its own, on a free port."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.said = folder / "stderr"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "headwater_server", "up", "--data", str(folder / "data"), "--port", "0", "--json", *options],
                stdout=subprocess.PIPE, stderr=said, text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HEADWATER_BODY_TIMEOUT": str(BODY_TIMEOUT)},
            )  # fmt: skip
        assert self.process.stdout is not None
        self.host = json.loads(self.process.stdout.readline())["url"].removeprefix("http://")
        self.get("/graphql")

    def send(self, case: Case) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        headers = {"content-type": "application/json", **case.headers}
        body: Any = iter([case.body[:1000], case.body[1000:]]) if case.chunked else case.body
        try:
            connection.request("POST", case.path, body, headers, encode_chunked=case.chunked)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request("GET", path)
        text = connection.getresponse().read()
        connection.close()
        return text

    def head(self) -> int:
        return int(json.loads(self.get("/readyz"))["headSeq"])

    def ask(self, query: str) -> Any:
        return self.send(Case(0, "", GRAPHQL, json.dumps({"query": query}).encode(), 200))[1]["data"]

    def memory(self) -> int:
        """The most it ever took, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    def raw(self, sent: bytes) -> bytes:
        host, port = self.host.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(sent)
            return connection.recv(65_536)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()

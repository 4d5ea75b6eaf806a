"""A Headwater in a process of its own, that may be killed and started again at the same address."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from headwater.session import Session


class Server:
    def __init__(self, data: Path, environment: dict[str, str] | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = data
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Server":
        command = [sys.executable, "-m", "headwater_server", "up", "--data", str(self._data)]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["url"] == self.url
        return self

    def kill(self) -> None:
        """Without a word, as a machine that loses power."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def get(url: str, route: str) -> Any:
    """One of MLflow's reads."""
    return Session(url).json("GET", f"/api/2.0/mlflow/{route}", None)


def run_of(url: str, run_id: str) -> Any:
    return get(url, f"runs/get?run_id={run_id}")["run"]


def params_of(url: str, run_id: str) -> dict[str, str]:
    return {p["key"]: p["value"] for p in run_of(url, run_id)["data"].get("params", ())}


def tags_of(url: str, run_id: str) -> dict[str, str]:
    return {t["key"]: t["value"] for t in run_of(url, run_id)["data"].get("tags", ())}


def steps_of(url: str, run_id: str, metric: str) -> list[int]:
    """Each as often as it is there."""
    found = get(url, f"metrics/get-history?run_id={run_id}&metric_key={metric}").get("metrics", ())
    return [int(point.get("step", 0)) for point in found]


def artifacts_of(url: str, run_id: str) -> dict[str, bytes]:
    """By their paths."""
    session = Session(url)
    root = session.artifacts_of(run_id)
    found: dict[str, bytes] = {}
    folders = [root]
    while folders:
        folder = folders.pop()
        listed = session.json("GET", f"/api/2.0/mlflow-artifacts/artifacts?path={folder}", None)
        for file in listed.get("files", ()):
            path = f"{folder}/{file['path'].rpartition('/')[2]}"
            if file.get("is_dir"):
                folders.append(path)
            else:
                found[path.removeprefix(root + "/")] = session.download(path)
    return found

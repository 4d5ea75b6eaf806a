"""MLflow's own server, in an environment of its own that is made once, and runs that are put into its database."""

import importlib.metadata
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import progress
from bench.kept import cache
from bench.servers import PATIENCE, Server

VERSION = importlib.metadata.version("mlflow-skinny")
"""The same as the client's that the tests use, so it is said in constraints.txt alone."""


def environment() -> Path:
    """Its folder; made if it is not there."""
    folder = cache() / f"mlflow-{VERSION}"
    if not (folder / "ready").exists():
        progress(f"mlflow {VERSION} is installed into {folder}, once")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        uv = Path(sys.executable).with_name("uv")
        pip = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python"]
        if not uv.exists():
            pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"mlflow=={VERSION}"], check=True)
        (folder / "ready").touch()
    return folder


@contextmanager
def stock(data: Path) -> Iterator[Server]:
    """`mlflow server` on SQLite with one worker, as Headwater has one; without its runner of background jobs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(environment() / "bin" / "mlflow", "server", "--workers", "1"),
        *("--backend-store-uri", database(data), "--artifacts-destination", data / "artifacts"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    process = subprocess.Popen(
        list(map(str, command)), env=_bare(), cwd=data, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(process, port)
        yield Server("127.0.0.1", port, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def database(data: Path) -> str:
    return f"sqlite:///{data}/mlflow.db"


def put_runs(data: Path, count: int) -> None:
    """Runs of experiment 0 as `bench.mlflow` logs them, straight into its tables: by its API it takes minutes."""
    script = Path(__file__).with_name("stock_runs.py")
    python = environment() / "bin" / "python"
    subprocess.run([python, "-I", script, database(data), str(count)], check=True, env=_bare(), cwd=data)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("mlflow server did not start")


def _bare() -> dict[str, str]:
    ours = ("HEADWATER_", "NEO4J_", "MLFLOW_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}

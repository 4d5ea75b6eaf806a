"""Servers as processes of their own: Headwater, the empty route it is compared with, Neo4j. Each is stopped at the end."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from bench import cpu
from bench.client import Connection

ROOT = Path(__file__).parent.parent
NEO4J = ROOT / "deploy" / "neo4j-local" / "neo4j-local"
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    process: int

    def cpu(self) -> float:
        return cpu.of_tree(self.process)

    def connect(self) -> Connection:
        return Connection(self.host, self.port)

    def warm(self) -> None:
        """Until all is imported: GraphQL's types come last, and are no part of what an event costs."""
        connection = self.connect()
        connection.post("/graphql", b'{"query": "{ server { version } }"}')
        connection.close()

    def settle(self) -> None:
        """Until the graph shows all that the log has."""
        connection = self.connect()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            _, body = connection.get("/readyz")
            said = json.loads(body)
            if said["headSeq"] == said["appliedSeq"]:
                connection.close()
                return
            time.sleep(0.02)
        raise SystemExit("the graph does not catch up with the log")


@dataclass(frozen=True, slots=True)
class Neo4j:
    uri: str
    user: str
    password: str
    process: int
    """0: another machine's, or not ours to measure."""

    def cpu(self) -> float:
        return cpu.of_tree(self.process) if self.process else 0.0

    def environment(self) -> dict[str, str]:
        return {"NEO4J_URI": self.uri, "NEO4J_USERNAME": self.user, "NEO4J_PASSWORD": self.password}


@contextmanager
def headwater(data: Path, neo4j: Neo4j | None = None) -> Iterator[Server]:
    """`headwater up`, as a person starts it."""
    command = [sys.executable, "-m", "headwater_server", "up", "--json", "--port", "0", "--data", str(data)]
    with _started(command, neo4j.environment() if neo4j else {}) as server:
        yield server


@contextmanager
def empty_route() -> Iterator[Server]:
    with _started([sys.executable, "-m", "bench.floor"], {}) as server:
        yield server


@contextmanager
def _started(command: list[str], extra: dict[str, str]) -> Iterator[Server]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("HEADWATER_", "NEO4J_"))}
    if ours.pop("PYTHONDONTWRITEBYTECODE", None):  # what an installation leaves is measured, not the compiler
        ours.setdefault("PYTHONPYCACHEPREFIX", f"{tempfile.gettempdir()}/headwater-bench/bytecode")
    process = subprocess.Popen(command, env={**ours, **extra}, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if readable else ""
        if not line:
            raise SystemExit(f"{' '.join(command)} did not start")
        address = urlsplit(json.loads(line)["url"])
        yield Server(address.hostname or "127.0.0.1", address.port or 80, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@cache
def neo4j() -> Neo4j | str:
    """One server for all benchmarks (stopped when the process ends), or why there is none."""
    import atexit

    given = os.environ.get("HEADWATER_TEST_NEO4J_URI")
    if given:
        user = os.environ.get("HEADWATER_TEST_NEO4J_USER", "neo4j")
        return Neo4j(given, user, os.environ.get("HEADWATER_TEST_NEO4J_PASSWORD", ""), 0)
    folder = Path(tempfile.mkdtemp(prefix="headwater-bench-neo4j-"))
    environment = {
        **os.environ,
        "NEO4J_LOCAL_DIR": str(folder),
        "NEO4J_LOCAL_HEAP": "1g",
        "NEO4J_LOCAL_PAGECACHE": "512m",
    }

    def tell(order: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", NEO4J, order], env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    def stop() -> None:
        tell("stop")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    started = tell("start")
    if started.returncode:
        return started.stderr.strip() or "deploy/neo4j-local did not start it"
    told = dict(line.split("=", 1) for line in started.stdout.splitlines() if "=" in line)
    process = int((folder / "run" / "local.pid").read_text())
    return Neo4j(told["NEO4J_URI"], told["NEO4J_USER"], told["NEO4J_PASSWORD"], process)

"""A real Neo4j for the tests that need one: given by address, in a container, or from jars."""

import atexit
import gc
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "deploy" / "neo4j-local" / "neo4j-local"
JARS = {"5.26": "5.26.30", "2026": "2026.08.1"}
IMAGES = {"5.26": "neo4j:5.26-community", "2026": "neo4j:2026.08-community"}


@dataclass(frozen=True, slots=True)
class Server:
    uri: str
    user: str
    password: str
    database: str = "neo4j"


@dataclass(frozen=True, slots=True)
class NoServer:
    """Why each way failed."""

    reasons: tuple[str, ...]


def _by_address() -> Server | str:
    uri = os.environ.get("HEADWATER_TEST_NEO4J_URI")
    if not uri:
        return "HEADWATER_TEST_NEO4J_URI is not set"
    return Server(
        uri,
        os.environ.get("HEADWATER_TEST_NEO4J_USER", "neo4j"),
        os.environ.get("HEADWATER_TEST_NEO4J_PASSWORD", ""),
        os.environ.get("HEADWATER_TEST_NEO4J_DATABASE", "neo4j"),
    )


def _in_container() -> Server | str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import docker  # type: ignore[import-untyped]

            docker.from_env(timeout=5).ping()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next way is tried
            reason = f"no Docker engine answers ({type(error).__name__})"
        else:
            reason = ""
        if reason:
            gc.collect()  # the client leaves a socket behind: better here than in somebody's test
            return reason
        try:
            from testcontainers.community.neo4j import Neo4jContainer
        except ImportError as error:
            return f"testcontainers has no Neo4j ({error})"
        container = Neo4jContainer(IMAGES[_version()], password="headwater-test")
        if _cypher_25():
            container.with_env("NEO4J_db_query_default__language", "CYPHER_25")
        try:
            container.start()
        except Exception as error:  # noqa: BLE001
            return f"the container did not start: {error}"
        atexit.register(container.stop)
        return Server(container.get_connection_url(), "neo4j", "headwater-test")


class FromJars:
    """A server of our own on this machine, which may be stopped, killed and started again at the same address."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="headwater-neo4j-"))
        self._environment = {**os.environ, "NEO4J_LOCAL_DIR": str(self._folder)}
        self._environment.setdefault("NEO4J_VERSION", JARS[_version()])
        self._environment.setdefault("NEO4J_LOCAL_JVM", "-XX:TieredStopAtLevel=1")
        if _cypher_25():
            self._environment["NEO4J_LOCAL_CONF"] = "db.query.default_language=CYPHER_25"

    def start(self) -> Server | str:
        started = self._tell("start")
        if started.returncode:
            return f"deploy/neo4j-local: {started.stderr.strip()}"
        told = dict(line.split("=", 1) for line in started.stdout.splitlines() if "=" in line)
        self._environment["NEO4J_LOCAL_PORT"] = told["NEO4J_URI"].rsplit(":", 1)[1]
        return Server(told["NEO4J_URI"], told["NEO4J_USER"], told["NEO4J_PASSWORD"])

    def kill(self) -> None:
        """SIGKILL: it has no time to write anything."""
        os.kill(int((self._folder / "run" / "local.pid").read_text()), signal.SIGKILL)

    def stop(self) -> None:
        self._tell("stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tell(self, order: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", SCRIPT, order],
            env=self._environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip


def _from_jars() -> Server | str:
    own = FromJars()
    atexit.register(own.remove)
    return own.start()


def _version() -> str:
    return os.environ.get("HEADWATER_TEST_NEO4J_VERSION", "5.26")


def _cypher_25() -> bool:
    return os.environ.get("HEADWATER_TEST_CYPHER") == "25"


@cache
def find() -> Server | NoServer:
    """One server for the whole run; what was started here is stopped when the run ends."""
    reasons = []
    ways: tuple[Callable[[], Server | str], ...] = (_by_address, _in_container, _from_jars)
    for way in ways:
        found = way()
        if isinstance(found, Server):
            failure = _does_not_answer(found)
            if failure is None:
                return found
            found = failure
        reasons.append(found)
    return NoServer(tuple(reasons))


def _does_not_answer(server: Server) -> str | None:
    from neo4j import GraphDatabase
    from neo4j.exceptions import DriverError, Neo4jError

    last: Exception | None = None
    with GraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver:
        for _ in range(60):
            try:
                with driver.session(database=server.database) as session:
                    session.run("RETURN 1").consume()
            except (DriverError, Neo4jError) as error:
                last = error
                if "Unauthorized" in str(error):
                    break
                time.sleep(0.5)
            else:
                return None
    return f"{server.uri} does not answer: {last}"


@pytest.fixture(scope="session")
def neo4j_server() -> Server:
    """A server, or the test is skipped and says why (in CI it fails)."""
    found = find()
    if isinstance(found, Server):
        return found
    told = "no Neo4j server: " + "; ".join(found.reasons)
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)

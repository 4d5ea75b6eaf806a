"""Fixtures that every test may use. Stores are real; nothing of ours is mocked."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_server.store.port import GraphStore
from headwater_server.store.sqlite import SqliteStore
from tests.neo4j_server import Server, neo4j_server

__all__ = ["neo4j_server"]

_OURS = ("HEADWATER_", "MLFLOW_", "NEO4J_", "OPENLINEAGE_")
_FOR_TESTS = ("HEADWATER_TEST_",)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set for a server of their own, or a test before, does not reach a test."""
    for name in tuple(os.environ):
        if name.startswith(_OURS) and not name.startswith(_FOR_TESTS):
            monkeypatch.delenv(name)


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty embedded store."""
    opened = SqliteStore(tmp_path / "graph.db")
    yield opened
    opened.close()


@pytest.fixture
def neo4j_store(neo4j_server: Server) -> Iterator[GraphStore]:
    """The store on a real server, emptied before and after."""
    from headwater_server.store.neo4j import Neo4jStore

    opened = Neo4jStore(neo4j_server.uri, neo4j_server.user, neo4j_server.password, neo4j_server.database)
    opened.reset()
    yield opened
    opened.reset()
    opened.close()


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store(request: pytest.FixtureRequest) -> GraphStore:
    """Each store in turn, empty: what passes on one passes on all."""
    opened: GraphStore = request.getfixturevalue(f"{request.param}_store")
    return opened

"""Both stores, empty at the start of each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater_server.graph.changes import Changeset
from headwater_server.store.neo4j import Neo4jStore
from headwater_server.store.port import Applied, GraphStore
from headwater_server.store.sqlite import SqliteStore
from tests.neo4j_server import Server, neo4j_server

__all__ = ["neo4j_server"]

BACKENDS = ["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)]


@pytest.fixture(scope="session")
def one_neo4j_store(neo4j_server: Server) -> Iterator[Neo4jStore]:
    store = Neo4jStore(neo4j_server.uri, neo4j_server.user, neo4j_server.password, neo4j_server.database)
    yield store
    store.reset()
    store.close()


@pytest.fixture
def neo4j_store(one_neo4j_store: Neo4jStore) -> Neo4jStore:
    one_neo4j_store.reset()
    return one_neo4j_store


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "graph.db")
    yield store
    store.close()


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> GraphStore:
    found: GraphStore = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture
def apply(store: GraphStore) -> Callable[[Changeset], None]:
    """Apply as the next record of one log."""

    def one(changes: Changeset) -> None:
        store.apply(changes, upto=Applied(store.applied().seq + 1, "log"))

    return one

"""Fixtures that every test may use. Stores are real; nothing of ours is mocked."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_server.store.port import GraphStore
from headwater_server.store.sqlite.store import SqliteStore

_OURS = ("HEADWATER_", "NEO4J_", "OPENLINEAGE_")
_FOR_TESTS = ("HEADWATER_TEST_",)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set for a server of their own does not reach a test."""
    for name in tuple(os.environ):
        if name.startswith(_OURS) and not name.startswith(_FOR_TESTS):
            monkeypatch.delenv(name)


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty embedded store."""
    opened = SqliteStore(tmp_path / "graph.db")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store(request: pytest.FixtureRequest) -> GraphStore:
    """Each store in turn, empty: what passes on one passes on all."""
    opened: GraphStore = request.getfixturevalue(f"{request.param}_store")
    return opened

"""A Headwater behind its front door, on each store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from headwater_server.app import create_app
from headwater_server.settings import Settings
from tests.app import embedded, headwater, neo4j_server, on_neo4j

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(data=tmp_path / "data")), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def shared_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One for many cases that do not mind each other."""
    with TestClient(
        create_app(Settings(data=tmp_path_factory.mktemp("data"))), base_url="http://localhost"
    ) as client:
        yield client

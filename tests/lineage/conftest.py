from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_server.store.sqlite import SqliteStore
from tests.lineage.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    store = SqliteStore(tmp_path / "graph.db")
    yield Scene(store)
    store.close()

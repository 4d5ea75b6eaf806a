"""A record log in a file of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_server.log.sqlite import SqliteRecordLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteRecordLog]:
    opened = SqliteRecordLog(tmp_path / "log.db")
    yield opened
    opened.close()

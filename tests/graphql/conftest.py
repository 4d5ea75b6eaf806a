from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_server.story import tell
from tests.graphql.asking import Api, opened


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The demo shop. Shared: read only."""
    with opened(tmp_path_factory.mktemp("shop")) as api:
        tell(api.parts)
        yield api


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """Empty, and a test's own."""
    with opened(tmp_path) as api:
        yield api

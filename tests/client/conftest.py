"""One server for the tests of a file, and a client that speaks to it and to no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import headwater as hw
from headwater import connection, recording
from headwater.session import Session
from tests.client.served import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("data")).start()
    warm = Session(started.url, timeout=120)  # what a first question imports takes seconds on a busy machine
    warm.gql("{ server { version } }")
    warm.mlflow("experiments/search", {"max_results": 1})
    yield started
    started.stop()


@pytest.fixture
def outbox(tmp_path: Path, clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of a developer's own waits there."""
    folder = tmp_path / "outbox"
    monkeypatch.setenv("HEADWATER_OUTBOX", str(folder))
    recording._active.set(
        ()
    )  # a run that another test left open, to a server that is gone, is nobody's parent
    return folder


@pytest.fixture
def url(server: Server, outbox: Path) -> Iterator[str]:
    hw.connect(server.url)
    yield server.url
    connection._current = None


@pytest.fixture
def far(tmp_path: Path, outbox: Path) -> Iterator[Server]:
    """A server that is not there yet."""
    one = Server(tmp_path / "far")
    yield one
    one.stop()
    connection._current = None

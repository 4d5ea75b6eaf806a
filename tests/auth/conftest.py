"""A Headwater that asks who comes, behind a real socket on 127.0.0.1."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater_server.auth.tokens import Tokens
from headwater_server.settings import Settings
from tests.auth.served import Served


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With the demo shop. Shared: read only, but for tokens."""
    with Served(Settings(data=tmp_path_factory.mktemp("shop"), auth="token", demo=True)) as served:
        yield served


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    """Empty, and a test's own."""
    with Served(Settings(data=tmp_path, auth="token")) as served:
        yield served


@pytest.fixture
def key(shop: Served) -> Callable[..., str]:
    """Makes keys of the shop beside the running server, as the command does."""

    def make(*roles: str, name: str = "it", expires: int | None = None, person: bool = False) -> str:
        tokens = Tokens(shop.settings.data)
        _, made = tokens.create(
            name, roles, by="ops", at=time.time_ns() // 1_000, expires=expires, person=person
        )
        tokens.close()
        shop.forget()
        return made

    return make

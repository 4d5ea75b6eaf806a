"""The demo shop in a data folder, and the command line as a person types it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from headwater_server.cli import main
from headwater_server.parts import Parts
from headwater_server.settings import Settings
from headwater_server.story import tell


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run: TypeAlias = Callable[..., Said]


@pytest.fixture(scope="session")
def told_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, told once; to be read only."""
    folder = tmp_path_factory.mktemp("shop")
    parts = Parts(Settings(data=folder))
    parts.start()
    tell(parts)
    parts.close()
    return folder


@pytest.fixture
def own_shop(told_shop: Path, tmp_path: Path) -> Path:
    """A copy that a test may write to."""
    return Path(shutil.copytree(told_shop, tmp_path / "shop"))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: str) -> Said:
        capfd.readouterr()
        code = main(arguments)
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return go


@pytest.fixture
def ask(run: Run, told_shop: Path) -> Run:
    """A command that reads the demo shop without a server."""

    def go(*arguments: str) -> Said:
        return run(*arguments, "--data", str(told_shop))

    return go

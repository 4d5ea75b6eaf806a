import shutil
from pathlib import Path

import pytest

from tests.app import Headwater, embedded
from tests.cli.conftest import Run, Said, run, told_shop

__all__ = ["FIXTURES", "Headwater", "Run", "Said", "embedded", "orchard", "run", "told_shop"]

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def orchard(tmp_path: Path) -> Path:
    """A dbt project with its target folder, as dbt 1.10 left it."""
    return Path(shutil.copytree(FIXTURES / "orchard", tmp_path / "orchard"))

"""What is made once and used again: a folder among the temporary files."""

import os
import tempfile
from pathlib import Path


def cache() -> Path:
    """HEADWATER_BENCH_CACHE names another."""
    folder = Path(os.environ.get("HEADWATER_BENCH_CACHE", f"{tempfile.gettempdir()}/headwater-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""Faults of a disk and of a clock for one process, switched while it runs (`shim.c`; needs a C compiler)."""

import mmap
import os
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

_FIELDS = (
    "clock_offset", "sync_error_every", "write_error_every", "disk_full", "sync_delay_us",
    "syncs", "writes", "injected",
)  # fmt: skip


class Shim:
    """`clock_offset`: seconds; `…_every`: each so manyth call fails (EIO, ENOSPC); `disk_full`: every write does."""

    def __init__(self, folder: Path, under: Path) -> None:
        self._library = _built(folder.parent)
        self._path, self._under = folder / "faults", under
        self._path.write_bytes(bytes(8 * len(_FIELDS)))
        with self._path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8 * len(_FIELDS))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "HEADWATER_FAULTS": str(self._path),
            "HEADWATER_FAULTS_UNDER": f"{self._under.resolve()}{os.sep}",
        }

    def set(self, **faults: int) -> None:
        for name, value in faults.items():
            struct.pack_into("l", self._shared, 8 * _FIELDS.index(name), value)

    def heal(self) -> None:
        self.set(clock_offset=0, sync_error_every=0, write_error_every=0, disk_full=0, sync_delay_us=0)

    @property
    def injected(self) -> int:
        """How often a call was made to fail."""
        return int(struct.unpack_from("l", self._shared, 8 * _FIELDS.index("injected"))[0])

    def close(self) -> None:
        self._shared.close()


@cache
def _built(folder: Path) -> Path:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "the fault suite needs a C compiler (cc): install gcc or clang"
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library

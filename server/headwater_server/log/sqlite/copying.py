"""A copy of a SQLite database as of one moment, while others write it."""

import os
from pathlib import Path

import apsw

from headwater_server.errors import Unavailable


def copy_database(source: Path, target: Path) -> None:
    """Durable when it returns; `target` needs no write-ahead file. Writers are not held up.

    Raises:
        Unavailable: one of the two cannot be read or written.

    """
    try:
        read = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
        read.set_busy_timeout(30_000)
        write = apsw.Connection(str(target))
        try:
            with write.backup("main", read, "main") as copying:
                copying.step(-1)  # all at once: in steps it begins again whenever somebody writes
        finally:
            write.close()
            read.close()
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except (apsw.Error, OSError) as error:
        raise Unavailable(f"{source} cannot be copied to {target} ({error}).") from error

"""Is the file that we write still the one at its path? One that was deleted or replaced takes every write and loses it."""

from pathlib import Path

from headwater_server.errors import Unavailable


class Watch:
    """Remembers which files stand at a database's paths.

    Raises:
        Unavailable: one is not there.

    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._seen = {each: _identity(each) for each in (self._path, Path(f"{path}-wal"))}

    def check(self) -> None:
        """Two looks into a folder, a few microseconds.

        Raises:
            Unavailable: the database or its write-ahead file was deleted or replaced.

        """
        for path, seen in self._seen.items():
            if _identity(path) != seen:
                raise _gone(path, "was replaced by another file")

    def check_database(self) -> None:
        """As `check`, of the database alone: the write-ahead file may be made anew."""
        if _identity(self._path) != self._seen[self._path]:
            raise _gone(self._path, "was replaced by another file")


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise _gone(path, "was deleted") from None
    except OSError as error:
        raise _gone(path, f"cannot be seen ({error.strerror})") from None
    return found.st_dev, found.st_ino


def _gone(path: Path, what: str) -> Unavailable:
    return Unavailable(
        f"{path} {what} while Headwater works on it: what is written now would be lost. Nothing is acknowledged; "
        "put the file back, or stop Headwater, restore the data folder and start it again."
    )

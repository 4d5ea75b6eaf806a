"""Lets so many in at once, and turns the others away: they may come back."""

from headwater_server.errors import Unavailable


class Places:
    """For one event loop."""

    def __init__(self, most: int, what: str) -> None:
        self._free = most
        self._what = what

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        """Raises Unavailable when it is full."""
        if self._free <= 0:
            raise Unavailable(
                f"Too many {self._what} now. Nothing of this one was done; try again in a second."
            )
        self._free -= 1

    def leave(self) -> None:
        self._free += 1

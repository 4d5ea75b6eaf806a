"""The server that is copied into, with what every step asks of it: is it there, and has anything been written."""

from collections.abc import Iterable
from typing import Any

from headwater_server.imports.mlflow.port import Json, Refused, Target
from headwater_server.redaction.rules import REDACTED


class Here:
    def __init__(self, target: Target) -> None:
        self.target = target
        self.writes = 0
        """Calls that changed something, or may have."""

    def find(self, path: str, field: str, /, **said: Any) -> Json | None:
        """What GET answers in a field; None: there is no such thing."""
        try:
            found = self.target.call("GET", path, **said).get(field)
        except Refused as error:
            if error.is_missing:
                return None
            raise
        return found if isinstance(found, dict) else None

    def tell(self, method: str, path: str, /, **said: Any) -> Json:
        answer = self.target.call(method, path, **said)
        self.writes += 1
        return answer

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        self.target.write(path, chunks)
        self.writes += 1


def differs(theirs: str, mine: str | None) -> bool:
    """A value of which a secret was taken out is the same."""
    return mine != theirs and not (mine is not None and REDACTED in mine)

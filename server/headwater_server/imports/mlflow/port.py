"""What copying needs of the two servers: MLflow's calls and files, at a URL or in this process."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeAlias

Json: TypeAlias = dict[str, Any]


class Refused(Exception):
    """A server answered, and will not do it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """MLflow's `error_code`, or the HTTP status of who has none."""

    @property
    def is_missing(self) -> bool:
        return self.code in {"RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND", "NOT_FOUND", "404"}


class Unreachable(Exception):
    """A server does not answer, however often it is asked."""


class Source(Protocol):
    """Whom is copied from. Raises from every method: `Refused`, `Unreachable`."""

    @property
    def where(self) -> str:
        """For people to read; without credentials."""
        ...

    def call(self, method: str, path: str, /, **said: Any) -> Json:
        """One of the calls below `/api/2.0/mlflow`."""
        ...

    def read(self, path: str, /, **said: str) -> Iterator[bytes]:
        """A file, whole or `Unreachable`: `get-artifact` and its like."""
        ...


class Target(Protocol):
    """Whom is copied into; raises like `Source`."""

    @property
    def where(self) -> str: ...

    def call(self, method: str, path: str, /, **said: Any) -> Json: ...

    def write(self, path: str, chunks: Iterable[bytes], /) -> None:
        """A file at this path of the artifact store, there when it is whole."""
        ...


def pages(server: Source | Target, method: str, path: str, field: str, /, **said: Any) -> Iterator[Json]:
    """What all pages of a search or a list have in a field. Raises Refused when pages go round in a circle."""
    token = ""
    seen = {token}
    while True:
        answer = server.call(method, path, **said, **({"page_token": token} if token else {}))
        yield from answer.get(field) or ()
        token = answer.get("next_page_token") or ""
        if not token:
            return
        if token in seen:
            raise Refused("NOT_MLFLOW", f"{server.where} names the same page of {path} twice.")
        seen.add(token)


def pairs(said: Iterable[Json]) -> dict[str, str]:
    """Tags or params."""
    return {str(one["key"]): str(one.get("value", "")) for one in said}

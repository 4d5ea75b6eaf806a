"""The calls without HTTP, for an import into data that is opened in this process: the same table, the same answers."""

from collections.abc import Iterable
from typing import Any

import orjson

from headwater_server.api.mlflow.ask import Ask, Features
from headwater_server.api.mlflow.fields import checked, specs
from headwater_server.api.mlflow.refusals import NoEndpoint, status_and_code
from headwater_server.api.mlflow.table import CALLS, Call
from headwater_server.auth.policy import Principal
from headwater_server.errors import HeadwaterError, Unavailable
from headwater_server.imports.mlflow.port import Json, Refused, Unreachable
from headwater_server.tracking.places import checked_path


class Direct:
    """`imports.mlflow.port.Target`."""

    def __init__(self, features: Features, principal: Principal, *, where: str) -> None:
        self.where = where
        self._features = features
        self._principal = principal

    def call(self, method: str, path: str, /, **said: Any) -> Json:
        given = {name: value for name, value in said.items() if value is not None}
        try:
            call, named = _find(method, f"/{path}")
            ask = Ask(self._features, checked({**given, **named}, specs(call.fields)), self._principal)
            answer = call.answer(ask)
        except HeadwaterError as error:
            raise _refused(error) from None
        found: Json = orjson.loads(answer) if isinstance(answer, bytes) else answer
        return found

    def write(self, path: str, chunks: Iterable[bytes], /) -> None:
        try:
            upload = self._features.files.begin(checked_path(path), actor=self._principal.name)
            try:
                for chunk in chunks:
                    upload.feed(chunk)
                upload.done()
            finally:
                upload.drop()
        except HeadwaterError as error:
            raise _refused(error) from None


def _find(method: str, path: str) -> tuple[Call, dict[str, str]]:
    """Raises NoEndpoint."""
    given = path.split("/")
    for call in CALLS:
        wanted = call.path.split("/")
        if method not in call.methods.split() or len(wanted) != len(given):
            continue
        pairs = list(zip(wanted, given, strict=True))
        if all(want == got or want.startswith("{") for want, got in pairs):
            return call, {want.strip("{}"): got for want, got in pairs if want.startswith("{")}
    raise NoEndpoint(f"{method} {path} is not answered here.")


def _refused(error: HeadwaterError) -> Exception:
    if isinstance(error, Unavailable):
        return Unreachable(str(error))
    return Refused(status_and_code(error)[1], str(error))

"""An MLflow server at a URL, over one kept connection; what is refused for now is asked again."""

import base64
import http.client
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from headwater_server.errors import Invalid
from headwater_server.imports.mlflow.port import Json, Refused, Unreachable

TRIES = 6
PIECE = 2**18
"""Bytes of a file at a time."""
_API = "/api/2.0/mlflow/"
_LATER = frozenset({408, 429, 502, 503, 504})


class MlflowServer:
    """`Source` and `Target`. A path in the URL is a prefix of all calls; a user in it is shown to the server alone.
    Nobody is followed elsewhere: a redirection is refused, so that credentials stay with the server they are for.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        user: str = "",
        password: str = "",
        timeout: float = 60.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        parts, name, port = _read(url)
        self._prefix = parts.path.rstrip("/")
        host = f"[{name}]" if ":" in name else name
        self.where = f"{parts.scheme}://{host}{f':{port}' if port else ''}{self._prefix}"
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(name, port, timeout=timeout)
        self._pause = pause
        self._headers: dict[str, str] = {}
        user, password = user or unquote(parts.username or ""), password or unquote(parts.password or "")
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif user:
            both = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {both}"

    def call(self, method: str, path: str, /, **said: Any) -> Json:
        where = self._prefix + _API + path
        said = {name: value for name, value in said.items() if value is not None}
        if method == "GET":
            query = urlencode(said, doseq=True)
            raw = self._answer(method, f"{where}?{query}" if query else where, None, {}).raw
        else:
            body = json.dumps(said).encode()
            raw = self._answer(method, where, [body], {"Content-Type": "application/json"}).raw
        try:
            found = json.loads(raw)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Refused("NOT_MLFLOW", f"{self.where} does not answer with JSON: is it an MLflow server?")
        return found

    def read(self, path: str, /, **said: str) -> Iterator[bytes]:
        where = f"{self._prefix}/{path}?{urlencode(said)}"
        answer = self._answer("GET", where, None, {}, stream=True).response
        expected, got = answer.length, 0
        try:
            while chunk := answer.read(PIECE):
                got += len(chunk)
                yield chunk
            if expected is not None and got != expected:
                raise Unreachable(f"{self.where} broke off in the middle of a file.")
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.where} broke off in the middle of a file ({error!r}).") from None
        finally:
            if not answer.isclosed():
                self._connection.close()

    def write(self, path: str, chunks: Iterable[bytes], /) -> None:
        """Sent once: what was read of `chunks` is gone."""
        where = f"{self._prefix}/api/2.0/mlflow-artifacts/artifacts/{quote(path)}"
        headers = {"Content-Type": "application/octet-stream", "Transfer-Encoding": "chunked"}
        self._answer("PUT", where, chunks, headers, tries=1)

    def close(self) -> None:
        self._connection.close()

    # ---------------------------------------------------------------------------------------------

    def _answer(
        self,
        method: str,
        where: str,
        body: Iterable[bytes] | None,
        headers: dict[str, str],
        *,
        tries: int = TRIES,
        stream: bool = False,
    ) -> "_Answer":
        for left in range(tries - 1, -1, -1):
            try:
                return self._once(method, where, body, headers, stream=stream)
            except _Later as error:
                self._connection.close()
                if not left:
                    raise Unreachable(f"{self.where} does not answer ({error}).") from None
                if left < TRIES - 1 or not error.broken:  # a kept connection that was let go: at once
                    self._pause(min(2.0 ** (TRIES - 1 - left), 8.0))
            except (
                BaseException
            ):  # also Ctrl-C: an answer that was not read would be the next call's; raised again
                self._connection.close()
                raise
        raise AssertionError("the last try returns or raises")

    def _once(
        self,
        method: str,
        where: str,
        body: Iterable[bytes] | None,
        headers: dict[str, str],
        *,
        stream: bool,
    ) -> "_Answer":
        chunked = "Transfer-Encoding" in headers
        sent = body if chunked or body is None else b"".join(body)
        try:
            self._connection.request(
                method, where, sent, {**self._headers, **headers}, encode_chunked=chunked
            )
            answer = self._connection.getresponse()
            if stream and answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return _Answer(answer, b"")
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise _Later(str(error) or type(error).__name__, broken=True) from None
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return _Answer(answer, raw)
        if answer.status in _LATER:
            raise _Later(f"{answer.status} {answer.reason}", broken=False)
        raise self._refused(answer, raw)

    def _refused(self, answer: http.client.HTTPResponse, raw: bytes) -> Refused:
        if answer.status < HTTPStatus.BAD_REQUEST:
            place = urlsplit(answer.getheader("Location") or "")
            return Refused(
                str(answer.status),
                f"{self.where} sends on to {place.scheme}://{place.hostname}{place.path}: give the URL that answers.",
            )
        try:
            said = json.loads(raw)
            return Refused(str(said["error_code"]), str(said.get("message") or answer.reason))
        except (ValueError, TypeError, KeyError):
            return Refused(str(answer.status), f"{answer.status} {answer.reason}")


def _read(url: str) -> tuple[SplitResult, str, int | None]:
    """With its host and port. Raises Invalid, without the URL: a password may be in it."""
    with suppress(ValueError):  # a port or an address that is none
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts, parts.hostname, parts.port
    raise Invalid("Expected the URL of an MLflow server: http://host:port or https://host/prefix.")


class _Answer(NamedTuple):
    response: http.client.HTTPResponse
    raw: bytes
    """All of it, unless it is streamed."""


class _Later(Exception):
    """It may go well in a moment."""

    def __init__(self, reason: str, *, broken: bool) -> None:
        super().__init__(reason)
        self.broken = broken

"""One server, asked with the standard library alone."""

import json
import os
import threading
import time
import weakref
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.parse import quote, urlsplit

from headwater.errors import Away, Forbidden, HeadwaterError, Refused, refusal

TIMEOUT = 30.0
"""Seconds that one answer may take."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_MLFLOW = "/api/2.0/mlflow/"


class Session:
    """A server's address and token; a connection for each thread.

    Raises from every request:
        Away: no answer, or the server cannot serve now (then the same request may be sent again later).
        Refused: the server says no; see `headwater.errors` for its kinds.

    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout: float = TIMEOUT, home: str | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HeadwaterError(f"{url!r} is no address of a server; expected http://host:port.")
        self.url = url.rstrip("/")
        self.home = home or self.url
        """What it is known by, whatever its address is today."""
        self._https = parts.scheme == "https"
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._local = threading.local()
        self._pid = os.getpid()
        self._artifacts: dict[str, str] = {}

    # -- what is asked ----------------------------------------------------------------------------

    def gql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The `data` of a GraphQL answer; errors are raised."""
        answer = self.json("POST", "/graphql", {"query": query, "variables": variables})
        if not isinstance(answer, dict):
            raise HeadwaterError(f"{self.url}/graphql did not answer with JSON: is it a Headwater server?")
        errors = answer.get("errors")
        if errors:
            said = errors[0].get("extensions") or {}
            raise refusal(str(said.get("code", "")), str(errors[0].get("message", "")), said)
        data: dict[str, Any] = answer["data"]
        return data

    def change(self, mutation: str, result: str, **given: Any) -> dict[str, Any]:
        """A mutation whose answer is a union of a payload and errors; the errors are raised."""
        answer: dict[str, Any] = self.gql(mutation, input=given)[result]
        if "code" in answer:
            raise refusal(str(answer["code"]), str(answer.get("message", "")), answer)
        return answer

    def mlflow(self, route: str, body: Mapping[str, Any], *, method: str = "POST") -> dict[str, Any]:
        """One of MLflow's routes, as `runs/create`."""
        answer: dict[str, Any] = self.json(method, _MLFLOW + route, body)
        return answer

    def experiment(self, name: str) -> str:
        """The id of an experiment by its name. Raises NotFound."""
        path = f"{_MLFLOW}experiments/get-by-name?experiment_name={quote(name, safe='')}"
        return str(self.json("GET", path, None)["experiment"]["experiment_id"])

    def upload(self, path: str, file: IO[bytes], size: int) -> None:
        """One artifact, streamed."""
        where = f"/api/2.0/mlflow-artifacts/artifacts/{quote(path)}"
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        self._request("PUT", where, file, headers)

    def artifacts_of(self, run_id: str) -> str:
        """Where a run's artifacts are with the server. Raises Refused when they are elsewhere."""
        if run_id not in self._artifacts:
            answer = self.json("GET", f"{_MLFLOW}runs/get?run_id={quote(run_id, safe='')}", None)
            uri = str(answer["run"]["info"].get("artifact_uri") or "")
            parts = urlsplit(uri)
            if parts.scheme != "mlflow-artifacts":
                raise Refused(
                    f"the artifacts of run {run_id} are at {uri}, not with the server.", {"uri": uri}
                )
            if len(self._artifacts) > 1_000:
                self._artifacts.clear()
            self._artifacts[run_id] = parts.path.strip("/")
        return self._artifacts[run_id]

    def download(self, path: str) -> bytes:
        return self._request("GET", f"/api/2.0/mlflow-artifacts/artifacts/{quote(path)}", None, {})[1]

    def json(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        raw = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {} if raw is None else {"Content-Type": "application/json"}
        kind, answer = self._request(method, path, raw, headers)
        if "json" not in kind:
            return answer.decode("utf-8", "replace")
        return json.loads(answer or b"{}")

    def alive(self) -> bool:
        """Whether the server answers now."""
        try:
            self.json("GET", "/livez", None)
        except HeadwaterError:
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Whether it answers within these seconds."""
        end = time.monotonic() + seconds
        while not self.alive():
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
        return True

    # -- how it travels ---------------------------------------------------------------------------

    def _request(
        self, method: str, path: str, body: bytes | IO[bytes] | None, headers: dict[str, str]
    ) -> tuple[str, bytes]:
        """(content type, body). A connection that was kept and is gone is made anew, once."""
        if self._token:
            headers = {**headers, "Authorization": f"Bearer {self._token}"}
        if self._pid != os.getpid():  # a parent's sockets are its own
            self._pid, self._local = os.getpid(), threading.local()
        holder = getattr(self._local, "kept", None)
        kept = holder.connection if holder is not None else None
        if kept is not None and hasattr(
            body, "read"
        ):  # a file is read once: no second attempt on a new connection
            self._drop(kept)
            kept = None
        for connection in (kept, None) if kept is not None else (None,):
            one = connection or self._connect()
            try:
                one.request(method, self._prefix + path, body, headers)
                response = one.getresponse()
                answer = response.read()
            except (OSError, HTTPException) as error:
                self._drop(one)
                if connection is not None and isinstance(error, (ConnectionError, HTTPException)):
                    continue
                raise Away(f"{self.url} does not answer ({str(error) or type(error).__name__}).") from error
            if one is not kept:
                self._local.kept = _Kept(one)
            return self._answer(response, answer)
        raise Away(f"{self.url} does not answer.")

    def _answer(self, response: HTTPResponse, answer: bytes) -> tuple[str, bytes]:
        kind = response.getheader("Content-Type", "") or ""
        if response.status < 400:
            return kind, answer
        try:
            said = json.loads(answer)
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        message = str(
            said.get("message")
            or said.get("detail")
            or said.get("title")
            or answer[:300].decode("utf-8", "replace")
        )
        if response.status in _AGAIN:
            raise Away(f"{self.url} cannot serve now ({response.status}: {message}).", said)
        code = str(said.get("error_code") or said.get("code") or "")
        if response.status in (401, 403) and not code:
            raise Forbidden(message, said)
        error = refusal(code, message, said) if code else Refused(f"{response.status}: {message}", said)
        error.status = response.status
        raise error

    def _connect(self) -> HTTPConnection:
        kind = HTTPSConnection if self._https else HTTPConnection
        return kind(self._host, self._port, timeout=self._timeout)

    def _drop(self, connection: HTTPConnection) -> None:
        connection.close()
        self._local.kept = None


class _Kept:
    """A thread's connection; closed when the thread, or the session, is gone."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection
        weakref.finalize(self, connection.close)

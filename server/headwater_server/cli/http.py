"""A server at a URL, asked with the standard library alone."""

import gzip
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from headwater_server.cli.output import Failed

_TIMEOUT = 60.0


class Remote:
    """Answers like a server in this process (`cli.target.Server`)."""

    def __init__(self, url: str, *, timeout: float = _TIMEOUT) -> None:
        if not url.startswith(("http://", "https://")):
            raise Failed(f"{url!r} is no URL of a server; expected http://host:port.", code="INVALID")
        self.where = url.rstrip("/")
        self._timeout = timeout

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = self._send("/graphql", body, {"Content-Type": "application/json"})
        if not isinstance(answer, dict):
            raise Failed(f"{self.where}/graphql did not answer with JSON: is it a Headwater server?")
        return answer

    def ingest(self, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        answer = self._send("/api/v1/lineage/batch", gzip.compress(body, 3), headers)
        if not isinstance(answer, dict):
            raise Failed(f"{self.where} did not answer with a summary: is it a Headwater server?")
        return answer

    def export(self, ref: str) -> Iterator[bytes]:
        text = str(self._send(f"/api/v1/export/openlineage?ref={quote(ref, safe='')}", None, {}))
        return iter(text.encode().rstrip(b"\n").split(b"\n"))

    def fetch(self, path: str) -> Any:
        """What GET answers: parsed JSON, or text of another type."""
        return self._send(path, None, {})

    def post(self, path: str, asked: dict[str, Any]) -> Any:
        """What POST of JSON answers."""
        return self._send(path, json.dumps(asked).encode(), {"Content-Type": "application/json"})

    def close(self) -> None:
        """Nothing is held between requests."""

    def _send(self, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        token = os.environ.get("HEADWATER_TOKEN", "").strip()
        if token:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.where + path, body, headers)  # noqa: S310 - http(s) only, see above
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                raw, kind = response.read(), response.headers.get_content_type()
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(path, error)
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise Failed(
                f"No answer from {self.where} ({reason}). "
                "Start a server with `headwater up`, name one with --url, or read a folder with --data.",
                code="UNREACHABLE",
            ) from None
        return json.loads(raw) if kind.endswith("json") and kind != "application/x-ndjson" else raw.decode()

    def _refused(self, path: str, error: urllib.error.HTTPError) -> Any:
        raw = error.read()
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and ("errors" in answer or "data" in answer or "summary" in answer):
            return answer  # GraphQL and batches tell of their errors in the body
        text = (
            f"{error.code} {HTTPStatus(error.code).phrase}"
            if error.code in set(HTTPStatus)
            else str(error.code)
        )
        if isinstance(answer, dict):
            text = str(answer.get("detail") or answer.get("title") or text)
        if error.code == HTTPStatus.UNAUTHORIZED:
            text += " HEADWATER_TOKEN holds the token that is shown to the server."
        raise Failed(f"{self.where}{path} refused: {text}", code=str(error.code))

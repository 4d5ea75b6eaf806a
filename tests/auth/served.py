"""A server in a thread, on a free port of 127.0.0.1, and a client that speaks to it."""

import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn

from headwater_server.app import create_app
from headwater_server.auth.tokens import Tokens
from headwater_server.settings import Settings


class Served:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = create_app(settings)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_level="error", ws="websockets-sansio"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server ended while it started"
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def forget(self) -> None:
        """Wait as long as a server may take to see what another process did to its tokens."""
        time.sleep(0.25)

    def key(self, *roles: str, name: str = "it", person: bool = False) -> str:
        """A new key."""
        tokens = Tokens(self.settings.data)
        _, made = tokens.create(name, roles, by="ops", at=time.time_ns() // 1_000, person=person)
        tokens.close()
        self.forget()
        return made

    def graphql(self, key: str | None, query: str, **variables: Any) -> httpx.Response:
        body = {"query": query, "variables": variables}
        return self.http.post("/graphql", json=body, headers=bearer(key))


def bearer(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}

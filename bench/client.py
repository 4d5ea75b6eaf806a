"""A small HTTP client over kept-alive sockets: as little CPU as can be, since it shares the machine with the server."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress


class Connection:
    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self._host = f"{host}:{port}"  # a server answers to its own names alone

    def post(self, path: str, body: bytes, *, kind: str = "application/json") -> tuple[int, bytes]:
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        return self._ask(head.encode() + body)

    def get(self, path: str) -> tuple[int, bytes]:
        return self._ask(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    def stream(self, path: str, body: bytes, *, accept: str) -> Iterator[bytes]:
        """What comes, piece by piece as it comes off the line, until either side ends it."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Accept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        with suppress(OSError):
            while piece := self._socket.recv(65_536):
                yield piece

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # whoever reads from it in another thread hears of it
        self._socket.close()

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        self._socket.sendall(request)
        got = self._rest
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more()
        head = got[:end].decode("latin-1").lower()
        if "transfer-encoding: chunked" in head:
            return int(head[9:12]), self._chunks(got[end + 4 :])
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        parts, size = [got[end + 4 :]], len(got) - end - 4
        while size < length:
            parts.append(self._more())
            size += len(parts[-1])
        whole = b"".join(parts)
        self._rest = whole[length:]
        return int(head[9:12]), whole[:length]

    def _chunks(self, got: bytes) -> bytes:
        parts = []
        while True:
            while (end := got.find(b"\r\n")) < 0:
                got += self._more()
            last = end + 4 + int(got[:end], 16)
            while len(got) < last:
                got += self._more()
            if last == end + 4:
                self._rest = got[last:]
                return b"".join(parts)
            parts.append(got[end + 2 : last - 2])
            got = got[last:]

    def _more(self) -> bytes:
        got = self._socket.recv(262_144)
        if not got:
            raise SystemExit("the server closed the connection")
        return got


def pump(
    address: tuple[str, int],
    bodies: Sequence[bytes],
    *,
    path: str,
    clients: int,
    kind: str = "application/json",
) -> Counter[int]:
    """Send all bodies over so many connections at once; how often each status came back."""
    waiting = iter(bodies)
    turn = threading.Lock()
    statuses: Counter[int] = Counter()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            connection = Connection(*address)
            while True:
                with turn:
                    body = next(waiting, None)
                if body is None:
                    break
                status, _ = connection.post(path, body, kind=kind)
                with turn:
                    statuses[status] += 1
            connection.close()
        except BaseException as error:  # noqa: BLE001 - told to the caller below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"a client failed: {failures[0]!r}")
    return statuses

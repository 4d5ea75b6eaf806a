"""The way out: one POST to an address that was looked at, within a time, without following where the answer leads."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

from headwater_server.errors import Invalid
from headwater_server.webhooks.addresses import Opened, is_odd_number, is_public

TIMEOUT = 10.0
"""Seconds from the connection to the end of the answer."""
MOST = 64 * 2**10
"""Bytes that are read of an answer."""
MAX_URL = 2_000
_PORTS = {"http": 80, "https": 443}

Address: TypeAlias = tuple[str, int]
Resolve: TypeAlias = Callable[[str, int], Sequence[Address]]


def resolve(host: str, port: int) -> list[Address]:
    """Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # no name of the DNS
        raise OSError(str(error)) from None
    return list(dict.fromkeys((str(address[0]), int(address[1])) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Answer:
    """Of the receiver; `status` 0: there was none, and `error` says why."""

    status: int
    text: str = ""
    retry_after: str = ""
    error: str = ""

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


class Egress:
    """Safe in threads."""

    def __init__(
        self, opened: Sequence[str] = (), *, resolve: Resolve = resolve, timeout: float = TIMEOUT
    ) -> None:
        self._opened = Opened(opened)
        self._resolve = resolve
        self._timeout = timeout

    def check(self, url: str) -> None:
        """A name that nobody knows yet passes: each delivery looks again.

        Raises:
            Invalid: nothing would be sent there.

        """
        parts, port = self._judged(url)
        with suppress(OSError):
            self._addresses(str(parts.hostname), port)

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Nothing is raised: what went wrong is the answer's `error`, which names the host alone."""
        try:
            parts, port = self._judged(url)
            addresses = self._addresses(str(parts.hostname), port)
        except Invalid as refusal:
            return Answer(0, error=str(refusal))
        except OSError as error:
            return Answer(0, error=f"The webhook's host cannot be found: {error}")
        connection = _Connection(parts, port, addresses, self._timeout)
        watch = threading.Timer(self._timeout, connection.cut)
        watch.daemon = True
        watch.start()
        try:
            target = parts.path or "/"
            connection.request("POST", f"{target}?{parts.query}" if parts.query else target, body, headers)
            said = connection.getresponse()
            if connection.late:  # cut off, it looks like headers that ended
                raise TimeoutError
            text = said.read(MOST).decode("utf-8", "replace")
            return Answer(said.status, text, said.headers.get("Retry-After") or "")
        except (OSError, http.client.HTTPException, ValueError) as error:
            if connection.late or isinstance(error, TimeoutError):
                return Answer(0, error=f"{parts.hostname} did not answer within {self._timeout:g} seconds")
            return Answer(0, error=f"{parts.hostname} gave no answer ({type(error).__name__}: {error})")
        finally:
            watch.cancel()
            connection.close()

    def _judged(self, url: str) -> tuple[SplitResult, int]:
        """Raises Invalid."""
        parts, port = _read(url)
        if parts.scheme != "https" and not self._opened.has(str(parts.hostname), port):
            raise Invalid(
                f"Invalid webhook URL scheme: {parts.scheme!r}. Allowed schemes are: https. "
                "HEADWATER_WEBHOOK_HOSTS opens hosts that speak http."
            )
        return parts, port

    def _addresses(self, host: str, port: int) -> Sequence[Address]:
        """All that the name stands for; one that is not to be reached shuts out the name."""
        found = self._resolve(host, port)
        if not self._opened.has(host, port):
            for address, _ in found:
                if not is_public(address):
                    raise Invalid(
                        f"Webhook URL must not resolve to a non-public IP address. {host!r} resolves to "
                        f"{address}. HEADWATER_WEBHOOK_HOSTS opens hosts by name."
                    )
        return found


class _Connection(http.client.HTTPConnection):
    """To one of these addresses, whatever the name stands for by now; the certificate must be the name's."""

    def __init__(self, parts: SplitResult, port: int, addresses: Sequence[Address], timeout: float) -> None:
        super().__init__(str(parts.hostname), port, timeout=timeout)
        self.default_port = _PORTS[parts.scheme]
        self._addresses = addresses
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._raw: socket.socket | None = None
        self.late = False

    def connect(self) -> None:
        failed: OSError | None = None
        for address in self._addresses:
            try:
                self._raw = socket.create_connection(address, self.timeout)
                break
            except OSError as error:
                failed = error
        if self._raw is None:
            raise failed or OSError("it has no address")
        sock: Any = self._raw
        self.sock = self._context.wrap_socket(sock, server_hostname=self.host) if self._context else sock

    def cut(self) -> None:
        """From another thread: whoever waits for it waits no longer."""
        self.late = True
        for sock in (self.sock, self._raw):
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


def _read(url: str) -> tuple[SplitResult, int]:
    """Raises Invalid."""
    if not url.strip():
        raise Invalid(f"Webhook URL cannot be empty or just whitespace: {url!r}")
    if len(url) > MAX_URL:
        raise Invalid(f"A webhook URL has at most {MAX_URL} characters, this one {len(url)}.")
    if any(not 0x20 < ord(c) < 0x7F for c in url):
        raise Invalid(
            "A webhook URL is ASCII without spaces: escape other characters with %, names with punycode."
        )
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise Invalid(f"Invalid webhook URL {url!r}: {error}") from None
    if parts.scheme not in _PORTS:
        raise Invalid(f"Invalid webhook URL scheme: {parts.scheme!r}. Allowed schemes are: https.")
    if not parts.hostname:
        raise Invalid(f"Webhook URL must include a hostname: {url!r}")
    if parts.username is not None or parts.password is not None:
        raise Invalid("A webhook URL holds no user and no password: give the webhook a secret instead.")
    if is_odd_number(parts.hostname):
        raise Invalid(f"Webhook URL host {parts.hostname!r} is not a canonical IP address.")
    return parts, port

"""By which names and from which pages a request may come, and on which addresses nobody has to log in."""

import ipaddress
import socket
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from headwater_server.api.problems import problem
from headwater_server.errors import Forbidden, HeadwaterError, Invalid, Misdirected
from headwater_server.settings import Settings

_HERE = ("localhost", "127.0.0.1", "[::1]")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def refuse_open_doors(settings: Settings) -> None:
    """Raises Invalid when others can reach the address and nobody would have to log in."""
    if settings.auth == "none" and not is_loopback(settings.host):
        raise Invalid(
            f"HEADWATER_HOST is {settings.host}, which other machines reach, and nobody has to log in. "
            "Set HEADWATER_AUTH=token and make a key with `headwater token create`, or listen on 127.0.0.1. "
            "If something in front of it asks who comes, HEADWATER_AUTH=open says so.",
            setting="HEADWATER_AUTH",
        )


class Hosts:
    """Which Host headers are this server's. A page of another name that was made to point here (DNS
    rebinding) shows itself by its Host.
    """

    def __init__(self, settings: Settings) -> None:
        own = {settings.host} if not _is_any(settings.host) else {socket.gethostname()}
        names = {_bare(name) for name in (*_HERE, *own, *settings.allowed_hosts)}
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))
        self._names = names
        self._any = "*" in names

    def has(self, host: str, server: object) -> bool:
        """`server`: the address that the connection came in by; it has no name that could be another's."""
        if self._any:
            return True
        name = _bare(host)
        if name in self._names or name.endswith(self._endings or ("\0",)):
            return True
        return isinstance(server, tuple | list) and bool(server) and name.strip("[]") == str(server[0])


class Threshold:
    """Turns away, before anything is read, what came by a foreign name or from a foreign page."""

    def __init__(self, app: ASGIApp, *, hosts: Hosts, origins: Iterable[str]) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope), scope.get("server"))
        if refusal is not None:
            await problem(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers, server: object) -> HeadwaterError | None:
        host = headers.get("host", "")
        if not self._hosts.has(host, server):
            return Misdirected(
                f"This server does not answer to the name {host[:200]!r}. HEADWATER_ALLOWED_HOSTS adds names."
            )
        origin = headers.get("origin")
        if origin is None or origin.partition("://")[2].lower() == host.lower():
            return None
        if origin.lower() in self._origins or "*" in self._origins:
            return None
        return Forbidden(
            f"Pages of {origin[:200]!r} may not ask this server. HEADWATER_CORS_ORIGINS adds origins.",
            needs="origin",
        )


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _bare(host: str) -> str:
    """Without the port, in lower case; an IPv6 address in brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    if host.count(":") > 1:
        return f"[{host}]"
    return host.partition(":")[0]

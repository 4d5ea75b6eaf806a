"""Where a request shows who sends it, and is let through to its route or not."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from headwater_server.api.needs import Open, check
from headwater_server.api.problems import problem
from headwater_server.api.routes import WEBSOCKET, RouteTable
from headwater_server.auth.login import Login
from headwater_server.auth.policy import Principal, everybody
from headwater_server.errors import HeadwaterError, NotFound

ANONYMOUS = "anonymous"
"""Who acts where nobody says who they are."""
_NOBODY = Principal(ANONYMOUS)


def principal_of(connection: HTTPConnection) -> Principal:
    """Who sends this request: put there by the door."""
    found = connection.scope.get("principal")
    if not isinstance(found, Principal):
        raise TypeError("a request that did not come through the door")
    return found


def show(connection: HTTPConnection, header: str) -> None:
    """From now on this is what they show, instead of what the request's header said."""
    connection.scope["token"] = header


def look_again(connection: HTTPConnection) -> None:
    """Whoever stays is who they were as long as what they showed is good. May take long: not in an event loop.

    Raises:
        Unauthenticated: nothing was shown, or it is revoked or over.
        Unavailable: it cannot be checked now.

    """
    login = connection.scope.get("login")
    if isinstance(login, Login):
        connection.scope["principal"] = login.principal(connection.scope["token"])


async def look(connection: HTTPConnection) -> None:
    """`look_again` for an event loop: in a thread when it may take long."""
    login = connection.scope.get("login")
    if isinstance(login, Login) and login.slow(connection.scope["token"]):
        await run_in_threadpool(look_again, connection)
    else:
        look_again(connection)


class Door:
    """Everything goes through here. A path that the table does not know reaches no route, whatever the router holds."""

    def __init__(self, app: ASGIApp, *, table: RouteTable, login: Login | None) -> None:
        """Without `login` everybody may do everything."""
        self._app = app
        self._table = table
        self._login = login
        self._everybody = everybody(ANONYMOUS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if self._login is None:
            if scope["type"] == "websocket" and self._table.need(WEBSOCKET, scope["path"]) is None:
                await problem(NotFound("There is no such path."))(scope, receive, send)
                return
            scope["principal"] = self._everybody
        else:
            try:
                scope["principal"] = await self._admitted(scope, self._login)
            except HeadwaterError as refusal:
                await problem(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admitted(self, scope: Scope, login: Login) -> Principal | None:
        """None: of a WebSocket whose client will say who it is when it is connected (see `show`)."""
        need = self._table.need(scope.get("method", WEBSOCKET), scope["path"])
        if need is Open.PUBLIC:
            return _NOBODY
        header = Headers(scope=scope).get("authorization")
        scope["login"], scope["token"] = login, header
        if header is None and need is Open.KNOWN and scope["type"] == "websocket":
            return None
        if login.slow(header):
            principal = await run_in_threadpool(login.principal, header)
        else:
            principal = login.principal(header)
        if need is None:
            raise NotFound("There is no such path.")
        check(principal, need)
        return principal

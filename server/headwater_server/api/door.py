"""Where a request shows who sends it, and is let through to its route or not."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from headwater_server.api.needs import Open, check
from headwater_server.api.problems import problem
from headwater_server.api.routes import RouteTable
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
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 4401})  # nothing speaks it: no way around the door
            return
        if self._login is None:
            scope["principal"] = self._everybody
        else:
            try:
                scope["principal"] = await self._admitted(scope, self._login)
            except HeadwaterError as refusal:
                await problem(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admitted(self, scope: Scope, login: Login) -> Principal:
        need = self._table.need(scope["method"], scope["path"])
        if need is Open.PUBLIC:
            return _NOBODY
        header = Headers(scope=scope).get("authorization")
        if login.slow(header):
            principal = await run_in_threadpool(login.principal, header)
        else:
            principal = login.principal(header)
        if need is None:
            raise NotFound("There is no such path.")
        check(principal, need)
        return principal

"""Every route with what it needs: the table that a server starts with, or does not start."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, WebSocketRoute, compile_path

from headwater_server.api.needs import Need, Open, Undeclared, need_of

WEBSOCKET = "WEBSOCKET"
"""Stands for the method of a route that speaks WebSocket."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A route as requests meet it. `methods` empty: any."""

    path: str
    methods: frozenset[str]
    need: Need
    regex: re.Pattern[str]


def declared_routes(routes: Iterable[BaseRoute]) -> list[Declared]:
    """In the order in which they are tried.

    Raises:
        Undeclared: names each route that declares nothing.

    """
    found: list[Declared] = []
    missing: list[str] = []
    for context in iter_route_contexts(list(routes)):
        need = need_of(context.endpoint)
        path = context.path
        if path is None or need is None:
            missing.append(str(path or context.original_route))
            continue
        speaks = isinstance(context.original_route, WebSocketRoute)
        methods = frozenset({WEBSOCKET} if speaks else context.methods or ())
        found.append(Declared(path, methods, need, compile_path(path)[0]))
    if missing:
        raise Undeclared(
            f"These routes do not say what they need: {', '.join(missing)}. "
            "Put @needs(Permission…), @known or @public on what answers them (see api/needs.py)."
        )
    return found


class RouteTable:
    """What a request needs, found as the router will find its route. Remembers the paths that come often."""

    _MOST = 4_096

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.routes = declared_routes(routes)
        self._known: dict[tuple[str, str], Need | None] = {}

    def need(self, method: str, path: str) -> Need | None:
        """None: there is no such route, and nothing may answer.

        A path that other methods have needs what they need: what may not be asked is not told about.
        """
        key = (method, path)
        if key not in self._known:
            if len(self._known) >= self._MOST:
                self._known.clear()
            self._known[key] = self._find(method, path)
        return self._known[key]

    def _find(self, method: str, path: str) -> Need | None:
        elsewhere: Need | None = None
        for route in self.routes:
            if route.regex.match(path) is None:
                continue
            if not route.methods or method in route.methods:
                return route.need
            if method != WEBSOCKET and route.methods != {WEBSOCKET} and elsewhere in (None, Open.PUBLIC):
                elsewhere = route.need
        return elsewhere

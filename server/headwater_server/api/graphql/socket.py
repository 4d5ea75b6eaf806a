"""GraphQL over WebSocket: one connection's conversation by the rules of graphql-transport-ws."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from headwater_server.api.bodies import read_json
from headwater_server.api.door import look, show
from headwater_server.api.graphql.listening import ended
from headwater_server.api.graphql.operation import Query, query_of
from headwater_server.api.graphql.places import Places
from headwater_server.commit.news import News
from headwater_server.errors import HeadwaterError, Invalid, Unauthenticated, Unavailable

SUBPROTOCOL = "graphql-transport-ws"
LARGEST = 2**18
"""Characters of a message: connections that all send one at once hold what may be held."""
_REASON = 123
"""Bytes of a close frame's reason (RFC 6455, 5.5)."""

Answers = AsyncGenerator[Mapping[str, Any], None]


@dataclass(frozen=True, slots=True)
class Manners:
    """What a connection may do, and how long it is waited for. Times in seconds."""

    operations: int = 50
    """At once on one connection."""
    greeting: float = 10.0
    """Until `connection_init` must have come."""
    look: float = 1.0
    """Between two looks at the token."""
    taking: float = 30.0
    """In which a client must take a message off the line."""
    parting: float = 1.0
    """In which operations say that they are complete when the server ends."""


class _End(Exception):
    """The connection is closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Conversation:
    """With a client whose connection is not accepted yet. `stream` gives an operation's answers to this client."""

    def __init__(
        self,
        socket: WebSocket,
        *,
        stream: Callable[[Query], Answers],
        places: Places,
        connections: Places,
        news: News | None,
        manners: Manners,
    ) -> None:
        self._socket = socket
        self._stream = stream
        self._places = places
        self._own_places = Places(manners.operations, "operations run on this connection")
        self._connections = connections
        self._news = news
        self._manners = manners
        self._running: dict[str, asyncio.Task[None]] = {}
        self._every: set[asyncio.Task[None]] = set()
        self._stalled = asyncio.Event()

    async def greet(self) -> bool:
        """Accept it and learn who it is; False: it was closed."""
        try:
            async with asyncio.timeout(self._manners.greeting):
                await self._greeted()
        except TimeoutError:
            await self._close(_End(4408, "Connection initialisation timeout"))
        except _End as end:
            await self._close(end)
        except WebSocketDisconnect:
            pass
        else:
            return True
        return False

    async def talk(self) -> None:
        """Until the client leaves or breaks the rules, its token ends, or the server does."""
        try:
            self._connections.enter()
        except Unavailable as error:
            await self._close(_End(1013, str(error)))
            return
        sides = [asyncio.ensure_future(side) for side in self._sides()]
        try:
            done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            for side in done:
                side.result()
        except _End as end:
            await self._close(end)
        except WebSocketDisconnect:
            pass
        finally:
            self._connections.leave()
            await _cancelled([*sides, *self._every])

    def _sides(self) -> list[Coroutine[Any, Any, NoReturn]]:
        return [
            self._listen(),
            self._watch(),
            self._stall(),
            *([self._last(self._news)] if self._news else []),
        ]

    # -- what comes ---------------------------------------------------------------------------------

    async def _greeted(self) -> None:
        if SUBPROTOCOL not in self._socket.scope["subprotocols"]:
            await self._socket.accept()
            raise _End(4406, f"Subprotocol not acceptable: speak {SUBPROTOCOL}")
        await self._socket.accept(SUBPROTOCOL)
        while True:
            message = await self._receive()
            match message["type"]:
                case "connection_init":
                    break
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case "subscribe":
                    raise _End(4401, "Unauthorized")
                case _:
                    raise _End(4400, "Expected connection_init")
        header = _authorization(message.get("payload"))
        if header is not None:
            show(self._socket, header)
        try:
            await look(self._socket)
        except Unauthenticated as error:
            raise _End(4403, f"Forbidden: {error}") from None
        except HeadwaterError as error:
            raise _End(1013, str(error)) from None
        await self._send({"type": "connection_ack"})

    async def _listen(self) -> NoReturn:
        while True:
            message = await self._receive()
            match message["type"]:
                case "subscribe":
                    self._begin(message)
                case "complete":
                    task = self._running.pop(_id(message), None)
                    if task is not None:
                        task.cancel()
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case "connection_init":
                    raise _End(4429, "Too many initialisation requests")
                case other:
                    raise _End(4400, f"Unexpected message of type {other}")

    async def _receive(self) -> Mapping[str, Any]:
        came = await self._socket.receive()
        if came["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(came.get("code", 1005))
        text = came.get("text")
        if not isinstance(text, str):
            raise _End(4400, "Messages are text")
        if len(text) > LARGEST:
            raise _End(1009, f"A message has at most {LARGEST} characters")
        try:
            message = read_json(text.encode())
        except (HeadwaterError, UnicodeEncodeError) as error:
            raise _End(4400, f"Invalid message: {error}") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _End(4400, "A message is an object with a type")
        return message

    # -- operations ---------------------------------------------------------------------------------

    def _begin(self, message: Mapping[str, Any]) -> None:
        id_ = _id(message)
        if id_ in self._running:
            raise _End(4409, f"Subscriber for {id_} already exists")
        try:
            query = query_of(message.get("payload"))
        except Invalid as error:
            raise _End(4400, f"Invalid payload: {error}") from None
        task = asyncio.ensure_future(self._operate(id_, query))
        self._running[id_] = task
        self._every.add(task)
        task.add_done_callback(self._every.discard)

    async def _operate(self, id_: str, query: Query) -> None:
        me = asyncio.current_task()
        last: dict[str, Any] = {"id": id_, "type": "complete"}
        try:
            with self._own_places, self._places:
                async with aclosing(self._stream(query)) as answers:
                    async for answer in answers:
                        if "data" not in answer:  # refused, or it cannot go on: nothing comes behind it
                            last = {"id": id_, "type": "error", "payload": answer["errors"]}
                            break
                        await self._send({"id": id_, "type": "next", "payload": answer})
        except Unavailable as error:
            refusal = {"message": str(error), "extensions": {"code": "UNAVAILABLE"}}
            last = {"id": id_, "type": "error", "payload": [refusal]}
        except (_End, WebSocketDisconnect):  # the other side hears of it by itself
            return
        finally:
            if self._running.get(id_) is me:  # its name is free before the client can know
                del self._running[id_]
        with suppress(_End, WebSocketDisconnect):
            await self._send(last)

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._manners.taking):
                await self._socket.send_text(orjson.dumps(message).decode())
        except TimeoutError:
            self._stalled.set()
            raise _End(1008, "Too slow") from None
        except RuntimeError:  # it was closed meanwhile
            raise WebSocketDisconnect from None

    # -- how it ends --------------------------------------------------------------------------------

    async def _watch(self) -> NoReturn:
        """The token is good as long as it is."""
        while True:
            await asyncio.sleep(self._manners.look)
            try:
                await look(self._socket)
            except Unauthenticated as error:
                raise _End(4403, f"Forbidden: {error}") from None
            except HeadwaterError:
                pass  # it cannot be looked at now; answers are not made without it either

    async def _stall(self) -> NoReturn:
        """Nothing is kept for a client that takes nothing."""
        await self._stalled.wait()
        raise _End(1008, "Too slow")

    async def _last(self, news: News) -> NoReturn:
        await ended(news)
        if self._every:  # they end by themselves, and say so
            await asyncio.wait(self._every, timeout=self._manners.parting)
        raise _End(1001, "The server stops")

    async def _close(self, end: _End) -> None:
        await _cancelled(self._every)
        reason = end.reason.encode()[:_REASON].decode(errors="ignore")
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(self._manners.parting):
                await self._socket.close(end.code, reason)


def _id(message: Mapping[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise _End(4400, "A message of an operation has an id, a text")
    return id_


def _authorization(payload: Any) -> str | None:
    """What would be the header of that name, from the payload of `connection_init`; None: it says nothing."""
    if payload is None:
        return None
    if not isinstance(payload, dict):
        raise _End(4400, "The payload of connection_init is an object")
    found = next((value for name, value in payload.items() if name.lower() == "authorization"), None)
    if found is not None and not isinstance(found, str):
        raise _End(4400, "Authorization is a text")
    return found


async def _cancelled(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """All of them have ended when it returns."""
    tasks = [task for task in tasks if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

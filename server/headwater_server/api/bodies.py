"""A request's body: inflated, within a size and a time, and JSON read with care. Whatever route reads one comes here."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from headwater_server.errors import TooLarge, TooSlow, Unavailable, Unreadable, Unsupported
from headwater_server.ingest import reader

SLOWEST = 100_000
"""Bytes a second that keep a body alive beyond its time: a large batch on a slow line is no attack."""
PIECE = 2**18
"""Bytes of a file that are handed on together."""


MAX_HELD = 2**27
"""Bytes of bodies that are held at once, of all requests together, inflated."""
_HELD = "headwater.held"


class Intake:
    """Counts what bodies take for as long as their requests last: memory is bounded however many come at once."""

    def __init__(self, app: ASGIApp, *, most: int = MAX_HELD) -> None:
        self._app = app
        self._most = most
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = 0

        def take(size: int) -> None:
            """What is larger than all there is comes in when nothing else is held: it never could otherwise."""
            nonlocal own
            if self.held + size > self._most and self.held > own:
                raise Unavailable(
                    f"{self.held - own} bytes of other requests are being read. Nothing of this was stored; try again in a second."
                )
            self.held += size
            own += size

        scope[_HELD] = take
        try:
            await self._app(scope, receive, send)
        finally:
            self.held -= own


async def read_body(request: Request, *, limit: int, timeout: float) -> bytes:  # noqa: ASYNC109 - it grows with what came
    """All of it, after gzip.

    Raises:
        TooLarge: above `limit` bytes, raw or inflated; told as soon as it is.
        TooSlow: not here after `timeout` seconds, and slower than SLOWEST.
        Unavailable: too much is being read at once.
        Unreadable: not gzip, or the client went away.
        Unsupported: another encoding.

    """
    take: Callable[[int], None] = request.scope[_HELD]
    inflater = reader.Inflater(request.headers.get("content-encoding", ""), limit=limit)
    until = asyncio.get_running_loop().time() + timeout
    try:
        async with asyncio.timeout_at(until) as waiting:
            async for chunk in request.stream():
                take(inflater.feed(chunk))
                waiting.reschedule(until + inflater.received / SLOWEST)
    except TimeoutError:
        raise TooSlow(
            f"the body did not come within {timeout:g} s (and {SLOWEST} bytes a second). Nothing was stored; "
            "send it again, in smaller parts if the line is slow."
        ) from None
    except ClientDisconnect:
        raise Unreadable("the client went away before the body was whole. Nothing was stored.") from None
    return inflater.done()


async def pass_body(
    request: Request,
    take: Callable[[bytes], None],
    *,
    limit: int,
    timeout: float,  # noqa: ASYNC109 - it grows with what came
) -> None:
    """Hand a file on as it comes, piece by piece, to `take` in a worker thread; never whole in memory.

    Raises:
        TooLarge: above `limit` bytes; told before the first when its length says so.
        TooSlow: as `read_body`.
        Unreadable: the client went away.
        Unsupported: it is encoded: a file is kept as it is.

    """
    if request.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise Unsupported("files are taken as they are: send this one without Content-Encoding.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    until = asyncio.get_running_loop().time() + timeout
    received, piece = 0, bytearray()
    try:
        async with asyncio.timeout_at(until) as waiting:
            async for chunk in request.stream():
                received += len(chunk)
                if received > limit:
                    raise _too_large(limit)
                piece += chunk
                if len(piece) >= PIECE:
                    await run_in_threadpool(take, bytes(piece))
                    piece.clear()
                waiting.reschedule(until + received / SLOWEST)
    except TimeoutError:
        raise TooSlow(
            f"the file did not come within {timeout:g} s (and {SLOWEST} bytes a second). Nothing was stored; "
            "send it again."
        ) from None
    except ClientDisconnect:
        raise Unreadable("the client went away before the file was whole. Nothing was stored.") from None
    if piece:
        await run_in_threadpool(take, bytes(piece))


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"the file is larger than {limit} bytes. Nothing was stored. HEADWATER_MAX_ARTIFACT sets the limit."
    )


def read_json(raw: bytes) -> Any:
    """A JSON document whose names each stand once in their object.

    Raises:
        Unreadable: not JSON.
        Unplaceable: too deep, a number too long, half of a surrogate pair, a name twice.

    """
    document = reader.load(raw)
    reader.refuse_duplicates(raw, orjson.dumps(document))
    return document

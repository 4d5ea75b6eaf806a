"""A request's body: inflated, within a size and a time, and JSON read with care. Whatever route reads one comes here."""

import asyncio
from typing import Any

import orjson
from fastapi import Request
from starlette.requests import ClientDisconnect

from headwater_server.errors import TooSlow, Unreadable
from headwater_server.ingest import reader

SLOWEST = 100_000
"""Bytes a second that keep a body alive beyond its time: a large batch on a slow line is no attack."""


async def read_body(request: Request, *, limit: int, timeout: float) -> bytes:  # noqa: ASYNC109 - it grows with what came
    """All of it, after gzip.

    Raises:
        TooLarge: above `limit` bytes, raw or inflated; told as soon as it is.
        TooSlow: not here after `timeout` seconds, and slower than SLOWEST.
        Unreadable: not gzip, or the client went away.
        Unsupported: another encoding.

    """
    inflater = reader.Inflater(request.headers.get("content-encoding", ""), limit=limit)
    until = asyncio.get_running_loop().time() + timeout
    try:
        async with asyncio.timeout_at(until) as waiting:
            async for chunk in request.stream():
                inflater.feed(chunk)
                waiting.reschedule(until + inflater.received / SLOWEST)
    except TimeoutError:
        raise TooSlow(
            f"the body did not come within {timeout:g} s (and {SLOWEST} bytes a second). Nothing was stored; "
            "send it again, in smaller parts if the line is slow."
        ) from None
    except ClientDisconnect:
        raise Unreadable("the client went away before the body was whole. Nothing was stored.") from None
    return inflater.done()


def read_json(raw: bytes) -> Any:
    """A JSON document whose names each stand once in their object.

    Raises:
        Unreadable: not JSON.
        Unplaceable: too deep, a number too long, half of a surrogate pair, a name twice.

    """
    document = reader.load(raw)
    reader.refuse_duplicates(raw, orjson.dumps(document))
    return document

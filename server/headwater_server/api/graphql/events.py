"""Answers as server-sent events: GraphQL over SSE in its mode of distinct connections."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

import orjson

KEEPALIVE = 12.0
"""Seconds of silence after which a comment shows that the connection lives."""
OLDEST = 3_600.0
"""Seconds after which a stream is completed; a client that wants more asks again, and shows who it is again."""
MEDIA = "text/event-stream"
_SILENCE = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


async def events(answers: AsyncGenerator[Mapping[str, Any], None]) -> AsyncGenerator[bytes, None]:
    """A slow client is waited for: the next answer is asked for when this one is on its way."""
    clock = asyncio.get_running_loop().time
    end = clock() + OLDEST
    asked: asyncio.Future[Mapping[str, Any]] | None = None
    try:
        yield _SILENCE
        while clock() < end:
            asked = asked or asyncio.ensure_future(anext(answers))
            done, _ = await asyncio.wait({asked}, timeout=KEEPALIVE)
            if not done:
                yield _SILENCE
                continue
            told, asked = asked, None
            try:
                answer = told.result()
            except StopAsyncIteration:
                break
            yield b"event: next\ndata: " + orjson.dumps(answer) + b"\n\n"
        yield _COMPLETE
    finally:
        if asked is not None:
            asked.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await asked
        await answers.aclose()

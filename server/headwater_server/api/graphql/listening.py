"""News of the graph as an event loop hears them: at most once in a while, and until the server ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from headwater_server.commit.news import Choose, News


async def changed(news: News, choose: Choose, pause: float) -> AsyncGenerator[list[str], None]:
    """What changed since the last time, at most once in so many seconds. Ends when the server does."""
    loop, rung, closed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def ring() -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody listens
            loop.call_soon_threadsafe(heard)

    def heard() -> None:
        rung.set()
        if mailbox.closed:
            closed.set()

    with news.listen(choose, ring) as mailbox:
        while not mailbox.closed:
            await rung.wait()
            rung.clear()
            if keys := mailbox.take():
                yield keys
                with suppress(TimeoutError):  # a server that ends does not wait for it
                    await asyncio.wait_for(closed.wait(), pause)


async def ended(news: News) -> None:
    """Returns when the server ends."""
    async for _ in changed(news, lambda _: (), 0):
        pass

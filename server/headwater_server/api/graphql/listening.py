"""News of the graph as an event loop hears them: at most once in a while, and until the server ends."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress

from headwater_server.commit.news import Choose, Mailbox, News


class Ears:
    """Of one listener, for one event loop."""

    mailbox: Mailbox

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung, self._closed = asyncio.Event(), asyncio.Event()

    def ring(self) -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody listens
            self._loop.call_soon_threadsafe(self._heard)

    def _heard(self) -> None:
        self._rung.set()
        if self.mailbox.closed:
            self._closed.set()

    async def changes(self, pause: float, *, at_once: bool = False) -> AsyncGenerator[list[str], None]:
        """What changed since the last time, at most once in so many seconds. Ends when the server does.

        `at_once`: the first time without waiting for any, for whoever knows how things were before they listened.
        """
        if at_once:
            yield []
        while not self.mailbox.closed:
            await self._rung.wait()
            self._rung.clear()
            if keys := self.mailbox.take():
                yield keys
                await self.rest(pause)

    async def rest(self, pause: float) -> None:
        """So many seconds; a server that ends does not wait for them."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), pause)


@contextmanager
def hearing(news: News, choose: Choose) -> Iterator[Ears]:
    """What `choose` picks (see `News.listen`) is heard from here on."""
    ears = Ears()
    with news.listen(choose, ears.ring) as ears.mailbox:
        yield ears


async def ended(news: News) -> None:
    """Returns when the server ends."""
    with hearing(news, lambda _: ()) as ears:
        async for _ in ears.changes(0):
            pass

"""GraphQL's engine, made when it is first needed: its types cost as much to import as the rest of the server."""

import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from starlette.concurrency import run_in_threadpool

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.operation import Answer, Query, Runs


class LateEngine:
    """Made once, by whoever needs it first; the others wait meanwhile. Safe in threads."""

    def __init__(self) -> None:
        self._made: Runs | None = None
        self._lock = threading.Lock()

    def run(self, query: Query, context: Context) -> Answer:
        return self.made().run(query, context)

    async def stream(
        self, query: Query, context: Callable[[], Context]
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        engine = await run_in_threadpool(self.made)
        async with aclosing(engine.stream(query, context)) as answers:
            async for answer in answers:
                yield answer

    def made(self) -> Runs:
        with self._lock:
            if self._made is None:
                # a second of CPU: events are taken and /readyz answers before it
                from headwater_server.api.graphql.execution import Engine
                from headwater_server.api.graphql.schema import schema

                self._made = Engine(schema)
            return self._made

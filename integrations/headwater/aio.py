"""The same for asyncio: every call runs in a thread of its own, so that the event loop goes on.

async with hw.aio.run("train") as run:
    run.log(loss=0.1)                       # never waits
    version = await hw.aio.register(run, model, "churn")
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from headwater import connection, graphs, recording, registry

P = ParamSpec("P")
T = TypeVar("T")


def _away(work: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    @wraps(work)
    async def later(*given: P.args, **named: P.kwargs) -> T:
        return await asyncio.to_thread(work, *given, **named)

    return later


connect = _away(connection.connect)
gql = _away(graphs.gql)
lineage = _away(graphs.lineage)
impact = _away(graphs.impact)
path = _away(graphs.path)
why = _away(graphs.why)
diff = _away(graphs.diff)
runs = _away(graphs.runs)
version = _away(registry.version)
promote = _away(registry.ModelVersion.promote)
register = _away(recording.Run.register)


@asynccontextmanager
async def run(*given: Any, **named: Any) -> AsyncIterator[recording.Run]:
    """A run that begins now and ends with the block, without holding the loop."""
    begun = await asyncio.to_thread(recording.run, *given, **named)
    recording.enter(begun)  # the thread's context is its own
    try:
        yield begun
    except BaseException as error:
        await asyncio.to_thread(begun.__exit__, type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(begun.__exit__, None, None, None)

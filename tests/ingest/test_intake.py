"""Bodies of many requests at once: memory is bounded, and what was refused comes in when there is room again."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from headwater_server.api.bodies import Intake, read_body
from headwater_server.commit.room import Room
from headwater_server.errors import Unavailable


class Reading:
    """An app that reads a body and answers when it is told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.has_read = asyncio.Event()
        self.read: list[int] = []
        self.refused: list[Unavailable] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del send
        try:
            self.read.append(len(await read_body(Request(scope, receive), limit=1_000, timeout=5.0)))
        except Unavailable as error:
            self.refused.append(error)
            return
        self.has_read.set()
        await self.may_answer.wait()


def posted(intake: Intake, chunks: Iterable[int]) -> "asyncio.Task[None]":
    sizes = list(chunks)

    async def receive() -> Message:
        size = sizes.pop(0)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(sizes)}

    async def send(message: Message) -> None:
        del message

    scope: Any = {"type": "http", "method": "POST", "path": "/", "headers": []}
    return asyncio.create_task(intake(scope, receive, send))


def test_bodies_above_the_sum_are_refused_until_others_are_answered() -> None:
    async def story() -> None:
        app = Reading()
        intake = Intake(app, most=100)
        first = posted(intake, [40, 40])
        await app.has_read.wait()
        assert intake.held == 80
        await posted(intake, [15, 15])
        (refusal,) = app.refused
        assert str(refusal).startswith("80 bytes of other requests")
        assert intake.held == 80
        app.may_answer.set()
        await first
        await posted(intake, [15, 15])
        assert app.read == [80, 30]
        assert intake.held == 0

    asyncio.run(story())


def test_a_body_above_the_sum_comes_in_when_nothing_else_is_held() -> None:
    async def story() -> None:
        app = Reading()
        app.may_answer.set()
        await posted(Intake(app, most=100), [90, 90])
        assert app.read == [180]

    asyncio.run(story())


def test_a_full_queue_refuses_before_anything_is_read() -> None:
    room = Room(records=2, size=1_000)
    room.check()
    room.take(2, 10)
    with pytest.raises(Unavailable, match=r"2 records \(10 bytes\) wait"):
        room.check()
    room.give_back(1, 5)
    room.check()

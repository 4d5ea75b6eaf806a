"""A TCP proxy on 127.0.0.1 whose network goes wrong as told, while connections are open."""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests.faults.server import free_port

CHUNK = 64 * 1024


@dataclass(slots=True)
class Weather:
    """What happens to new and to open connections, now."""

    latency: float = 0.0
    """Seconds that each piece waits."""
    rate: int = 0
    """Bytes a second and direction; 0: no bound."""
    cut_before: float = 0.0
    """How likely a request is cut off before the server sees its end."""
    cut_after: float = 0.0
    """How likely a connection is reset when the server has answered and the client has not heard."""
    black_hole: bool = False
    """Requests arrive, answers never do."""
    refused: bool = False
    """Nobody answers at the port."""
    snip: Callable[[bytes], str] = lambda _: ""
    """Looks at each piece from the client: `before` resets without sending it on, `after` sends it on, then resets."""


class Proxy:
    """In a thread of its own, from `start` to `stop`."""

    def __init__(self, target: int, *, seed: int = 1) -> None:
        self.port = free_port()
        self.weather = Weather()
        self._target = target
        self._dice = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()))

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()

    def become(self, weather: Weather) -> None:
        """From now on, for open connections too."""
        self.weather = weather
        if weather.refused:
            self._loop.call_soon_threadsafe(self._reset_all)

    async def _run(self) -> None:
        self._ended = asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._started.set()
        await self._ended.wait()
        server.close()
        self._reset_all()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _reset_all(self) -> None:
        for writer in tuple(self._writers):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather.refused:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        pair = (writer, far_writer)
        self._writers.update(pair)
        try:
            await asyncio.gather(self._up(reader, *pair), self._down(far_reader, *pair))
        finally:
            self._writers.difference_update(pair)
            for each in pair:
                each.close()

    async def _up(
        self, reader: asyncio.StreamReader, near: asyncio.StreamWriter, far: asyncio.StreamWriter
    ) -> None:
        while piece := await _read(reader):
            snip = self.weather.snip(piece)
            if snip == "before" or self._dice.random() < self.weather.cut_before:
                far.write(piece[: len(piece) // 2] if not snip else b"")
                _reset(near, far)
                return
            await self._send(far, piece)
            if snip == "after":
                await asyncio.sleep(0.1)  # so that the far end has it, and has done it
                _reset(near, far)
                return
        _end(far)

    async def _down(
        self, reader: asyncio.StreamReader, near: asyncio.StreamWriter, far: asyncio.StreamWriter
    ) -> None:
        while piece := await _read(reader):
            if self.weather.black_hole:
                continue
            if self._dice.random() < self.weather.cut_after:
                _reset(near, far)
                return
            await self._send(near, piece)
        _end(near)

    async def _send(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        weather = self.weather
        if weather.latency or weather.rate:
            await asyncio.sleep(weather.latency + (len(piece) / weather.rate if weather.rate else 0.0))
        with contextlib.suppress(OSError):
            writer.write(piece)
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(CHUNK)
    except OSError:
        return b""


def _end(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()


def _reset(*writers: asyncio.StreamWriter) -> None:
    """RST rather than FIN: as a crashed machine or a firewall ends a connection."""
    for writer in writers:
        held = writer.get_extra_info("socket")
        if held is not None:
            with contextlib.suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

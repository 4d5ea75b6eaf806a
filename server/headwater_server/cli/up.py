"""`headwater up`: the server on the embedded store or on Neo4j, with the lines to paste into pipelines."""

import asyncio
import errno
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, cast

import click
from rich.text import Text

from headwater_server import __version__
from headwater_server.cli.collecting import collect_seldom
from headwater_server.cli.output import Failed, note, say
from headwater_server.errors import HeadwaterError
from headwater_server.settings import Settings

TRIED_PORTS = 20
LINGER = 1.0
"""Seconds between SIGTERM and the closed port: `/readyz` says 503 and whoever balances load looks elsewhere."""
OPEN_REQUESTS = 4
"""Seconds that open requests have to end, then."""
AT_MOST = 9.5
"""Seconds from the signal to the end, whatever hangs: orchestrators kill after ten."""


@click.command()
@click.option(
    "--data", metavar="DIR", help="Folder of the log and the graph (HEADWATER_DATA; default .headwater)."
)
@click.option("--host", help="Address to listen on (HEADWATER_HOST; default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (HEADWATER_PORT; default 4747); 0: any.")
@click.option("--neo4j", "neo4j_uri", metavar="URI", help="Keep the graph in this Neo4j (NEO4J_URI).")
@click.option("--demo", is_flag=True, help="Fill an empty log with the demo shop (HEADWATER_DEMO).")
@click.option("--open", "open_", is_flag=True, help="Open the console in a browser.")
@click.option("--json", "json_", is_flag=True, help="Print the addresses as JSON.")
def up(
    data: str | None,
    host: str | None,
    port: int | None,
    neo4j_uri: str | None,
    demo: bool,
    open_: bool,
    json_: bool,
) -> int:
    """Start the server and print what to paste into your pipelines."""
    settings = Settings.from_env(data=data, host=host, port=port, neo4j_uri=neo4j_uri, demo=demo or None)
    listening = listen(settings.host, settings.port)
    taken = listening.getsockname()[1]
    if settings.port and taken != settings.port:
        note(f"Port {settings.port} is taken; using {taken}.")
    url = address(settings.host, taken)
    gc.disable()  # until all is imported: 150,000 objects that stay
    import uvicorn  # after the port: an address that cannot be had needs no server

    from headwater_server.api.graphql.socket import LARGEST
    from headwater_server.app import create_app

    class Server(uvicorn.Server):
        """Says that it is ready when it is, not before."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _ready(settings, url, json_=json_)
                if open_:
                    click.launch(f"{url}/graphql")

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if not self.should_exit:
                app.state.retire()
                _end_for_certain()
            super().handle_exit(sig, frame)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            if signal.SIGTERM in self._captured_signals:
                await asyncio.sleep(LINGER)
            await super().shutdown(sockets)

    with _checkpoints_told():
        try:
            app = create_app(settings)
        except HeadwaterError:
            listening.close()
            raise
        collect_seldom()
        server = Server(
            uvicorn.Config(
                app,
                ws=cast("type[asyncio.Protocol]", _websocket),
                ws_max_size=LARGEST,
                ws_per_message_deflate=False,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=OPEN_REQUESTS,
            )
        )
        with suppress(KeyboardInterrupt):  # raised again when all is closed: Ctrl-C is how it ends
            server.run(sockets=[listening])
    if not server.started:
        raise Failed("The server could not start; the lines above say why.")
    return 0


def _websocket(**given: Any) -> asyncio.Protocol:
    """What speaks WebSocket, imported when somebody does."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(**given)


@contextmanager
def _checkpoints_told() -> Iterator[None]:
    """On standard error, where whoever keeps the server's log keeps them too."""
    told = logging.getLogger("headwater.audit")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    told.setLevel(logging.INFO)
    told.addHandler(handler)
    try:
        yield
    finally:
        told.removeHandler(handler)


def _end_for_certain() -> None:
    """A store that hangs or a client that never ends its request must not hold the process: what was
    acknowledged is in the log, and the next start goes on from there.
    """

    def end() -> None:
        sys.stderr.write(
            "headwater: it did not end in time and is cut off; all that was acknowledged is stored.\n"
        )
        sys.stderr.flush()
        os._exit(0)

    timer = threading.Timer(AT_MOST, end)
    timer.daemon = True
    timer.start()


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound to the port, or to the first free one after it.

    Raises:
        Failed: no port can be had, or the address is not this machine's.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in range(port, min(port + TRIED_PORTS, 65536)):
        candidate = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two servers share a port
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, wanted))
            candidate.listen(2048)
        except OSError as error:
            candidate.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise Failed(f"{host} cannot be listened on: {error.strerror or error}.") from None
            continue
        return candidate
    raise Failed(f"Every port from {port} to {port + TRIED_PORTS - 1} is taken; give another with --port.")


def address(host: str, port: int) -> str:
    """The URL that a browser on this machine can open."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _ready(settings: Settings, url: str, *, json_: bool) -> None:
    graph = f"graph in {settings.neo4j_uri}" if settings.neo4j_uri else "embedded graph"
    if json_:
        said = {
            "url": url, "data": str(settings.data), "neo4j": settings.neo4j_uri or None, "graphql": f"{url}/graphql",
            "env": {"OPENLINEAGE_URL": url, "MLFLOW_TRACKING_URI": url, "HEADWATER_URL": url},
        }  # fmt: skip
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        return
    say(
        Text.assemble(
            ("Ready", "bold green"), f": Headwater {__version__} at ", (url, "bold cyan"),
            (f"  (data in {settings.data}, {graph})", "dim"),
        )
    )  # fmt: skip
    say()
    say(f"  export OPENLINEAGE_URL={url}")
    say(f"  export MLFLOW_TRACKING_URI={url}")
    say(f"  export HEADWATER_URL={url}")
    say()
    say(f"  GraphQL console  {url}/graphql")
    say(f"  API docs         {url}/docs")
    if settings.demo:
        say("  Try              headwater impact postgres://shop-db/shop.public.orders --drop amount")
    say(Text("  Ctrl-C stops it.", style="dim"))
    sys.stdout.flush()

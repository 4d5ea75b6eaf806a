"""A Headwater behind a real socket, and MLflow's unmodified client in front of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from mlflow import MlflowClient

from headwater_server.app import create_app
from headwater_server.settings import Settings


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(settings), log_level="error", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def client(address: str) -> MlflowClient:
    return MlflowClient(tracking_uri=address, registry_uri=address)


def embedded(folder: Path) -> Settings:
    return Settings(data=folder)

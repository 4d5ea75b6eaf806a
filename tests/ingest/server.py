"""A server of its own process on a free port, which a test starts, kills and starts again on the same data."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Served:
    """`headwater up` on 127.0.0.1; stopped when the block ends."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it is ready."""
        code = (
            "import sys, uvicorn; from pathlib import Path; from headwater_server.app import create_app; "
            "from headwater_server.settings import Settings; "
            "uvicorn.run(create_app(Settings(data=Path(sys.argv[1]))), host='127.0.0.1', port=int(sys.argv[2]), "
            "log_level='warning')"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, str(self.data), str(self.port)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=ROOT,
        )
        while not self._ready():
            assert self._process.poll() is None, "the server ended while it started"
            time.sleep(0.05)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait()

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz") as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

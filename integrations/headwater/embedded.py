"""A server of this process's own, when there is no other."""

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from headwater.errors import Away, HeadwaterError
from headwater.session import Session

READY_WITHIN = 60.0
"""Seconds until a server that was started must answer."""
ADDRESS = "client-server.json"
"""In the data folder: where the server that a client started there listens."""


def start(data: str) -> str:
    """The URL of a server on a folder: the one that a client has started there, else a new one on a free port. It
    stops when the process ends that started it.

    Raises:
        Away: `headwater[server]` is not installed here, or the server did not start.

    """
    folder = Path(data)
    if found := _running(folder):
        return found
    if find_spec("headwater_server") is None:
        raise Away(
            "no server: set HEADWATER_URL, start one with `headwater up`, or `pip install 'headwater[server]'` "
            "to have one started here."
        )
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "headwater_server", "up", "--data", data, "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    atexit.register(_stop, process, os.getpid())
    timer = threading.Timer(READY_WITHIN, process.kill)
    timer.daemon = True
    timer.start()
    line = process.stdout.readline() if process.stdout else ""
    timer.cancel()
    try:
        url = str(json.loads(line)["url"])
    except (ValueError, KeyError):
        _stop(process, os.getpid())
        said = process.stderr.read().strip()[-1_000:] if process.stderr else ""
        raise Away(f"a server on {data} did not start. {said or 'Try `headwater up` to see why.'}") from None
    for stream in (process.stdout, process.stderr):
        threading.Thread(target=_drain, args=(stream,), daemon=True).start()
    with suppress(OSError):
        (folder / ADDRESS).write_text(json.dumps({"url": url, "pid": process.pid}))
    return url


def _running(folder: Path) -> str | None:
    try:
        said = json.loads((folder / ADDRESS).read_text())
        url = str(said["url"])
        os.kill(int(said["pid"]), 0)  # OSError: it is gone, whoever has its port now
        return url if Session(url, timeout=2.0).alive() else None
    except (OSError, ValueError, KeyError, HeadwaterError):
        return None


def _drain(stream: object) -> None:
    """So that a server that says much never waits for a reader."""
    with suppress(ValueError, OSError):
        for _ in stream:  # type: ignore[attr-defined]
            pass


def _stop(process: "subprocess.Popen[str]", owner: int) -> None:
    if os.getpid() == owner and process.poll() is None:  # not by a child of the process that started it
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

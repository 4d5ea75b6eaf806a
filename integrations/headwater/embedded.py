"""A server of this process's own, when there is no other."""

import atexit
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from headwater.errors import Away

_READY_WITHIN = 60.0


def start(data: str) -> str:
    """Start `headwater up` on a folder and on a free port; its URL. It stops when this process ends.

    Raises:
        Away: `headwater[server]` is not installed here, or the server did not start.

    """
    if find_spec("headwater_server") is None:
        raise Away(
            "no server: set HEADWATER_URL, start one with `headwater up`, or `pip install 'headwater[server]'` "
            "to have one started here."
        )
    Path(data).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "headwater_server", "up", "--data", data, "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    atexit.register(_stop, process)
    line = process.stdout.readline() if process.stdout else ""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError):
        _stop(process)
        raise Away(
            f"a server on {data} did not start. Try `headwater up --data {data}` to see why."
        ) from None


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()

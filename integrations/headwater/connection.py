"""Which server this process speaks to."""

import os
import threading

from headwater.outbox import deliver_left
from headwater.session import Session

DEFAULT_URL = "http://127.0.0.1:4747"

_current: Session | None = None
_lock = threading.Lock()


def connect(url: str | None = None, *, token: str | None = None, data: str | None = None) -> Session:
    """The server that everything in this process then speaks to.

    `url`, else HEADWATER_URL, MLFLOW_TRACKING_URI or OPENLINEAGE_URL where they are http addresses, else a server on
    this machine's port 4747, else one that is started on `data` (`./.headwater`) and stopped with this process, where
    `headwater[server]` is installed. `token`, else HEADWATER_TOKEN.
    """
    global _current  # noqa: PLW0603 - one process speaks to one server, as its environment says
    session = _found(url, token or os.environ.get("HEADWATER_TOKEN"), data)
    with _lock:
        _current = session
    deliver_left(session)
    return session


def current() -> Session:
    """The server of this process; connects when nobody did."""
    return _current or connect()


def _found(url: str | None, token: str | None, data: str | None) -> Session:
    names = ("HEADWATER_URL", "MLFLOW_TRACKING_URI", "OPENLINEAGE_URL")
    given = url or next((v for n in names if (v := os.environ.get(n, "")).startswith("http")), None)
    if given:
        return Session(given, token)
    if data is None:
        here = Session(DEFAULT_URL, token)
        if here.alive():
            return here
    from headwater.embedded import start  # with subprocess, which others never need

    return Session(start(data or ".headwater"), token)

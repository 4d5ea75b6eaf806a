"""Which server this process speaks to."""

import os
import threading

from headwater.journal import deliver_left
from headwater.session import Session

DEFAULT_URL = "http://127.0.0.1:4747"

_current: Session | None = None
_lock = threading.RLock()


def connect(url: str | None = None, *, token: str | None = None, data: str | None = None) -> Session:
    """The server that everything in this process then speaks to.

    `url`; with `data`, one that is started on that folder and stopped with this process (where `headwater[server]` is
    installed); else HEADWATER_URL, MLFLOW_TRACKING_URI or OPENLINEAGE_URL where they are http addresses, else a server
    on this machine's port 4747, else one that is started on `./.headwater`. `token`, else HEADWATER_TOKEN.
    """
    global _current  # noqa: PLW0603 - one process speaks to one server, as its environment says
    with _lock:
        session = _found(url, token or os.environ.get("HEADWATER_TOKEN"), data)
        _current = session
    deliver_left(session)
    return session


def current() -> Session:
    """The server of this process; connects when nobody did."""
    with _lock:
        return _current or connect()


def _found(url: str | None, token: str | None, data: str | None) -> Session:
    names = ("HEADWATER_URL", "MLFLOW_TRACKING_URI", "OPENLINEAGE_URL")
    if url is None and data is None:
        url = next((v for n in names if (v := os.environ.get(n, "")).startswith("http")), None)
        if url is None and Session(DEFAULT_URL, token).alive():
            url = DEFAULT_URL
    if url is not None:
        return Session(url, token)
    from headwater.embedded import start  # with subprocess, which others never need

    folder = os.path.abspath(data or ".headwater")  # noqa: PTH100 - pathlib is not imported for it
    return Session(start(folder), token, home=folder)

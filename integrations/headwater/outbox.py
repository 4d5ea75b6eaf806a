"""What a run logs on its way to the server: in memory, on disk while the server is away, delivered in order.

Every step may be sent twice without harm: a run's id is made here, a point is one point however often it is said,
a param that is said again is the same param. So delivery is "at least once" and the effect is "exactly once".
"""

import atexit
import contextlib
import json
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from headwater.errors import Away, Conflict, NotFound, Refused
from headwater.session import Session

Step: TypeAlias = dict[str, Any]
"""`{"route", "body"}` for one of MLflow's routes, `{"upload", "file"}` for an artifact."""

MAX_STEPS = 10_000
"""Steps held in memory; what comes on top goes to disk at once."""
MAX_METRICS, MAX_PARAMS, MAX_TAGS = 1_000, 100, 100
"""Of one log-batch (MLflow's limits)."""
_LONGEST_WAIT = 15.0
_CLOSE_WITHIN = 10.0


def folder() -> Path:
    """Where undelivered steps wait: HEADWATER_OUTBOX, else the user's cache folder."""
    given = os.environ.get("HEADWATER_OUTBOX")
    if given:
        return Path(given)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "headwater" / "outbox"


class Outbox:
    """Steps of one run. `put` never waits for the server, and never raises: a training loop goes on."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._journal = Journal(folder() / f"{name}.ndjson")
        self._steps: deque[Step] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._idle = True
        self._thread = threading.Thread(target=self._run, name=f"headwater {name[:8]}", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def put(self, step: Step) -> None:
        with self._wake:
            if len(self._steps) >= MAX_STEPS:
                self._spill()
            self._steps.append(step)
            self._idle = False
            self._wake.notify()

    def flush(self, timeout: float = _CLOSE_WITHIN) -> bool:
        """Wait until all that was put is with the server; tells whether it is."""
        end = time.monotonic() + timeout
        with self._wake:
            while not self._idle and self._thread.is_alive():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(min(left, 0.1))
            return self._idle

    def close(self, timeout: float = _CLOSE_WITHIN) -> bool:
        """Deliver what is there, `timeout` seconds at most; what is left waits on disk for the next process."""
        atexit.unregister(self.close)
        delivered = self.flush(timeout)
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout=1.0)
        with self._wake:
            self._spill()
        self._journal.close()
        return delivered

    def _spill(self) -> None:
        """All that waits in memory to disk, behind what waits there already."""
        self._journal.append(self._steps)
        self._steps.clear()

    # -- the thread that delivers ----------------------------------------------------------------

    def _run(self) -> None:
        wait = 0.2
        while True:
            with self._wake:
                while not self._steps and not self._journal.size and not self._closing:
                    self._idle = True
                    self._wake.notify_all()
                    self._wake.wait()
                if self._closing:
                    return
                waiting = list(self._steps) if not self._journal.size else []
                self._steps = deque() if waiting else self._steps
            try:
                if waiting:
                    self._deliver(waiting)
                else:
                    self._journal.replay(self._session)
                wait = 0.2
            except Away:
                with self._wake:
                    self._wake.wait(wait)
                wait = min(_LONGEST_WAIT, wait * 2)

    def _deliver(self, waiting: list[Step]) -> None:
        """Raises Away; what was not delivered is on disk then, before all that came meanwhile."""
        steps = list(merged(waiting))
        for at, step in enumerate(steps):
            try:
                send(self._session, step)
            except Away:
                with self._wake:
                    self._journal.append(steps[at:])
                raise


class Journal:
    """Steps in a file, one JSON a line, with a mark of how far they are delivered. One process holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self._lock = threading.Lock()
        self.size = path.stat().st_size if path.exists() else 0

    def append(self, steps: "deque[Step] | list[Step]") -> None:
        if not steps:
            return
        try:
            with self._lock:
                self._open()
                lines = b"".join(json.dumps(_kept(step, self._path)).encode() + b"\n" for step in steps)
                self._file.seek(0, os.SEEK_END)
                self._file.write(lines)
                self._file.flush()
                self.size += len(lines)
        except OSError as error:
            warnings.warn(
                f"{len(steps)} steps of a run could not be kept on disk ({error}): they are lost.",
                stacklevel=2,
            )

    def replay(self, session: Session) -> None:
        """Send all; the file is empty then. Raises Away: what was sent by then is not sent again by this process."""
        at = 0
        while True:
            with self._lock:
                self._open()
                self._file.seek(at)
                block = self._file.read(1 << 20)
                block = block[: block.rfind(b"\n") + 1]
                if not block:
                    self._file.truncate(0)
                    self.size = 0
                    return
            try:
                for line in block.splitlines(keepends=True):
                    with contextlib.suppress(ValueError):  # a line that a crash cut off
                        send(session, json.loads(line))
                    at += len(line)
            except Away:
                with self._lock:
                    self._file.seek(at)
                    rest = self._file.read()
                    self._file.seek(0)
                    self._file.write(rest)
                    self._file.truncate()
                    self._file.flush()
                    self.size = len(rest)
                raise

    def _open(self) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
            self._file.close()
            self._file = self._path.open("r+b")
            _hold(self._file)

    def close(self) -> None:
        """An empty file goes."""
        with self._lock:
            if self._file is not None:
                if not self.size:
                    self._path.unlink(missing_ok=True)
                self._file.close()
                self._file = None


def deliver_left(session: Session) -> int:
    """What earlier processes could not deliver, in the background; how many runs that is."""
    left = sorted(folder().glob("*.ndjson")) if folder().is_dir() else []
    if left:
        threading.Thread(target=_deliver_left, args=(session, left), daemon=True).start()
    return len(left)


def _deliver_left(session: Session, left: list[Path]) -> None:
    for path in left:
        journal = Journal(path)
        try:
            journal.replay(session)
        except (Away, OSError):  # OSError: a living process holds it
            continue
        finally:
            journal.close()


def merged(steps: list[Step]) -> Iterator[Step]:
    """Neighbouring log-batches of one run as few as the limits allow."""
    open_: Step | None = None
    for step in steps:
        if step.get("route") != "runs/log-batch":
            if open_ is not None:
                yield open_
                open_ = None
            yield step
            continue
        if open_ is not None and _fits(open_["body"], step["body"]):
            for name in ("metrics", "params", "tags"):
                open_["body"][name] = [*open_["body"].get(name, ()), *step["body"].get(name, ())]
            continue
        if open_ is not None:
            yield open_
        open_ = {"route": step["route"], "body": dict(step["body"])}
    if open_ is not None:
        yield open_


def _fits(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    sizes = {n: len(one.get(n, ())) + len(other.get(n, ())) for n in ("metrics", "params", "tags")}
    return (
        one["run_id"] == other["run_id"]
        and sizes["metrics"] <= MAX_METRICS
        and sizes["params"] <= MAX_PARAMS
        and sizes["tags"] <= MAX_TAGS
        and sum(sizes.values()) <= MAX_METRICS
    )


def send(session: Session, step: Step) -> None:
    """One step. What the server refuses is told once and passed over: it will never be taken.

    Raises:
        Away: send it again later.

    """
    try:
        if "upload" in step:
            path = Path(step["file"])
            with path.open("rb") as file:
                session.upload(step["upload"], file, path.stat().st_size)
            if step.get("kept"):
                path.unlink()
        else:
            body = dict(step["body"])
            if "experiment_name" in body:
                body["experiment_id"] = experiment_id(session, body.pop("experiment_name"))
            session.mlflow(step["route"], body)
    except Refused as error:
        warnings.warn(
            f"Headwater did not take {step.get('route') or step.get('upload')}: {error}", stacklevel=2
        )
    except FileNotFoundError:
        warnings.warn(f"the artifact {step['file']} is gone: it was not sent.", stacklevel=2)


def experiment_id(session: Session, name: str) -> str:
    """The experiment's id; made when there is none of that name."""
    try:
        return session.experiment(name)
    except NotFound:
        with contextlib.suppress(Conflict):  # somebody else made it meanwhile
            return str(session.mlflow("experiments/create", {"name": name})["experiment_id"])
        return session.experiment(name)


def _kept(step: Step, journal: Path) -> Step:
    """An artifact may be gone when the server is back: a copy waits beside the journal."""
    if "upload" not in step or step.get("kept"):
        return step
    import shutil
    import uuid

    copy = journal.with_suffix(f".{uuid.uuid4().hex}")
    with contextlib.suppress(OSError):
        shutil.copyfile(step["file"], copy)
        return {**step, "file": str(copy), "kept": True}
    return step


def _hold(file: Any) -> None:
    """Raises OSError when another process delivers this journal."""
    with contextlib.suppress(ImportError):  # Windows: two processes may deliver; nothing is doubled by it
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

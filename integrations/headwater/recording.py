"""One run of training code: what it was given, what it measured, what it read and made."""

import atexit
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import traceback
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from headwater import capture, content
from headwater.connection import current
from headwater.journal import deliver_left, kept
from headwater.outbox import Outbox
from headwater.sending import MAX_METRICS, MAX_PARAMS, MAX_TAGS, Step
from headwater.session import Session
from headwater.values import flat, now, number, pickled, text

T = TypeVar("T")
_NO_TAGS: dict[str, str] = {}
_active: ContextVar[tuple["Run", ...]] = ContextVar("headwater runs", default=())
_WORDS = (
    ("calm", "deep", "clear", "swift", "bright", "wide", "quiet", "cold", "still", "wild"),
    ("brook", "spring", "creek", "delta", "river", "lake", "ford", "falls", "stream", "tide"),
)


class Run:
    """Made by `headwater.run`. No method waits for the server or raises because of it, but `register`; the end waits
    some seconds for what is on its way, and leaves the rest on disk.
    """

    def __init__(
        self,
        session: Session,
        name: str | None,
        *,
        experiment: str,
        tags: Mapping[str, str],
        parent: "Run | None",
        run_id: str | None,
    ) -> None:
        self.id = run_id or uuid.uuid4().hex
        self.name = name or f"{random.choice(_WORDS[0])}-{random.choice(_WORDS[1])}-{random.randrange(1000)}"  # noqa: S311
        self.experiment = experiment
        self._session = session
        self._outbox = Outbox(session, self.id)
        self.ended = False
        self._owner = os.getpid()
        self._step = 0
        self._lock = threading.Lock()
        self._stop: list[Callable[[], None]] = []
        every = {**_safely(capture.code, _NO_TAGS), "mlflow.user": _user(), **tags}
        if parent is not None:
            every["mlflow.parentRunId"] = parent.id
        body = {
            "run_id": self.id,
            "experiment_name": experiment,
            "run_name": self.name,
            "start_time": now(),
            "tags": [{"key": k, "value": str(v)} for k, v in every.items() if v],
        }
        self._put({"route": "runs/create", "body": body})
        atexit.register(self._at_exit)
        deliver_left(session)

    @property
    def url(self) -> str:
        return f"{self._session.url}/runs/{self.id}"

    def params(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """What the run was given. A nested mapping becomes `outer.inner`."""
        found = [{"key": k, "value": text(v)} for k, v in flat({**(given or {}), **more})]
        for at in range(0, len(found), MAX_PARAMS):
            self._batch(params=found[at : at + MAX_PARAMS])

    def log(
        self, given: Mapping[str, float] | None = None, /, *, step: int | None = None, **more: float
    ) -> None:
        """One value of each metric at a step; without one, the step after the last."""
        with self._lock:
            at = self._step if step is None else int(step)
            self._step = max(self._step, at) + 1
        moment = now()
        found = []
        for key, value in {**(given or {}), **more}.items():
            point = number(value)
            if point is None:
                warnings.warn(
                    f"metric {key!r} is no number but {type(value).__name__}: not logged", stacklevel=2
                )
                continue
            found.append({"key": str(key), "value": point, "timestamp": moment, "step": at})
        for first in range(0, len(found), MAX_METRICS):
            self._batch(metrics=found[first : first + MAX_METRICS])

    def points(self, name: str, given: Iterable[tuple[int, float, int]]) -> None:
        """A metric's history that was measured elsewhere: (step, value, milliseconds since 1970) of each point."""
        found = [
            {"key": name, "value": number(value), "timestamp": moment, "step": step}
            for step, value, moment in given
        ]
        for first in range(0, len(found), MAX_METRICS):
            self._batch(metrics=found[first : first + MAX_METRICS])

    def tags(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        every = {**(given or {}), **more}
        found = [{"key": str(k), "value": text(v)} for k, v in every.items()]
        for at in range(0, len(found), MAX_TAGS):
            self._batch(tags=found[at : at + MAX_TAGS])

    def track(self, items: Iterable[T], *, total: int | None = None) -> Iterator[T]:
        """See `headwater.track`."""
        from headwater.progress import track

        return track(items, total=total, label=self.name)

    def input(
        self, data: Any, name: str, *, context: str = "training", columns: Sequence[Mapping[str, str]] = ()
    ) -> str:
        """The run read this. `name` is the dataset's as its pipelines call it (`<namespace>/<name>`).

        All of `data` is hashed, so that the exact version is known; None names it without. `columns`, each with
        `name` and `type`, else those of `data`. Returns the digest; empty when it has none.
        """
        digest = ""
        try:
            digest = content.digest(data) if data is not None else ""
        except (TypeError, OSError) as error:
            warnings.warn(f"{name}: {error}. The input is named without its digest.", stacklevel=2)
        columns, rows = list(columns) or content.columns(data), content.rows(data)
        dataset: dict[str, Any] = {
            "name": name.rpartition("/")[2][:500],
            "digest": digest or "none",
            "source_type": "headwater",
            "source": json.dumps({"ref": name}),
        }
        if columns:
            dataset["schema"] = json.dumps({"mlflow_colspec": columns})
        if rows is not None:
            dataset["profile"] = json.dumps({"num_rows": rows})
        said = {"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": context}]}
        self._put({"route": "runs/log-inputs", "body": {"run_id": self.id, "datasets": [said]}})
        return digest

    def artifact(self, path: str | os.PathLike[str], folder: str = "") -> None:
        """A file, or all files of a folder, below `folder` of the run's artifacts: as they are now, whatever becomes
        of them (a copy waits until it is delivered).

        Raises:
            OSError: the file cannot be read.

        """
        source = Path(path)
        files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
        base = source if source.is_dir() else source.parent
        for file in files:
            place = "/".join(filter(None, (folder.strip("/"), file.relative_to(base).as_posix())))
            self._upload(file, place)

    def text(self, content: str | bytes, name: str) -> None:
        """An artifact out of what is in memory."""
        self._upload(content.encode() if isinstance(content, str) else content, name)

    def register(
        self, model: Any, name: str, *, description: str | None = None, timeout: float = 60.0
    ) -> Any:
        """A version of the model `name`, made by this run: a path, bytes, or an object (kept with joblib, else pickle).

        Waits for what the run logged, since the version is asked about it.

        Raises:
            Away: the server does not answer within `timeout` seconds.
            Refused: it says no.

        """
        from headwater.errors import Away
        from headwater.registry import create_version

        digest, place = self._keep_model(model, name)
        if not self._outbox.flush(timeout):
            raise Away(f"{self._session.url} did not take all of run {self.id} within {timeout:g} s.")
        return create_version(
            self._session,
            name,
            run_id=self.id,
            source=f"runs:/{self.id}/{place}",
            digest=digest,
            description=description,
        )

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait for delivery; tells whether all arrived."""
        return self._outbox.flush(timeout)

    def end(self, status: str = "FINISHED") -> bool:
        """FINISHED, FAILED or KILLED; the first end is the end. Tells whether all arrived; the rest waits on disk."""
        if self.ended:
            return self._outbox.flush()
        self.ended = True
        atexit.unregister(self._at_exit)
        for stop in reversed(self._stop):
            _safely(stop, None)
        self._stop.clear()
        body = {"run_id": self.id, "status": status, "end_time": now()}
        self._put({"route": "runs/update", "body": body})
        return self._outbox.close()

    def _at_exit(self) -> None:
        """The process ends and nobody ended the run."""
        if os.getpid() == self._owner:
            self.end("FAILED" if getattr(sys, "last_value", None) is not None else "FINISHED")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self.end()
            return
        self.tags({"headwater.error": f"{type(error).__name__}: {error}"[:5_000]})
        _safely(lambda: self.text("".join(traceback.format_exception(error)), "headwater/error.txt"), None)
        self.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")

    def __repr__(self) -> str:
        return f"<Run {self.name} {self.id} of {self.experiment}>"

    # -- the way to the outbox --------------------------------------------------------------------

    def _batch(self, **said: list[dict[str, Any]]) -> None:
        self._put({"route": "runs/log-batch", "body": {"run_id": self.id, **said}})

    def _upload(self, content: Path | bytes, place: str) -> None:
        step: Step = {"upload": place, "run_id": self.id}
        try:
            copy = kept(self._session.home, self.id, content)
        except OSError as error:
            if isinstance(content, bytes):
                warnings.warn(f"{place} cannot be kept ({error}): it is not logged.", stacklevel=4)
                return
            with content.open("rb"):  # who names a file that is not there is told now
                pass
            self._put({**step, "file": str(content.resolve())})
            return
        self._put({**step, "file": str(copy.resolve()), "kept": True})

    def _put(self, step: Step) -> None:
        self._outbox.put(step)

    def _keep_model(self, model: Any, name: str) -> tuple[str, str]:
        """Its digest, and its place among the artifacts: another content is another place."""
        file = Path(model) if isinstance(model, (str, os.PathLike)) else None
        raw = b"" if file is not None else model if isinstance(model, bytes) else pickled(model)
        digest = content.digest(file if file is not None else raw)
        place = f"models/{name}/{digest[:12]}"
        if file is not None:
            self.artifact(file, place)
        else:
            self.text(raw, f"{place}/model.pkl")
        return digest, place

    def _watch(self, *, output: bool, environment: bool, diff: bool, hardware: float) -> None:
        if diff and (changes := _safely(capture.uncommitted, b"")):
            self.text(changes, "headwater/uncommitted.diff")
        if environment:
            self.text(_safely(capture.environment, ""), "headwater/environment.txt")
        if output:
            printed = capture.Output(Path(tempfile.mkdtemp(prefix="headwater-")) / "output.log")
            self._stop.append(lambda: self._keep_output(printed))
        if hardware > 0:
            sampler = capture.Hardware(self._log_hardware, hardware)
            self._stop.append(sampler.stop)

    def _keep_output(self, printed: capture.Output) -> None:
        file = printed.stop()
        self._upload(file, "headwater/output.log")
        shutil.rmtree(file.parent, ignore_errors=True)

    def _log_hardware(self, values: Mapping[str, float]) -> None:
        moment = now()
        self._batch(
            metrics=[{"key": k, "value": v, "timestamp": moment, "step": moment} for k, v in values.items()]
        )


def run(
    name: str | None = None,
    *,
    experiment: str = "Default",
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    nested: bool | None = None,
    parent: Run | None = None,
    run_id: str | None = None,
    output: bool = False,
    environment: bool = True,
    diff: bool = True,
    hardware: float = 0.0,
) -> Run:
    """A run that begins now; use it in `with`. One inside another, or with a `parent`, is its child, unless `nested` is
    False.

    The git commit and its uncommitted changes (`diff`) and the installed packages (`environment`) are kept; what is
    printed with `output=True`, the machine's load every so many seconds with `hardware=10`.
    """
    if parent is None and nested is not False:
        parent = active()
    begun = Run(current(), name, experiment=experiment, tags=tags or {}, parent=parent, run_id=run_id)
    enter(begun)
    begun._watch(output=output, environment=environment, diff=diff, hardware=hardware)  # noqa: SLF001 - of one module
    if params:
        begun.params(params)
    return begun


def enter(begun: Run) -> None:
    """What begins in this thread or task from now on begins within that run."""
    _active.set((*(run for run in _active.get() if not run.ended), begun))


def active() -> Run | None:
    """The innermost run of this thread or task that has not ended."""
    return next((run for run in reversed(_active.get()) if not run.ended), None)


def _safely(work: Callable[[], T], otherwise: T) -> T:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - what is captured beside the training never stops it
        warnings.warn(f"Headwater could not look at this machine: {error}", stacklevel=3)
        return otherwise


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""

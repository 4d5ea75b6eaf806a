"""One run of training code: what it was given, what it measured, what it read and made."""

import json
import math
import os
import random
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from headwater import capture, content
from headwater.connection import current
from headwater.outbox import Outbox, Step
from headwater.session import Session

T = TypeVar("T")
_NO_TAGS: dict[str, str] = {}
_active: list["Run"] = []
_WORDS = (
    ("calm", "deep", "clear", "swift", "bright", "wide", "quiet", "cold", "still", "wild"),
    ("brook", "spring", "creek", "delta", "river", "lake", "ford", "falls", "stream", "tide"),
)


class Run:
    """Made by `headwater.run`. No method waits for the server or raises because of it, but `register`."""

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
            "start_time": _now(),
            "tags": [{"key": k, "value": str(v)} for k, v in every.items() if v],
        }
        self._put({"route": "runs/create", "body": body})

    @property
    def url(self) -> str:
        return f"{self._session.url}/runs/{self.id}"

    def params(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """What the run was given. A nested mapping becomes `outer.inner`."""
        found = [{"key": k, "value": _text(v)} for k, v in _flat({**(given or {}), **more})]
        for at in range(0, len(found), 100):
            self._batch(params=found[at : at + 100])

    def log(
        self, given: Mapping[str, float] | None = None, /, *, step: int | None = None, **more: float
    ) -> None:
        """One value of each metric at a step; without one, the step after the last."""
        with self._lock:
            at = self._step if step is None else int(step)
            self._step = max(self._step, at) + 1
        now = _now()
        found = []
        for key, value in {**(given or {}), **more}.items():
            number = _number(value)
            if number is None:
                warnings.warn(
                    f"metric {key!r} is no number but {type(value).__name__}: not logged", stacklevel=2
                )
                continue
            found.append({"key": key, "value": number, "timestamp": now, "step": at})
        if found:
            self._batch(metrics=found)

    def tags(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        every = {**(given or {}), **more}
        self._batch(tags=[{"key": k, "value": _text(v)} for k, v in every.items()])

    def track(self, items: Iterable[T], *, total: int | None = None) -> Iterator[T]:
        """See `headwater.track`."""
        from headwater.progress import track

        return track(items, total=total, label=self.name)

    def input(self, data: Any, name: str, *, context: str = "training") -> str:
        """The run read this. `name` is the dataset's as its pipelines call it (`<namespace>/<name>`).

        All of `data` is hashed, so that the exact version is known. Returns the digest; empty when it has none.
        """
        digest = ""
        try:
            digest = content.digest(data) if data is not None else ""
        except (TypeError, OSError) as error:
            warnings.warn(f"{name}: {error}. The input is named without its digest.", stacklevel=2)
        columns, rows = content.columns(data), content.rows(data)
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
        """A file, or all files of a folder, below `folder` of the run's artifacts."""
        source = Path(path)
        files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
        base = source if source.is_dir() else source.parent
        for file in files:
            self._upload(file, "/".join(filter(None, (folder.strip("/"), file.relative_to(base).as_posix()))))

    def text(self, text: str | bytes, name: str) -> None:
        """An artifact out of what is in memory."""
        raw = text.encode() if isinstance(text, str) else text
        with tempfile.NamedTemporaryFile(prefix="headwater-", delete=False) as file:
            file.write(raw)
        self._upload(Path(file.name), name, kept=True)

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

        digest = self._keep_model(model)
        if not self._outbox.flush(timeout):
            raise Away(f"{self._session.url} did not take all of run {self.id} within {timeout:g} s.")
        return create_version(
            self._session,
            name,
            run_id=self.id,
            source=f"runs:/{self.id}/model",
            digest=digest,
            description=description,
        )

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait for delivery; tells whether all arrived."""
        return self._outbox.flush(timeout)

    def end(self, status: str = "FINISHED") -> bool:
        """FINISHED, FAILED or KILLED. Tells whether all arrived; the rest waits on disk."""
        for stop in reversed(self._stop):
            _safely(stop, None)
        self._stop.clear()
        body = {"run_id": self.id, "status": status, "end_time": _now()}
        self._put({"route": "runs/update", "body": body})
        if self in _active:
            _active.remove(self)
        return self._outbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end()
            return
        self.tags({"headwater.error": f"{type(error).__name__}: {error}"[:5_000]})
        self.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")

    def __repr__(self) -> str:
        return f"<Run {self.name} {self.id} of {self.experiment}>"

    # -- the way to the outbox --------------------------------------------------------------------

    def _batch(self, **said: list[dict[str, Any]]) -> None:
        self._put({"route": "runs/log-batch", "body": {"run_id": self.id, **said}})

    def _upload(self, file: Path, path: str, *, kept: bool = False) -> None:
        step: Step = {
            "upload": f"{self.id}/artifacts/{path}", "experiment_name": self.experiment, "file": str(file.resolve()),
        }  # fmt: skip
        self._put({**step, "kept": True} if kept else step)

    def _put(self, step: Step) -> None:
        self._outbox.put(step)

    def _keep_model(self, model: Any) -> str:
        if isinstance(model, (str, os.PathLike)):
            self.artifact(model, "model")
            return content.digest(Path(model))
        if not isinstance(model, bytes):
            model = _pickled(model)
        self.text(model, "model/model.pkl")
        return content.digest(model)

    def _watch(self, *, output: bool, environment: bool, diff: bool, hardware: float) -> None:
        if diff and (changes := _safely(capture.uncommitted, b"")):
            self.text(changes, "headwater/uncommitted.diff")
        if environment:
            self.text(_safely(capture.environment, ""), "headwater/environment.txt")
        if output:
            kept = capture.Output(Path(tempfile.mkdtemp(prefix="headwater-")) / "output.log")
            self._stop.append(lambda: self._upload(kept.stop(), "headwater/output.log", kept=True))
        if hardware > 0:
            sampler = capture.Hardware(self._log_hardware, hardware)
            self._stop.append(sampler.stop)

    def _log_hardware(self, values: Mapping[str, float]) -> None:
        now = _now()
        self._batch(
            metrics=[{"key": k, "value": v, "timestamp": now, "step": now} for k, v in values.items()]
        )


def run(
    name: str | None = None,
    *,
    experiment: str = "Default",
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    nested: bool | None = None,
    run_id: str | None = None,
    output: bool = False,
    environment: bool = True,
    diff: bool = True,
    hardware: float = 0.0,
) -> Run:
    """A run that begins now; use it in `with`. One inside another is its child, unless `nested` is False.

    The git commit and its uncommitted changes (`diff`) and the installed packages (`environment`) are kept; what is
    printed with `output=True`, the machine's load every so many seconds with `hardware=10`.
    """
    parent = _active[-1] if _active and nested is not False else None
    begun = Run(current(), name, experiment=experiment, tags=tags or {}, parent=parent, run_id=run_id)
    _active.append(begun)
    begun._watch(output=output, environment=environment, diff=diff, hardware=hardware)  # noqa: SLF001 - of one module
    if params:
        begun.params(params)
    return begun


def active() -> Run | None:
    """The innermost run that has not ended."""
    return _active[-1] if _active else None


def _safely(work: Callable[[], T], otherwise: T) -> T:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - what is captured beside the training never stops it
        warnings.warn(f"Headwater could not look at this machine: {error}", stacklevel=3)
        return otherwise


def _flat(given: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _number(value: Any) -> float | str | None:
    """A float as JSON has it; NaN and the infinities by name, as MLflow sends them."""
    try:
        number = float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        return None
    if math.isnan(number):
        return "NaN"
    return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")


def _text(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else json.dumps(value)
        if isinstance(value, (list, tuple, bool))
        else str(value)
    )


def _pickled(model: Any) -> bytes:
    import io
    import pickle

    try:
        import joblib
    except ImportError:
        return pickle.dumps(model)
    kept = io.BytesIO()
    joblib.dump(model, kept)
    return kept.getvalue()


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _now() -> int:
    return time.time_ns() // 1_000_000

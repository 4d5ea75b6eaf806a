"""DVCLive's calls, and DVCLive's files, into a run.

live = headwater.dvclive.Live()             # in place of dvclive.Live()
headwater.dvclive.read("dvclive", run)      # what DVCLive wrote
"""

# ruff: noqa: A002, FBT001, FBT002 - names and places of arguments as DVCLive has them
import csv
import json
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from headwater.errors import HeadwaterError
from headwater.recording import Run, active
from headwater.recording import run as begin
from headwater.values import now


class Live:
    """What scripts call on `dvclive.Live`; all goes into a run and no file is written.

    `run`, else the one that is active, else one that begins here and ends with `end`, or with the block.
    """

    def __init__(self, run: Run | None = None, **_: Any) -> None:
        current = run or active()
        self._mine = current is None
        self.run = current or begin()
        self.step = 0
        self.summary: dict[str, Any] = {}

    def log_metric(self, name: str, val: Any, timestamp: bool = False, plot: bool = True) -> None:
        del timestamp, plot
        self.summary[name] = val
        if isinstance(val, str):
            self.run.tags({name: val})
        else:
            self.run.log({name: val}, step=self.step)

    def log_param(self, name: str, val: Any) -> None:
        self.run.params({name: val})

    def log_params(self, params: Mapping[str, Any]) -> None:
        self.run.params(params)

    def log_artifact(
        self, path: str | os.PathLike[str], type: str | None = None, name: str | None = None, **_: Any
    ) -> None:
        """A `type` of "model" is kept below `models`; to register it say `run.register`."""
        self.run.artifact(path, f"models/{name or Path(path).stem}" if type == "model" else "artifacts")

    def log_image(self, name: str, val: Any) -> None:
        """A path, or a picture that saves itself (PIL, Matplotlib)."""
        if isinstance(val, (str, os.PathLike)):
            self.run.artifact(val, f"plots/images/{Path(name).parent.as_posix()}".removesuffix("/."))
            return
        save = getattr(val, "savefig", None) or getattr(val, "save", None)
        if save is None:
            raise HeadwaterError(f"{name}: a path or a picture is expected, not {type(val).__name__}.")
        import io

        kept = io.BytesIO()
        save(kept, format=(Path(name).suffix.lstrip(".") or "png").replace("jpg", "jpeg"))
        self.run.text(kept.getvalue(), f"plots/images/{name}")

    def log_plot(self, name: str, datapoints: Any, x: str, y: str, **more: Any) -> None:
        points = datapoints.to_dict("records") if hasattr(datapoints, "to_dict") else list(datapoints)
        self.run.text(json.dumps(points, default=str), f"plots/custom/{name}.json")
        self.run.text(json.dumps({"x": x, "y": y, **more}, default=str), f"plots/custom/{name}.axes.json")

    def log_sklearn_plot(
        self, kind: str, labels: Any, predictions: Any, name: str | None = None, **_: Any
    ) -> None:
        """What is drawn from, a row each: DVCLive's own calculation is not made."""
        rows = [
            {"actual": _plain(a), "predicted": _plain(p)} for a, p in zip(labels, predictions, strict=True)
        ]
        self.run.text(json.dumps(rows), f"plots/sklearn/{name or kind}.json")

    def next_step(self) -> None:
        self.step += 1

    def make_summary(self, update_step: bool = True) -> None:
        """The server has it."""

    make_report = make_dvcyaml = make_summary

    def end(self) -> None:
        if self._mine:
            self.run.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._mine:
            self.run.__exit__(kind, error, trace)


def read(folder: str | os.PathLike[str] = "dvclive", run: Run | None = None) -> Run:
    """What DVCLive left in its folder, into `run`, else into one that begins and ends here: each metric's history,
    the last values that have none, the params, plots and images as artifacts. Answers the run.

    Raises:
        HeadwaterError: there is nothing of DVCLive's, or its params cannot be read.

    """
    home = Path(folder)
    summary = home / "metrics.json"
    if not summary.is_file():
        raise HeadwaterError(f"{home} is no folder of DVCLive: it has no metrics.json.")
    params = _params(home / "params.yaml")
    last = _flat(json.loads(summary.read_text(encoding="utf-8")))
    histories = {
        file.relative_to(home / "plots" / "metrics").with_suffix("").as_posix(): file
        for file in sorted((home / "plots" / "metrics").rglob("*.tsv"))
    }
    current = run or begin(home.resolve().parent.name)
    current.params(params)
    for name, file in histories.items():
        current.points(name, _history(file))
    current.log(
        {
            name: v
            for name, v in last.items()
            if name not in histories and name != "step" and isinstance(v, (int, float))
        },
        step=int(last.get("step", 0)),
    )
    for part in ("images", "custom", "sklearn"):
        if (home / "plots" / part).is_dir():
            current.artifact(home / "plots" / part, f"plots/{part}")
    if run is None:
        current.end()
    return current


def _history(file: Path) -> list[tuple[int, float, int]]:
    """(step, value, timestamp) of each row."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened, delimiter="\t"))
    moment = now()
    found = []
    for at, row in enumerate(rows):
        value = next((v for k, v in row.items() if k not in ("step", "timestamp")), "")
        found.append(
            (int(row.get("step") or at), float(value or "nan"), int(float(row.get("timestamp") or moment)))
        )
    return found


def _params(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        yaml = import_module("yaml")
    except ImportError:
        raise HeadwaterError(f"{file} is YAML. Try: pip install pyyaml") from None
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def _flat(given: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in given.items():
        found |= _flat(value, f"{prefix}{key}/") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value

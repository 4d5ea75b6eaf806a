"""Runs: made with their ids and their start, filled, and only then ended, so that an end says that all before it is there."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headwater_server.imports.mlflow.experiments import Experiments
from headwater_server.imports.mlflow.files import Files, Place
from headwater_server.imports.mlflow.here import Here, differs
from headwater_server.imports.mlflow.port import Json, Refused, Source, pages, pairs
from headwater_server.imports.mlflow.report import Report

PAGE, HISTORY_PAGE = 200, 25_000
POINTS, OTHERS = 1_000, 100
"""In a batch."""
REMEMBERED = 10_000
PARENT, NAME = "mlflow.parentRunId", "mlflow.runName"


class Runs:
    """`model` makes sure that a logged model is here, and says whether it is."""

    def __init__(
        self,
        source: Source,
        here: Here,
        report: Report,
        *,
        experiments: Experiments,
        files: Files | None,
        model: Callable[[str], bool],
    ) -> None:
        self._source = source
        self._here = here
        self._report = report
        self._experiments = experiments
        self._files = files
        self._model = model
        self._there: OrderedDict[str, None] = OrderedDict()
        self._begun: set[str] = set()
        """Made here and not filled yet."""

    def copy_all(self, experiment: str) -> None:
        """Those of an experiment of the source, oldest first."""
        for run in self._listed(experiment, "ALL"):
            with self._report.item(f"run {id_of(run)}"):
                self._copy(run)

    def delete_deleted(self, experiment: str) -> None:
        """Those that are deleted there, here too: when all is copied, since a deleted run takes nothing more."""
        for run in self._listed(experiment, "DELETED_ONLY"):
            mine = self._here.find("runs/get", "run", run_id=id_of(run))
            if mine is not None and mine["info"]["lifecycle_stage"] == "active":
                self._here.tell("POST", "runs/delete", run_id=id_of(run))

    def ensure(self, run_id: str) -> bool:
        """That a run is here, be it empty: it is filled when it is its turn. What names it can be written then."""
        if run_id in self._there:
            return True
        if self._here.find("runs/get", "run", run_id=run_id) is None:
            try:
                there = self._source.call("GET", "runs/get", run_id=run_id, run_uuid=run_id)["run"]
            except Refused as error:
                if error.is_missing:
                    return False
                raise
            if not self._begin(there):
                return False
        self._remember(run_id)
        return True

    # ---------------------------------------------------------------------------------------------

    def _listed(self, experiment: str, view: str) -> Iterator[Json]:
        return pages(
            self._source,
            "POST",
            "runs/search",
            "runs",
            experiment_ids=[experiment],
            run_view_type=view,
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
        )

    def _copy(self, there: Json) -> None:
        run_id = id_of(there)
        writes = self._here.writes
        before = self._here.find("runs/get", "run", run_id=run_id)
        if before is not None and before["info"].get("lifecycle_stage") == "deleted":
            self._report.done("runs", new=False, changed=False)  # the last that was done with it
            return
        if before is None and not self._begin(there):
            return
        mine = before or self._here.target.call("GET", "runs/get", run_id=run_id)["run"]
        self._fill(there, mine)
        new, changed = run_id in self._begun, self._here.writes > writes
        self._begun.discard(run_id)
        if changed and not new and there["info"].get("status") == "RUNNING":  # its points were said again
            changed = self._here.target.call("GET", "runs/get", run_id=run_id)["run"] != before
        self._report.done("runs", new=new, changed=changed)

    def _begin(self, there: Json) -> bool:
        """The run, empty. That above it comes first: its edge is made when the tag is said."""
        info = there["info"]
        home = self._experiments.home(str(info["experiment_id"]))
        if home is None:
            self._report.refuse(f"run {id_of(there)}", "its experiment is not copied")
            return False
        tags = pairs(there.get("data", {}).get("tags") or ())
        above = tags.get(PARENT)
        if above and above != id_of(there):
            self.ensure(above)
        name = info.get("run_name") or tags.get(NAME)
        self._here.tell(
            "POST",
            "runs/create",
            experiment_id=home,
            run_id=id_of(there),
            run_name=name,
            user_id=info.get("user_id"),
            start_time=info.get("start_time"),
            tags=[{"key": PARENT, "value": above}] if above else [],
            at=info.get("start_time") or None,
        )
        self._begun.add(id_of(there))
        return True

    def _fill(self, there: Json, mine: Json) -> None:
        run_id, info = id_of(there), there["info"]
        data, have = there.get("data") or {}, mine.get("data") or {}
        ended = _end(mine) == _end(there) and info.get("status") != "RUNNING"
        self._read_and_made(there, mine)
        params = _news(pairs(data.get("params") or ()), pairs(have.get("params") or ()))
        self._log(run_id, "params", [{"key": k, "value": v} for k, v in params.items()])
        known = pairs(have.get("tags") or ())
        tags = _news(pairs(data.get("tags") or ()), known)
        if ended:
            for key in [key for key in tags if key in known]:
                self._report.keep(f"run {run_id}: tag {key}", "it is another here, and the run had ended")
                del tags[key]
        self._log(run_id, "tags", [{"key": k, "value": v} for k, v in tags.items()])
        last = {one["key"]: one for one in have.get("metrics") or ()}
        wanted = [
            one["key"]
            for one in data.get("metrics") or ()
            if not ended or not _same(one, last.get(one["key"]))
        ]
        self._points(run_id, wanted)
        if self._files is not None:
            self._files.copy(Place.of_run(run_id), str(mine["info"]["artifact_uri"]))
        if _end(mine) != _end(there):
            self._here.tell(
                "POST", "runs/update", run_id=run_id, status=info.get("status"), end_time=info.get("end_time")
            )

    def _read_and_made(self, there: Json, mine: Json) -> None:
        """Data and models that it read, models that it made. First of all: then their edges begin with the run."""
        run_id, at = id_of(there), there["info"].get("start_time") or None
        theirs, ours = there.get("inputs") or {}, mine.get("inputs") or {}
        known = {_named(one) for one in ours.get("dataset_inputs") or ()}
        datasets = [one for one in theirs.get("dataset_inputs") or () if _named(one) not in known]
        used = self._models(theirs.get("model_inputs"), ours.get("model_inputs"))
        if datasets or used:
            models = [{"model_id": model} for model in used]
            self._here.tell("POST", "runs/log-inputs", run_id=run_id, datasets=datasets, models=models, at=at)
        outputs = (there.get("outputs") or {}).get("model_outputs")
        made = self._models(outputs, (mine.get("outputs") or {}).get("model_outputs"))
        if made:
            steps = [{"model_id": model, "step": int(one.get("step") or 0)} for model, one in made.items()]
            self._here.tell("POST", "runs/outputs", run_id=run_id, models=steps, at=at)

    def _models(self, theirs: Any, ours: Any) -> dict[str, Json]:
        """Those that are not known of this run."""
        known = {(one["model_id"], int(one.get("step") or 0)) for one in ours or ()}
        return {
            one["model_id"]: one
            for one in theirs or ()
            if (one["model_id"], int(one.get("step") or 0)) not in known and self._model(one["model_id"])
        }

    def _points(self, run_id: str, metrics: list[str]) -> None:
        batch: list[Json] = []
        for one in self._history(run_id, metrics):
            batch.append(one)
            if len(batch) == POINTS:
                self._log(run_id, "metrics", batch)
                self._report.points += len(batch)
                batch = []
        self._log(run_id, "metrics", batch)
        self._report.points += len(batch)

    def _history(self, run_id: str, metrics: list[str]) -> Iterator[Json]:
        for key in metrics:
            found = pages(
                self._source,
                "GET",
                "metrics/get-history",
                "metrics",
                run_id=run_id,
                run_uuid=run_id,
                metric_key=key,
                max_results=HISTORY_PAGE,
            )
            for point in found:
                yield point_of(key, point)

    def _log(self, run_id: str, what: str, entries: list[Json]) -> None:
        """What one of a batch is refused for takes no others with it."""
        size = POINTS if what == "metrics" else OTHERS
        for first in range(0, len(entries), size):
            part = entries[first : first + size]
            try:
                self._here.tell("POST", "runs/log-batch", run_id=run_id, **{what: part})
            except Refused as error:
                if len(part) == 1:
                    self._report.refuse(f"run {run_id}: {what} {part[0]['key']}", error)
                else:
                    middle = len(part) // 2
                    self._log(run_id, what, part[:middle])
                    self._log(run_id, what, part[middle:])

    def _remember(self, run_id: str) -> None:
        self._there[run_id] = None
        if len(self._there) > REMEMBERED:
            self._there.popitem(last=False)


def id_of(run: Json) -> str:
    return str(run["info"].get("run_id") or run["info"]["run_uuid"])


def point_of(key: str, said: Json) -> Json:
    value = said.get("value", 0.0)
    if isinstance(value, float) and not math.isfinite(value):
        value = "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return {"key": key, "value": value, "timestamp": said.get("timestamp", 0), "step": said.get("step", 0)}


def _news(theirs: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in theirs.items() if differs(value, ours.get(key))}


def _same(there: Json, mine: Json | None) -> bool:
    return mine is not None and _point(point_of("", there)) == _point(point_of("", mine))


def _point(one: Json) -> tuple[str, int, int]:
    """NaN is itself here."""
    return str(float(one["value"])), int(one["timestamp"]), int(one["step"])


def _end(run: Json) -> tuple[str, int]:
    return str(run["info"].get("status")), int(run["info"].get("end_time") or 0)


def _named(said: Json) -> tuple[str, str]:
    return said["dataset"]["name"], said["dataset"]["digest"]

"""Logged models: made with their ids and times, their files brought, what they were measured by, and only then ready."""

from collections.abc import Callable
from typing import Any

from headwater_server.imports.mlflow.experiments import Experiments
from headwater_server.imports.mlflow.files import Files, Place
from headwater_server.imports.mlflow.here import Here, differs
from headwater_server.imports.mlflow.port import Json, Refused, Source, pages, pairs
from headwater_server.imports.mlflow.report import Report
from headwater_server.imports.mlflow.runs import point_of

PAGE = 50
VERSIONS = "mlflow.modelVersions"
"""A tag that servers set when a version is made: each says its own."""


class Models:
    def __init__(
        self,
        source: Source,
        here: Here,
        report: Report,
        *,
        experiments: Experiments,
        files: Files | None,
        run: Callable[[str], bool],
    ) -> None:
        """`run` makes sure that a run is here, and says whether it is."""
        self._source = source
        self._here = here
        self._report = report
        self._experiments = experiments
        self._files = files
        self._run = run
        self._begun: set[str] = set()

    def copy_all(self, experiment: str) -> None:
        """Those of an experiment of the source; a server before MLflow 3 has none."""
        found = pages(
            self._source,
            "POST",
            "logged-models/search",
            "models",
            experiment_ids=[experiment],
            max_results=PAGE,
        )
        try:
            for model in found:
                with self._report.item(f"logged model {model['info']['model_id']}"):
                    self._copy(model)
        except Refused as error:
            if not error.is_missing:
                self._report.refuse(f"logged models of experiment {experiment}", error)

    def ensure(self, model_id: str) -> bool:
        """That it is here, be it without files: it is filled when it is its turn."""
        path = f"logged-models/{model_id}"
        if self._here.find(path, "model") is not None:
            return True
        try:
            return self._begin(self._source.call("GET", path)["model"])
        except Refused as error:
            self._report.refuse(f"logged model {model_id}", error)
            return False

    # ---------------------------------------------------------------------------------------------

    def _copy(self, there: Json) -> None:
        model_id = there["info"]["model_id"]
        writes = self._here.writes
        mine = self._here.find(f"logged-models/{model_id}", "model")
        if mine is None:
            if not self._begin(there):
                return
            mine = self._here.target.call("GET", f"logged-models/{model_id}")["model"]
        self._fill(there, mine)
        self._report.done("logged models", new=model_id in self._begun, changed=self._here.writes > writes)
        self._begun.discard(model_id)

    def _begin(self, there: Json) -> bool:
        info = there["info"]
        home = self._experiments.home(str(info["experiment_id"]))
        if home is None:
            self._report.refuse(f"logged model {info['model_id']}", "its experiment is not copied")
            return False
        run = info.get("source_run_id") or None
        if run and not self._run(run):
            self._report.refuse(f"logged model {info['model_id']}", f"its run {run} is not there any more")
            return False
        self._here.tell(
            "POST",
            "logged-models",
            experiment_id=home,
            model_id=info["model_id"],
            name=info.get("name"),
            model_type=info.get("model_type"),
            source_run_id=run,
            params=(there.get("data") or {}).get("params") or [],
            at=int(info["creation_timestamp_ms"]),
        )
        self._begun.add(info["model_id"])
        return True

    def _fill(self, there: Json, mine: Json) -> None:
        info, data = there["info"], there.get("data") or {}
        path = f"logged-models/{info['model_id']}"
        have = pairs(mine["info"].get("tags") or ())
        said = pairs(info.get("tags") or ())
        tags = {k: v for k, v in said.items() if k != VERSIONS and differs(v, have.get(k))}
        for key in [key for key in tags if key in have and _status(mine) == _status(there)]:
            self._report.keep(f"logged model {info['model_id']}: tag {key}", "it is another here")
            del tags[key]
        if tags:
            self._here.tell("PATCH", f"{path}/tags", tags=[{"key": k, "value": v} for k, v in tags.items()])
        params = pairs(data.get("params") or ())
        known = pairs((mine.get("data") or {}).get("params") or ())
        if fresh := [{"key": k, "value": v} for k, v in params.items() if differs(v, known.get(k))]:
            self._here.tell("POST", f"{path}/params", params=fresh)
        self._measured(there, mine)
        if self._files is not None:
            self._files.copy(Place.of_model(info["model_id"]), str(mine["info"]["artifact_uri"]))
        if _status(mine) != _status(there):
            self._here.tell("PATCH", path, status=_status(there))

    def _measured(self, there: Json, mine: Json) -> None:
        """Metrics of the model, each a point of the run that measured it."""
        known = {_measure(one) for one in (mine.get("data") or {}).get("metrics") or ()}
        for one in (there.get("data") or {}).get("metrics") or ():
            if _measure(one) in known:
                continue
            more = {name: one[name] for name in ("dataset_name", "dataset_digest") if one.get(name)}
            point = {**point_of(one["key"], one), **more, "model_id": there["info"]["model_id"]}
            what = f"logged model {there['info']['model_id']}: metric {one['key']}"
            run = one.get("run_id") or there["info"].get("source_run_id")
            if not run or not self._run(run):
                self._report.refuse(what, "the run that measured it is not there any more")
                continue
            try:
                self._here.tell("POST", "runs/log-batch", run_id=run, metrics=[point])
            except Refused as error:
                self._report.refuse(what, error)


def _status(model: Json) -> str:
    return str(model["info"].get("status") or "LOGGED_MODEL_PENDING")


def _measure(one: Json) -> tuple[Any, ...]:
    said = point_of(one["key"], one)
    where = (one.get("dataset_name") or "", one.get("dataset_digest") or "")
    return one["key"], str(float(said["value"])), int(said["timestamp"]), int(said["step"]), *where

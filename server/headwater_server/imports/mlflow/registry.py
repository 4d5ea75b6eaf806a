"""The registry: models, versions by their numbers, stages, aliases, in the order of time, so that each has its own.

MLflow tells in which stage a version stands, not how it came there: one move, commented `imported`, at the time of
the version's last change.
"""

from collections.abc import Callable, Iterator
from typing import Any

from headwater_server.imports.mlflow.here import Here, differs
from headwater_server.imports.mlflow.port import Json, Refused, Source, pages, pairs
from headwater_server.imports.mlflow.report import Report

MODELS_PAGE, PAGE = 100, 1_000
COMMENT = "imported"
PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"
"""Prompts are models that no search finds unless it asks for them."""


class Registry:
    def __init__(
        self,
        source: Source,
        here: Here,
        report: Report,
        *,
        experiments: frozenset[str],
        run: Callable[[str], bool],
        model: Callable[[str], bool],
    ) -> None:
        """`experiments` of the source: only versions that their runs made; empty: all. `run` and `model` make sure
        that a run, a logged model, is here.
        """
        self._source = source
        self._here = here
        self._report = report
        self._only = experiments
        self._run = run
        self._model = model

    def copy_all(self) -> None:
        for asked in ("", PROMPTS):
            found = pages(
                self._source,
                "GET",
                "registered-models/search",
                "registered_models",
                max_results=MODELS_PAGE,
                filter=asked or None,
            )
            try:
                for model in found:
                    with self._report.item(f"model {model['name']}"):
                        self._copy(model, prompt=bool(asked))
            except Refused as error:  # a server before prompts, or without a registry
                if not asked:
                    self._report.refuse("registered models", error)

    # ---------------------------------------------------------------------------------------------

    def _copy(self, model: Json, *, prompt: bool) -> None:
        name = model["name"]
        versions = sorted(self._versions(name, prompt=prompt), key=lambda one: int(one["version"]))
        if self._only and not versions:
            return
        mine = self._here.find("registered-models/get", "registered_model", name=name)
        writes, new = self._here.writes, mine is None
        if mine is None:
            mine = self._here.tell(
                "POST",
                "registered-models/create",
                name=name,
                description=model.get("description"),
                tags=model.get("tags") or [],
                at=_time(model, "creation_timestamp"),
            )["registered_model"]
        moves: list[tuple[int, Callable[[], None]]] = []
        at = max(_time(one, "last_updated_timestamp") for one in (model, *versions))
        stands = new or _moved(mine) <= at
        for version in versions:
            moves += self._of_version(version, stands=stands)
        moves += self._of_model(model, mine, versions, at, stands=stands)
        for _, move in sorted(moves, key=lambda one: one[0]):
            try:
                move()
            except Refused as error:
                self._report.refuse(f"model {name}", error)
        self._report.done("registered models", new=new, changed=self._here.writes > writes)

    def _versions(self, name: str, *, prompt: bool) -> Iterator[Json]:
        quoted = f"'{name}'" if "'" not in name else f'"{name}"'
        asked = f"name = {quoted}" + (f" AND {PROMPTS}" if prompt else "")
        found = pages(
            self._source, "GET", "model-versions/search", "model_versions", filter=asked, max_results=PAGE
        )
        return (one for one in found if not self._only or self._is_wanted(one))

    def _is_wanted(self, version: Json) -> bool:
        run = version.get("run_id")
        if not run:
            return False
        try:
            there = self._source.call("GET", "runs/get", run_id=run, run_uuid=run)["run"]
        except Refused:
            return False
        return str(there["info"]["experiment_id"]) in self._only

    def _of_version(self, there: Json, *, stands: bool) -> Iterator[tuple[int, Callable[[], None]]]:
        """What is to be done, and when it happened. A version's changes come behind it in time.

        `stands`: the model is here as it was left by the last import, so all that differs is news from there. Where it
        was changed here, only what is newer than the version here is.
        """
        name, number = there["name"], str(there["version"])
        mine = self._here.find("model-versions/get", "model_version", name=name, version=number)
        made, changed = _time(there, "creation_timestamp"), _time(there, "last_updated_timestamp")
        if mine is None:
            yield made, lambda: self._make(there)
            mine = {"tags": there.get("tags"), "description": there.get("description")}
            new = True
        else:
            new = False
        at = max(made, changed)
        if not (new or stands or _time(mine, "last_updated_timestamp") < at):
            if _said(there) != _said(mine):
                self._report.keep(f"model {name} version {number}", "changed here since")
            self._report.done("model versions", new=False, changed=False)
            return
        yield at, lambda: self._change(there, mine, at, new=new)

    def _make(self, there: Json) -> None:
        name, number = there["name"], str(there["version"])
        try:
            run, source, model = self._origin(there)
            self._here.tell(
                "POST",
                "model-versions/create",
                name=name,
                version=int(number),
                source=source,
                run_id=run,
                model_id=model,
                run_link=there.get("run_link"),
                description=there.get("description"),
                tags=there.get("tags") or [],
                at=_time(there, "creation_timestamp"),
            )
        except Refused as error:
            self._report.refuse(f"model {name} version {number}", error)

    def _origin(self, there: Json) -> tuple[str | None, str, str | None]:
        """Its run, where its files are, its logged model: as they are here. Files of its run lie with the run."""
        run, source = there.get("run_id") or None, str(there.get("source") or "")
        model = there.get("model_id") or None
        if source.startswith("models:/m-"):
            model = source.removeprefix("models:/")
        if model:
            self._model(model)
        if run and self._run(run):
            theirs = self._source.call("GET", "runs/get", run_id=run, run_uuid=run)["run"]
            ours = self._here.target.call("GET", "runs/get", run_id=run)["run"]
            home = str(theirs["info"].get("artifact_uri") or "").rstrip("/")
            if home and (source == home or source.startswith(home + "/")):
                source = str(ours["info"]["artifact_uri"]) + source[len(home) :]
        return run, source, model

    def _change(self, there: Json, mine: Json, at: int, *, new: bool) -> None:
        name, number = there["name"], str(there["version"])
        which = {"name": name, "version": number}
        writes = self._here.writes
        if new and self._here.find("model-versions/get", "model_version", **which) is None:
            return  # it was refused
        if (there.get("description") or "") != (mine.get("description") or ""):
            said = there.get("description") or ""
            self._here.tell("PATCH", "model-versions/update", **which, description=said, at=at)
        have = pairs(mine.get("tags") or ())
        for key, value in pairs(there.get("tags") or ()).items():
            if differs(value, have.get(key)):
                self._here.tell("POST", "model-versions/set-tag", **which, key=key, value=value, at=at)
        stage = there.get("current_stage") or "None"
        if stage != (mine.get("current_stage") or "None"):
            self._here.tell(
                "POST",
                "model-versions/transition-stage",
                **which,
                stage=stage,
                archive_existing_versions=False,
                comment=COMMENT,
                at=at,
            )
        self._report.done("model versions", new=new, changed=self._here.writes > writes)

    def _of_model(
        self, there: Json, mine: Json, versions: list[Json], at: int, *, stands: bool
    ) -> Iterator[tuple[int, Callable[[], None]]]:
        """Behind all else: MLflow does not tell when an alias was set."""
        name = there["name"]
        tags, have = pairs(there.get("tags") or ()), pairs(mine.get("tags") or ())
        theirs = {one["alias"]: str(one["version"]) for one in there.get("aliases") or ()}
        if self._only:
            kept = {str(one["version"]) for one in versions}
            theirs = {alias: version for alias, version in theirs.items() if version in kept}
        ours = {one["alias"]: str(one["version"]) for one in mine.get("aliases") or ()}
        changes: list[tuple[str, Callable[[], None]]] = []
        if (there.get("description") or "") != (mine.get("description") or ""):
            changes.append(("description", self._told("PATCH", "registered-models/update", at, name=name, description=there.get("description") or "")))  # fmt: skip
        for key, value in tags.items():
            if differs(value, have.get(key)):
                changes.append((f"tag {key}", self._told("POST", "registered-models/set-tag", at, name=name, key=key, value=value)))  # fmt: skip
        for alias, version in theirs.items():
            if ours.get(alias) != version:
                changes.append((f"alias {alias}", self._told("POST", "registered-models/alias", at, name=name, alias=alias, version=version)))  # fmt: skip
        if not stands:
            for what, _ in changes:
                self._report.keep(f"model {name}: {what}", "the model was changed here since")
            return
        for _, change in changes:
            yield at, change

    def _told(self, method: str, path: str, at: int, **said: Any) -> Callable[[], None]:
        def tell() -> None:
            self._here.tell(method, path, **said, at=at)

        return tell


def _moved(model: Json) -> int:
    """Its last change of any kind; a Headwater that does not tell it says the last that MLflow tells."""
    return _time(model, "moved_timestamp") or _time(model, "last_updated_timestamp")


def _time(one: Json, name: str) -> int:
    return int(one.get(name) or 0)


def _said(version: Json) -> tuple[Any, ...]:
    tags = pairs(version.get("tags") or ())
    return version.get("description") or "", version.get("current_stage") or "None", sorted(tags.items())

"""DVC pipelines as OpenLineage events: stages are jobs, what they read and write are files, hashes are versions. Pure."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headwater_server.imports.dvc_files import DvcProject, Pipeline, stable
from headwater_server.imports.events import (
    Json,
    dataset_event,
    documentation,
    facet,
    job_event,
    located,
    named,
    own_facet,
    run_event,
    run_id,
)
from headwater_server.imports.git import without_secrets

_VARIABLE = re.compile(r"\$\{\s*([\w.\[\]-]+)\s*\}")
_HASHES = ("md5", "etag", "checksum", "version_id")


def dvc_events(project: DvcProject, *, jobs: str, files: str = "file") -> list[Json]:
    """What dvc.lock holds is runs that are complete, with the versions that they read and wrote; a stage that
    never ran is told as it is designed. The same files give the same events.
    """
    return [
        event for pipeline in project.pipelines for event in _Telling(project, pipeline, jobs, files).events()
    ]


def unread(project: DvcProject) -> list[str]:
    """Stages that are templates and that never ran: what they stand for only DVC knows."""
    return [
        f"{pipeline.file}:{name}"
        for pipeline in project.pipelines
        for name, stage in pipeline.stages.items()
        if _is_template(stage) and not any(locked.partition("@")[0] == name for locked in pipeline.locked)
    ]


class _Telling:
    def __init__(self, project: DvcProject, pipeline: Pipeline, jobs: str, files: str) -> None:
        self.project = project
        self.pipeline = pipeline
        self.jobs = jobs
        self.files = files
        self.folder = pipeline.file.parent.as_posix()

    def events(self) -> Iterator[Json]:
        for name, entry in self.pipeline.locked.items():
            stages = self.pipeline.stages
            stage: Json = stages.get(name) or stages.get(name.partition("@")[0]) or {}
            yield self._run(name, entry, stage.get("do", stage))
        for name, stage in self.pipeline.stages.items():
            if name not in self.pipeline.locked and not _is_template(stage):
                yield self._design(name, stage)
        yield from self._tracked()

    def _run(self, name: str, entry: Json, stage: Json) -> Json:
        wdir = self._inside(str(stage.get("wdir") or "."))
        inputs = [self._dataset(one, wdir, {}) for one in entry.get("deps") or ()]
        about = _descriptions(stage, wdir)
        outputs = [self._dataset(one, wdir, about, written=True) for one in entry.get("outs") or ()]
        facets: dict[str, Json] = {}
        if entry.get("params"):
            facets["dvc_params"] = own_facet("dvc_params", params=entry["params"])
        paths = {str(one["path"]) for one in entry.get("outs") or ()}
        metrics = {
            path: value
            for path, value in self.pipeline.metrics.items()
            if path in paths and value is not None
        }
        if metrics:
            facets["dvc_metrics"] = own_facet("dvc_metrics", metrics=metrics)
        run = run_id(self.jobs, str(self.pipeline.file), name, stable(entry))
        job = self._job(name, entry.get("cmd"), stage.get("desc"))
        return run_event(
            "COMPLETE", self.pipeline.at, run, job, inputs=inputs, outputs=outputs, facets=facets
        )

    def _design(self, name: str, stage: Json) -> Json:
        wdir = self._inside(self._meant(str(stage.get("wdir") or ".")))
        about = _descriptions(stage, wdir)
        outs = [*(stage.get("outs") or ()), *(stage.get("metrics") or ()), *(stage.get("plots") or ())]
        return job_event(
            self.pipeline.at,
            self._job(name, stage.get("cmd"), stage.get("desc")),
            inputs=[self._dataset({"path": path}, wdir, {}) for path in self._paths(stage.get("deps") or ())],
            outputs=[self._dataset({"path": path}, wdir, about) for path in self._paths(outs)],
        )

    def _tracked(self) -> Iterator[Json]:
        """A .dvc file: files that `dvc add` watches, or that `dvc import` fetched from elsewhere."""
        outs = [self._dataset(one, self.folder, {}, written=True) for one in self.pipeline.outs]
        deps = [self._dataset(one, self.folder, {}) for one in self.pipeline.deps]
        if deps:
            name = self.pipeline.file.name.removesuffix(".dvc")
            run = run_id(self.jobs, str(self.pipeline.file), stable([self.pipeline.outs, self.pipeline.deps]))
            job = self._job(f"import {name}", None, None)
            yield run_event("COMPLETE", self.pipeline.at, run, job, inputs=deps, outputs=outs)
            return
        for out in outs:
            out.pop("outputFacets", None)
            yield dataset_event(self.pipeline.at, out)

    def _job(self, name: str, command: Any, described: Any) -> Json:
        facets = {
            "jobType": facet("JobTypeJobFacet", processingType="BATCH", integration="DVC", jobType="STAGE"),
            **documentation(described, "Job"),
        }
        if command:
            code = "\n".join(map(str, command)) if isinstance(command, list) else str(command)
            facets["sourceCode"] = facet("SourceCodeJobFacet", language="shell", sourceCode=self._meant(code))
        if self.project.commit:
            path = str(self.pipeline.file)
            where = self.project.remote.removesuffix(".git")
            location: Json = {"type": "git", "path": path, "version": self.project.commit}
            if where:
                location |= {
                    "url": f"{where}/blob/{self.project.commit}/{path}",
                    "repoUrl": self.project.remote,
                }
            else:
                location["url"] = f"git:{self.project.commit}:{path}"
            facets["sourceCodeLocation"] = facet("SourceCodeLocationJobFacet", **location)
        return named(self.jobs, posixpath.join("" if self.folder == "." else self.folder, name), facets)

    def _dataset(self, entry: Json, wdir: str, about: Mapping[str, str], *, written: bool = False) -> Json:
        namespace, name = self._located(entry, wdir)
        facets = documentation(about.get(name) or entry.get("desc"))
        version = next((str(entry[key]) for key in _HASHES if entry.get(key)), "")
        if isinstance(entry.get("repo"), dict):
            version = version or str(entry["repo"].get("rev_lock") or "")
        if version:
            facets["version"] = facet("DatasetVersionDatasetFacet", datasetVersion=version)
            kind = "DIRECTORY" if version.endswith(".dir") or entry.get("nfiles") else "FILE"
            facets["datasetType"] = facet("DatasetTypeDatasetFacet", datasetType=kind)
        made = named(namespace, name, facets)
        sizes = {"size": entry.get("size"), "fileCount": entry.get("nfiles")}
        if written and (known := {key: value for key, value in sizes.items() if isinstance(value, int)}):
            made["outputFacets"] = {"outputStatistics": facet("OutputStatisticsOutputDatasetFacet", **known)}
        return made

    def _located(self, entry: Json, wdir: str) -> tuple[str, str]:
        path = str(entry.get("path") or "")
        repo = entry.get("repo")
        if isinstance(repo, dict) and repo.get("url"):
            return without_secrets(str(repo["url"])), path
        if "://" in path:
            return located(path)
        return self.files, posixpath.normpath(posixpath.join(wdir, path))

    def _inside(self, wdir: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, wdir))

    def _paths(self, given: Iterable[Any]) -> Iterator[str]:
        """`path`, or `path: {…}`."""
        for one in given:
            path = next(iter(one)) if isinstance(one, dict) else one
            yield self._meant(str(path))

    def _meant(self, text: str) -> str:
        return _VARIABLE.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        value: Any = self.pipeline.params
        for part in found[1].split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return found[0] if value is None else str(value)


def _is_template(stage: Json) -> bool:
    return "foreach" in stage or "matrix" in stage


def _descriptions(stage: Json, wdir: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in stage.get("outs") or ():
        if isinstance(one, dict):
            for path, options in one.items():
                if isinstance(options, dict) and options.get("desc"):
                    found[posixpath.normpath(posixpath.join(wdir, path))] = str(options["desc"])
    return found

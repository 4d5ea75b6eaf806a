"""Reading a DVC project: dvc.yaml, dvc.lock, *.dvc, its parameters and metrics."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from headwater_server.errors import HeadwaterError, NotFound
from headwater_server.imports.events import Json
from headwater_server.imports.files import read_json, read_yaml
from headwater_server.imports.git import Repository, repository


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One dvc.yaml with its lock, or one .dvc file."""

    file: PurePosixPath
    """From the root."""
    stages: Json
    locked: Json
    at: str
    outs: tuple[Json, ...] = ()
    deps: tuple[Json, ...] = ()
    params: Json = field(default_factory=dict)
    """What `${…}` may mean."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """By path from the root."""


@dataclass(frozen=True, slots=True)
class DvcProject:
    name: str
    commit: str
    remote: str
    pipelines: tuple[Pipeline, ...]


def read_project(folder: Path) -> DvcProject:
    """Every pipeline at or below a folder; paths are told from the root of the repository.

    Raises:
        NotFound: there is none.
        Invalid: a file that cannot be read.

    """
    git = repository(folder) if folder.is_dir() else None
    root = git.root if git else _dvc_root(folder)
    found = [_pipeline(file, root, git) for file in _files(folder, "dvc.yaml")]
    found += [_tracked(file, root, git) for file in _files(folder, "*.dvc")]
    if not found:
        raise NotFound(f"There is no dvc.yaml and no .dvc file in {folder}.", ref=str(folder), didYouMean=[])
    name = git.name if git else root.name
    return DvcProject(name, git.commit if git else "", git.remote if git else "", tuple(found))


def _dvc_root(folder: Path) -> Path:
    at = folder.resolve()
    return next((up for up in (at, *at.parents) if (up / ".dvc").is_dir()), at)


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    for file in sorted(folder.resolve().rglob(pattern)):
        hidden = any(part.startswith(".") for part in file.relative_to(folder.resolve()).parts)
        if file.is_file() and not hidden:
            yield file


def _pipeline(file: Path, root: Path, git: Repository | None) -> Pipeline:
    said = read_yaml(file)
    lock = file.with_name("dvc.lock")
    locked = read_yaml(lock) if lock.exists() else {}
    stages = {name: stage for name, stage in (said.get("stages") or {}).items() if isinstance(stage, dict)}
    entries = (
        locked.get("stages", locked) if "schema" in locked else locked
    )  # 1.0 had no schema and no `stages`
    params = _variables(file.parent, said.get("vars") or ())
    metrics: dict[str, Any] = {}
    for path in _outs_of(entries):
        metric = file.parent / path
        if (
            metric.suffix in (".json", ".yaml", ".yml")
            and metric.is_file()
            and metric.stat().st_size < 100_000
        ):
            metrics[path] = _content(metric)
    return Pipeline(
        PurePosixPath(file.relative_to(root.resolve()).as_posix()), stages, entries or {},
        _time(lock if lock.exists() else file, git), params=params, metrics=metrics,
    )  # fmt: skip


def _tracked(file: Path, root: Path, git: Repository | None) -> Pipeline:
    said = read_yaml(file)
    return Pipeline(
        PurePosixPath(file.relative_to(root.resolve()).as_posix()), {}, {}, _time(file, git),
        tuple(said.get("outs") or ()), tuple(said.get("deps") or ()),
    )  # fmt: skip


def _outs_of(entries: Mapping[str, Any]) -> Iterator[str]:
    for entry in entries.values():
        for out in entry.get("outs") or ():
            yield str(out.get("path") or "")


def _content(file: Path) -> Any:
    try:
        return read_json(file) if file.suffix == ".json" else read_yaml(file)
    except HeadwaterError:  # a metric of one number, a list of points
        return None


def _variables(folder: Path, given: Any) -> Json:
    """params.yaml, then the `vars` of dvc.yaml: files and values."""
    found: Json = {}
    for one in ("params.yaml", *given):
        if isinstance(one, dict):
            found |= one
        elif isinstance(one, str):
            file = folder / one.partition(":")[0]
            if file.is_file():
                found |= _content(file) or {}
    return found


def _time(file: Path, git: Repository | None) -> str:
    if git and (committed := git.changed_at(file)):
        return committed
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="milliseconds")


def stable(value: object) -> str:
    """One spelling of the same content."""
    return json.dumps(value, sort_keys=True, default=str)

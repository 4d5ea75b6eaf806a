"""Files that runs and models leave behind, taken in; those that describe a model are read as they pass."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from headwater_server.artifacts.port import ArtifactStore, Stored, Upload
from headwater_server.errors import Invalid, NotFound
from headwater_server.tracking import importances, model_files
from headwater_server.tracking.logged_models import LoggedModels
from headwater_server.tracking.model_files import MAX_BYTES, Unread, read_file
from headwater_server.tracking.places import place_of
from headwater_server.tracking.runs import Runs

_PLACE = re.compile(r"(?P<home>.+?/(?P<id>[\w\-]+)/artifacts)/(?P<path>.+)")
_TRACE = re.compile(r".+/traces/[\w\-]+/artifacts")
_MODEL = re.compile(r".+/models/m-[\w\-]+/artifacts")


class Files:
    def __init__(self, store: ArtifactStore, runs: Runs, models: LoggedModels) -> None:
        self.store = store
        self._runs = runs
        self._models = models

    def begin(self, path: str, *, actor: str) -> Upload:
        """Raises Invalid for a path that is none, Unavailable."""
        upload = self.store.begin(path)
        found = _PLACE.fullmatch(path)
        if found is None or not _is_read(found["path"]) or _TRACE.fullmatch(found["home"]):
            return upload

        def told(stored: Stored, raw: bytes) -> None:
            self._told(found["home"], found["id"], found["path"], stored, raw, actor)

        return _Read(upload, told)

    def _told(self, home: str, owner: str, path: str, stored: Stored, raw: bytes, actor: str) -> None:
        """The file is kept, whatever it says and whether or not there is such a run or model."""
        try:
            if _MODEL.fullmatch(home):
                self._of_model(home, owner, path, stored, raw, actor)
            else:
                self._of_run(home, owner, path, stored, raw, actor)
        except (Invalid, NotFound):
            return

    def _of_model(self, home: str, owner: str, path: str, stored: Stored, raw: bytes, actor: str) -> None:
        if place_of(self._models.get(owner).artifacts) != home:
            return
        read = _described if path in model_files.READERS else _table
        self._models.describe(owner, path, read(path, stored, raw), actor=actor)

    def _of_run(self, home: str, owner: str, path: str, stored: Stored, raw: bytes, actor: str) -> None:
        """A model of a client before MLflow 3 is a folder of its run's files with an `MLmodel` in it."""
        if place_of(self._runs.get(owner).artifacts) != home:
            return
        folder, _, name = path.rpartition("/")
        if name not in model_files.READERS:
            self._runs.describe(owner, path, _table(path, stored, raw), actor=actor)
        elif folder:
            self._models.describe_in_run(owner, folder, name, _described(name, stored, raw), actor=actor)


def _is_read(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in model_files.READERS or name.rpartition(".")[2].lower() in importances.READERS


def _described(name: str, stored: Stored, raw: bytes) -> Mapping[str, Any]:
    said: dict[str, Any] = {"sha256": stored.sha256, "size": stored.size}
    try:
        return {**said, **read_file(name, raw)}
    except Unread as error:
        return {**said, "unread": str(error)}


def _table(path: str, stored: Stored, raw: bytes) -> Mapping[str, Any]:
    """Empty: it is no table of feature importance."""
    found = importances.read_importances(path, raw)
    return {"sha256": stored.sha256, "size": stored.size, **found} if found else {}


class _Read:
    """`Upload` that keeps a small file's bytes to be read when it is durable."""

    def __init__(self, upload: Upload, told: Callable[[Stored, bytes], None]) -> None:
        self._upload, self._told = upload, told
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._upload.feed(chunk)
        if len(self._kept) <= MAX_BYTES:
            self._kept += chunk

    def done(self) -> Stored:
        stored = self._upload.done()
        self._told(stored, bytes(self._kept))
        return stored

    def drop(self) -> None:
        self._upload.drop()

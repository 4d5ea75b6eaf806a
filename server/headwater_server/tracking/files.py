"""Files that runs and models leave behind, taken in; those that describe a model are read as they pass."""

import re
from collections.abc import Callable
from typing import Any

from headwater_server.artifacts.port import ArtifactStore, Stored, Upload
from headwater_server.errors import Invalid, NotFound
from headwater_server.tracking.logged_models import LoggedModels
from headwater_server.tracking.model_files import MAX_BYTES, READERS, Unread, read_file
from headwater_server.tracking.places import place_of

_DESCRIBES = re.compile(
    rf"(?P<home>.+/models/(?P<id>m-[\w\-]+)/artifacts)/(?P<name>{'|'.join(map(re.escape, READERS))})"
)


class Files:
    def __init__(self, store: ArtifactStore, models: LoggedModels) -> None:
        self.store = store
        self._models = models

    def begin(self, path: str, *, actor: str) -> Upload:
        """Raises Invalid for a path that is none, Unavailable."""
        upload = self.store.begin(path)
        found = _DESCRIBES.fullmatch(path)
        if found is None:
            return upload

        def told(stored: Stored, raw: bytes) -> None:
            self._told(found["id"], found["home"], found["name"], stored, raw, actor)

        return _Read(upload, told)

    def _told(self, model_id: str, home: str, name: str, stored: Stored, raw: bytes, actor: str) -> None:
        """The file is kept, whatever it says and whether or not there is such a model."""
        said: dict[str, Any] = {"sha256": stored.sha256, "size": stored.size}
        try:
            if place_of(self._models.get(model_id).artifacts) != home:
                return
            try:
                said.update(read_file(name, raw))
            except Unread as error:
                said["unread"] = str(error)
            self._models.describe(model_id, name, said, actor=actor)
        except (Invalid, NotFound):
            return


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

"""Files that runs and models leave behind, taken in; some of them are read as they pass."""

from headwater_server.artifacts.port import ArtifactStore, Upload


class Files:
    def __init__(self, store: ArtifactStore) -> None:
        self.store = store

    def begin(self, path: str, *, actor: str) -> Upload:
        """Raises Invalid for a path that is none, Unavailable."""
        del actor
        return self.store.begin(path)

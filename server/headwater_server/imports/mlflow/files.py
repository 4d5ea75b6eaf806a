"""Files of a run or of a logged model: those that are missing, or of another size, streamed from one server to the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from headwater_server.imports.mlflow.here import Here
from headwater_server.imports.mlflow.port import Json, Refused, Source, Target, pages
from headwater_server.imports.mlflow.report import Report


@dataclass(frozen=True, slots=True)
class Place:
    """How the files of one thing are listed and read."""

    what: str
    list_call: str
    list_by: str
    """The field that names a folder."""
    read_path: str
    read_by: str
    """The field that names a file."""
    owner: dict[str, str]

    @classmethod
    def of_run(cls, run_id: str) -> "Place":
        owner = {"run_id": run_id, "run_uuid": run_id}
        return cls(f"run {run_id}", "artifacts/list", "path", "get-artifact", "path", owner)

    @classmethod
    def of_model(cls, model_id: str) -> "Place":
        return cls(
            f"logged model {model_id}",
            f"logged-models/{model_id}/artifacts/directories",
            "artifact_directory_path",
            f"ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
            "artifact_file_path",
            {},
        )


class Files:
    def __init__(self, source: Source, here: Here, report: Report) -> None:
        self._source = source
        self._here = here
        self._report = report

    def copy(self, place: Place, home: str) -> None:
        """Into `home`, an artifact URI of ours. What cannot be listed, read or taken is refused by its name."""
        if urlsplit(home).scheme != "mlflow-artifacts":
            self._report.refuse(f"files of {place.what}", f"they are not kept by this server, but at {home}")
            return
        root = urlsplit(home).path.strip("/")
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                there = list(self._listed(self._source, place, folder))
                mine = {
                    str(one["path"]): _size(one) for one in self._listed(self._here.target, place, folder)
                }
            except Refused as error:
                self._report.refuse(f"files of {place.what}: {folder or 'all'}", error)
                continue
            for one in there:
                path = str(one["path"])
                if not path.startswith(f"{folder}/" if folder else "") or path == folder:
                    self._report.refuse(f"files of {place.what}: {path}", f"listed in {folder or 'the root'}")
                elif one.get("is_dir"):
                    waiting.append(path)
                elif path not in mine or _size(one) not in (None, mine[path]):
                    self._file(place, root, path, new=path not in mine)
                else:
                    self._report.done("files", new=False, changed=False)

    def _file(self, place: Place, root: str, path: str, *, new: bool) -> None:
        self._report.begin(f"{place.what}: {path}")
        try:
            self._here.write(f"{root}/{path}", self._counted(place, path))
        except Refused as error:
            self._report.refuse(f"files of {place.what}: {path}", error)
        else:
            self._report.done("files", new=new, changed=True)

    def _counted(self, place: Place, path: str) -> Iterator[bytes]:
        said = {**place.owner, place.read_by: path}
        for chunk in self._source.read(place.read_path, **said):
            self._report.bytes += len(chunk)
            yield chunk

    @staticmethod
    def _listed(server: Source | Target, place: Place, folder: str) -> Iterator[Json]:
        where = {place.list_by: folder} if folder else {}
        return pages(server, "GET", place.list_call, "files", **place.owner, **where)


def _size(one: Json) -> int | None:
    said = one.get("file_size")
    return None if said is None else int(said)

"""Experiments: by their names, with their tags and the time they were made; deleted when all in them is copied."""

from collections.abc import Collection, Iterator

from headwater_server.imports.mlflow.here import Here, differs
from headwater_server.imports.mlflow.port import Json, Refused, Source, pages, pairs
from headwater_server.imports.mlflow.report import Report

PAGE = 500


class Experiments:
    """Remembers which is which: there are few beside their runs."""

    def __init__(self, source: Source, here: Here, report: Report) -> None:
        self._source = source
        self._here = here
        self._report = report
        self._homes: dict[str, str | None] = {}

    def listed(self, only: Collection[str]) -> Iterator[Json]:
        """All, deleted ones too, or those of these names and ids."""
        found = pages(
            self._source,
            "POST",
            "experiments/search",
            "experiments",
            view_type="ALL",
            max_results=PAGE,
            order_by=["creation_time ASC"],
        )
        for one in found:
            if not only or one["name"] in only or str(one["experiment_id"]) in only:
                yield one

    def home(self, number: str) -> str | None:
        """The id here of an experiment there, made if it is not there; None: it is not to be written to."""
        if number not in self._homes:
            there = self._source.call("GET", "experiments/get", experiment_id=number)["experiment"]
            self._homes[number] = self._home(there)
        return self._homes[number]

    def finish(self, there: Json) -> None:
        """All of it is copied: what is deleted there goes here too."""
        home = self._homes.get(str(there["experiment_id"]))
        if home is not None and _is_deleted(there):
            self._here.tell("POST", "experiments/delete", experiment_id=home)

    # ---------------------------------------------------------------------------------------------

    def _home(self, there: Json) -> str | None:
        name = str(there["name"])
        before = self._here.writes
        mine = self._here.find("experiments/get-by-name", "experiment", experiment_name=name)
        new = mine is None
        try:
            if mine is None:
                mine = self._made(there)
            elif _is_deleted(mine):
                if not _is_deleted(there):
                    self._report.refuse(
                        f"experiment {name}", "it is deleted here: restore it, and import again"
                    )
                else:  # the last that was done with it
                    self._report.done("experiments", new=False, changed=False)
                return None
            self._tags(there, mine)
        except Refused as error:
            self._report.refuse(f"experiment {name}", error)
            return None
        self._report.done("experiments", new=new, changed=self._here.writes > before)
        return str(mine["experiment_id"])

    def _made(self, there: Json) -> Json:
        made = self._here.tell(
            "POST", "experiments/create", name=there["name"], at=there.get("creation_time") or None
        )
        return {"experiment_id": made["experiment_id"], "last_update_time": 0}

    def _tags(self, there: Json, mine: Json) -> None:
        """What was changed here after it was changed there, stays."""
        have = pairs(mine.get("tags") or ())
        newer = int(mine.get("last_update_time") or 0) > int(there.get("last_update_time") or 0)
        for key, value in pairs(there.get("tags") or ()).items():
            if not differs(value, have.get(key)):
                continue
            if newer and key in have:
                self._report.keep(f"experiment {there['name']}: tag {key}", "changed here since")
                continue
            self._here.tell(
                "POST",
                "experiments/set-experiment-tag",
                experiment_id=mine["experiment_id"],
                key=key,
                value=value,
            )


def _is_deleted(one: Json) -> bool:
    return one.get("lifecycle_stage") == "deleted"

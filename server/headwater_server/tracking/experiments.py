"""Experiments: all of them at hand, by id and by name; made, renamed, deleted, restored, tagged."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from headwater_server.errors import AlreadyExists, Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.store.port import GraphStore
from headwater_server.tracking import limits, records
from headwater_server.tracking.drafting import Decided, decided, moment
from headwater_server.tracking.known import Known
from headwater_server.tracking.places import checked_root
from headwater_server.tracking.turn import Turn
from headwater_server.tracking.views import Experiment

DEFAULT = "Default"
PAGE = 500


class Experiments:
    """There are few beside their runs, so they are read once and kept. `Default`, with id 0, is there for everybody; it
    is written down with the first thing that is said of it or in it.
    """

    def __init__(
        self, turn: Turn, store: GraphStore, known: Known, *, now: Callable[[], int], artifacts: str
    ) -> None:
        self._turn = turn
        self._known = known
        self._store = store
        self._now = now
        self._artifacts = artifacts
        self._lock = threading.Lock()
        self._opened = False
        self._facts: dict[str, Facts] = {}
        self._views: dict[str, Experiment] = {}
        self._by_name: dict[str, str] = {}
        self._jobs: set[str] = set()
        self._highest = 0

    # -- reads ------------------------------------------------------------------------------------

    def get(self, number: str) -> Experiment:
        """Raises NotFound, or Invalid when it is no id."""
        self._open()
        return self._get(number)

    def find(self, name: str) -> Experiment | None:
        self._open()
        number = self._by_name.get(name)
        return None if number is None else self._views[number]

    def is_deleted(self, number: str) -> bool:
        """Also by whoever has the turn."""
        self._open()
        known = self._views.get(number)
        return known is not None and known.deleted

    def all(self) -> list[Experiment]:
        self._open()
        with self._lock:
            return list(self._views.values())

    # -- writes -----------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        *,
        artifacts: str | None = None,
        tags: Mapping[str, str] | None = None,
        actor: str,
        at: int | None = None,
    ) -> str:
        """The new experiment's id. `at` is when it was made, where that was elsewhere.

        Raises:
            Invalid: the name, a tag or the place of its files.
            AlreadyExists: by that name, be it deleted.

        """
        name, tags = checked_name(name), checked_tags(tags or {})
        artifacts = checked_root(artifacts) if artifacts else None
        self._open()

        def decide() -> list[Decided]:
            self._must_be_free(name)
            number = str(self._highest + 1)
            return self._taken([self._new(number, name, artifacts, tags, actor, at=at)])

        (body,) = self._turn.decide(decide)
        return str(body["id"])

    def rename(self, number: str, name: str, *, actor: str) -> None:
        """Its job keeps the name that it was made with, and shows this one."""
        name = checked_name(name)

        def change(known: Experiment) -> dict[str, Any]:
            if known.deleted:
                raise Invalid("Cannot rename a non-active experiment. Restore it first.")
            if name != known.name:
                self._must_be_free(name)
            return {"name": name, "job": known.job}

        self._update(number, change, actor=actor)

    def delete(self, number: str, *, actor: str) -> None:
        """Its runs count as deleted for as long as it is. Raises NotFound when it is deleted already."""
        self._live(number, deleted=True, actor=actor)

    def restore(self, number: str, *, actor: str) -> None:
        """Raises NotFound when it is not deleted."""
        self._live(number, deleted=False, actor=actor)

    def _live(self, number: str, *, deleted: bool, actor: str) -> None:
        def change(known: Experiment) -> dict[str, Any]:
            if known.deleted is deleted:
                state = "that is not deleted" if deleted else "that is deleted"
                raise NotFound(f"No Experiment with id={number} exists {state}", ref=number, didYouMean=[])
            return {"deleted": deleted}

        self._update(number, change, actor=actor)

    def tag(self, number: str, tags: Mapping[str, str], *, removed: Sequence[str] = (), actor: str) -> None:
        tags = checked_tags(tags)

        def change(known: Experiment) -> dict[str, Any]:
            _must_be_active(known)
            for name in removed:
                if name not in known.tags:
                    raise NotFound(
                        f"No tag with name: {name} in experiment with id {number}", ref=name, didYouMean=[]
                    )
            return {"tags": dict(tags), "removed": list(removed)}

        self._update(number, change, actor=actor)

    # -- by whoever has the turn ---------------------------------------------------------------------

    def get_now(self, number: str) -> Experiment:
        """Raises NotFound."""
        return self._get(number)

    def active_now(self, number: str) -> Experiment:
        """Raises NotFound, or Invalid when it is deleted."""
        found = self._get(number)
        _must_be_active(found)
        return found

    def unsaid_now(self, number: str) -> list[Decided]:
        """What is to be written with the first thing in an experiment that nobody made; it has taken it in."""
        return self._taken(self._unsaid(number))

    def shown(self, told: Mapping[str, Facts]) -> None:
        """Take in what the graph shows now, whoever said it."""
        if self._opened:
            for key, facts in told.items():
                if key.startswith("experiment|"):
                    self._take(keys.parts_of(key)[0], facts)

    def forget(self) -> None:
        with self._lock:
            self._opened = False

    # ---------------------------------------------------------------------------------------------

    def _get(self, number: str) -> Experiment:
        found = self._views.get(number)
        if found is None and not number.isdecimal():
            raise Invalid(f"Invalid experiment ID '{number[:300]}'. Experiment ID must be a valid integer.")
        if found is None:
            raise NotFound(f"No Experiment with id={number} exists", ref=number, didYouMean=[])
        return found

    def _open(self) -> None:
        if not self._opened:
            self._turn.decide(self._load)

    def _load(self) -> list[Decided]:
        if self._opened:
            return []
        self._known.settled()
        with self._lock:
            self._facts, self._views, self._by_name, self._jobs, self._highest = {}, {}, {}, set(), 0
        for page in self._pages():
            for key, raw in self._store.states(page).items():
                self._take(keys.parts_of(key)[0], Facts.load(raw))
        if "0" not in self._views:
            name = self._free(DEFAULT)
            self._views["0"] = Experiment("0", name, name, self._home("0"), False, 0, 0, {})  # noqa: FBT003 - a row
            self._by_name[name] = "0"
            self._jobs.add(name)
        self._opened = True
        return []

    def _pages(self) -> Iterable[list[str]]:
        after: tuple[str, str] | None = None
        while page := self._store.page(Kind.EXPERIMENT, marks=["", "h"], after=after, limit=PAGE):
            yield [node.key for node in page]
            after = page[-1].sort, page[-1].key

    def _update(self, number: str, change: Callable[[Experiment], dict[str, Any]], *, actor: str) -> None:
        self._open()

        def decide() -> list[Decided]:
            known = self._get(number)
            said = change(known)
            before = self._unsaid(number)
            facts = before[0].facts[keys.experiment(number)] if before else self._facts[number]
            body = {"id": number, **said, "at": moment(facts, self._now()), "by": actor}
            return self._taken([*before, decided(records.EXPERIMENT_UPDATE, body, self._turn.redactor)])

        self._turn.decide(decide)

    def _unsaid(self, number: str) -> list[Decided]:
        known = self._views.get(number)
        if known is None or number in self._facts:
            return []
        return [self._new(number, known.name, None, {}, "headwater", job=known.job)]

    def _new(
        self,
        number: str,
        name: str,
        artifacts: str | None,
        tags: Mapping[str, str],
        actor: str,
        *,
        job: str = "",
        at: int | None = None,
    ) -> Decided:
        body = {
            "id": number,
            "name": name,
            "job": job or (name if name not in self._jobs else f"{name}-{number}"),
            "artifacts": artifacts or self._home(number),
            "tags": dict(tags),
            "at": self._now() if at is None else at,
            "by": actor,
        }
        return decided(records.EXPERIMENT, body, self._turn.redactor)

    def _home(self, number: str) -> str:
        return f"{self._artifacts}/{number}"

    def _taken(self, said: list[Decided]) -> list[Decided]:
        for one in said:
            number = one.body["id"]
            self._take(number, one.facts[keys.experiment(number)])
        return said

    def _take(self, number: str, facts: Facts) -> None:
        with self._lock:
            known = self._facts.get(number, Facts()).copy()
            known.join(facts)
            before, now = self._views.get(number), Experiment.of(number, known)
            if before is not None and before.name != now.name and self._by_name.get(before.name) == number:
                del self._by_name[before.name]
            self._facts[number] = known
            self._views[number] = now
            self._by_name[now.name] = number
            self._jobs.add(now.job)
            if number.isdigit():
                self._highest = max(self._highest, int(number))

    def _must_be_free(self, name: str) -> None:
        taken = self._by_name.get(name)
        if taken is None:
            return
        deleted = self._views[taken].deleted
        raise AlreadyExists(
            f"Experiment(name={name}) already exists."
            + (" It is deleted: restore it, or rename it first." if deleted else ""),
            key=keys.experiment(taken),
        )

    def _free(self, name: str) -> str:
        return name if name not in self._by_name else f"{name}-0"


def _must_be_active(known: Experiment) -> None:
    if known.deleted:
        raise Invalid(
            f"The experiment {known.id} must be in the 'active' state. Current state is deleted. Restore it first."
        )


def checked_name(name: str) -> str:
    if not name.strip():
        raise Invalid("Invalid experiment name: ''. It is not empty.")
    limits.within(name, limits.MAX_EXPERIMENT_NAME, "name")
    return name


def checked_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in tags.items():
        limits.checked_key(name, "key")
        limits.within(value, limits.MAX_EXPERIMENT_TAG, "value")
    return tags

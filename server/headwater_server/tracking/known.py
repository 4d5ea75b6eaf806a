"""What is known of tracked entities: the graph's facts with those that are on their way into it."""

import threading
from collections.abc import Mapping

from headwater_server.commit.committer import Committer
from headwater_server.errors import Unavailable
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.project.lru import Lru
from headwater_server.store.port import GraphStore

PATIENCE = 10.0
"""Seconds that a read waits for the graph to show what was acknowledged before it."""
REMEMBERED = 20_000
"""Entities at hand; others are read from the graph."""
_NONE = Facts()


class Known:
    """Facts by key. They only grow by joining, so it does not matter who tells of them first, the decision or the
    graph: what is here is never behind either. Nobody changes a value that was given out.
    """

    def __init__(self, committer: Committer, store: GraphStore) -> None:
        self._committer = committer
        self._store = store
        self._lock = threading.Lock()
        self._facts: Lru[Facts] = Lru(REMEMBERED)
        self._run_keys: Lru[str] = Lru(REMEMBERED)
        self._turn = 0
        self._runs_changed: dict[str, set[str]] = {}  # by job

    # -- from any thread --------------------------------------------------------------------------

    def of(self, key: str) -> Facts:
        """Empty when nothing is known.

        Raises:
            Unavailable: the graph is behind and does not catch up.

        """
        return self.of_many([key])[key]

    def of_many(self, wanted: list[str]) -> dict[str, Facts]:
        found, missing = {}, []
        with self._lock:
            turn = self._turn
            for key in wanted:
                facts = self._facts.get(key)
                if facts is None:
                    missing.append(key)
                else:
                    found[key] = facts
        if missing:
            self._settle()
            loaded = self._load(missing)
            with self._lock:
                for key in missing:
                    newer = self._facts.get(key)
                    found[key] = newer or loaded.get(key, _NONE)
                    if newer is None and key in loaded and turn == self._turn:
                        self._facts.put(key, loaded[key])
        return found

    def run_key(self, run_id: str) -> str | None:
        """Of the tracked run with this id."""
        with self._lock:
            known = self._run_keys.get(run_id)
        if known is not None:
            return known
        self._settle()
        return self._find_run(run_id)

    def watch_runs(self, job: str) -> None:
        """Begin to note which runs of a job change; `changed_runs` tells them once."""
        with self._lock:
            self._runs_changed.setdefault(job, set())
        self._settle()

    def is_watched(self, job: str) -> bool:
        return job in self._runs_changed

    def unwatch_runs(self, job: str) -> None:
        with self._lock:
            self._runs_changed.pop(job, None)

    def changed_runs(self, job: str) -> set[str]:
        with self._lock:
            changed = self._runs_changed.get(job)
            if not changed:
                return set()
            self._runs_changed[job] = set()
            return changed

    # -- by whoever has the turn ---------------------------------------------------------------------

    def now(self, key: str) -> Facts:
        """As all decisions before this one left it."""
        with self._lock:
            facts = self._facts.get(key)
        if facts is None:
            self._settle()
            facts = self._load([key]).get(key, _NONE)
            if facts is not _NONE:
                with self._lock:
                    self._facts.put(key, facts)
        return facts

    def run_key_now(self, run_id: str) -> str | None:
        with self._lock:
            known = self._run_keys.get(run_id)
        if known is None:
            self._settle()
            known = self._find_run(run_id)
        return known

    def decided(self, said: Mapping[str, Facts], *, new: str = "") -> None:
        """Take in what was decided. `new` names the entity that did not exist before."""
        with self._lock:
            self._turn += 1
            for key, facts in said.items():
                mine = self._facts.get(key)
                if mine is not None:
                    joined = mine.copy()
                    joined.join(facts)
                    self._facts.put(key, joined)
                elif key == new:
                    self._facts.put(key, facts)
                    if key.startswith("run|"):
                        self._run_keys.put(keys.parts_of(key)[0], key)
            self._note(said)

    def shown(self, told: Mapping[str, Facts]) -> None:
        """Take in what the graph shows now, whoever said it."""
        with self._lock:
            for key, facts in told.items():
                mine = self._facts.get(key)
                if mine is not None and mine is not facts:
                    joined = mine.copy()
                    if joined.join(facts):
                        self._turn += 1
                        self._facts.put(key, joined)
                        self._note((key,))

    def forget(self) -> None:
        """Something decided was not written: read it all again."""
        with self._lock:
            self._turn += 1
            self._facts = Lru(REMEMBERED)
            self._run_keys = Lru(REMEMBERED)
            self._runs_changed.clear()

    # ---------------------------------------------------------------------------------------------

    def _note(self, changed: Mapping[str, Facts] | tuple[str, ...]) -> None:
        if self._runs_changed:
            for key in changed:
                if key.startswith("run|"):
                    watching = self._runs_changed.get(keys.job_of(key))
                    if watching is not None:
                        watching.add(key)

    def _load(self, wanted: list[str]) -> dict[str, Facts]:
        return {key: Facts.load(raw) for key, raw in self._store.states(wanted).items()}

    def settled(self) -> None:
        """Wait until the graph shows all that was acknowledged before."""
        self._settle()

    def _settle(self) -> None:
        if not self._committer.settle(patience=PATIENCE):
            raise Unavailable(
                "the graph store does not show yet what was written before. Nothing is lost; try again in a second."
            )

    def _find_run(self, run_id: str) -> str | None:
        """An OpenLineage run may have the same id under another job: it is not tracked."""
        found = self._store.starting(keys.key(Kind.RUN, run_id) + "|", limit=20)
        if len(found) > 1 or (found and not found[0].startswith(keys.key(Kind.RUN, run_id, "mlflow"))):
            states = self._load(found)
            found = [key for key in found if key in states and "experiment" in states[key].values]
        if not found:
            return None
        with self._lock:
            self._run_keys.put(run_id, found[0])
        return found[0]

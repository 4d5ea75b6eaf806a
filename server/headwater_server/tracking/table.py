"""The runs of experiments as rows at hand: what a search filters, orders and answers, without reading the graph."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind
from headwater_server.project.tracked import is_tracked
from headwater_server.store.port import Direction, GraphStore
from headwater_server.tracking.known import Known
from headwater_server.tracking.views import Run

MAX_ROWS = 200_000
"""Rows at hand, of all experiments together; the experiment that was searched longest ago goes first."""
CHUNK = 1_000


@dataclass(slots=True)
class Row:
    """A run, and what was made of it for answers; kept until the run changes."""

    run: Run
    answer: bytes | None = None


@dataclass(slots=True)
class _Table:
    rows: dict[str, Row] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    loaded: bool = False


class RunTables:
    """Read once from the graph; afterwards only the runs that changed are looked at again."""

    def __init__(self, known: Known, store: GraphStore) -> None:
        self._known = known
        self._store = store
        self._lock = threading.Lock()
        self._tables: OrderedDict[str, _Table] = OrderedDict()

    def rows(self, experiment: str, job: str) -> list[Row]:
        """All runs of an experiment, as they are now: the deleted ones too, in no order."""
        with self._lock:
            table = self._tables.setdefault(job, _Table())
            self._tables.move_to_end(job)
        with table.lock:
            if not table.loaded or not self._known.is_watched(job):
                self._known.watch_runs(job)
                table.rows = dict(self._load(experiment))
                table.loaded = True
            changed = self._known.changed_runs(job)
            for key, facts in self._known.of_many(list(changed)).items():
                if is_tracked(facts):
                    table.rows[key] = Row(Run.of(key, facts))
            found = list(table.rows.values())
        self._make_room()
        return found

    def _load(self, experiment: str) -> Iterable[tuple[str, Row]]:
        edges = self._store.expand([keys.experiment(experiment)], Direction.DOWNSTREAM, [EdgeKind.HAS_RUN])
        runs = sorted(edge.target for edge in edges)
        for start in range(0, len(runs), CHUNK):
            for key, raw in self._store.states(runs[start : start + CHUNK]).items():
                yield key, Row(Run.of(key, Facts.load(raw)))

    def _make_room(self) -> None:
        with self._lock:
            total = sum(len(t.rows) for t in self._tables.values())
            while total > MAX_ROWS and len(self._tables) > 1:
                job, table = self._tables.popitem(last=False)
                self._known.unwatch_runs(job)
                total -= len(table.rows)

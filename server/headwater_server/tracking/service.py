"""Experiment tracking as one thing: experiments, runs, logged models, traces, and the searches over them."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from headwater_server.artifacts.port import ArtifactStore
from headwater_server.commit.committer import Committer
from headwater_server.errors import NotFound
from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.series.port import SeriesStore
from headwater_server.store.port import GraphStore
from headwater_server.traces.port import TraceStore
from headwater_server.tracking.assessments import Assessments
from headwater_server.tracking.experiments import Experiments
from headwater_server.tracking.known import Known
from headwater_server.tracking.logged_models import LoggedModels
from headwater_server.tracking.runs import Runs
from headwater_server.tracking.search import Search
from headwater_server.tracking.table import RunTables
from headwater_server.tracking.trace_search import TraceSearch
from headwater_server.tracking.traces import Traces
from headwater_server.tracking.turn import Turn

ARTIFACTS = "mlflow-artifacts:"
"""Where experiments keep their files unless told otherwise: with this server."""


class Tracking:
    """What is written is durable when a call returns, and every later call sees it; the graph shows it soon."""

    def __init__(
        self,
        committer: Committer,
        store: GraphStore,
        series: SeriesStore,
        traces: TraceStore,
        files: ArtifactStore,
        *,
        resolve: Callable[[str], Node],
        now: Callable[[], int],
    ) -> None:
        self._resolve = resolve
        self._known = Known(committer, store)
        turn = Turn(committer, lost=self.forget)
        self.experiments = Experiments(turn, store, self._known, now=now, artifacts=ARTIFACTS)
        self.runs = Runs(turn, self._known, self.experiments, series, dataset=self._dataset, now=now)
        self.models = LoggedModels(turn, store, self._known, self.experiments, now=now)
        self.search = Search(self.experiments, self.models, RunTables(self._known, store))
        self.traces = Traces(turn, self._known, self.experiments, traces, files, now=now)
        self.assessments = Assessments(turn, traces, now=now)
        self.trace_search = TraceSearch(traces)

    def shown(self, told: Mapping[str, Facts]) -> None:
        """Called with what the graph shows now, whoever said it."""
        self._known.shown(told)
        self.experiments.shown(told)

    def forget(self) -> None:
        """Something decided was not written, or the graph begins again: all is read anew."""
        self._known.forget()
        self.experiments.forget()

    def _dataset(self, ref: str) -> tuple[str, str] | None:
        """Its namespace and name; None: nothing, or no dataset, is called so."""
        self._known.settled()
        with suppress(NotFound):
            found = self._resolve(ref)
            if found.kind is Kind.DATASET:
                namespace, name = keys.parts_of(found.key)
                return namespace, name
        return None

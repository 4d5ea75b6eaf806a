"""Runs by state, job, time and what they read, newest first."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from headwater_server.api.graphql.cursors import Scope, page_size
from headwater_server.api.graphql.enums import RunState
from headwater_server.api.graphql.experimentruns import tracked_runs
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.lost import states
from headwater_server.api.graphql.pages import Connection, connect
from headwater_server.api.graphql.runfilter import RunFilter, RunOrder, jobs_of, readers_of
from headwater_server.graph import times
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.store.port import GraphStore

_MARKS = {
    RunState.COMPLETE: ("C", "T"),
    RunState.NEW: ("R", "N"),
    RunState.RUNNING: ("R",),
    RunState.LOST: ("R",),
    RunState.ABORT: ("F",),
    RunState.FAIL: ("F",),
}
_SEEN = ("C", "T", "R", "F")
_BATCH = 200
_MOST_READ = 20_000
"""Nodes that one page may look at; past it the page is short and its cursor goes on."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A filter in the store's words."""

    states: frozenset[RunState]
    marks: tuple[str, ...]
    groups: tuple[str | None, ...]
    newer: str | None
    older: str | None
    keys: frozenset[str] | None
    """Runs that read the inputs; None: whatever they read."""

    @property
    def by_index(self) -> bool:
        """The store's own count tells how many there are."""
        whole = not self.states or self.states in (frozenset({RunState.COMPLETE}), _FAILED)
        return whole and self.newer is None and self.older is None and self.keys is None


_FAILED = frozenset({RunState.ABORT, RunState.FAIL})


def find_runs(
    loader: Loader,
    only: RunFilter | None,
    *,
    first: int | None,
    after: str | None,
    default: int,
    job: str | None = None,
    order_by: list[RunOrder] | None = None,
) -> Connection[Any]:
    if order_by or (only is not None and only.of_experiments):
        return tracked_runs(loader, only, order_by, first=first, after=after, default=default, job=job)
    size = page_size(first, default)
    wanted = _wanted(loader.store, only, job)
    scope = Scope("runs", wanted)
    found: list[Node] = []
    last: Node | None = None
    read = 0
    candidates = _newest_first(loader.store, wanted, scope.key(after))
    while len(found) <= size and read < _MOST_READ:
        batch = list(islice(candidates, _BATCH if wanted.states or wanted.keys is not None else size + 1))
        if not batch:
            break
        read, last = read + len(batch), batch[-1]
        found += _matching(batch, loader, wanted)
    cut = read >= _MOST_READ and len(found) <= size
    shown = found[:size]
    return connect(
        loader.show(shown),
        [scope.cursor(run.sort, run.key) for run in shown],
        count=lambda: _count(loader, wanted),
        more=len(found) > size or cut,
        began=after is not None,
        end=scope.cursor(last.sort, last.key) if cut and last else None,
    )


def _wanted(store: GraphStore, only: RunFilter | None, job: str | None) -> _Wanted:
    only = only or RunFilter()
    states_ = frozenset(only.states or ())
    marks = tuple(dict.fromkeys(m for s in RunState if s in states_ for m in _MARKS[s])) or _SEEN
    jobs = jobs_of(store, only, job)
    groups: tuple[str | None, ...] = (None,) if jobs is None else tuple(sorted(jobs))
    return _Wanted(
        states=states_,
        marks=marks,
        groups=groups,
        newer=None if only.started_after is None else times.sortable(only.started_after),
        older=None if only.started_before is None else times.sortable(only.started_before),
        keys=None if only.inputs is None else readers_of(store, only.inputs),
    )


def _newest_first(store: GraphStore, wanted: _Wanted, bound: tuple[str, str] | None) -> Iterator[Node]:
    older = None if wanted.older is None else (wanted.older, "")
    before = min((b for b in (bound, older) if b is not None), default=None)
    newer = None if wanted.newer is None else (wanted.newer, "\U0010ffff")
    if wanted.keys is not None:
        nodes = store.get(wanted.keys).values()
        groups = set(wanted.groups)
        yield from sorted(
            (
                run
                for run in nodes
                if run.mark in wanted.marks
                and (None in groups or run.group in groups)
                and (before is None or (run.sort, run.key) < before)
                and (newer is None or (run.sort, run.key) > newer)
            ),
            key=lambda run: (run.sort, run.key),
            reverse=True,
        )
        return
    pages = [_pages(store, wanted.marks, group, before, newer) for group in wanted.groups]
    yield from (
        pages[0]
        if len(pages) == 1
        else heapq.merge(*pages, key=lambda run: (run.sort, run.key), reverse=True)
    )


def _pages(
    store: GraphStore,
    marks: tuple[str, ...],
    group: str | None,
    before: tuple[str, str] | None,
    newer: tuple[str, str] | None,
) -> Iterator[Node]:
    while True:
        batch = store.page(
            Kind.RUN, marks=marks, group=group, before=before, after=newer, reverse=True, limit=_BATCH + 1
        )
        yield from batch
        if len(batch) <= _BATCH:
            return
        before = (batch[-1].sort, batch[-1].key)


def _matching(batch: list[Node], loader: Loader, wanted: _Wanted) -> list[Node]:
    if not wanted.states:
        return batch
    now = states(batch, loader.store, now=loader.context.now())
    return [run for run in batch if now[run.key] in wanted.states]


def _count(loader: Loader, wanted: _Wanted) -> int:
    if wanted.by_index:
        return sum(loader.store.count(Kind.RUN, marks=wanted.marks, group=group) for group in wanted.groups)
    total, candidates = 0, _newest_first(loader.store, wanted, None)
    while batch := list(islice(candidates, _BATCH)):
        total += len(_matching(batch, loader, wanted))
    return total

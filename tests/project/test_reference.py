"""A job's present and past worked out naively from all its runs, compared with the edges that the projector keeps."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.parts import TRANSLATORS
from headwater_server.project.projector import Parsed, Projector
from headwater_server.store.sqlite import SqliteStore
from tests.openlineage import said
from tests.openlineage.said import Json, dataset_key, job_key, moment, run_key, uuid_of
from tests.project.corpus import RUNS, TYPES

WORST_FIRST = ("FAIL", "ABORT", "COMPLETE")
NOW, PAST = "now", "past"


class Told(NamedTuple):
    """An event of a job's run, in short."""

    kind: str
    word: str
    minute: int
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def event(self) -> Json:
        return said.run(self.kind, "load", self.word, self.minute, reads=self.reads, writes=self.writes)


class Edge(NamedTuple):
    """A flow edge as (when, what, dataset, since, until)."""

    when: str
    way: str
    dataset: str
    since: int | None
    until: int | None


class Spoken(NamedTuple):
    begin: int
    key: str
    state: str
    flow: tuple[frozenset[str], frozenset[str]]


def spoken(told: Iterable[Told]) -> list[Spoken]:
    """The job's runs in order of their begin, each with all that its events said."""
    runs: dict[str, list[Told]] = {}
    for one in told:
        runs.setdefault(one.word, []).append(one)
    found = []
    for word, events in runs.items():
        reads = frozenset(name for e in events for name in e.reads)
        writes = frozenset(name for e in events for name in e.writes)
        begin = min(moment(e.minute) for e in events)
        found.append(Spoken(begin, run_key("load", word), state(events), (reads, writes)))
    return sorted(found)


def state(events: Sequence[Told]) -> str:
    latest = max((e.minute for e in events if e.kind == "START"), default=-1)
    ended = {e.kind for e in events if e.minute >= latest}
    return next((kind for kind in WORST_FIRST if kind in ended), "RUNNING")


def expected(told: Iterable[Told]) -> set[Edge]:
    runs = [r for r in spoken(told) if any(r.flow)]
    complete = [r for r in runs if r.state == "COMPLETE"]
    turns = [
        r for before, r in pairwise([None, *complete]) if r and (before is None or before.flow != r.flow)
    ]
    edges: set[Edge] = set()
    for turn, following in pairwise([*turns, None]):
        if turn and following and turn.begin < following.begin:
            edges |= set(flow_edges(PAST, turn.flow, turn.begin, following.begin))
    flying = [r for r in runs if r.state == "RUNNING"]
    failed = [r for r in runs if r.state in ("FAIL", "ABORT")]
    known = {failed[-1].flow} if failed and not complete else set()
    if complete:
        edges |= set(flow_edges(NOW, complete[-1].flow, turns[-1].begin, None))
        flying = [r for r in flying if r[:2] > complete[-1][:2]]
        base = complete[-1].flow
    else:
        base = (frozenset(), frozenset())
        if failed:
            edges |= set(flow_edges(NOW, failed[-1].flow, failed[-1].begin, None))
    for run in flying:
        if run.flow in known or (run.flow[0] <= base[0] and run.flow[1] <= base[1]):
            continue
        known.add(run.flow)
        edges |= set(flow_edges(NOW, run.flow, run.begin, None))
    return edges


def flow_edges(
    when: str, flow: tuple[frozenset[str], frozenset[str]], since: int, until: int | None
) -> Iterator[Edge]:
    for way, names in zip(("in", "out"), flow, strict=True):
        for name in names:
            yield Edge(when, way, dataset_key(name), since, until)


def kept(store: SqliteStore) -> set[Edge]:
    ways = {
        EdgeKind.INPUT_OF: (NOW, "in"),
        EdgeKind.OUTPUTS: (NOW, "out"),
        EdgeKind.WAS_INPUT_OF: (PAST, "in"),
        EdgeKind.DID_OUTPUT: (PAST, "out"),
    }
    return {
        Edge(*ways[e.kind], e.source if ways[e.kind][1] == "in" else e.target, e.since, e.until)
        for e in store.all_edges()
        if e.kind in ways
    }


NAMES = st.sampled_from([(), ("a",), ("b",), ("a", "b")])
TOLD = st.builds(Told, st.sampled_from(TYPES), st.sampled_from(RUNS), st.integers(0, 9), NAMES, NAMES)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    opened = SqliteStore(Path(tmp_path_factory.mktemp("graph")) / "graph.db")
    yield opened
    opened.close()


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(batches=st.lists(st.lists(TOLD, min_size=1, max_size=4), min_size=1, max_size=8))
def test_edges_are_what_all_runs_together_say(store: SqliteStore, batches: list[list[Told]]) -> None:
    """Late runs, runs that fail after all, begins that move, several at once: after every batch."""
    store.reset()
    projector = Projector(store, TRANSLATORS, log="log")
    seq, so_far = 0, []
    for batch in batches:
        projector.project([Parsed(seq + n, "openlineage", one.event()) for n, one in enumerate(batch, 1)])
        seq += len(batch)
        so_far += batch
        assert kept(store) == expected(so_far)


@pytest.mark.parametrize("silent", [0, 40])
def test_runs_that_never_end_and_say_nothing_do_not_make_the_answer_depend_on_when_it_is_asked(
    store: SqliteStore, silent: int
) -> None:
    events = [said.run("START", "load", "speaks", 1, reads=["a"])]
    events += [said.run("START", "load", f"silent {n}", 2 + n) for n in range(silent)]
    last = said.run("START", "load", "last", 90)
    seen = []
    for forget in (False, True):
        store.reset()
        projector = Projector(store, TRANSLATORS, log="log")
        for seq, event in enumerate([*events, last], 1):
            projector.project([Parsed(seq, "openlineage", event)])
            if forget:
                projector.forget()
        seen.append(kept(store))
    assert seen[0] == seen[1]
    assert uuid_of("last") in {n.props["runId"] for n in store.page(Kind.RUN, marks=["R"], limit=99)}
    assert bool(seen[0]) is (silent < 16)
    assert job_key("load") in store.get([job_key("load")])

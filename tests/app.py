"""A whole Headwater for a test: events in, and the graph and the log that they fill."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from headwater_server.errors import HeadwaterError
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.ingest.receive import receive, receive_many
from headwater_server.log.port import Receipt
from headwater_server.parts import Parts
from headwater_server.project.reading import FacetView, facts_of
from headwater_server.settings import Settings
from headwater_server.store.port import Direction, GraphStore
from tests.neo4j_server import Server, neo4j_server

__all__ = [
    "Graph",
    "Headwater",
    "embedded",
    "headwater",
    "neo4j_server",
    "on_neo4j",
    "open_empty",
    "settings",
]

FLOW = (EdgeKind.INPUT_OF, EdgeKind.OUTPUTS, EdgeKind.DERIVES, EdgeKind.AFFECTS, EdgeKind.FEEDS_WHOLE)


def settings(folder: Path, neo4j: Server | None = None) -> Settings:
    """Of a Headwater in a folder, on the embedded store or on a Neo4j."""
    if neo4j is None:
        return Settings(data=folder)
    return Settings(
        data=folder,
        neo4j_uri=neo4j.uri,
        neo4j_username=neo4j.user,
        neo4j_password=neo4j.password,
        neo4j_database=neo4j.database,
    )


class Graph:
    """What a store holds, in the words of the tests."""

    def __init__(self, store: GraphStore) -> None:
        self.store = store

    def node(self, key: str) -> Node:
        return self.store.get([key])[key]

    def has(self, key: str) -> bool:
        return key in self.store.get([key])

    def props(self, key: str) -> dict[str, Any]:
        return dict(self.node(key).props)

    def facts(self, key: str) -> Facts:
        return facts_of(key, self.store)

    def edges(self, *kinds: EdgeKind) -> list[Edge]:
        """All edges of these kinds."""
        return [e for e in self.store.all_edges() if e.kind in kinds]

    def out_of(self, key: str, kind: EdgeKind, *, at: int | None = None) -> set[str]:
        return {e.target for e in self.store.expand([key], Direction.DOWNSTREAM, [kind], at=at)}

    def into(self, key: str, kind: EdgeKind, *, at: int | None = None) -> set[str]:
        return {e.source for e in self.store.expand([key], Direction.UPSTREAM, [kind], at=at)}

    def flows(self, *, at: int | None = None) -> set[tuple[str, str]]:
        """(input, output) of every step now, or at a moment: what a table walk sees."""
        ends: dict[str, tuple[set[str], set[str]]] = {}
        feeds = (EdgeKind.INPUT_OF, EdgeKind.WAS_INPUT_OF)[: 2 if at is not None else 1]
        gives = (EdgeKind.OUTPUTS, EdgeKind.DID_OUTPUT)[: 2 if at is not None else 1]
        for edge in self.edges(*feeds, *gives):
            if at is not None and not _held(edge, at):
                continue
            step = edge.target if edge.kind in feeds else edge.source
            ins, outs = ends.setdefault(step, (set(), set()))
            (ins if edge.kind in feeds else outs).add(edge.source if edge.kind in feeds else edge.target)
        return {(i, o) for ins, outs in ends.values() for i in ins for o in outs}

    def reads_of(self, job: str) -> set[str]:
        return {i for step in self.into(job, EdgeKind.STEP_OF) for i in self.into(step, EdgeKind.INPUT_OF)}

    def writes_of(self, job: str) -> set[str]:
        return {o for step in self.into(job, EdgeKind.STEP_OF) for o in self.out_of(step, EdgeKind.OUTPUTS)}

    def columns(self, dataset: str) -> set[str]:
        """Names of those that are there now."""
        page = self.store.page(Kind.COLUMN, marks=[""], group=dataset, limit=1_000)
        return {str(n.props["name"]) for n in page}

    def visible(self, kind: Kind) -> set[str]:
        return {n.key for n in self.store.page(kind, marks=[""], limit=1_000)}


class Headwater(Graph):
    """One Headwater in this process; what it answers is read from its graph and its log."""

    def __init__(self, of: Settings) -> None:
        self.settings = of
        self.parts = Parts(of)
        try:
            self.parts.start()
        except HeadwaterError:
            self.parts.close()
            raise
        super().__init__(self.parts.store)
        self.log = self.parts.log
        self.registry = self.parts.registry
        self.curation = self.parts.curation

    def close(self) -> None:
        self.parts.close()

    def again(self) -> "Headwater":
        """Closed and opened on the same data."""
        self.close()
        return Headwater(self.settings)

    # -- in -----------------------------------------------------------------------------------------

    def send(self, *events: Any) -> list[Receipt]:
        """One delivery each, in this order; the graph shows them all when it returns."""
        return [self.deliver(event) for event in events]

    def deliver(self, event: Any) -> Receipt:
        raw = event if isinstance(event, bytes) else orjson.dumps(event)
        submission = receive(raw, self.parts.committer, eager=True)
        (receipt,) = submission.logged.result()
        submission.projected.result()
        assert not len(self.parts.letters)
        return receipt

    def send_at_once(self, events: Iterable[Any]) -> list[Receipt]:
        """One batch."""
        raws = [e if isinstance(e, bytes) else orjson.dumps(e) for e in events]
        submission, _, failed = receive_many(raws, self.parts.committer, eager=True)
        assert not failed
        if submission is None:
            return []
        submission.projected.result()
        assert not len(self.parts.letters)
        return submission.logged.result()

    def fingerprint(self) -> str:
        return self.parts.fingerprint()

    def facets(self, key: str) -> dict[str, FacetView]:
        return {view.name: view for view in self.parts.facets(key)}


def _held(edge: Edge, at: int) -> bool:
    return (edge.since is None or edge.since <= at) and (edge.until is None or at < edge.until)


def open_empty(folder: Path, neo4j: Server | None = None) -> Headwater:
    """A Headwater with nothing in it, whatever the Neo4j held before."""
    of = settings(folder, neo4j)
    if neo4j is not None:
        emptied = Parts(of)
        emptied.store.reset()
        emptied.close()
    return Headwater(of)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Headwater]:
    """On the embedded store."""
    opened = open_empty(tmp_path / "embedded")
    yield opened
    opened.close()


@pytest.fixture
def on_neo4j(tmp_path: Path, neo4j_server: Server) -> Iterator[Headwater]:
    opened = open_empty(tmp_path / "on-neo4j", neo4j_server)
    yield opened
    opened.close()


@pytest.fixture(params=["embedded", pytest.param("on_neo4j", marks=pytest.mark.neo4j)])
def headwater(request: pytest.FixtureRequest) -> Headwater:
    """On each store in turn: what holds on one holds on all."""
    opened: Headwater = request.getfixturevalue(request.param)
    return opened

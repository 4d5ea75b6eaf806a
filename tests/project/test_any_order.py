"""Whatever the order, the batches, the number of deliveries and the accidents: one log of events is one graph."""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater_server.parts import TRANSLATORS
from headwater_server.project.fingerprint import fingerprint
from headwater_server.project.projector import Parsed, Projector
from headwater_server.store.port import GraphStore
from headwater_server.store.sqlite import SqliteStore
from tests.app import Headwater, open_empty
from tests.openlineage.said import Json
from tests.project.corpus import CORPORA, deliveries
from tests.project.decisions import DECIDED, Record

RECORDINGS = Path(__file__).parent.parent / "fixtures" / "openlineage"
FILES = sorted(RECORDINGS.rglob("*.ndjson"))
OFTEN = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    derandomize=True,
    database=None,
)


class Pair:
    """Two empty graphs, to be filled and compared."""

    def __init__(self, folder: Path) -> None:
        self.one = SqliteStore(folder / "one.db")
        self.other = SqliteStore(folder / "other.db")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    opened = Pair(tmp_path_factory.mktemp("graphs"))
    yield opened
    opened.one.close()
    opened.other.close()


def play(store: GraphStore, batches: Sequence[Sequence[Record | Json]], forget: Sequence[int] = ()) -> str:
    """Project without a log, so that no duplicate is held back; caches are dropped after these batches."""
    store.reset()
    projector = Projector(store, TRANSLATORS, log="log")
    seq = 0
    for number, batch in enumerate(batches):
        told = [one if isinstance(one, tuple) else ("openlineage", one) for one in batch]
        projector.project([Parsed(seq + n, kind, body) for n, (kind, body) in enumerate(told, 1)])
        seq += len(batch)
        if number in forget:
            projector.forget()
    return fingerprint(store)


@OFTEN
@given(data=st.data(), events=CORPORA)
def test_any_order_any_batches_and_any_duplicates_give_one_graph(
    pair: Pair, data: st.DataObject, events: list[Json]
) -> None:
    as_told = play(pair.one, [[event] for event in events])
    assert play(pair.other, data.draw(deliveries(events))) == as_told


@OFTEN
@given(data=st.data(), events=CORPORA)
def test_a_projector_that_forgets_makes_the_same_graph(
    pair: Pair, data: st.DataObject, events: list[Json]
) -> None:
    batches = data.draw(deliveries(events))
    forget = data.draw(st.sets(st.integers(0, len(batches)), max_size=8))
    assert play(pair.other, batches, sorted(forget)) == play(pair.one, [events])


@pytest.mark.neo4j
@settings(OFTEN, max_examples=12, phases=[Phase.generate])
@given(data=st.data(), events=CORPORA)
def test_neo4j_makes_the_graph_that_sqlite_makes(
    on_neo4j: Headwater, pair: Pair, data: st.DataObject, events: list[Json]
) -> None:
    batches = data.draw(deliveries(events))
    assert play(on_neo4j.store, batches) == play(pair.one, [events])


@OFTEN
@given(data=st.data(), records=DECIDED)
def test_what_was_tracked_and_registered_is_one_graph_in_any_order(
    pair: Pair, data: st.DataObject, records: list[Record]
) -> None:
    """Runs before their experiments, versions before their models, tables of importance before what they weigh."""
    batches = data.draw(deliveries(records))
    forget = data.draw(st.sets(st.integers(0, len(batches)), max_size=8))
    assert play(pair.other, batches, sorted(forget)) == play(pair.one, [[record] for record in records])


@pytest.mark.neo4j
@settings(OFTEN, max_examples=12, phases=[Phase.generate])
@given(data=st.data(), records=DECIDED)
def test_neo4j_makes_the_graph_of_tracked_and_registered_things_that_sqlite_makes(
    on_neo4j: Headwater, pair: Pair, data: st.DataObject, records: list[Record]
) -> None:
    assert play(on_neo4j.store, data.draw(deliveries(records))) == play(pair.one, [records])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recording_in_any_order_is_the_recording(pair: Pair, file: Path) -> None:
    events = [json.loads(line) for line in file.read_text().splitlines()]
    in_order = play(pair.one, [[event] for event in events])
    for seed in range(5):
        chance = random.Random(seed)
        told = events + chance.choices(events, k=len(events) * 3 // 10)
        chance.shuffle(told)
        cuts = sorted(chance.sample(range(len(told) + 1), k=min(6, len(told))))
        batches = [told[a:b] for a, b in zip([0, *cuts], [*cuts, len(told)], strict=True) if a < b]
        assert play(pair.other, batches, forget=[seed]) == in_order


def test_a_rebuild_replays_to_the_same_graph(headwater: Headwater) -> None:
    events = [json.loads(line) for file in FILES for line in file.read_text().splitlines()][:80]
    random.Random(7).shuffle(events)
    for start in range(0, len(events), 16):
        headwater.send_at_once(events[start : start + 16])
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == before


@settings(OFTEN, max_examples=15, phases=[Phase.generate])
@given(events=CORPORA, crash=st.integers(0, 14))
def test_what_was_logged_and_not_projected_is_projected_at_the_next_start(
    tmp_path_factory: pytest.TempPathFactory, events: list[Json], crash: int
) -> None:
    """The graph is left behind as a crash between the two leaves it: an older copy of its file."""
    whole = open_empty(tmp_path_factory.mktemp("whole"))
    whole.send_at_once(events)
    expected = whole.fingerprint()
    whole.close()

    crashed = open_empty(tmp_path_factory.mktemp("crashed"))
    data = crashed.settings.data
    crashed.send_at_once(events[:crash])
    crashed.close()
    behind = (data / "graph.db").read_bytes()
    crashed = Headwater(crashed.settings)
    crashed.send_at_once(events[crash:])
    crashed.close()
    (data / "graph.db").write_bytes(behind)

    revived = Headwater(crashed.settings)
    revived.send()
    revived.parts.committer.command(lambda: ((), lambda _: None))
    assert revived.fingerprint() == expected
    revived.close()

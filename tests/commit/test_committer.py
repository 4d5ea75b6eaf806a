"""One writer: it outlives those who do not wait for its answers, and ends without leaving anybody waiting."""

import threading
from pathlib import Path

import orjson
import pytest

from headwater_server.commit import committer as module
from headwater_server.commit.committer import Committer
from headwater_server.commit.orders import Submission
from headwater_server.commit.projection import Projection
from headwater_server.errors import Conflict, Unavailable
from headwater_server.ingest.receive import receive
from headwater_server.log.deadletters import DeadLetters
from headwater_server.log.sqlite import SqliteRecordLog
from headwater_server.parts import TRANSLATORS
from headwater_server.store.sqlite import SqliteStore
from tests.app import Headwater, settings
from tests.openlineage.said import dataset_key, run

EVENT = run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"])


def test_who_gave_up_waiting_stops_nobody_else(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    gone = receive(orjson.dumps(EVENT), headwater.parts.committer)
    gone.logged.cancel()
    gone.projected.cancel()
    headwater.send(run("COMPLETE", "load", "two", 2, reads=["a"], writes=["c"]))
    assert headwater.has(dataset_key("b"))
    assert headwater.has(dataset_key("c"))
    headwater.close()


def test_nobody_is_remembered_who_does_not_wait(tmp_path: Path) -> None:
    """Otherwise a graph that is away for a day would fill the memory."""
    headwater = Headwater(settings(tmp_path))
    committer = headwater.parts.committer
    for number in range(300):
        receive(
            orjson.dumps(run("START", "load", f"run {number}", number, reads=["a"])), committer
        ).logged.result()
    headwater.send(EVENT)
    assert len(committer._waiting) < 10
    headwater.close()


def test_commands_run_one_at_a_time_and_see_what_came_before(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    headwater.registry.register_model("churn", actor="ada")
    refused: list[Exception] = []

    def alias(version: str) -> None:
        try:
            headwater.registry.set_alias("churn", "best", version=version, expected_version="", actor="ada")
        except Conflict as error:
            refused.append(error)

    for _ in range(8):
        headwater.registry.create_version("churn", actor="ada")
    threads = [threading.Thread(target=alias, args=(str(n + 1),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    headwater.close()


def test_after_the_end_everybody_is_told_so(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    committer = headwater.parts.committer
    committer.stop()
    with pytest.raises(Unavailable, match="stopping"):
        receive(orjson.dumps(EVENT), committer)
    assert committer.settle(patience=0.1)
    headwater.close()


@pytest.mark.parametrize("backend", ["sqlite", "neo4j"])
def test_what_nobody_waits_for_is_projected_together_and_a_reader_waits_for_no_company(
    tmp_path: Path, backend: str
) -> None:
    """Of `backend` the committer asks only whether to project in a thread of its own."""
    log, store = SqliteRecordLog(tmp_path / "log.db"), SqliteStore(tmp_path / "graph.db")
    letters = DeadLetters(tmp_path / "letters.db", graph=backend)
    projection = Projection(log, store, TRANSLATORS, letters)
    blocks: list[int] = []
    began, go_on = threading.Event(), threading.Event()

    def shown(*_: object) -> None:
        blocks.append(store.applied().seq)
        began.set()
        assert go_on.wait(10)

    projection.tell(shown=shown, emptied=lambda: None)
    committer = Committer(log, projection, backend=backend, lag=3600.0)
    committer.start()

    def send(number: int, *, eager: bool = False) -> Submission:
        event = run("COMPLETE", "load", f"run {number}", number, reads=["a"], writes=["b"])
        return receive(orjson.dumps(event), committer, eager=eager)

    first = send(1, eager=True)
    assert began.wait(10)
    meanwhile = [send(number) for number in (2, 3)]
    go_on.set()
    assert first.projected.result(10) == 1
    for submission in [*meanwhile, send(4)]:
        submission.logged.result(10)
    assert not meanwhile[0].projected.done()
    assert committer.settle(patience=10)
    assert blocks == [1, 4]
    committer.stop()
    for part in (letters, store, log):
        part.close()


def test_a_stop_does_not_wait_for_a_graph_that_is_far_behind(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    for number in range(2_000):
        receive(
            orjson.dumps(run("START", "load", f"run {number}", number, reads=["a"])),
            headwater.parts.committer,
        )
    headwater.parts.committer.stop(patience=0.0)
    assert headwater.log.head() == 2_000
    assert headwater.parts.committer.applied < 2_000
    expected = 2_000
    again = headwater.again()
    again.parts.committer.command(lambda: ((), lambda _: None))
    assert again.parts.committer.applied == expected
    again.close()
    assert module.FAREWELL < 10

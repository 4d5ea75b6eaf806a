"""One writer: it outlives those who do not wait for its answers, and ends without leaving anybody waiting."""

import threading
from pathlib import Path

import orjson
import pytest

from headwater_server.commit import committer as module
from headwater_server.errors import Conflict, Unavailable
from headwater_server.ingest.receive import receive
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

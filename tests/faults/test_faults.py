"""Nothing that was acknowledged is lost, doubled or renumbered, whatever goes wrong; `make chaos` is the long form."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.faults import scenarios
from tests.faults.checker import judge
from tests.faults.clients import Producers
from tests.faults.scenarios import Row
from tests.faults.server import Server

SHORT: dict[str, Callable[[Path], Row]] = {
    "it is killed": lambda folder: scenarios.kills(folder, times=4),
    "it is stopped and goes on": lambda folder: scenarios.pauses(folder, times=1, seconds=3.0),
    "the network goes wrong": lambda folder: scenarios.network(folder, seconds=1.5),
    "the disk is full and freed": lambda folder: scenarios.disk_full(folder, seconds=2.0),
    "syncs fail": lambda folder: scenarios.disk_errors(folder, seconds=3.0, sync_error_every=15),
    "writes find no space": lambda folder: scenarios.disk_errors(folder, seconds=3.0, write_error_every=40),
    "the clock jumps": lambda folder: scenarios.clock(folder, seconds=1.0),
}


@pytest.mark.parametrize("fault", SHORT)
def test_nothing_acknowledged_is_lost_when(fault: str, tmp_path: Path) -> None:
    row = SHORT[fault](tmp_path)
    assert not row.verdict.bad
    assert row.verdict.acked > 50
    met = row.sent.cut + sum(row.sent.refused.values()) > 0
    assert met or fault in {"it is stopped and goes on", "the clock jumps"}, "the fault reached nobody"


def test_the_judge_is_not_blind(tmp_path: Path) -> None:
    """Each thing that must not be, planted, is seen."""
    with Server(tmp_path / "data") as server:
        producers = Producers(server.port)
        producers.start()
        while producers.acknowledged() < 20:
            time.sleep(0.05)
        sent = producers.finish()
        server.stop()
    assert not judge(tmp_path / "data", sent).bad
    (one, other, *_) = sent.acks
    sent.acks["never sent"] = [(201, 1)]
    sent.acks[one] = [(201, 10_000)]
    sent.acks[other] *= 2
    log = apsw.Connection(str(tmp_path / "data" / "log.db"))
    for (guard,) in log.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        log.execute(f"DROP TRIGGER {guard}")
    log.execute("UPDATE record SET body = (SELECT body FROM record WHERE seq = 5) WHERE seq = 6")
    log.close()
    graph = apsw.Connection(str(tmp_path / "data" / "graph.db"))
    graph.execute("DELETE FROM edge")
    graph.close()
    shutil.rmtree(tmp_path / "data-again")
    seen = judge(tmp_path / "data", sent)
    assert "never sent" in seen.lost
    assert len(seen.lost) == 2
    assert one in seen.wrong_seq
    assert len(seen.duplicated) == 1
    assert other in seen.wrong_status
    assert not seen.root_is_right
    assert not seen.hash_is_equal

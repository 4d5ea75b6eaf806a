"""The server is away, slow, killed: the training goes on, nothing is lost, nothing is there twice."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import headwater as hw
from headwater import outbox as outboxes
from tests.client.served import Server, artifacts_of, get, params_of, run_of, steps_of
from tests.client.test_recording import quick

RECORDS = """
import sys, headwater as hw
with hw.run("left", environment=False, diff=False) as run:
    run.params(lr=1)
    for step in range(500):
        run.log(loss=step)
    run.text("kept", "notes.txt")
    print(run.id, flush=True)
"""


def journals(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.ndjson") if path.stat().st_size]


def wait_until_empty(folder: Path) -> None:
    end = time.monotonic() + 60
    while journals(folder) and time.monotonic() < end:
        time.sleep(0.05)
    assert not journals(folder)


def child(code: str, url: str, outbox: Path, **more: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "HEADWATER_URL": url, "HEADWATER_OUTBOX": str(outbox), **more}
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)


@contextmanager
def silent() -> Iterator[str]:
    """Takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_comes_late_gets_all(far: Server, outbox: Path, tmp_path: Path) -> None:
    hw.connect(far.url)
    with quick("late") as run:
        run.params(lr=0.5)
        for step in range(3_000):
            run.log(loss=step)
        file = tmp_path / "plot.svg"
        file.write_text("<svg/>")
        run.artifact(file)
        file.unlink()
        far.start()
        run.log(loss=3_000)
        assert run.flush(60)
    assert params_of(far.url, run.id) == {"lr": "0.5"}
    assert steps_of(far.url, run.id, "loss") == list(range(3_001))
    assert artifacts_of(far.url, run.id) == {"plot.svg": b"<svg/>"}
    assert run_of(far.url, run.id)["info"]["status"] == "FINISHED"
    assert not [path for path in outbox.rglob("*") if path.is_file()]


def test_a_server_that_is_killed_in_the_middle_has_each_point_once(far: Server) -> None:
    far.start()
    hw.connect(far.url)
    with quick("killed") as run:
        logged = 0
        for _ in range(3):
            killer = threading.Timer(0.15, far.kill)
            killer.start()
            end = time.monotonic() + 0.4
            while time.monotonic() < end:
                run.log(loss=logged)
                logged += 1
                time.sleep(0.0005)
            killer.join()
            far.start()
        assert run.flush(60)
    assert steps_of(far.url, run.id, "loss") == list(range(logged))
    assert len(get(far.url, "experiments/search?max_results=10")["experiments"]) == 1
    assert run_of(far.url, run.id)["info"]["status"] == "FINISHED"


def test_what_a_process_could_not_deliver_the_next_one_does(far: Server, outbox: Path) -> None:
    with child(RECORDS, far.url, outbox) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
    assert process.returncode == 0
    assert len(journals(outbox)) == 1
    far.start()
    other = Server(outbox.parent / "other")
    hw.connect(other.url)  # what is another server's stays
    assert len(journals(outbox)) == 1
    hw.connect(far.url)
    wait_until_empty(outbox)
    assert steps_of(far.url, run_id, "loss") == list(range(500))
    assert artifacts_of(far.url, run_id) == {"notes.txt": b"kept"}
    assert run_of(far.url, run_id)["info"]["status"] == "FINISHED"


def test_a_client_that_is_killed_leaves_what_it_logged_on_disk(far: Server, outbox: Path) -> None:
    code = RECORDS.replace(
        "    print(run.id, flush=True)",
        "    import time; time.sleep(2.5); print(run.id, flush=True); time.sleep(60)",
    )
    with child(code, far.url, outbox) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        process.kill()
    far.start()
    hw.connect(far.url)
    wait_until_empty(outbox)
    assert steps_of(far.url, run_id, "loss") == list(range(500))
    assert run_of(far.url, run_id)["info"]["status"] == "RUNNING"


def test_a_silent_server_holds_nobody_up_and_memory_is_bounded(outbox: Path) -> None:
    longest = 0.0
    with silent() as url:
        hw.connect(url)
        run = quick("silent")
        before = time.thread_time()
        for step in range(30_000):
            began = time.thread_time()
            run.log(loss=step)
            longest = max(longest, time.thread_time() - began)
        assert time.thread_time() - before < 30
        held = len(run._outbox._steps) + len(run._outbox._flying)
        assert held <= outboxes.MAX_STEPS
        assert run._outbox.close(timeout=0.1) is False
    (journal,) = journals(outbox)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert lines[0]["route"] == "runs/create"  # in their order, whatever was on its way
    steps = [point["step"] for line in lines[1:] for point in line["body"]["metrics"]]
    assert steps == list(range(30_000))


def test_a_token_that_is_not_taken_loses_nothing(tmp_path: Path, outbox: Path) -> None:
    class Stranger(threading.Thread):
        """Says 401 to all."""

        def __init__(self) -> None:
            super().__init__(daemon=True)
            self.listening = socket.create_server(("127.0.0.1", 0))
            self.start()

        def run(self) -> None:
            while True:
                try:
                    with self.listening.accept()[0] as one:
                        one.recv(65_536)
                        one.sendall(
                            b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        )
                except OSError:
                    return

    stranger = Stranger()
    hw.connect(f"http://127.0.0.1:{stranger.listening.getsockname()[1]}", token="old")
    with quick() as run:
        run.log(loss=1)
    stranger.listening.close()
    assert len(journals(outbox)) == 1
    assert not list(outbox.rglob("*.refused"))


def test_a_child_process_that_is_forked_logs_for_itself(far: Server, outbox: Path) -> None:
    far.start()
    code = """
import os, headwater as hw
with hw.run("forks", environment=False, diff=False) as run:
    run.log(loss=0); run.flush()
    pid = os.fork()
    if not pid:
        run.log(other=5)
        os._exit(0 if run.flush(30) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    run.log(loss=1)
    print(run.id)
"""
    with child(code, far.url, outbox) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
    assert process.returncode == 0
    assert steps_of(far.url, run_id, "loss") == [0, 1]
    assert steps_of(far.url, run_id, "other") == [1]
    assert run_of(far.url, run_id)["info"]["status"] == "FINISHED"


@pytest.mark.parametrize(("last", "status"), [("", "FINISHED"), ("\nraise ValueError", "FAILED")])
def test_a_script_that_ends_no_run_has_ended_it(far: Server, outbox: Path, last: str, status: str) -> None:
    far.start()
    code = f"import headwater as hw\nrun = hw.run(environment=False, diff=False)\nprint(run.id){last}"
    with child(code, far.url, outbox) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
    assert run_of(far.url, run_id)["info"]["status"] == status

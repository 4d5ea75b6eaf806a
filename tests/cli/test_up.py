"""`headwater up` as a process: what it prints works, a taken port is no obstacle, Ctrl-C ends it."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headwater_server.cli.output import Failed
from headwater_server.cli.up import address, listen
from headwater_server.demo import events
from tests.cli.conftest import Run


@contextmanager
def _up(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A server that said that it is ready; the lines that it said it with."""
    command = [sys.executable, "-m", "headwater_server", "up", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            while lines[-1] and "Ctrl-C" not in lines[-1] and not lines[0].startswith("{"):
                lines.append(process.stdout.readline())
            yield process, lines
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def test_what_up_prints_is_what_a_pipeline_and_a_person_need(run: Run, tmp_path: Path) -> None:
    with _up("--data", str(tmp_path / "data"), "--port", "0", "--json") as (process, (line,)):
        said = json.loads(line)
        url = said["url"]
        assert said["env"] == {"OPENLINEAGE_URL": url, "MLFLOW_TRACKING_URI": url, "HEADWATER_URL": url}
        file = tmp_path / "events.ndjson"
        file.write_text(
            "".join(json.dumps(event) + "\n" for _, event in zip(range(200), events(), strict=False))
        )
        assert run("ingest", str(file), "--url", url).out == f"200 events from 1 file are in {url}.\n"
        about = run("status", "--url", url, "--json").json
        assert about["readiness"]["ready"]
        assert about["eventsIngested"] == 200
        ref = "postgres://warehouse/dw.raw.orders"
        assert "shop_nightly.load_orders" in run("lineage", ref, "--url", url).out
        assert run("export", ref, "--url", url).out.count("\n") > 0
        busy = run("hash", "--data", str(tmp_path / "data"))
        assert (busy.code, busy.out) == (4, "")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "checkpoint headwater/" in process.stderr.read()
    assert process.returncode == 0


def test_the_log_is_verified_erased_from_and_backed_up_beside_a_server(run: Run, tmp_path: Path) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "events.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for _, event in zip(range(50), events(), strict=False)))
    with _up("--data", data, "--port", "0", "--json") as (process, (line,)):
        url = json.loads(line)["url"]
        assert run("ingest", str(file), "--url", url).code == 0
        assert run("audit", "verify", "--data", data).code == 0
        kept, proof = tmp_path / "kept.txt", tmp_path / "proof.json"
        assert run("audit", "checkpoint", "--url", url, "-o", str(kept)).code == 0
        why = ("--reason", "asked", "--basis", "GDPR Art. 17")
        assert "1 record erased, as told by record 51." in run("audit", "erase", "7", *why, "--url", url).out
        ready = run("status", "--url", url, "--json").json["readiness"]
        assert ready["appliedSeq"] == ready["headSeq"] == 51
        assert (
            "50 records would be"
            not in run("audit", "purge", "--before", "2001-01-01", *why, "--url", url).out
        )
        assert run("audit", "rotate-key", "--reason", "yearly", "--url", url).code == 0
        new = tmp_path / "new.txt"
        new.write_text(run("audit", "checkpoint", "--data", data).out)
        assert "only grew" in run("audit", "compare", str(kept), str(new), "--url", url).out
        proof.write_text(run("audit", "prove", "9", "--url", url).out)
        assert run("audit", "verify", "--proof", str(proof)).code == 0
        assert run("audit", "verify", "--from-checkpoint", str(kept), "--data", data).code == 0
        assert [n["node"]["action"] for n in run("audit", "log", "--json", "--url", url).json["edges"]] == [
            "audit.key", "audit.erase",
        ]  # fmt: skip
        assert run("backup", str(tmp_path / "backup"), "--data", data).code == 0
    assert process.returncode == 0
    back = str(tmp_path / "back")
    assert run("restore", str(tmp_path / "backup"), "--data", back).code == 0
    assert run("hash", "--data", back).out == run("hash", "--data", data).out


def test_a_taken_port_is_said_and_the_next_one_taken(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with _up("--data", str(tmp_path), "--port", str(port)) as (process, lines):
            assert lines[0].startswith("Ready: Headwater")
            used = int(lines[0].split("127.0.0.1:")[1].split()[0])
            assert used > port
            assert f"  export OPENLINEAGE_URL=http://127.0.0.1:{used}\n" in lines
        assert process.stderr is not None


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Failed, match="cannot be listened on"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::1", "http://[::1]:1"),
        ("::", "http://[::1]:1"),
        ("box.example", "http://box.example:1"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, url: str) -> None:
    assert address(host, 1) == url


def test_listening_leaves_a_socket_that_is_bound() -> None:
    with listen("127.0.0.1", 0) as found:
        assert found.family is socket.AF_INET
        assert found.getsockname()[1] > 0

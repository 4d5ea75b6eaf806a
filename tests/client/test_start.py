"""How a process finds its server, and what the import costs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import headwater as hw
from headwater import connection, embedded, errors, session
from tests.client.served import Server


def test_the_client_imports_nothing_but_the_standard_library() -> None:
    code = """
import sys, pkgutil, headwater
for module in pkgutil.iter_modules(headwater.__path__):
    __import__(f"headwater.{module.name}")
print(sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"headwater", "__main__"}))
"""
    home = Path(hw.__file__).parent.parent
    environment = {"PYTHONPATH": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "[]\n"


def test_every_name_that_is_promised_is_there() -> None:
    assert set(hw.__all__) <= set(dir(hw))
    assert all(getattr(hw, name) is not None for name in hw.__all__)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        hw.trian  # noqa: B018


def test_a_server_is_started_on_a_folder_found_by_a_second_process_and_stopped_with_the_first(
    tmp_path: Path, outbox: Path
) -> None:
    code = (
        "import headwater as hw, sys; print(hw.connect(data=sys.argv[1]).url, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    environment = {**os.environ, "HEADWATER_URL": "http://127.0.0.1:1"}  # what is asked for goes before it
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as first:
        assert first.stdout is not None
        url = first.stdout.readline().strip()
        second = subprocess.run(
            command, input="", capture_output=True, text=True, env=environment, check=True
        )
        assert second.stdout.strip() == url
        assert session.Session(url).alive()
        first.communicate("")
    assert not session.Session(url).alive()
    again = subprocess.run(command, input="", capture_output=True, text=True, env=environment, check=True)
    assert again.stdout.startswith("http://127.0.0.1:")


def test_a_folder_that_another_server_has_says_so(server: Server, outbox: Path) -> None:
    with pytest.raises(errors.Away, match="another Headwater works on"):
        embedded.start(str(server._data))


@pytest.mark.parametrize("variable", ["HEADWATER_URL", "MLFLOW_TRACKING_URI", "OPENLINEAGE_URL"])
def test_the_environment_names_the_server(
    server: Server, outbox: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, server.url)
    assert hw.connect().url == server.url
    connection._current = None


def test_ctrl_c_in_a_request_leaves_a_connection_that_works(url: str) -> None:
    one = session.Session(url)
    assert one.alive()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def ask_for_ever() -> None:
        while True:
            one.alive()

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        with pytest.raises(KeyboardInterrupt):
            ask_for_ever()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert one.alive()
    assert json.dumps(one.json("GET", "/readyz", None))

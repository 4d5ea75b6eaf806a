"""What was backed up beside a server that works is put back whole, or not at all."""

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from headwater_server import backup
from headwater_server.audit.note import VerifierKey
from headwater_server.backup import MANIFEST, back_up, restore
from headwater_server.cli import main
from headwater_server.errors import Conflict, HeadwaterError, Invalid, NotFound
from tests.app import Headwater, settings
from tests.openlineage.said import run


def tell(headwater: Headwater, first: int = 0, count: int = 300) -> None:
    headwater.send_at_once(
        run("COMPLETE", f"job{n % 9}", f"r{n}", n, reads=["a"], writes=[f"t{n % 4}"])
        for n in range(first, first + count)
    )


def test_a_backup_beside_a_working_server_is_put_back_with_the_same_graph(
    headwater: Headwater, tmp_path: Path
) -> None:
    tell(headwater)
    headwater.registry.register_model("churn", actor="ada")
    blob = headwater.settings.data / "artifacts" / "ab" / "abcd"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"weights")
    made = back_up(headwater.settings, tmp_path / "kept")
    assert made.checkpoint.size == 301
    assert {"log.db", "series.db", "artifacts.db", "signing.key", "artifacts/ab/abcd"} <= made.files.keys()
    assert not {"graph.db", "lock"} & made.files.keys()
    expected = headwater.fingerprint()
    restored = restore(tmp_path / "kept", settings(tmp_path / "back"))
    assert restored.checkpoint == made.checkpoint
    back = Headwater(settings(tmp_path / "back"))
    assert back.fingerprint() == expected
    assert back.log.instance == headwater.log.instance
    assert back.parts.audit.keys() == headwater.parts.audit.keys()
    assert (tmp_path / "back" / "artifacts" / "ab" / "abcd").read_bytes() == b"weights"
    assert back.send(run("COMPLETE", "more", "more", 999, writes=["a"]))[0].seq == 302
    back.close()


def test_a_backup_is_of_one_moment_while_events_come_in(embedded: Headwater, tmp_path: Path) -> None:
    tell(embedded)
    stop = threading.Event()

    def go_on() -> None:
        n = 1_000
        while not stop.is_set():
            tell(embedded, n, 5)
            n += 5

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        sizes = []
        for n in range(3):
            embedded.parts.audit.note()
            made = back_up(embedded.settings, tmp_path / f"kept{n}")
            restore(tmp_path / f"kept{n}", settings(tmp_path / f"back{n}"))
            sizes.append(made.checkpoint.size)
    finally:
        stop.set()
        thread.join()
    assert sizes == sorted(sizes)
    assert sizes[0] >= 300


def test_only_its_owner_reads_a_backup(embedded: Headwater, tmp_path: Path) -> None:
    back_up(embedded.settings, tmp_path / "kept")
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "kept" / "signing.key").stat().st_mode) == 0o600


def spoil_log(kept: Path) -> None:
    raw = (kept / "log.db").read_bytes()
    (kept / "log.db").write_bytes(raw.replace(b'"name":"job3"', b'"name":"job4"'))


def spoil_log_and_manifest(kept: Path) -> None:
    spoil_log(kept)
    said = orjson.loads((kept / MANIFEST).read_bytes())
    size, digest = backup._measured(kept / "log.db")
    said["files"]["log.db"] = {"size": size, "sha256": digest}
    (kept / MANIFEST).write_bytes(orjson.dumps(said))


def spoil_checkpoint(kept: Path) -> None:
    said = orjson.loads((kept / MANIFEST).read_bytes())
    said["checkpoint"] = said["checkpoint"].replace("\n300\n", "\n299\n")
    (kept / MANIFEST).write_bytes(orjson.dumps(said))


def lead_outside(kept: Path) -> None:
    said = orjson.loads((kept / MANIFEST).read_bytes())
    said["files"]["../evil"] = said["files"].pop("series.db")
    (kept / MANIFEST).write_bytes(orjson.dumps(said))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (spoil_log, "SHA-256 is another"),
        (spoil_log_and_manifest, "not whole: record .*: its body was edited"),
        (spoil_checkpoint, "is wrong: this text is not what was signed"),
        (lambda kept: (kept / MANIFEST).unlink(), "no complete backup"),
        (lambda kept: (kept / "series.db").unlink(), "cannot be restored"),
        (lead_outside, "leads out of the folder"),
    ],
)
def test_a_backup_that_is_not_whole_is_not_put_back(
    embedded: Headwater, tmp_path: Path, spoil: Callable[[Path], None], expected: str
) -> None:
    tell(embedded)
    back_up(embedded.settings, tmp_path / "kept")
    spoil(tmp_path / "kept")
    with pytest.raises(HeadwaterError, match=expected):
        restore(tmp_path / "kept", settings(tmp_path / "back"))
    assert not (tmp_path / "back").exists() or not list((tmp_path / "back").iterdir())


def test_a_backup_of_another_log_than_the_one_whose_key_is_known_is_refused(
    embedded: Headwater, tmp_path: Path
) -> None:
    other = Headwater(settings(tmp_path / "other"))
    key: VerifierKey = other.parts.audit.keys()[-1]
    other.close()
    back_up(embedded.settings, tmp_path / "kept")
    with pytest.raises(Invalid, match="not of the log with that key"):
        restore(tmp_path / "kept", settings(tmp_path / "back"), trusted=(key,))
    restore(tmp_path / "kept", settings(tmp_path / "back"), trusted=(embedded.parts.audit.keys()[-1],))


def test_nothing_is_written_over(embedded: Headwater, tmp_path: Path) -> None:
    back_up(embedded.settings, tmp_path / "kept")
    with pytest.raises(Conflict, match="is not empty"):
        back_up(embedded.settings, tmp_path / "kept")
    with pytest.raises(Conflict, match="is not empty"):
        restore(tmp_path / "kept", embedded.settings)
    with pytest.raises(NotFound, match="no record log"):
        back_up(settings(tmp_path / "nothing"), tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_every_file_of_a_data_folder_is_known_to_backups(embedded: Headwater, tmp_path: Path) -> None:
    tell(embedded)
    embedded.parts.audit.note()
    (embedded.settings.data / "notes.txt").write_text("x")
    with pytest.raises(Invalid, match=r"holds notes\.txt, which is not Headwater's"):
        back_up(embedded.settings, tmp_path / "kept")
    (embedded.settings.data / "notes.txt").unlink()
    back_up(embedded.settings, tmp_path / "kept")


def test_both_are_commands(embedded: Headwater, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(embedded)
    data = str(embedded.settings.data)
    assert main(["backup", str(tmp_path / "kept"), "--data", data]) == 0
    assert "300 records and" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "kept"), "--data", str(tmp_path / "back"), "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["records"] == 300
    assert main(["restore", str(tmp_path / "kept"), "--data", str(tmp_path / "back")]) == 4
    assert main(["hash", "--data", str(tmp_path / "back")]) == 0
    assert capsys.readouterr().out.strip() == embedded.fingerprint()

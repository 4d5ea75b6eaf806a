"""`headwater audit` on a folder and through a server: what it prints, and with which exit code."""

import json
from pathlib import Path

import apsw
import pytest

from tests.cli.conftest import Run

WHY = ("--reason", "asked", "--basis", "GDPR Art. 17")


def test_a_whole_folder_is_verified_and_a_changed_one_is_not(run: Run, own_shop: Path) -> None:
    data = ("--data", str(own_shop))
    said = run("audit", "verify", *data)
    assert (said.code, said.out[:1]) == (0, "✓")
    assert "--from-checkpoint" in said.err
    log = apsw.Connection(str(own_shop / "log.db"))
    log.execute("DROP TRIGGER record_stands")
    log.execute("UPDATE record SET body = x'7b7d' WHERE seq = 7")
    log.close()
    said = run("audit", "verify", *data)
    assert (said.code, said.out.splitlines()[0]) == (1, "✗ record 7: its body was edited")
    found = run("audit", "verify", "--json", *data)
    assert (found.code, found.json["ok"], found.json["faults"]) == (
        1, False, [{"seq": 7, "what": "its body was edited"}],
    )  # fmt: skip


def test_a_checkpoint_kept_elsewhere_is_compared(run: Run, own_shop: Path, tmp_path: Path) -> None:
    data, kept = ("--data", str(own_shop)), tmp_path / "kept.txt"
    assert "is in" in run("audit", "checkpoint", "-o", str(kept), *data).out
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text(run("audit", "checkpoint", *data).out)
    assert run("model", "register", "upsell", *data).code == 0
    new.write_text(run("audit", "checkpoint", *data).out)
    assert run("audit", "checkpoint", "-o", str(kept), *data).code == 0
    assert run("audit", "verify", "--from-checkpoint", str(kept), *data, "--json").json["checkpoints"] == 2
    said = run("audit", "compare", str(old), str(new), *data)
    assert (said.code, "only grew" in said.out) == (0, True)
    assert "swap them" in run("audit", "compare", str(new), str(old), *data).err
    forged = new.read_text().splitlines()
    new.write_text("\n".join([forged[0], "3", *forged[2:]]) + "\n")
    said = run("audit", "compare", str(old), str(new), *data)
    assert (said.code, "is wrong" in said.err) == (1, True)


@pytest.mark.parametrize("without", [(), ("--without-body",)])
def test_a_proof_is_checked_without_data(
    run: Run, own_shop: Path, tmp_path: Path, without: tuple[str, ...]
) -> None:
    data, file = ("--data", str(own_shop)), tmp_path / "proof.json"
    file.write_text(run("audit", "prove", "5", *without, *data).out)
    said = run("audit", "verify", "--proof", str(file))
    assert (said.code, "record 5 (openlineage" in said.out) == (0, True)
    assert ("not shown" in said.out) is bool(without)
    key = run("audit", "keys", "--json", *data).json["keys"][0]["key"]
    assert run("audit", "verify", "--proof", str(file), "--key", key, "--json").json["trusted"] is True
    proof = json.loads(file.read_text())
    changes = {
        "leaf": proof["leaf"].replace('"seq":5', '"seq":6'),
        "checkpoint": proof["checkpoint"][1:],
        "path": proof["path"][1:],
        "seq": 6,
    }
    if not without:
        changes |= {"body": proof["body"] + " ", "salt": "00" * 16}
    for name, value in changes.items():
        file.write_text(json.dumps({**proof, name: value}))
        assert run("audit", "verify", "--proof", str(file)).code == 1, name


def test_another_key_than_the_known_one_is_refused(run: Run, own_shop: Path, tmp_path: Path) -> None:
    data, file = ("--data", str(own_shop)), tmp_path / "proof.json"
    before = run("audit", "keys", "--json", *data).json["keys"][0]["key"]
    assert run("audit", "rotate-key", "--reason", "yearly", *data).code == 0
    file.write_text(run("audit", "prove", "5", *data).out)
    said = run("audit", "verify", "--proof", str(file), "--key", before)
    assert (said.code, "not signed by a key of this log" in said.err) == (1, True)
    assert len(run("audit", "keys", "--json", *data).json["keys"]) == 2
    assert run("audit", "verify", *data).code == 0


def test_what_people_did_is_listed(run: Run, own_shop: Path) -> None:
    data = ("--data", str(own_shop))
    assert run("model", "register", "upsell", *data).code == 0
    found = run("audit", "log", "--action", "registry.model", "--json", *data).json
    newest = found["edges"][0]["node"]
    assert newest["after"]["name"] == "upsell"
    assert len(newest["hash"]) == len(newest["prevHash"]) == 64
    said = run("audit", "log", "--first", "2", *data)
    assert "registry.model" in said.out
    assert "2 of" in said.err
    assert run("audit", "log", "--since", "2199-01-01T00:00:00Z", *data).out == "Nothing.\n"


def test_erasing_and_purging_on_a_folder(run: Run, own_shop: Path) -> None:
    data = ("--data", str(own_shop))
    said = run("audit", "erase", "3", "5", *WHY, *data)
    assert (said.code, said.out.startswith("2 records erased, as told by record ")) == (0, True)
    hash_ = run("hash", *data).out
    assert run("rebuild", *data).code == 0
    assert run("hash", *data).out == hash_
    event = run("events", "--seq", "3", "--json", *data).json
    assert event["raw"] == {"erasedBy": event["erasedBy"]}
    planned = run("audit", "purge", "--before", "2199-01-01", *WHY, "--dry-run", *data)
    assert planned.code == 1
    assert "must be past" in planned.err
    found = run("audit", "verify", "--json", *data).json
    assert (found["ok"], found["erased"]) == (True, 2)
    assert run("audit", "erase", "3", "--reason", "r", "--basis", "b", *data).code == 4


def test_a_folder_without_a_log_is_said_to_have_none(run: Run, tmp_path: Path) -> None:
    said = run("audit", "verify", "--data", str(tmp_path))
    assert (said.code, "There is no record log" in said.err) == (1, True)
    assert list(tmp_path.iterdir()) == []

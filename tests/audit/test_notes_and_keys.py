"""Signed notes as C2SP writes them, the key file, and keys that follow each other."""

import base64
import os
import stat
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headwater_server.audit import keys
from headwater_server.audit.note import Checkpoint, SignerKey, VerifierKey, opened, sign, signed_by
from headwater_server.errors import Invalid, NotFound
from tests.app import Headwater

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
"""The example of the documentation of Go's package golang.org/x/mod/sumdb/note."""


def signer(name: str = "headwater/i") -> SignerKey:
    return SignerKey(name, Ed25519PrivateKey.generate())


def test_a_note_that_go_signed_is_read() -> None:
    key = VerifierKey.read(GO_KEY)
    text, signers = signed_by(GO_NOTE, [key])
    assert text.startswith("If you think")
    assert text.endswith("problem is.\n")
    assert signers == [key]
    assert str(key) == GO_KEY


def test_a_checkpoint_is_three_lines_and_signed() -> None:
    key, checkpoint = signer(), Checkpoint("headwater/i", 42, b"r" * 32)
    note = sign(checkpoint.text(), key)
    lines = note.split("\n")
    assert lines[:4] == ["headwater/i", "42", base64.b64encode(b"r" * 32).decode(), ""]
    assert lines[4].startswith("— headwater/i ")
    assert opened(note, [key.verifier]) == checkpoint


def test_what_was_changed_after_signing_is_refused() -> None:
    key = signer()
    note = sign(Checkpoint("headwater/i", 42, b"r" * 32).text(), key)
    with pytest.raises(Invalid, match="is wrong"):
        opened(note.replace("42", "41"), [key.verifier])
    with pytest.raises(Invalid, match="not signed by a key of this log"):
        opened(note, [signer().verifier])
    with pytest.raises(Invalid, match="expected one of headwater/j"):
        opened(note, [key.verifier], origin="headwater/j")


@pytest.mark.parametrize("text", ["", "a", "a\n1\n", "a\n1\n\n— a b\n", "a\n-1\nAAAA\n\n— a AAAA\n", "\n\n"])
def test_what_is_no_checkpoint_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Invalid):
        opened(text, [signer("a").verifier])


@pytest.mark.parametrize("text", ["", "a", "a+b", "a+00000000+AAAA", GO_KEY.replace("c74f", "c75f")])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Invalid, match="no verifier key"):
        VerifierKey.read(text)


def test_signatures_of_others_are_no_matter() -> None:
    mine, other = signer(), signer("witness")
    note = sign(Checkpoint("headwater/i", 1, b"r" * 32).text(), other, mine)
    assert signed_by(note, [mine.verifier])[1] == [mine.verifier]
    assert signed_by(note, [other.verifier, mine.verifier])[1] == [other.verifier, mine.verifier]


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        key = keys.make(tmp_path / keys.FILE, "headwater/i")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / keys.FILE).stat().st_mode) == 0o600
    assert keys.load(tmp_path / keys.FILE, "headwater/i").verifier == key.verifier
    assert [f.name for f in tmp_path.iterdir()] == [keys.FILE]


def test_a_key_that_is_missing_or_another_log_s_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / keys.FILE
    with pytest.raises(NotFound):
        keys.load(path, "headwater/i")
    keys.make(path, "headwater/i")
    with pytest.raises(Invalid, match="no signing key of headwater/j"):
        keys.load(path, "headwater/j")
    path.write_bytes(b"\xff\x00")
    with pytest.raises(Invalid):
        keys.load(path, "headwater/i")


def test_a_headwater_keeps_its_key(embedded: Headwater) -> None:
    before = embedded.parts.audit.keys()
    again = embedded.again()
    assert again.parts.audit.keys() == before
    again.close()


def test_a_new_key_is_signed_by_the_old_one_and_both_are_known(embedded: Headwater) -> None:
    audit = embedded.parts.audit
    [first] = audit.keys()
    second = audit.rotate_key(reason="yearly", actor="ada")
    third = audit.rotate_key(reason="lost laptop", actor="ada")
    assert audit.keys() == [first, second, third]
    record = embedded.log.get(2)
    assert record is not None
    assert (record.kind, record.actor) == ("audit.key", "ada")
    assert keys.read_rotation(record.body) == (second, third)
    assert opened(audit.checkpoint(), [third]).size == 2
    again = embedded.again()
    assert again.parts.audit.keys() == [first, second, third]
    assert list(again.store.all_nodes()) == []
    again.close()


def test_a_rotation_that_was_cut_short_is_ended_by_the_next_start(embedded: Headwater) -> None:
    data = embedded.settings.data
    before = (data / keys.FILE).read_bytes()
    new = embedded.parts.audit.rotate_key(reason="r", actor="ada")
    # as after a kill between the record and the file
    (data / keys.FILE).rename(data / keys.NEXT)
    (data / keys.FILE).write_bytes(before)
    again = embedded.again()
    assert again.parts.audit.keys()[-1] == new
    assert not (data / keys.NEXT).exists()
    again.close()


def test_a_rotation_that_was_cut_short_before_its_record_never_was(embedded: Headwater) -> None:
    data = embedded.settings.data
    before = embedded.parts.audit.keys()
    keys.make(data / keys.NEXT, embedded.parts.audit.origin)
    again = embedded.again()
    assert again.parts.audit.keys() == before
    assert not (data / keys.NEXT).exists()
    again.close()


def test_a_rotation_that_one_key_did_not_sign_is_none(embedded: Headwater) -> None:
    old, new = signer(), signer()
    note = sign(keys.rotation_text(old.verifier, new.verifier), new)
    with pytest.raises(Invalid, match="signed by the old key"):
        keys.read_rotation(b'{"note":%s}' % orjson.dumps(note))

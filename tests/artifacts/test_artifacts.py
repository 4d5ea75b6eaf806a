"""What a store of artifacts promises."""

import hashlib
from pathlib import Path

import pytest

from headwater_server.artifacts.folder import FolderArtifacts
from headwater_server.artifacts.port import ArtifactStore, Listed
from headwater_server.errors import Invalid, NotFound


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return FolderArtifacts(tmp_path / "artifacts")


def put(store: ArtifactStore, path: str, *chunks: bytes) -> str:
    upload = store.begin(path)
    for chunk in chunks:
        upload.feed(chunk)
    return upload.done().sha256


def test_a_file_comes_back_as_it_was_sent(artifacts: ArtifactStore) -> None:
    digest = put(artifacts, "1/run/artifacts/a.txt", b"hello ", b"world")
    assert digest == hashlib.sha256(b"hello world").hexdigest()
    assert b"".join(artifacts.read("1/run/artifacts/a.txt")) == b"hello world"
    assert b"".join(artifacts.read("1/run/artifacts/a.txt", start=3, end=8)) == b"lo wo"
    assert artifacts.stat("1/run/artifacts/a.txt").size == 11


def test_nobody_sees_a_file_before_it_is_whole(artifacts: ArtifactStore) -> None:
    put(artifacts, "f", b"old")
    upload = artifacts.begin("f")
    upload.feed(b"half of the new")
    assert b"".join(artifacts.read("f")) == b"old"
    upload.drop()
    assert artifacts.list("") == [Listed("f", is_dir=False, size=3)]


def test_a_folder_lists_what_is_in_it(artifacts: ArtifactStore) -> None:
    put(artifacts, "run/model/MLmodel", b"12")
    put(artifacts, "run/a.txt", b"1")
    assert artifacts.list("run") == [
        Listed("run/a.txt", is_dir=False, size=1),
        Listed("run/model", is_dir=True, size=0),
    ]
    assert artifacts.list("nothing/here") == []
    artifacts.delete("run/model")
    artifacts.delete("run/model")
    assert [one.path for one in artifacts.list("run")] == ["run/a.txt"]
    with pytest.raises(NotFound):
        artifacts.read("run/model/MLmodel")


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", "a\\b", "a//b", "./a", "a\x00b", ".incoming/x"]
)
def test_no_path_leaves_the_store(artifacts: ArtifactStore, path: str) -> None:
    with pytest.raises(Invalid):
        artifacts.begin(path)
    with pytest.raises(Invalid):
        artifacts.read(path)
    with pytest.raises(Invalid):
        artifacts.delete("")

"""What a store of artifacts promises, wherever its bytes lie."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_server.artifacts.catalogue import Catalogue
from headwater_server.artifacts.folder import FolderBlobs
from headwater_server.artifacts.objects import ObjectBlobs
from headwater_server.artifacts.port import ArtifactStore, Listed
from headwater_server.errors import Invalid, NotFound, Unavailable
from tests.artifacts.objects import Bucket, s3

KEYS = {"access_key_id": "key", "secret_access_key": "secret", "region": "eu-west-1"}


@pytest.fixture
def bucket() -> Iterator[tuple[str, Bucket]]:
    with s3() as served:
        yield served


@pytest.fixture(params=["folder", "objects"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArtifactStore]:
    if request.param == "folder":
        opened = Catalogue(tmp_path / "artifacts.db", FolderBlobs(tmp_path / "artifacts"))
    else:
        opened = in_bucket(tmp_path, request.getfixturevalue("bucket")[0])
    yield opened
    opened.close()


def listed(path: str, content: bytes) -> Listed:
    return Listed(path, is_dir=False, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def in_bucket(data: Path, endpoint: str) -> Catalogue:
    blobs = ObjectBlobs(
        "s3://shop/headwater",
        endpoint=endpoint,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
        **KEYS,
    )
    return Catalogue(data / "artifacts.db", blobs)


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
    assert b"".join(artifacts.read("1/run/artifacts/a.txt", start=9, end=99)) == b"ld"
    assert (artifacts.stat("1/run/artifacts/a.txt").size, artifacts.stat("1/run/artifacts/a.txt").sha256) == (
        11,
        digest,
    )


def test_an_empty_file_and_one_of_many_parts_come_back(artifacts: ArtifactStore) -> None:
    put(artifacts, "empty")
    assert b"".join(artifacts.read("empty")) == b""
    big = [bytes([n]) * (1 << 20) for n in range(25)]
    put(artifacts, "big", *big)
    assert b"".join(artifacts.read("big")) == b"".join(big)
    assert b"".join(artifacts.read("big", start=(1 << 20) - 1, end=(1 << 20) + 1)) == b"\x00\x01"


def test_nobody_sees_a_file_before_it_is_whole(artifacts: ArtifactStore) -> None:
    put(artifacts, "f", b"old")
    upload = artifacts.begin("f")
    upload.feed(b"half of the new")
    assert b"".join(artifacts.read("f")) == b"old"
    upload.drop()
    upload.drop()
    assert artifacts.list("") == [listed("f", b"old")]
    assert put(artifacts, "f", b"new") == artifacts.stat("f").sha256
    assert b"".join(artifacts.read("f")) == b"new"


def test_a_folder_lists_what_is_in_it(artifacts: ArtifactStore) -> None:
    put(artifacts, "run/model/MLmodel", b"12")
    put(artifacts, "run/model/data/weights", b"12")
    put(artifacts, "run/model.txt", b"1")
    put(artifacts, "run2/other", b"1")
    assert artifacts.list("run") == [
        Listed("run/model", is_dir=True, size=0),
        listed("run/model.txt", b"1"),
    ]
    assert [one.path for one in artifacts.list("")] == ["run", "run2"]
    assert artifacts.list("run/model.txt") == [listed("run/model.txt", b"1")]
    assert artifacts.list("nothing/here") == []
    artifacts.delete("run/model")
    artifacts.delete("run/model")
    assert [one.path for one in artifacts.list("run")] == ["run/model.txt"]
    assert [one.path for one in artifacts.list("")] == ["run", "run2"]
    with pytest.raises(NotFound):
        artifacts.read("run/model/MLmodel")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\\b",
        "..\\..\\x",
        "a//b",
        "./a",
        "a\x00b",
        "a\nb",
        "x" * 4_097,
        "\ud800",
    ],
)
def test_no_path_leaves_the_store(artifacts: ArtifactStore, path: str) -> None:
    for use in (artifacts.begin, artifacts.read, artifacts.stat, artifacts.delete):
        with pytest.raises(Invalid, match="path of an artifact"):
            use(path)


@pytest.mark.parametrize(
    "path", ["%2e%2e/x", "a;/../b".replace("/../", "/"), "file:x", "C:/x", "#/x", "a b/ü?.txt", "~/x"]
)
def test_a_name_that_means_something_elsewhere_is_only_a_name(tmp_path: Path, path: str) -> None:
    store = Catalogue(tmp_path / "artifacts.db", FolderBlobs(tmp_path / "blobs"))
    put(store, path, b"x")
    assert b"".join(store.read(path)) == b"x"
    (blob,) = [one for one in (tmp_path / "blobs").rglob("*") if one.is_file()]
    assert blob.name.isalnum()
    assert blob.is_relative_to(tmp_path / "blobs")
    store.close()


def test_what_was_replaced_or_deleted_leaves_no_bytes(tmp_path: Path) -> None:
    store = Catalogue(tmp_path / "artifacts.db", FolderBlobs(tmp_path / "blobs"))
    put(store, "a", b"1")
    put(store, "a", b"2")
    put(store, "b/c", b"3")
    assert len([one for one in (tmp_path / "blobs").rglob("*") if one.is_file()]) == 2
    store.delete("a")
    store.delete("b")
    assert not [one for one in (tmp_path / "blobs").rglob("*") if one.is_file()]
    store.close()


def test_an_object_store_that_refuses_is_unavailable_and_names_itself(
    bucket: tuple[str, Bucket], tmp_path: Path
) -> None:
    endpoint, served = bucket
    store = in_bucket(tmp_path, endpoint)
    served.broken = True
    with pytest.raises(Unavailable, match="s3://shop/headwater"):
        put(store, "a", b"x")
    assert store.list("") == []
    served.broken = False
    put(store, "a", b"x")
    (key,) = served.objects
    assert key.startswith("/shop/headwater/")
    store.close()

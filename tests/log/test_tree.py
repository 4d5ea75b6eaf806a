"""The tree is RFC 6962's: its test vectors, and a naive reference that follows the text of section 2.1."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater_server.log import tree
from headwater_server.log.tree import TILE, Tree

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of the first 1 to 8 leaves: the vectors of Certificate Transparency's reference implementation."""
PATHS = [
    (0, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (5, 8, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (1, 5, ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
]  # fmt: skip
GROWTH = [
    (1, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 5, ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
]  # fmt: skip


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of the RFC, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def hashes(size: int) -> list[bytes]:
    return [tree.leaf_hash(b"%d" % n) for n in range(size)]


def root_over(leaves: Sequence[bytes]) -> tree.Root:
    full = len(leaves) // TILE
    tiles = [mth(leaves[n * TILE : (n + 1) * TILE]) for n in range(full)]
    return tree.roots(tiles, lambda first, end: leaves[first:end])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    grown, _ = Tree().grown(tree.leaf_hash(leaf) for leaf in LEAVES[:size])
    assert grown.root().hex() == ROOTS[size - 1]


def test_nothing_has_the_root_of_nothing() -> None:
    assert Tree().root() == sha256(b"").digest()


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_inclusion_paths_are_those_of_certificate_transparency(
    index: int, size: int, path: list[str]
) -> None:
    leaves = [tree.leaf_hash(leaf) for leaf in LEAVES[:size]]
    found = tree.inclusion(index, size, root_over(leaves))
    assert [node.hex() for node in found] == path


@pytest.mark.parametrize(("old", "new", "path"), GROWTH)
def test_consistency_paths_are_those_of_certificate_transparency(old: int, new: int, path: list[str]) -> None:
    leaves = [tree.leaf_hash(leaf) for leaf in LEAVES[:new]]
    found = tree.consistency(old, new, root_over(leaves))
    assert [node.hex() for node in found] == path


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=4))
def test_growing_in_any_pieces_gives_the_root_and_the_tiles_of_the_reference(pieces: list[int]) -> None:
    leaves = hashes(sum(pieces))
    grown, tiles, at = Tree(), [], 0
    for piece in pieces:
        grown, sealed = grown.grown(leaves[at : at + piece])
        tiles += sealed
        at += piece
    assert grown.root() == mth(leaves)
    assert tiles == [mth(leaves[n : n + TILE]) for n in range(0, len(leaves) - TILE + 1, TILE)]
    assert tree.of_tiles(tiles, leaves[len(tiles) * TILE :]) == grown
    assert root_over(leaves)(0, len(leaves)) == grown.root() or not leaves


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_path_proves_its_leaf_and_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 1_100))
    index = data.draw(st.integers(0, size - 1))
    leaves = hashes(size)
    root, path = mth(leaves), tree.inclusion(index, size, root_over(leaves))
    assert tree.is_included(leaves[index], index, size, path, root)
    other = data.draw(st.integers(0, size + 2).filter(lambda n: n != index))
    assert not tree.is_included(leaves[index], other, size, path, root)
    assert not tree.is_included(tree.leaf_hash(b"?"), index, size, path, root)
    assert not tree.is_included(leaves[index], index, size, [*path, root], root)
    assert not tree.is_included(leaves[index], index, size, path, tree.leaf_hash(b"?"))
    if path:
        spoiled = data.draw(st.integers(0, len(path) - 1))
        assert not tree.is_included(leaves[index], index, size, path[:spoiled] + path[spoiled + 1 :], root)
        wrong = [*path[:spoiled], tree.leaf_hash(b"?"), *path[spoiled + 1 :]]
        assert not tree.is_included(leaves[index], index, size, wrong, root)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_growth_is_proved_and_a_rewritten_beginning_is_not(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 1_100))
    old = data.draw(st.integers(0, new))
    leaves = hashes(new)
    old_root, new_root = mth(leaves[:old]), mth(leaves)
    path = tree.consistency(old, new, root_over(leaves))
    assert tree.is_consistent(old, old_root, new, new_root, path)
    assert not tree.is_consistent(old, old_root, new, new_root, [*path, old_root])
    assert not tree.is_consistent(new + 1, old_root, new, new_root, path)
    if old:
        changed = data.draw(st.integers(0, old - 1))
        rewritten = [*leaves[:changed], tree.leaf_hash(b"?"), *leaves[changed + 1 :]]
        forged = tree.consistency(old, new, root_over(rewritten))
        assert not tree.is_consistent(old, old_root, new, mth(rewritten), forged)
    if path:
        spoiled = data.draw(st.integers(0, len(path) - 1))
        wrong = [*path[:spoiled], tree.leaf_hash(b"?"), *path[spoiled + 1 :]]
        assert not tree.is_consistent(old, old_root, new, new_root, wrong)
        assert not tree.is_consistent(old, old_root, new, new_root, path[:-1])

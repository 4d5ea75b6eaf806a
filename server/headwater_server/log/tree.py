"""The Merkle tree of RFC 6962, section 2.1: growing, roots, proofs that a leaf is in it and that it only grew. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

TILE_HEIGHT = 8
TILE = 1 << TILE_HEIGHT
"""Leaves of one tile. A tile that is full never changes: its root stands for it."""
EMPTY = sha256(b"").digest()

Root: TypeAlias = Callable[[int, int], bytes]
"""(first, end) -> the root over those leaves, counted from 0."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def pair(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Tree:
    """All that growing needs: the roots of the perfect subtrees, from the left, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def grown(self, leaves: Iterable[bytes]) -> "tuple[Tree, list[bytes]]":
        """With these leaf hashes behind it; and the roots of the tiles that are full now."""
        size, peaks, tiles = self.size, list(self.peaks), []
        for node in leaves:
            height = 0
            while size >> height & 1:
                node = pair(peaks.pop(), node)  # noqa: PLW2901
                height += 1
                if height == TILE_HEIGHT:
                    tiles.append(node)
            peaks.append(node)
            size += 1
        return Tree(size, tuple(peaks)), tiles

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            root = pair(peak, root)
        return root


def roots(tiles: Sequence[bytes], leaves: Callable[[int, int], Sequence[bytes]]) -> Root:
    """Roots from those of full tiles, and from leaf hashes where a part of a tile is asked for."""

    def root(first: int, end: int) -> bytes:
        size = end - first
        if size == TILE and first % TILE == 0:
            return tiles[first // TILE]
        if size <= TILE:
            return Tree().grown(leaves(first, end))[0].root()
        middle = first + _split(size)
        return pair(root(first, middle), root(middle, end))

    return root


def of_tiles(tiles: Sequence[bytes], rest: Sequence[bytes]) -> Tree:
    """The tree over full tiles and the leaf hashes behind them."""
    whole = Tree().grown(tiles)[0]
    return Tree(whole.size * TILE, whole.peaks).grown(rest)[0]


def inclusion(index: int, size: int, root: Root) -> list[bytes]:
    """PATH(index, D[size]): what, hashed with the leaf, gives the root."""
    path: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append(root(middle, end))
            end = middle
        else:
            path.append(root(first, middle))
            first = middle
    return path[::-1]


def consistency(old: int, new: int, root: Root) -> list[bytes]:
    """PROOF(old, D[new]): that the tree of `old` leaves is the beginning of the one of `new`; empty if they are equal."""
    path: list[bytes] = []
    first, end, whole = 0, new, True
    if old == 0:
        return path
    while old < end:
        middle = first + _split(end - first)
        if old <= middle:
            path.append(root(middle, end))
            end = middle
        else:
            path.append(root(first, middle))
            first, whole = middle, False
    if not whole:
        path.append(root(first, end))
    return path[::-1]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Does the path lead from the leaf's hash to the root? (RFC 9162, 2.1.3.2)"""
    if not 0 <= index < size:
        return False
    node, last = leaf, size - 1
    for other in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = pair(other, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = pair(node, other)
        index, last = index >> 1, last >> 1
    return last == 0 and node == root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Did the tree only grow between the two roots? (RFC 9162, 2.1.4.2)"""
    if old > new or (old == new and (path or old_root != new_root)):
        return False
    if old in {0, new}:
        return not path and (old > 0 or old_root == EMPTY)
    nodes = list(path) if old & (old - 1) else [old_root, *path]
    if not nodes:
        return False
    index, last = old - 1, new - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    before = after = nodes[0]
    for other in nodes[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            before, after = pair(other, before), pair(other, after)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            after = pair(after, other)
        index, last = index >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1

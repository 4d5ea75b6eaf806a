"""Thins out long lists of constants before parsing: they carry no lineage. Pure."""

from collections.abc import Sequence

_FEW = 2000  # shorter statements are parsed as they are
_KEPT = 8  # members of a list that stay


def thinned(words: Sequence[str], constants: Sequence[bool], first: int, last: int) -> dict[int, str]:
    """Return the tokens to drop: rows of VALUES and members of IN beyond the first few."""
    drops: dict[int, str] = {}
    if last - first < _FEW:
        return drops
    i = first
    while i < last:
        if words[i] == "VALUES":
            i = _rows(words, constants, i + 1, last, drops)
        elif words[i] == "IN" and i + 1 < last and words[i + 1] == "(":
            i = _members(words, constants, i + 2, last, drops)
        else:
            i += 1
    return drops


def _rows(words: Sequence[str], constants: Sequence[bool], i: int, last: int, drops: dict[int, str]) -> int:
    """Drop rows that hold constants alone, after the first few rows."""
    kept = 0
    while i < last and words[i] == "(":
        end, plain, depth = i, True, 0
        while end < last:
            w = words[end]
            depth += (w == "(") - (w == ")")
            if depth == 0:
                break
            plain = plain and (constants[end] or w in "(),+-")
            end += 1
        if plain and kept >= _KEPT:
            drops.update((k, "") for k in range(i - 1, end + 1))
        kept += 1
        i = end + 1
        if i < last and words[i] == ",":
            i += 1
        else:
            break
    return i


def _members(
    words: Sequence[str], constants: Sequence[bool], i: int, last: int, drops: dict[int, str]
) -> int:
    start, kept = i, 0
    while i < last and constants[i] and i + 1 < last and words[i + 1] in (",", ")"):
        kept += 1
        if kept > _KEPT:
            drops[i - 1] = drops[i] = ""
        if words[i + 1] == ")":
            return i + 1
        i += 2
    for k in range(start, i):  # not a list of constants: leave it alone
        drops.pop(k, None)
    return max(i, start)

"""Reads the names of tables from the tokens of a script."""

from headwater_parsers.ast.reading import Text
from headwater_parsers.dialects import Traits
from headwater_parsers.tree import Table


def past_exists(text: Text, i: int) -> int:
    while i < len(text) and text.words[i] in ("IF", "NOT", "EXISTS", "ONLY"):
        i += 1
    return i


def pairs_at(text: Text, i: int, last: int, traits: Traits, between: str) -> list[tuple[Table, Table]]:
    made = []
    i = past_exists(text, i)
    while i < last:
        a, i = name_at(text, i, traits)
        if i >= last or text.words[i] != between:
            break
        b, i = name_at(text, i + 1, traits)
        made.append((a, b))
        if i >= last or text.words[i] != ",":
            break
        i += 1
    return made


def name_at(text: Text, i: int, traits: Traits) -> tuple[Table, int]:
    """Read a dotted name from its tokens."""
    parts: list[str] = []
    start = text.tokens[i].start if i < len(text) else -1
    end = start
    while i < len(text):
        prefix = ""
        while i < len(text) and text.words[i] in ("#", "@", "##"):
            prefix += text.words[i]
            i += 1
        if i >= len(text):
            break
        quoted = text.words[i] == ""
        pieces = text.name(i).split(".") if quoted and " " not in text.name(i) else [text.name(i)]
        parts += [prefix + traits.fold(p, quoted=quoted) for p in pieces]
        end = text.tokens[i].end + 1
        i += 1
        if i < len(text) and text.words[i] == ".":
            i += 1
            continue
        break
    kind = "temporary" if parts and parts[-1].startswith("@") else "table"
    return Table(tuple(p for p in parts if p), kind=kind, at=(start, end)), i

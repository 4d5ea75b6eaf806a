"""Finds the tables of a statement that nobody can read, by its words."""

from headwater_parsers.ast.reading import Text
from headwater_parsers.dialects import Traits
from headwater_parsers.token_names import name_at, past_exists
from headwater_parsers.tree import Statement, Table, Write


def scanned(text: Text, first: int, last: int, traits: Traits) -> Statement:
    """Read only the tables of a statement: what stands after FROM, JOIN, INTO and the like."""
    made = Statement("scanned")
    words = text.words
    ctes = {
        text.name(j).lower() for j in range(first, last - 2) if words[j + 1] == "AS" and words[j + 2] == "("
    }
    target: Table | None = None
    reads: list[Table] = []
    j = first
    while j < last - 1:
        w = words[j]
        following = words[j + 1]
        if following in ("(", "SELECT", ")", ",") or (following == "" and text.string(j + 1)):
            j += 1
            continue
        if w in ("FROM", "JOIN", "USING") and not _in_call(words, j, first):
            name, j = name_at(text, j + 1, traits)
            if name.parts and name.parts[-1].lower() not in ctes:
                reads.append(name)
            while w == "FROM" and j < last and words[j] == ",":
                name, j = name_at(text, j + 1, traits)
                if name.parts:
                    reads.append(name)
            continue
        if target is None and w in ("INTO", "OVERWRITE", "TABLE", "VIEW", "UPDATE"):
            if following in ("TABLE", "INTO", "IF", "OR"):
                j += 1
                continue
            if w in ("INTO", "OVERWRITE", "UPDATE") or words[first] == "CREATE":
                target, j = name_at(text, past_exists(text, j + 1), traits)
                continue
        j += 1
    made.reads = reads
    if target is not None and target.parts:
        made.writes.append(Write(target, None, columns=()))
    return made


def _in_call(words: list[str], j: int, first: int) -> bool:
    """Say whether this FROM belongs to EXTRACT(x FROM y), TRIM, SUBSTRING or DISTINCT FROM."""
    if words[j] != "FROM":
        return False
    if words[j - 1] == "DISTINCT":
        return True
    depth = 0
    for k in range(j - 1, first, -1):
        depth += (words[k] == ")") - (words[k] == "(")
        if depth < 0:
            return words[k - 1] in ("EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION")
        if words[k] == "SELECT" and depth == 0:
            return False
    return False

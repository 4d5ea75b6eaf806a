"""Rewrites the tokens of statements that sqlglot reads only in part."""

from headwater_parsers.ast.reading import Text
from headwater_parsers.dialects import traits_of
from headwater_parsers.token_names import name_at, past_exists

_AFTER_OUTPUT = frozenset({"FROM", "WHERE", "VALUES", "SELECT", "DEFAULT", "EXEC", ";"})
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "&", "|", "^"})
_SHORT = {"SEL": "SELECT", "INS": "INSERT", "UPD": "UPDATE", "DEL": "DELETE"}  # Teradata


def rewritten(text: Text, first: int, last: int) -> dict[int, str]:
    """Return the tokens to replace before sqlglot reads the statement; '' drops one."""
    words = text.words
    changes: dict[int, str] = {}
    head = words[first]
    for j in range(first + 1, last - 1):
        if words[j] == "MINUS" and words[j + 1] in ("SELECT", "(", "ALL", "DISTINCT"):
            changes[j] = "EXCEPT"
    if text.dialect == "teradata":
        _teradata(words, first, last, changes)
    if head in ("UPSERT", "REPLACE") and words[first + 1 : first + 2] != ["("]:
        changes[first] = "INSERT"
        if head == "REPLACE" and words[first + 1 : first + 2] not in (["INTO"], ["LOW_PRIORITY"]):
            return changes
    elif head in _SHORT:
        changes[first] = _SHORT[head]
    elif head == "INSERT" and "DIRECTORY" in words[first + 1 : first + 4]:
        _drop_formats(words, first, last, changes)
    elif head == "CREATE":
        if "VIEW" in words[first : first + 6]:
            _drop_refresh(words, first, last, changes)
        _drop_no_data(words, first, last, changes)
    elif head == "MERGE" and text.dialect == "bigquery":
        for j in range(first, last):
            if words[j] == "ROW" and words[j - 1] == ")":
                changes[j] = "VALUES ( * )"  # INSERT (a, b) ROW
    elif head == "MERGE" and text.dialect == "oracle":
        _drop_merge_delete(words, first, last, changes)
    elif head in ("UPDATE", "DELETE", "INSERT", "MERGE") and text.dialect in ("tsql", "fabric"):
        _drop_top(words, first, last, changes)
        _drop_output(words, first, last, changes)
    return changes


def _drop_formats(words: list[str], first: int, last: int, changes: dict[int, str]) -> None:
    """Drop USING parquet OPTIONS (...), ROW FORMAT ... and STORED AS ... before the query."""
    i = first
    while i < last and words[i] != "DIRECTORY":
        i += 1
    for j in range(i + 2, last):
        if words[j] in ("SELECT", "FROM", "WITH", "VALUES", "TABLE") or (
            words[j] == "(" and words[j + 1 : j + 2] == ["SELECT"]
        ):
            return
        changes[j] = ""


def _drop_refresh(words: list[str], first: int, last: int, changes: dict[int, str]) -> None:
    """Drop the options of a materialized view that carry no lineage."""
    for j in range(first, min(last, first + 40)):
        if words[j] == "AS":
            return
        if words[j] == "AUTO" and words[j + 1 : j + 2] == ["REFRESH"]:
            for k in (j, j + 1, j + 2):
                changes[k] = ""
        elif words[j] == "BACKUP" and words[j + 1 : j + 2] in (["YES"], ["NO"]):
            changes[j] = changes[j + 1] = ""


def _teradata(words: list[str], first: int, last: int, changes: dict[int, str]) -> None:
    """Read `a (NAMED b)` as an alias, SEL inside as SELECT; drop (TITLE ...) and (FORMAT ...)."""
    if words[first] == "LOCKING":
        for j in range(first, last):
            changes[j] = ""
            if words[j] in ("ACCESS", "READ", "WRITE", "SHARE", "EXCLUSIVE"):
                break
    for j in range(first, last):
        if words[j] == "SEL":
            changes[j] = "SELECT"
        attribute = words[j + 1] if words[j] == "(" and words[j + 3 : j + 4] == [")"] else ""
        if attribute == "NAMED":
            changes.update({j: "", j + 1: "AS", j + 3: ""})
        elif attribute in ("TITLE", "FORMAT"):
            changes.update(dict.fromkeys(range(j, j + 4), ""))


def _drop_merge_delete(words: list[str], first: int, last: int, changes: dict[int, str]) -> None:
    """Drop DELETE WHERE of Oracle's UPDATE branch: it writes no column."""
    depth = 0
    dropping = False
    for j in range(first, last):
        depth += (words[j] == "(") - (words[j] == ")")
        if words[j] == "DELETE" and words[j + 1 : j + 2] == ["WHERE"] and words[j - 1] != "THEN":
            dropping = True
        elif dropping and depth == 0 and words[j] == "WHEN":
            dropping = False
        if dropping:
            changes[j] = ""


def _drop_no_data(words: list[str], first: int, last: int, changes: dict[int, str]) -> None:
    """Drop WITH NO DATA at the end: the shape of what will come is lineage too."""
    for tail in (["WITH", "NO", "DATA"], ["WITH", "DATA"]):
        start = last - len(tail)
        if start > first and words[start:last] == tail:
            changes.update(dict.fromkeys(range(start, last), ""))
            return


def _drop_top(words: list[str], first: int, last: int, changes: dict[int, str]) -> None:
    if words[first + 1 : first + 3] == ["TOP", "("]:
        j = first + 1
        while j < last and words[j] != ")":
            changes[j] = ""
            j += 1
        changes[j] = ""
        if words[j + 1 : j + 2] == ["PERCENT"]:
            changes[j + 1] = ""


def _drop_output(words: list[str], first: int, last: int, changes: dict[int, str]) -> None:
    """Drop OUTPUT ... of T-SQL: it hands changed rows back."""
    depth = 0
    for j in range(first, last):
        depth += (words[j] == "(") - (words[j] == ")")
        if depth == 0 and words[j] == "OUTPUT" and words[j - 1] != ",":
            while j < last and not (depth == 0 and words[j] in _AFTER_OUTPUT):
                depth += (words[j] == "(") - (words[j] == ")")
                changes[j] = ""
                j += 1  # noqa: PLW2901 (the clause is passed over)
            return


def compound(text: Text, first: int, last: int) -> dict[int, tuple[int, int]]:
    """Find `column += value`: the operator, and the tokens of the column to repeat behind it."""
    words = text.words
    made: dict[int, tuple[int, int]] = {}
    if words[first] not in ("UPDATE", "MERGE", "WITH", "SET"):
        return made
    for j in range(first + 1, last - 1):
        if words[j] in _OPERATORS and words[j + 1] == "=" and text.touches(j):
            k = j - 1
            while k - 2 >= first and words[k - 1] == ".":
                k -= 2
            made[j] = (k, j)
    return made


def without_options(text: Text, first: int, last: int) -> dict[int, str] | None:
    """Drop the options of CREATE ... AS query that stand between the name and the query."""
    words = text.words
    if words[first] != "CREATE":
        return None
    start = next((j for j in range(first, last) if words[j] in ("TABLE", "VIEW")), None)
    if start is None:
        return None
    kept = {"OR", "REPLACE", "TEMP", "TEMPORARY", "VOLATILE", "MATERIALIZED", "EXTERNAL"}
    strange = [j for j in range(first + 1, start) if words[j] not in kept]
    drops = dict.fromkeys(strange, "")
    for j in strange:
        if words[j] == "REFRESH" and words[j - 1] == "OR":
            drops[j - 1] = ""
    _, i = name_at(text, past_exists(text, start + 1), traits_of(""))
    depth = 0
    for j in range(i, last - 1):
        depth += (words[j] == "(") - (words[j] == ")")
        if depth == 0 and words[j] == "AS" and words[j + 1] in ("SELECT", "WITH", "(", "FROM"):
            return {**drops, **dict.fromkeys(range(i, j), "")}
    return drops or None

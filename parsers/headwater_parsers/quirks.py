"""Recognises statements that sqlglot does not read, by their words."""

from headwater_parsers.ast.reading import Text
from headwater_parsers.dialects import Traits
from headwater_parsers.token_names import name_at, pairs_at, past_exists
from headwater_parsers.tree import Join, Select, Star, Statement, Table, Write

# No data moves, and what follows is not worth reading.
_SILENT = frozenset(
    {
        "MSCK REPAIR", "COLLECT", "SUMMARIZE", "HANDLER", "HELP", "UNDROP",
        "GRANT", "REVOKE", "SHOW", "ANALYZE", "EXPLAIN", "DESCRIBE", "DESC", "COMMIT", "ROLLBACK",
        "SAVEPOINT", "START", "RESET", "PRINT", "RAISE", "RAISERROR", "VACUUM", "OPTIMIZE",
        "REFRESH", "COMMENT", "LOCK", "UNLOCK", "KILL", "PREPARE", "DEALLOCATE", "FETCH", "OPEN",
        "CLOSE", "MSCK", "CHECKPOINT", "REINDEX", "DISCARD", "LISTEN", "NOTIFY", "ABORT",
        "ATTACH", "DETACH", "INSTALL", "PRAGMA", "ADD", "LIST", "REMOVE", "GET", "PUT", "UNCACHE",
        "INVALIDATE", "WAITFOR", "THROW", "BREAK", "CONTINUE", "LEAVE", "ITERATE", "GOTO", "NULL",
        "SIGNAL", "RESIGNAL", "ASSERT", "RETURN", "DELIMITER", "CLEAR", "BACKUP", "RESTORE",
        "UNSET", "EXIT", "CONNECT",
    }
)  # fmt: skip
_NO_DATA = frozenset(
    {
        "SCHEMA", "DATABASE", "USER", "ROLE", "INDEX", "SEQUENCE", "EXTENSION", "TYPE", "DOMAIN",
        "POLICY", "INTEGRATION", "WAREHOUSE", "SECRET", "CATALOG", "TRIGGER", "RULE", "STAGE",
        "FORMAT", "LOGIN", "SYNONYM", "STATISTICS", "TAG", "SHARE", "SERVER", "CONNECTION",
    }
)  # fmt: skip
_CALLS = frozenset({"CALL", "EXEC", "EXECUTE", "PERFORM"})


def recognised(text: Text, first: int, last: int, traits: Traits) -> Statement | None:
    """Return the statement if its first words say that sqlglot should not be asked."""
    words = text.words[first:last]
    head = words[0]
    if head in _SILENT and not (head in ("GET", "ADD", "LIST", "START") and words[1:2] == ["."]):
        return Statement(head.lower())
    if head in _CALLS:
        made = Statement("call")
        made.notes.append(("call", f"{head} is not followed into the routine."))
        return made
    if head == "ALTER" and words[1:2] == ["TABLE"]:
        return _alter(text, first, last, traits)
    if head == "RENAME" and words[1:2] in (["TABLE"], ["TABLES"]):
        made = Statement("rename")
        for a, b in pairs_at(text, first + 2, last, traits, "TO"):
            made.renames.append((a, b))
        return made
    if head == "EXCHANGE" and words[1:2] in (["TABLE"], ["TABLES"]):
        made = Statement("swap")
        made.swaps = pairs_at(text, first + 2, last, traits, "AND")
        return made
    if head == "LOAD" and "INFILE" in words:
        return _load(text, first, last, traits)
    if head == "CREATE":
        return _create(text, first, last, traits)
    if head == "INSERT":
        return _insert_of_call(text, first, last, traits)
    return None


def _insert_of_call(text: Text, first: int, last: int, traits: Traits) -> Statement | None:
    """Read INSERT INTO t EXEC p: what the procedure returns is not known."""
    words = text.words
    if words[first + 1 : first + 2] != ["INTO"]:
        return None
    target, i = name_at(text, first + 2, traits)
    columns: list[str] = []
    if i < last and words[i] == "(":
        while i < last - 1 and words[i] != ")":
            i += 1
            if words[i] not in (",", ")"):
                columns.append(traits.fold(text.name(i), quoted=words[i] == ""))
        i += 1
    if i < last and words[i] in _CALLS:
        made = Statement("insert", [Write(target, None, tuple(columns))])
        made.notes.append(("call", f"{words[i]} is not followed into the routine."))
        return made
    return None


def _alter(text: Text, first: int, last: int, traits: Traits) -> Statement | None:
    target, i = name_at(text, past_exists(text, first + 2), traits)
    words = text.words
    rest = words[i:last]
    if rest[:2] == ["APPEND", "FROM"]:
        source, _ = name_at(text, i + 2, traits)
        return Statement("append", [Write(target, None, copies=source)])
    if rest[:2] in (["EXCHANGE", "PARTITION"], ["SWITCH", "TO"]) or rest[:1] == ["SWITCH"]:
        for j in range(i, last):
            if words[j] in ("TABLE", "TO"):
                other, _ = name_at(text, j + 1, traits)
                pair = (target, other) if words[j] == "TABLE" else (other, target)
                return Statement("exchange", [Write(pair[0], None, copies=pair[1])])
    return None


def _create(text: Text, first: int, last: int, traits: Traits) -> Statement | None:
    words = text.words[first:last]
    for word in words[1:6]:
        if word in ("TABLE", "VIEW", "STREAM", "SNAPSHOT", "FUNCTION", "PROCEDURE", "MODEL", "AS"):
            break
        if word in _NO_DATA:
            return Statement(f"create_{word.lower()}")
    for kind in ("STREAM", "SNAPSHOT"):
        if kind not in words[1:5]:
            continue
        start = first + words.index(kind) + 1
        if kind == "SNAPSHOT" and text.words[start] == "TABLE":
            start += 1
        target, i = name_at(text, past_exists(text, start), traits)
        for j in range(i, last - 1):
            if text.words[j] in ("TABLE", "VIEW", "CLONE") and (
                text.words[j] == "CLONE" or text.words[j - 1] == "ON"
            ):
                source, _ = name_at(text, j + 1, traits)
                return Statement(kind.lower(), [Write(target, None, copies=source)])
    return None


def _load(text: Text, first: int, last: int, traits: Traits) -> Statement | None:
    path, target = None, None
    for j in range(first, last):
        if text.words[j] == "INFILE":
            path = text.string(j + 1)
        if text.words[j] == "TABLE":
            target, _ = name_at(text, j + 1, traits)
    if path is None or target is None:
        return None
    query = Select([Star()], [Join(Table((path,), kind="file"))])
    return Statement("load", [Write(target, query)])


def assigned(text: Text, first: int, last: int) -> tuple[str, int] | None:
    """Return the variable of `LET x INT := ...` or `x := ...`, and where its value starts."""
    words = text.words
    start = first + 1 if words[first] == "LET" else first
    for j in range(start + 1, min(start + 4, last)):
        if words[j] == ":=" and j + 1 < last:
            return text.name(start), j + 1
    return None


def unloaded(text: Text, first: int, last: int) -> tuple[int, int, str] | None:
    """Return the tokens of UNLOAD's query, or the one string that holds it, and its file."""
    words = text.words
    if words[first : first + 2] != ["UNLOAD", "("]:
        return None
    depth = 0
    for j in range(first + 1, last):
        depth += (words[j] == "(") - (words[j] == ")")
        if depth == 0:
            path = text.string(j + 2) if words[j + 1 : j + 2] == ["TO"] else None
            return first + 2, j, path or ""
    return None

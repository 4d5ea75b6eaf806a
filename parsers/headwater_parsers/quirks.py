"""Statements that sqlglot does not read, recognised and rewritten by their words."""

from headwater_parsers.ast.reading import Text
from headwater_parsers.dialects import Traits, traits_of
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
_AFTER_OUTPUT = frozenset({"FROM", "WHERE", "VALUES", "SELECT", "DEFAULT", "EXEC", ";"})
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "&", "|", "^"})
_SHORT = {"SEL": "SELECT", "INS": "INSERT", "UPD": "UPDATE", "DEL": "DELETE"}  # Teradata
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
        for a, b in _pairs(text, first + 2, last, traits, "TO"):
            made.renames.append((a, b))
        return made
    if head == "EXCHANGE" and words[1:2] in (["TABLE"], ["TABLES"]):
        made = Statement("swap")
        made.swaps = _pairs(text, first + 2, last, traits, "AND")
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
    target, i = name_at(text, _past_exists(text, first + 2), traits)
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
        target, i = name_at(text, _past_exists(text, start), traits)
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


def _past_exists(text: Text, i: int) -> int:
    while i < len(text) and text.words[i] in ("IF", "NOT", "EXISTS", "ONLY"):
        i += 1
    return i


def _pairs(text: Text, i: int, last: int, traits: Traits, between: str) -> list[tuple[Table, Table]]:
    made = []
    i = _past_exists(text, i)
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


def rewritten(text: Text, first: int, last: int) -> dict[int, str]:
    """Return the tokens to replace before sqlglot reads the statement; '' drops one."""
    words = text.words
    changes: dict[int, str] = {}
    head = words[first]
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
                target, j = name_at(text, _past_exists(text, j + 1), traits)
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
    _, i = name_at(text, _past_exists(text, start + 1), traits_of(""))
    depth = 0
    for j in range(i, last - 1):
        depth += (words[j] == "(") - (words[j] == ")")
        if depth == 0 and words[j] == "AS" and words[j + 1] in ("SELECT", "WITH", "(", "FROM"):
            return {**drops, **dict.fromkeys(range(i, j), "")}
    return drops or None

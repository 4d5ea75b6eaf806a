"""Cuts a script into statements, through blocks, loops and routines, by its words alone. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headwater_parsers.boundaries import STARTS, Boundaries

_TRANSACTION = frozenset({"TRANSACTION", "TRAN", "WORK", "ISOLATION", "DISTRIBUTED", "DEFERRED"})
_LISTS = frozenset({"postgres", "redshift", "oracle", "snowflake", "materialize"})
_RUNNERS = frozenset({"TASK", "PIPE"})  # objects that run one statement
_ROUTINES = frozenset({"PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "PACKAGE"})
_ENDS = frozenset({"IF", "LOOP", "WHILE", "FOR", "REPEAT", "CASE", "TRY", "CATCH", "BLOCK"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """The tokens [first, last) of one statement."""

    first: int
    last: int
    kind: str = ""  # "for": the query of a loop; "string": code in a string; "dynamic"
    name: str = ""  # the loop's variable
    routine: str | None = None
    in_block: bool = False


class Splitter:
    """Walks over the words of a script."""

    def __init__(self, words: Sequence[str], names: Sequence[str], dialect: str) -> None:
        self._words = words
        self._boundaries = Boundaries(words)
        self._names = names  # the same tokens as written
        self._free = dialect in ("tsql", "fabric")  # statements need no semicolon
        self._dialect = dialect
        self._i = 0
        self._blocks = 0
        self._routine: str | None = None

    def chunks(self) -> Iterator[Chunk]:
        while self._i < len(self._words):
            before = self._i
            yield from self._step()
            if self._i == before:
                self._i += 1

    def _word(self, ahead: int = 0) -> str:
        i = self._i + ahead
        return self._words[i] if 0 <= i < len(self._words) else ";"

    def _step(self) -> Iterator[Chunk]:
        word = self._word()
        if word in (";", "GO", "/", "$$", "THEN", "LOOP", "DO", "REPEAT", "ELSE") and not (
            word == "DO" and self._word(1) in ("", "LANGUAGE")
        ):
            self._i += 1
        elif word == "BEGIN":
            self._begin()
        elif word == "END":
            self._end()
        elif word in ("IF", "ELSEIF", "ELSIF", "WHEN") or word == "WHILE":
            yield from self._conditional(word)
        elif word == "UNTIL":
            self._skip_to({"END", ";"})
        elif word == "FOR":
            yield from self._loop()
        elif word == "DECLARE" and self._declares_block():
            yield from self._declarations()
        elif word in ("PROCEDURE", "FUNCTION"):
            self._inner_routine()
        elif word in ("EXCEPTION", "TRY", "CATCH", "ATOMIC"):
            self._i += 1
        elif word == "CREATE" or (word == "ALTER" and self._routine_word() is not None):
            yield from self._create()
        elif word == "DO":
            yield from self._do()
        elif word in ("EXEC", "EXECUTE") and self._dynamic():
            yield from self._execute()
        elif self._word(1) == ":" and self._word(2) in ("LOOP", "WHILE", "FOR", "REPEAT", "BEGIN"):
            self._i += 2  # a label
        elif word == "<<":
            self._skip_to({">>"})
            self._i += 1
        else:
            yield self._statement()

    # -- blocks -----------------------------------------------------------------------------

    def _begin(self) -> None:
        following = self._word(1)
        if following in _TRANSACTION or (following == ";" and not self._blocks):
            self._skip_to({";"})
            return
        self._blocks += 1
        self._i += 1
        if self._word() in ("TRY", "CATCH", "ATOMIC"):
            self._i += 1
        if self._word() == "NOT" and self._word(1) == "ATOMIC":
            self._i += 2

    def _end(self) -> None:
        self._i += 1
        if self._word() in _ENDS:
            self._i += 1
        elif self._blocks:
            self._blocks -= 1
        if self._word() not in (";", "ELSE", "END", "UNTIL") and self._word(1) == ";":
            self._i += 1  # END name;
        if not self._blocks and self._word() == ";":
            self._routine = None

    def _conditional(self, word: str) -> Iterator[Chunk]:
        """Pass over IF condition THEN, and over a condition without THEN."""
        start = self._i + 1
        closers = {"THEN", "DO", "LOOP"} if word == "WHILE" else {"THEN"}
        depth = case = 0
        j = start
        while j < len(self._words):
            w = self._words[j]
            if w == "(":
                depth += 1
            elif w == ")":
                depth -= 1
            elif w == "CASE":
                case += 1
            elif w == "END" and case:
                case -= 1
            elif depth == 0 and case == 0:
                if w in closers:
                    yield from self._condition(start, j)
                    self._i = j + 1
                    return
                if w == ";" or (w in STARTS and j > start and w not in ("IF", "WITH")):
                    break
            j += 1
        if word == "IF" and self._word(1) in ("EXISTS", "NOT") and j >= len(self._words):
            self._i = start
            return
        yield from self._condition(start, j)
        self._i = j

    def _condition(self, first: int, last: int) -> Iterator[Chunk]:
        if any(w == "SELECT" for w in self._words[first:last]):
            yield self._chunk(first, last, "condition")

    def _loop(self) -> Iterator[Chunk]:
        name = self._names[self._i + 1] if self._i + 1 < len(self._names) else ""
        j = self._i + 2
        while j < len(self._words) and self._words[j] not in ("IN", "AS", ";"):
            j += 1
        first = j + 1
        depth = 0
        j = first
        while j < len(self._words):
            w = self._words[j]
            depth += (w == "(") - (w == ")")
            if depth <= 0 and w in ("DO", "LOOP", ";"):
                break
            j += 1
        if any(w in ("SELECT", "FROM") for w in self._words[first:j]):
            yield self._chunk(first, j, "for", name)
        elif j == first + 1:
            yield self._chunk(first, j, "cursor", name)
        self._i = j + 1

    def _declares_block(self) -> bool:
        """Say whether DECLARE opens the list before BEGIN of PL/SQL and its kin."""
        if self._dialect not in _LISTS:
            return False
        return any(w == "BEGIN" for w in self._words[self._i : self._i + 2000])

    def _declarations(self) -> Iterator[Chunk]:
        """Pass over declarations; those with a query read tables."""
        first = self._i + 1
        end = self._find(first, "BEGIN")
        start = first
        for j in range(first, end + 1):
            if j < end and self._words[j] != ";":
                continue
            inside = self._words[start:j]
            if "SELECT" in inside:
                at = start + inside.index("SELECT")
                if "CURSOR" in inside:
                    cursor = start + 1 if self._words[start] == "CURSOR" else start
                    yield self._chunk(at, j, "for", self._names[cursor])
                else:
                    yield self._chunk(at, j, "condition")
            start = j + 1
        self._i = end

    def _inner_routine(self) -> None:
        """Pass over the head of a procedure inside a package."""
        j, depth = self._i, 0
        while j < len(self._words):
            w = self._words[j]
            depth += (w == "(") - (w == ")")
            if depth == 0 and w in ("BEGIN", "IS", "AS"):
                self._i = self._find(j, "BEGIN") if "BEGIN" in self._words[j:] else j + 1
                return
            if depth == 0 and w == ";":
                break
            j += 1
        self._i = j + 1

    # -- routines ---------------------------------------------------------------------------

    def _routine_word(self) -> int | None:
        for j in range(self._i + 1, min(self._i + 7, len(self._words))):
            if self._words[j] in _ROUTINES or self._words[j] in _RUNNERS:
                return j
            if self._words[j] in ("TABLE", "VIEW", "SCHEMA", "DATABASE", "INDEX", ";", "AS", "("):
                return None
        return None

    def _create(self) -> Iterator[Chunk]:
        at = self._routine_word()
        if at is None or "TABLE" in self._words[self._i : at]:
            yield self._statement()
            return
        kind = self._words[at]
        name = self._names[at + 1] if at + 1 < len(self._names) else ""
        j = at + 1
        while j + 2 < len(self._words) and self._words[j + 1] == ".":
            j += 2
            name += "." + self._names[j]
        body = self._body(at, kind)
        if body is None:
            yield self._statement()
            return
        language = self._language(at)
        if language not in ("", "SQL", "PLPGSQL", "PLSQL", "SPL"):
            end = self._end_of(self._i)
            yield self._chunk(self._i, end, "foreign", language.lower())
            self._i = end
            return
        self._routine = name
        self._i = body

    def _language(self, at: int) -> str:
        """Return the language that a routine names, before or behind its body."""
        for j in range(at, self._end_of(at) - 1):
            if self._words[j] == "BEGIN":
                break
            if self._words[j] == "LANGUAGE":
                return self._names[j + 1].upper()
        return ""

    def _body(self, at: int, kind: str) -> int | None:
        """Find the first token of a routine's body; None when it is one expression."""
        depth = 0
        for j in range(at, len(self._words)):
            w = self._words[j]
            depth += (w == "(") - (w == ")")
            if depth:
                continue
            if w == ";" and kind != "PACKAGE":
                return None
            if w == "BEGIN":
                return j
            if w == "DECLARE" and kind != "PACKAGE":
                return j
            if w in ("AS", "IS"):
                after = self._words[j + 1] if j + 1 < len(self._words) else ";"
                if after == "" and kind != "FUNCTION":
                    return j + 1  # the body is a string
                if after == "" and self._is_code(j + 1):
                    return j + 1
                if kind == "FUNCTION" and after not in ("BEGIN", "DECLARE"):
                    if not self._begins_before_end(j + 1):
                        return None
                    continue
                if after in ("BEGIN", "DECLARE") or after in STARTS or kind in _RUNNERS:
                    return j + 1
                if self._begins_before_end(j + 1):  # Oracle: declarations without DECLARE
                    return self._find(j + 1, "BEGIN")
        return None

    def _is_code(self, i: int) -> bool:
        text = self._names[i] if i < len(self._names) else ""
        return "begin" in text.lower() or ";" in text

    def _begins_before_end(self, j: int) -> bool:
        for k in range(j, len(self._words)):
            if self._words[k] == "BEGIN":
                return True
            if self._words[k] in ("CREATE", "$$"):
                return False
        return False

    def _find(self, j: int, word: str) -> int:
        while j < len(self._words) and self._words[j] != word:
            j += 1
        return j

    def _do(self) -> Iterator[Chunk]:
        """Read DO $$ ... $$: an anonymous block in a string."""
        j = self._i + 1
        while j < len(self._words) and self._words[j] not in ("", ";"):
            j += 1
        if j < len(self._words) and self._words[j] == "":
            yield self._chunk(j, j + 1, "string")
        self._i = j + 1

    def _dynamic(self) -> bool:
        following = self._word(1)
        if following in ("IMMEDIATE", "(", ""):
            return True
        return self._free and following in ("SP_EXECUTESQL", "SYS") and self._word(2) in ("", "@", ".")

    def _execute(self) -> Iterator[Chunk]:
        first = self._i
        j = self._end_of(first)
        strings = [k for k in range(first + 1, j) if self._words[k] == ""]
        plain = [
            w for w in self._words[first + 1 : j] if w not in ("", "(", ")", "IMMEDIATE", "SP_EXECUTESQL")
        ]
        if strings and (
            not plain or "SP_EXECUTESQL" in self._words[first:j] or plain[0] in ("USING", "INTO", ",")
        ):
            into = self._words.index("INTO", first, j) if "INTO" in self._words[first:j] else j
            names = []
            for k in range(into + 1, j):
                if self._words[k] == "USING":
                    break
                names += [self._names[k]] if self._words[k] != "," else []
            kind = "into" if names else "string"
            yield self._chunk(strings[0], strings[0] + 1, kind, ",".join(names))
        else:
            yield self._chunk(first, j, "dynamic")
        self._i = j

    # -- plain statements -------------------------------------------------------------------

    def _statement(self) -> Chunk:
        first = self._i
        if self._words[first] == "" and self._routine is not None:
            self._i += 1  # a routine's body as a string
            routine = self._chunk(first, first + 1, "string")
            self._i = self._end_of(self._i)
            self._routine = None
            return routine
        last = self._end_of(first)
        self._i = last
        return self._chunk(first, last)

    def _chunk(self, first: int, last: int, kind: str = "", name: str = "") -> Chunk:
        inside = bool(self._blocks) or self._routine is not None
        return Chunk(first, last, kind, name, self._routine, inside)

    def _end_of(self, first: int) -> int:
        """Find where the statement that starts here ends."""
        words = self._words
        depth = case = 0
        head = words[first] if first < len(words) else ""
        j = first
        while j < len(words):
            w = words[j]
            if w == "(":
                depth += 1
            elif w == ")":
                depth = max(0, depth - 1)
            elif w == ";":
                return j
            elif w == "CASE":
                case += 1
            elif w == "END" and case:
                case -= 1
            elif depth == 0 and case == 0 and j > first:
                if w == "END" and (self._blocks or self._free) and words[j - 1] != ".":
                    return j
                if self._free and self._boundaries.ends_here(self._i, j, head, self._blocks):
                    return j
            j += 1
        return len(words)

    def _skip_to(self, words: set[str]) -> None:
        while self._i < len(self._words) and self._words[self._i] not in words:
            self._i += 1

"""Reads one statement as well as it can: whole, cut in two, in another dialect, tables alone."""

from collections.abc import Iterator
from dataclasses import replace

from headwater_parsers.ast.reading import Text, Unreadable, read
from headwater_parsers.ast.statements import Statements
from headwater_parsers.collapse import thinned
from headwater_parsers.dialects import LADDER
from headwater_parsers.quirks import assigned, recognised, unloaded
from headwater_parsers.rewrites import compound, rewritten, without_options
from headwater_parsers.scan import scanned
from headwater_parsers.session import Session
from headwater_parsers.split import Chunk
from headwater_parsers.tree import Statement, Table

Read = tuple[Statement, int, int]  # with the tokens [first, last) that it takes

_HEADS = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "CREATE", "DROP", "TRUNCATE", "ALTER"}
)
MAX_CHARACTERS = 1_000_000
MAX_TOKENS = 50_000
MAX_DEPTH = 200
_MANY = 2_000
_LONG = 20_000  # characters: other dialects are not tried on more


class Ladder:
    """Reads the statements of a text, for a session."""

    def __init__(self, text: Text, session: Session, masking: frozenset[str]) -> None:
        self._text = text
        self._session = session
        self._masking = masking
        self._drops: dict[int, str] = {}

    def read(self, chunk: Chunk) -> Iterator[Read]:
        text, first, last = self._text, chunk.first, chunk.last
        known = recognised(text, first, last, self._session.traits)
        if known is not None:
            yield known, first, last
            return
        drops = {}
        if last - first > _MANY:
            drops = thinned(text.words, text.constants(), first, last)
        refused = self._refused(first, last, len(drops))
        if refused is not None:
            made = scanned(text, first, last, self._session.traits)
            made.notes.append(refused)
            yield made, first, last
            return
        self._drops = drops
        try:
            yield from self._whole(chunk)
        except Unreadable as problem:
            cut = self._cut(chunk, problem.at)
            if cut is not None:
                yield from self.read(replace(chunk, last=cut))
                yield from self.read(replace(chunk, first=cut))
            else:
                yield self._otherwise(chunk, problem), first, last

    def _refused(self, first: int, last: int, dropped: int) -> tuple[str, str] | None:
        """Say why only the tables of a statement are read."""
        if len(self._text.sql) > MAX_CHARACTERS:
            said = f"The script is longer than {MAX_CHARACTERS:,} characters"
        elif last - first - dropped > MAX_TOKENS:
            said = f"The statement has more than {MAX_TOKENS:,} tokens"
        elif self._text.depth(first, last) > MAX_DEPTH:
            said = f"The statement is nested more than {MAX_DEPTH} levels deep"
        else:
            return None
        return "too-large", f"{said}: only its tables are read."

    def _reader(self, chunk: Chunk) -> Statements:
        session = self._session
        routine = chunk.in_block or chunk.routine is not None
        return Statements(session.traits, session.functions, self._masking, routine=routine)

    def _whole(self, chunk: Chunk) -> Iterator[Read]:
        text, first, last = self._text, chunk.first, chunk.last
        reader = self._reader(chunk)
        if chunk.kind == "cursor":  # FOR r IN c: r is a row of what the cursor reads
            yield reader.variables.row_of(chunk.name, text.name(first)), first, last
            return
        if chunk.kind == "into":  # EXECUTE IMMEDIATE '...' INTO x
            said = Text(text.string(first) or "", text.dialect)
            for node in read(said.tokens, said.sql, text.dialect):
                yield reader.variables.into(chunk.name.split(","), node), first, last
            return
        assignment = assigned(text, first, last)
        if assignment is not None:
            name, i = assignment
            for node in read([text.word_at(i, "SELECT"), *text.tokens[i:last]], text.sql, text.dialect):
                yield reader.variables.assignment(name, node), first, last
            return
        unload = unloaded(text, first, last)
        if unload is not None:
            a, z, path = unload
            code = text.string(a)
            inner = Text(code, text.dialect) if code is not None and z == a + 1 else None
            tokens = inner.tokens if inner is not None else text.tokens[a:z]
            for node in read(tokens, inner.sql if inner is not None else text.sql, text.dialect):
                made = reader.read(node)
                made.kind = "unload"
                for write in made.writes:
                    write.target = Table((path,), kind="file")
                yield made, first, last
            return
        changes = {**self._drops, **rewritten(text, first, last)}
        tokens = text.changed(first, last, changes, compound(text, first, last))
        try:
            nodes = read(tokens, text.sql, text.dialect)
        except Unreadable:
            options = without_options(text, first, last)
            if options is None:
                raise
            nodes = read(text.changed(first, last, options), text.sql, text.dialect)
        for node in nodes:
            if chunk.kind == "for":
                yield reader.variables.for_each(chunk.name, node), first, last
            elif chunk.kind == "condition":
                yield reader.variables.condition(node), first, last
            else:
                yield reader.read(node), first, last

    def _cut(self, chunk: Chunk, at: int) -> int | None:
        """Find a statement that starts, on a line of its own, where reading failed."""
        text = self._text
        for i in range(chunk.first + 1, chunk.last):
            token = text.tokens[i]
            if token.start > at:
                return None
            between = text.sql[text.tokens[i - 1].end + 1 : token.start]
            if token.end >= at and text.words[i] in _HEADS and "\n" in between:
                return i
        return None

    def _otherwise(self, chunk: Chunk, problem: Unreadable) -> Statement:
        text = self._text
        start, end = text.span(chunk.first, chunk.last)
        sql = text.sql[start:end]
        for dialect in LADDER if len(sql) < _LONG else ():
            if dialect == text.dialect:
                continue
            made = self._in_dialect(chunk, sql, dialect, start)
            if made is not None and _says_something(made):
                note = f"{problem.text} It is read as {dialect or 'ANSI'} SQL."
                made.notes.append(("other-dialect", note))
                return made
        made = scanned(text, chunk.first, chunk.last, self._session.traits)
        if text.words[chunk.first] != "DECLARE" or made.reads:
            made.notes.append(("syntax", problem.text))
        return made

    def _in_dialect(self, chunk: Chunk, sql: str, dialect: str, base: int) -> Statement | None:
        try:
            text = Text(sql, dialect)
            if not text.tokens:
                return None
            tokens = text.changed(0, len(text), rewritten(text, 0, len(text)))
            for token in tokens:
                token.start += base
                token.end += base
            nodes = read(tokens, self._text.sql, dialect)
        except Unreadable:
            return None
        if len(nodes) != 1:
            return None
        reader = self._reader(chunk)
        if chunk.kind == "for":
            return reader.variables.for_each(chunk.name, nodes[0])
        return reader.read(nodes[0])


def _says_something(statement: Statement) -> bool:
    return bool(statement.assigns) or any(w.query or w.copies for w in statement.writes)

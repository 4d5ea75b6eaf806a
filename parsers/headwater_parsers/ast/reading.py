"""Cuts text into tokens, and reads a run of tokens into a sqlglot tree."""

import logging
from collections.abc import Sequence
from functools import lru_cache

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

_QUOTED = frozenset(
    getattr(TokenType, name)
    for name in (
        "STRING", "IDENTIFIER", "NATIONAL_STRING", "RAW_STRING", "HEREDOC_STRING",
        "UNICODE_STRING", "BYTE_STRING", "HEX_STRING", "BIT_STRING", "BLOCK_START", "BLOCK_END",
    )
    if hasattr(TokenType, name)
)  # fmt: skip
_KINDS = {"AS": "ALIAS", "(": "L_PAREN", ")": "R_PAREN", "*": "STAR"}
_TOLD = frozenset({"CREATE", "INSERT", "ALTER", "MERGE", "UPDATE", "DELETE", "COPY", "WITH"})
_STRINGS = _QUOTED - {TokenType.IDENTIFIER}


class Unreadable(Exception):
    """The text cannot be read: `at` is the offset of the trouble."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.text = text
        self.at = at


class _Quiet(logging.Filter):
    """sqlglot logs each statement it does not know; here that is a diagnostic instead."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return self.depth == 0


_quiet = _Quiet()
logging.getLogger("sqlglot").addFilter(_quiet)


@lru_cache(maxsize=64)
def _dialect(name: str) -> Dialect:
    return Dialect.get_or_raise(name)


@lru_cache(maxsize=64)
def _tokenizer(name: str, quote: bool) -> type:  # noqa: FBT001 (a cache takes no names)
    # sqlglot swallows the rest of a command it does not know as one string. We want the tokens.
    if name == "athena":  # Hive's DDL and Trino's queries: two tokenizers in one
        name = "hive" if quote else "trino"
    return type("Plain", (_dialect(name).tokenizer_class,), {"COMMANDS": set()})


class Text:
    """A script as tokens, with the bare words in upper case beside them."""

    def __init__(self, sql: str, dialect: str) -> None:
        self.sql = sql
        self.dialect = dialect
        try:
            tokens = _tokenizer(dialect, "`" in sql)(dialect=_dialect(dialect)).tokenize(sql)
        except TokenError as error:
            raise Unreadable(f"The text cannot be cut into tokens: {error}", 0) from error
        self.tokens: list[Token] = list(tokens)
        self.words = ["" if t.token_type in _QUOTED else t.text.upper() for t in self.tokens]

    def constants(self) -> list[bool]:
        """Say of every token whether it is a number, a string, or NULL, TRUE, FALSE."""
        return [
            t.token_type in _STRINGS
            or t.token_type is TokenType.NUMBER
            or w in ("NULL", "TRUE", "FALSE", "DEFAULT")
            for t, w in zip(self.tokens, self.words, strict=True)
        ]

    def depth(self, first: int, last: int) -> int:
        """Return how deeply parentheses and CASE are nested."""
        deepest = depth = 0
        for w in self.words[first:last]:
            if w in ("(", "CASE", "["):
                depth += 1
                deepest = max(deepest, depth)
            elif w in (")", "END", "]"):
                depth -= 1
        return deepest

    def __len__(self) -> int:
        return len(self.tokens)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return the offsets of the tokens [first, last)."""
        if first >= last:
            at = self.tokens[min(first, len(self.tokens) - 1)].start if self.tokens else 0
            return at, at
        return self.tokens[first].start, self.tokens[last - 1].end + 1

    def string(self, i: int) -> str | None:
        """Return the content of a string token."""
        if i < len(self.tokens) and self.tokens[i].token_type in _STRINGS:
            return self.tokens[i].text
        return None

    def content_at(self, i: int) -> int:
        """Return the offset at which a string token's content starts, as nearly as it can."""
        token = self.tokens[i]
        found = self.sql.find(token.text[:20], token.start)
        return found if found >= 0 else token.start

    def name(self, i: int) -> str:
        return self.tokens[i].text

    def word_at(self, i: int, word: str) -> Token:
        """Return a token of our own, in the place of another."""
        at = self.tokens[i]
        return Token(getattr(TokenType, word), word, at.line, at.col, at.start, at.end)

    def touches(self, i: int) -> bool:
        """Say whether nothing stands between this token and the next."""
        return self.tokens[i].end + 1 == self.tokens[i + 1].start

    def changed(
        self,
        first: int,
        last: int,
        words: dict[int, str],
        repeated: dict[int, tuple[int, int]] | None = None,
    ) -> list[Token]:
        """Return a run of tokens with some replaced: INSERT for UPSERT.

        `repeated` turns `a.b += c` into `a.b = a.b + c`.
        """
        made: list[Token] = []
        for i in range(first, last):
            token = self.tokens[i]
            if repeated and i in repeated:
                a, b = repeated[i]
                made += [self.tokens[i + 1], *self.tokens[a:b], token]
                continue
            if repeated and i - 1 in repeated:
                continue
            word = words.get(i)
            if word == "":
                continue
            if word is None:
                made.append(token)
                continue
            for piece in word.split():
                kind = getattr(TokenType, _KINDS.get(piece, piece), TokenType.VAR)
                made.append(Token(kind, piece, token.line, token.col, token.start, token.end))
        return made


def read(tokens: Sequence[Token], sql: str, dialect: str) -> list[exp.Expr]:
    """Read tokens into trees. Raise Unreadable with the place of the first error."""
    _quiet.depth += 1
    try:
        parser = _dialect(dialect).parser(error_level=ErrorLevel.IMMEDIATE)
        made = [e for e in parser.parse(list(tokens), sql) if e is not None]
    except ParseError as error:
        raise Unreadable(*_explained(error, sql, tokens)) from error
    except (ValueError, AttributeError, TypeError, IndexError, KeyError, AssertionError) as error:
        # sqlglot's own slips on odd input must not cost the rest of the script.
        at = tokens[0].start if tokens else 0
        raise Unreadable(f"The statement cannot be read: {error}", at) from error
    finally:
        _quiet.depth -= 1
    for node in made:
        if isinstance(node, exp.Command) and str(node.this).upper() in _TOLD:
            # sqlglot gives such statements up without an error.
            raise Unreadable(f"{str(node.this).upper()} of this form is not known.", tokens[0].start)
    return made


def _explained(error: ParseError, sql: str, tokens: Sequence[Token]) -> tuple[str, int]:
    if not error.errors:
        return "The statement cannot be read.", tokens[0].start if tokens else 0
    first = error.errors[0]
    line, col = first.get("line") or 1, first.get("col") or 1
    lines = sql.split("\n")
    at = sum(len(x) + 1 for x in lines[: line - 1]) + max(0, col - 1)
    highlight = str(first.get("highlight") or "")
    at = max(0, at - max(0, len(highlight) - 1))
    description = str(first.get("description") or "").rstrip(".")
    return f"{description}, at {highlight!r}.", at

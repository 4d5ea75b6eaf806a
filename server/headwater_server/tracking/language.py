"""The filter and order language: text in, a tree out. Pure.

What MLflow's clients write, and more: OR, NOT, parentheses, and numbers for params.

    filter = term { "OR" term };  term = factor { "AND" factor };  factor = "NOT" factor | "(" filter ")" | comparison
    comparison = ident op value | ident ["NOT"] "IN" "(" value { "," value } ")" | ident "IS" ["NOT"] "NULL"
    ident = [ entity "." ] key;  a key may stand in "…" or `…`;  an entity's dots belong to its key
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from headwater_server.errors import Invalid

MAX_FILTER = 20_000
MAX_DEPTH = 100
MAX_ORDERS = 100
OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL")
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<text>'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`(?:[^`])*`)
    | (?P<op><>|!=|>=|<=|==|=|<|>)
    | (?P<mark>[().,])
    | (?P<word>[^\s'"`()=<>!,.]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "ASC", "DESC"})

Value: TypeAlias = "str | float | tuple[str | float, ...] | None"


class Comparison(NamedTuple):
    entity: str
    """As it was written, lower-case; empty: none."""
    key: str
    operator: str
    value: Value


class And(NamedTuple):
    terms: tuple["Tree", ...]


class Or(NamedTuple):
    terms: tuple["Tree", ...]


class Not(NamedTuple):
    term: "Tree"


Tree: TypeAlias = Comparison | And | Or | Not


class Order(NamedTuple):
    entity: str
    key: str
    ascending: bool


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def keyword(self) -> str:
        upper = self.text.upper()
        return upper if self.kind == "word" and upper in KEYWORDS else ""


def parse_filter(text: str) -> Tree | None:
    """None: everything.

    Raises:
        Invalid: where it cannot be read, and what was expected there.

    """
    if len(text) > MAX_FILTER:
        raise Invalid(f"Invalid filter: at most {MAX_FILTER} characters, this one has {len(text)}.")
    if not text.strip():
        return None
    reader = _Reader(text, "Invalid clause(s) in filter string")
    tree = reader.any_of(0)
    reader.end()
    return tree


def parse_orders(texts: Sequence[str]) -> list[Order]:
    """`metrics.loss DESC`, one each or several with commas. Raises Invalid."""
    found: list[Order] = []
    for text in texts:
        reader = _Reader(text, "Invalid order_by clause")
        while True:
            entity, key = reader.ident()
            word = reader.peek().keyword
            if word in ("ASC", "DESC"):
                reader.next()
            found.append(Order(entity, key, word != "DESC"))
            if reader.peek().text != ",":
                break
            reader.next()
        reader.end()
    if len(found) > MAX_ORDERS:
        raise Invalid(f"Invalid order_by: at most {MAX_ORDERS} clauses, these are {len(found)}.")
    return found


class _Reader:
    def __init__(self, text: str, wrong: str) -> None:
        self._text = text
        self._wrong = wrong
        self._tokens = _tokens(text, wrong)
        self._place = 0

    def peek(self, ahead: int = 0) -> _Token:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else _Token("end", "", len(self._text))

    def next(self) -> _Token:
        token = self.peek()
        self._place += 1
        return token

    def end(self) -> None:
        if self.peek().kind != "end":
            raise self._refused("the end, AND or OR")

    def any_of(self, depth: int) -> Tree:
        return self._joined("OR", self.all_of, Or, depth)

    def all_of(self, depth: int) -> Tree:
        return self._joined("AND", self._factor, And, depth)

    def _joined(
        self, word: str, part: Callable[[int], Tree], whole: type[And] | type[Or], depth: int
    ) -> Tree:
        terms = [part(depth)]
        while self.peek().keyword == word:
            self.next()
            terms.append(part(depth))
        return terms[0] if len(terms) == 1 else whole(tuple(terms))

    def _factor(self, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            raise Invalid(f"Invalid filter: more than {MAX_DEPTH} parentheses or NOTs within each other.")
        token = self.peek()
        if token.keyword == "NOT":
            self.next()
            return Not(self._factor(depth + 1))
        if token.text == "(" and token.kind == "mark":
            self.next()
            tree = self.any_of(depth + 1)
            if self.next().text != ")":
                self._place -= 1
                raise self._refused("`)`")
            return tree
        return self._comparison()

    def _comparison(self) -> Comparison:
        entity, key = self.ident()
        token = self.next()
        if token.kind == "op":
            operator = {"==": "=", "<>": "!="}.get(token.text, token.text)
            return Comparison(entity, key, operator, self._value())
        match token.keyword:
            case "LIKE" | "ILIKE":
                return Comparison(entity, key, token.keyword, self._value())
            case "IN":
                return Comparison(entity, key, "IN", self._list())
            case "NOT" if self.peek().keyword == "IN":
                self.next()
                return Comparison(entity, key, "NOT IN", self._list())
            case "IS":
                negated = self.peek().keyword == "NOT"
                if negated:
                    self.next()
                if self.next().keyword == "NULL":
                    return Comparison(entity, key, "IS NOT NULL" if negated else "IS NULL", None)
        self._place -= 1
        raise self._refused(f"one of {', '.join(OPERATORS)}")

    def ident(self) -> tuple[str, str]:
        """(entity, key). Words, numbers and quoted parts between dots; the first is the entity when there are more."""
        first = self.next()
        if first.kind not in ("word", "text") or first.keyword:
            self._place -= 1
            raise self._refused("a name like metrics.loss, params.lr, tags.team or attributes.status")
        parts = [_unquoted(first) if first.kind == "text" else first.text]
        while self.peek().text == "." and self.peek().kind == "mark":
            self.next()
            token = self.next()
            if token.kind not in ("word", "text", "number"):
                self._place -= 1
                raise self._refused("a key after the dot")
            parts.append(_unquoted(token) if token.kind == "text" else token.text)
        if len(parts) == 1:
            return "", parts[0] if first.kind == "text" else self._two_words(parts[0])
        return parts[0].lower(), ".".join(parts[1:])

    def _two_words(self, first: str) -> str:
        """`Run name`, which MLflow's own pages write."""
        if first.lower() == "run" and self.peek().kind == "word" and self.peek().text.lower() == "name":
            self.next()
            return "run_name"
        return first

    def _value(self) -> str | float:
        token = self.next()
        if token.kind == "number":
            return float(token.text)
        if token.kind == "text" and token.text[0] != "`":
            return _unquoted(token)
        if token.kind == "word" and token.text.lower() in ("nan", "inf", "infinity", "-inf", "-infinity"):
            return float(token.text)
        self._place -= 1
        if token.kind == "word" and token.text.lower() not in ("true", "false"):
            raise Invalid(
                "Parameter value is either not quoted or unidentified quote types used for string value "
                f"{token.text[:300]}. Use either single or double quotes."
            )
        raise self._refused("a number, or a text in quotes")

    def _list(self) -> tuple[str | float, ...]:
        if self.next().text != "(":
            self._place -= 1
            raise self._refused("`(` and a list of values")
        self._no_gap(first=True)
        found = [self._value()]
        while self.peek().text == ",":
            self.next()
            if self.peek().text == ")":
                break
            self._no_gap()
            found.append(self._value())
        if self.next().text != ")":
            self._place -= 1
            raise self._refused("`,` or `)`")
        return tuple(found)

    def _no_gap(self, *, first: bool = False) -> None:
        """That a list goes on with a value."""
        text = self.peek().text
        if text == "," or (first and text == ")"):
            raise Invalid(
                "While parsing a list in the query, expected a non-empty list of string values, but got "
                f"{'empty' if text == ')' else 'ill-formed'} list: {self._text[:300]!r}"
            )

    def _refused(self, expected: str) -> Invalid:
        token = self.peek()
        got = repr(token.text) if token.kind != "end" else "its end"
        return Invalid(
            f"{self._wrong} {self._text[:300]!r}: at character {token.at + 1} there is {got}, expected is {expected}."
        )


def _tokens(text: str, wrong: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if not text[at:].strip():
                break
            raise Invalid(
                f"{wrong} {text[:300]!r}: it cannot be read at character {at + 1}. Is a quote left open?"
            )
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return found


def _unquoted(token: _Token) -> str:
    quote, inside = token.text[0], token.text[1:-1]
    return inside.replace(quote * 2, quote) if quote != "`" else inside

"""From the text of a query to a document that is fit to run; the last few hundred are remembered."""

import re
import threading
from collections import OrderedDict

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate

from headwater_server.api.graphql import limits
from headwater_server.api.graphql.guard import TooMuch, check_shape

_LEXEMES = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*"""'  # block string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|#[^\n\r]*"
    r"|\.\.\.|[!$&()|:=@\[\]{}]|[_A-Za-z]\w*|-?\d[\w.+-]*"
)
_MOST_ERRORS = 20
_REMEMBERED = 500
_REMEMBERED_SIZE = 20_000
"""Longer ones come once: clients that repeat a query keep it shorter."""


class Documents:
    """Parsed and validated documents of one schema. Safe in threads."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._known: OrderedDict[str, DocumentNode] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, source: str) -> DocumentNode | list[GraphQLError]:
        """The document, or what is wrong with it."""
        with self._lock:
            known = self._known.get(source)
            if known is not None:
                self._known.move_to_end(source)
                return known
        try:
            document = _parse(source)
            check_shape(document)
        except GraphQLError as error:
            return [error]
        errors = validate(self.schema, document, max_errors=_MOST_ERRORS, hide_suggestions=True)
        if errors:
            return errors
        if len(source) <= _REMEMBERED_SIZE:
            with self._lock:
                self._known[source] = document
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return document


def _parse(source: str) -> DocumentNode:
    if len(source) > limits.MAX_SOURCE:
        raise TooMuch("Characters", len(source), limits.MAX_SOURCE, "Send values as variables.")
    tokens = blocks = nesting = deepest = 0
    for lexeme in _LEXEMES.finditer(source):
        text = lexeme.group()
        if text[0] == "#":
            continue
        tokens += 1
        if text in "{([":
            blocks += text == "{"
            nesting += 1
            deepest = max(deepest, nesting)
        elif text in "})]":
            nesting -= 1
    if tokens > limits.MAX_TOKENS:
        raise TooMuch("Tokens", tokens, limits.MAX_TOKENS, "Send values as variables.")
    if deepest > limits.MAX_NESTING:
        raise TooMuch("Nesting", deepest, limits.MAX_NESTING, "Ask in two queries.")
    if blocks > limits.MAX_BLOCKS:
        raise TooMuch("Selections", blocks, limits.MAX_BLOCKS, "Ask in several queries.")
    return parse(source, max_lexical_tokens=limits.MAX_TOKENS, max_comments=limits.MAX_TOKENS)

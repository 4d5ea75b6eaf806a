"""Makes plain SQL of what people keep in files: templates, parameters, client commands. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from headwater_parsers.jinja import has_jinja, render

_DOLLAR = re.compile(r"\$\{(?:\w+:)?([\w.]+)\}")
_PERCENT = re.compile(r"%\((\w+)\)s|(?<=[\s(=,])%s(?!\w)")
_DIRECTIVE = re.compile(
    r"^[ \t]*(?:\\[a-zA-Z!?].*|\.(?:mode|headers?|output|separator|import|read|echo)\b.*|![a-z]\w*\b.*"
    r"|delimiter[ \t]+\S+[ \t]*)$",
    re.MULTILINE | re.IGNORECASE,
)
_DELIMITER = re.compile(r"^[ \t]*delimiter[ \t]+(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass(slots=True)
class Prepared:
    """The SQL to parse, and how to find the way back to the text given."""

    sql: str
    moves: list[tuple[int, int]] = field(default_factory=list)
    notes: list[tuple[str, str, int]] = field(default_factory=list)  # code, text, offset


def prepare(sql: str, variables: Mapping[str, object] | None = None) -> Prepared:
    """Return SQL without templates, `${x}`, `%(x)s` and lines meant for a client."""
    made = Prepared(sql)
    if "\\" in sql or "!" in sql or "." in sql or "elimiter" in sql.lower():
        made.sql = _without_directives(sql)
    if has_jinja(sql):
        rendered = render(made.sql, variables)
        made.sql, made.moves = rendered.text, rendered.moves
        for name, at in rendered.unknown:
            said = f"The macro {name} is not known here: a stand-in takes its place."
            made.notes.append(("unknown-macro", said, at))
    if "${" in made.sql:
        _replace(made, _DOLLAR, lambda m: m.group(1).rpartition(".")[2])
    if "%" in made.sql:
        _replace(made, _PERCENT, lambda m: f":{m.group(1) or 'p'}")
    return made


def _without_directives(sql: str) -> str:
    """Blank the lines that a client would keep for itself; offsets stay."""
    delimiters = [d for d in _DELIMITER.findall(sql) if d != ";"]
    made = _DIRECTIVE.sub(lambda m: " " * len(m.group(0)), sql)
    for delimiter in delimiters:
        made = made.replace(delimiter, ";".ljust(len(delimiter)))
    return made


def _replace(made: Prepared, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> None:
    """Replace, and keep track of what moved."""
    pieces: list[str] = []
    moves: list[tuple[int, int]] = []
    at = length = 0

    def emit(text: str, given: int) -> None:
        nonlocal length
        moves.append((length, given))
        pieces.append(text)
        length += len(text)

    for match in pattern.finditer(made.sql):
        emit(made.sql[at : match.start()], at)
        emit(by(match), match.start())
        at = match.end()
    if not pieces:
        return
    emit(made.sql[at:], at)
    earlier = made.moves
    made.sql = "".join(pieces)
    made.moves = [(new, _through(earlier, old)) for new, old in moves] if earlier else moves
    if earlier:  # keep the earlier boundaries as well, in the new offsets
        for rendered, given in earlier:
            made.moves.append((_forward(moves, rendered), given))
        made.moves.sort()


def _through(moves: list[tuple[int, int]], at: int) -> int:
    best = (0, 0)
    for rendered, given in moves:
        if rendered > at:
            break
        best = (rendered, given)
    return best[1] + at - best[0]


def _forward(moves: list[tuple[int, int]], at: int) -> int:
    best = (0, 0)
    for new, old in moves:
        if old > at:
            break
        best = (new, old)
    return best[0] + at - best[1]

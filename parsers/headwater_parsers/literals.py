"""SQL without its values: texts become '?', numbers 1, comments nothing; names and structure stay. Pure and linear.

A lexer of its own, not the dialect's: it must take whatever is sent, finish in one pass, and rather take too much
than leave a value behind.
"""

import re

from headwater_parsers.dialects import PLATFORMS

_BACKSLASH = frozenset(
    {"bigquery", "clickhouse", "databricks", "hive", "mysql", "snowflake", "spark", "spark2", "starrocks"}
)
_DOUBLE_QUOTED = frozenset({"bigquery", "databricks", "hive", "mysql", "spark", "spark2", "starrocks"})
"""Dialects where "x" is a text; elsewhere it is a name."""
_LONG = r"'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\Z)|\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*+(?:\"\"\"|\Z)|"


def _lexer(*, backslash: bool, double: bool) -> re.Pattern[str]:
    escape = r"|\\." if backslash else ""
    inner = r"\\" if backslash else ""
    texts = rf"'(?:[^'{inner}]|''{escape})*+(?:'|\Z)"
    if double:
        texts = _LONG + texts + r"|\"(?:[^\"\\]|\"\"|\\.)*+(?:\"|\Z)"
    names = r"`[^`]*+(?:`|\Z)" + ("" if double else r"|\"(?:[^\"]|\"\")*+(?:\"|\Z)")
    return re.compile(
        r"(?P<comment>--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))"
        r"|(?P<text>\b[eE]'(?:[^'\\]|''|\\.)*+(?:'|\Z)"
        r"|\$(?P<tag>[A-Za-z_]\w{0,63})?\$(?:[^$]|\$(?!(?(tag)(?P=tag))\$))*+(?:\$(?(tag)(?P=tag))\$|\Z)"
        rf"|(?:\b(?:[nNbBrRxXuU]|[rR][bB]|[bB][rR]))?(?:{texts}))"
        rf"|(?P<name>{names}|\[[^\W\d][\w $#@.-]{{0,127}}\]|[^\W\d][\w$#@]*+)"
        r"|(?P<number>\d[\w.]*+(?:(?<=[eE])[+-]\d++)?|\.\d[\w.]*+)",
        re.DOTALL,
    )


_LEXERS = {(b, d): _lexer(backslash=b, double=d) for b in (False, True) for d in (False, True)}


def without_literals(sql: str, *, dialect: str | None = None) -> str:
    """`SELECT a FROM t WHERE b = '?' AND c > 1`. Stripping twice is stripping once.

    Without a dialect, names in backticks mean that double quotes hold texts.
    """
    known = PLATFORMS.get((dialect or "").lower(), (dialect or "").lower())
    ticks = not known and "`" in sql
    lexer = _LEXERS[known in _BACKSLASH or ticks, known in _DOUBLE_QUOTED or ticks]
    return lexer.sub(_kept, sql)


def _kept(found: "re.Match[str]") -> str:
    match found.lastgroup:
        case "comment":
            return " "
        case "number":
            return "1"
        case "name":
            return found[0]
        case _:
            return "'?'"

"""Lines, columns and expressions of the text, from offsets. Pure."""

from bisect import bisect_right
from collections.abc import Sequence

from headwater_parsers.model import Span
from headwater_parsers.tree import At

_BOUNDS = frozenset(
    {
        "SELECT", "DISTINCT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "QUALIFY", "UNION",
        "VALUES", "SET", "INTO", "LIMIT", "WINDOW", ";", "JOIN", "USING",
    }
)  # fmt: skip
_BEFORE_LISTS = _BOUNDS | {"AS", "IN", "ALL", "EXCEPT", "INTERSECT", "LATERAL", "EXISTS", "BY"}


class Places:
    """Knows where the lines of a text begin, and which of its offsets were rendered."""

    def __init__(self, sql: str, moves: Sequence[tuple[int, int]] = ()) -> None:
        self.sql = sql
        self._starts = [0]
        at = sql.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = sql.find("\n", at + 1)
        self._moves = moves  # (offset in what was parsed, offset in the text given), ascending

    def original(self, at: int) -> int:
        """Return the offset in the given text of one in the rendered text."""
        if not self._moves:
            return at
        i = bisect_right(self._moves, (at, 1 << 60)) - 1
        if i < 0:
            return at
        rendered, given = self._moves[i]
        return given + (at - rendered)

    def line_col(self, at: int) -> tuple[int, int]:
        """Return the one-based line and column of an offset in the given text."""
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1

    def span(self, at: At) -> Span | None:
        return self.certain_span(at) if at[0] >= 0 else None

    def certain_span(self, at: At) -> Span:
        start, end = self.original(at[0]), self.original(at[1])
        line, col = self.line_col(start)
        end_line, end_col = self.line_col(max(start, end))
        return Span(start, end, line, col, end_line, end_col)


class Phrases:
    """Widens the place of a column to the whole expression around it."""

    def __init__(self, words: Sequence[str], starts: Sequence[int], ends: Sequence[int]) -> None:
        self._words = words
        self._starts = starts
        self._ends = ends
        self._partner: dict[int, int] | None = None  # parentheses
        self._around: list[int] = []  # the parenthesis that a token stands in

    def around(self, at: At) -> At:
        """Return the item of the list in which `at` stands: `sum(a) AS b`."""
        if at[0] < 0 or not self._starts:
            return at
        first = max(bisect_right(self._starts, at[0]) - 1, 0)
        last = max(bisect_right(self._starts, max(at[0], at[1] - 1)) - 1, first)
        partner = self._pairs()
        while (opened := self._around[first]) >= 0 and self._is_call(opened):
            first, last = opened - 1, max(last, partner.get(opened, last))
        first = self._left(first, partner)
        return self._starts[first], self._ends[self._right(last, partner)]

    def _pairs(self) -> dict[int, int]:
        if self._partner is None:
            self._partner = {}
            stack: list[int] = []
            for i, w in enumerate(self._words):
                if w == ")" and stack:
                    opened = stack.pop()
                    self._partner[opened], self._partner[i] = i, opened
                self._around.append(stack[-1] if stack else -1)
                if w == "(":
                    stack.append(i)
        return self._partner

    def _is_call(self, opened: int) -> bool:
        before = self._words[opened - 1] if opened else ""
        return before.isidentifier() and before not in _BEFORE_LISTS

    def _left(self, i: int, partner: dict[int, int]) -> int:
        best, j, cases = i, i - 1, 0
        while j >= 0:
            w = self._words[j]
            if w == ")":
                j = partner.get(j, j)
            elif w == "END":
                cases += 1
            elif w == "CASE":
                cases -= 1
            elif w == "(" or (cases <= 0 and (w == "," or w in _BOUNDS)):
                break
            best = j
            j -= 1
        return best

    def _right(self, i: int, partner: dict[int, int]) -> int:
        best, j, cases = i, i + 1, 0
        while j < len(self._words):
            w = self._words[j]
            if w == "(":
                j = partner.get(j, j)
            elif w == "CASE":
                cases += 1
            elif w == "END":
                cases -= 1
            elif w == ")" or (cases <= 0 and (w == "," or w in _BOUNDS)):
                break
            best = j
            j += 1
        return best

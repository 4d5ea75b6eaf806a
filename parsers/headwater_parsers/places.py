"""Lines, columns and expressions of the text, from offsets. Pure."""

from bisect import bisect_right
from collections.abc import Sequence

from headwater_parsers.model import Span
from headwater_parsers.tree import At

_BOUNDS = frozenset(
    """SELECT DISTINCT FROM WHERE GROUP HAVING ORDER QUALIFY UNION VALUES SET INTO LIMIT WINDOW
    THEN ; ON AND""".split()
)


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
        if at[0] < 0:
            return None
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

    def around(self, at: At) -> At:
        """Return the item of the list in which `at` stands: `sum(a) AS b`."""
        if at[0] < 0 or not self._starts:
            return at
        first = bisect_right(self._starts, at[0]) - 1
        last = bisect_right(self._starts, max(at[0], at[1] - 1)) - 1
        first, last = self._left(max(first, 0)), self._right(max(last, 0))
        return self._starts[first], self._ends[last]

    def _left(self, i: int) -> int:
        depth = 0
        best = i
        j = i - 1
        while j >= 0:
            w = self._words[j]
            if w == ")":
                depth += 1
            elif w == "(":
                if depth == 0 and self._words[j - 1] in ("", "AS", "FROM", "IN", ",", "(", "USING"):
                    break
                depth = max(0, depth - 1)
            elif depth == 0 and (w == "," or w in _BOUNDS):
                if not self._inside_call(j):
                    break
            best = j
            j -= 1
        return best

    def _inside_call(self, j: int) -> bool:
        """Say whether the comma at j separates the arguments of a call."""
        depth = 0
        for k in range(j - 1, max(-1, j - 200), -1):
            w = self._words[k]
            if w == ")":
                depth += 1
            elif w == "(":
                if depth == 0:
                    before = self._words[k - 1] if k else ""
                    return before not in ("", "AS", "FROM", "IN", ",", "(", "USING", "INTO") and (
                        before.isidentifier() and before not in _BOUNDS
                    )
                depth -= 1
            elif depth == 0 and w in ("SELECT", "FROM", "SET", ";"):
                return False
        return False

    def _right(self, i: int) -> int:
        depth = 0
        j = i + 1
        while j < len(self._words):
            w = self._words[j]
            if w == "(":
                depth += 1
            elif w == ")":
                if depth == 0 and not self._closes_call(j):
                    break
                depth = max(0, depth - 1)
            elif depth == 0 and (w == "," or w in _BOUNDS):
                if not self._inside_call(j):
                    break
            i = j
            j += 1
        return i

    def _closes_call(self, j: int) -> bool:
        return self._inside_call(j)

"""Says where a statement of T-SQL ends without a semicolon. Pure."""

from collections.abc import Sequence

STARTS = frozenset(
    {
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "CREATE", "DROP", "ALTER",
        "TRUNCATE", "DECLARE", "SET", "EXEC", "EXECUTE", "PRINT", "IF", "WHILE", "BEGIN",
        "RETURN", "USE", "GRANT", "REVOKE", "COMMIT", "ROLLBACK", "RAISERROR", "THROW", "GO",
        "FETCH", "OPEN", "CLOSE", "DEALLOCATE", "WAITFOR", "BREAK", "CONTINUE",
    }
)  # fmt: skip
_FOLLOWS_SELECT = frozenset({"UNION", "ALL", "EXCEPT", "INTERSECT", "DISTINCT", "AS", "MINUS", ")"})


class Boundaries:
    """The words of a script, and the borders between its statements."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def ends_here(self, start: int, j: int, head: str, blocks: int) -> bool:
        """Say whether T-SQL starts a new statement at this word."""
        w, before = self._words[j], self._words[j - 1]
        if w not in STARTS and w != "ELSE":
            return False
        if before in (".", "AS", ",", "=", "+"):
            return False
        if w == "ELSE":
            return blocks > 0 or "IF" in self._words[:j]
        if w == "GO":
            return True
        body = self._words[min(start, j) : j]
        if w == "SELECT":
            if before in _FOLLOWS_SELECT or before == "(":
                return False
            return not (self._awaits_query(head, body))
        if w == "WITH":  # hints and options, unless a CTE follows
            return self._is_cte(j) and head not in ("CREATE", "ALTER", "INSERT", "WITH")
        if w in ("INSERT", "UPDATE", "DELETE", "MERGE"):
            if before in ("THEN", "ON", "AFTER", "FOR", "OF", "INSTEAD"):
                return False
            return not (
                head == "WITH"
                and not any(x in body for x in ("INSERT", "UPDATE", "DELETE", "MERGE", "SELECT_DONE"))
                and before == ")"
            )
        if w == "SET":
            return head not in ("UPDATE", "ALTER", "MERGE", "WITH", "CREATE") or "WHERE" in body
        if w in ("EXEC", "EXECUTE"):
            return head != "INSERT" or "SELECT" in body or "VALUES" in body
        if w in ("IF", "RETURN", "USE", "OPEN", "CLOSE", "FETCH", "CREATE", "DROP", "ALTER"):
            if head in ("CREATE", "ALTER", "DROP", "GRANT", "REVOKE") and w in ("IF", "RETURN", "ALTER"):
                return False
            return not (w == "FETCH" or (head == "ALTER" and w in ("DROP", "ALTER", "SET")))
        return True

    def _awaits_query(self, head: str, body: Sequence[str]) -> bool:
        """Say whether a statement so far still lacks the SELECT that it needs."""
        if head in ("INSERT", "CREATE", "ALTER"):
            return "SELECT" not in body and "VALUES" not in body and "EXEC" not in body
        if head == "WITH":
            outside = _outside(body)
            return "SELECT" not in outside
        return head in ("SELECT", "DECLARE", "IF", "WHILE") and body[-1] in _FOLLOWS_SELECT

    def _is_cte(self, j: int) -> bool:
        window = self._words[j + 2 : j + 4]
        return "AS" in window[:1] or (window[:1] == ["("] and self._word_after_paren(j + 2) == "AS")

    def _word_after_paren(self, j: int) -> str:
        depth = 0
        while j < len(self._words):
            depth += (self._words[j] == "(") - (self._words[j] == ")")
            j += 1
            if depth == 0:
                break
        return self._words[j] if j < len(self._words) else ""


def _outside(words: Sequence[str]) -> list[str]:
    """Return the words outside of parentheses."""
    depth, made = 0, []
    for w in words:
        depth += (w == "(") - (w == ")")
        if depth == 0:
            made.append(w)
    return made

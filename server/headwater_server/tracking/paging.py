"""Rows in order, a page at a time: tokens that say where the last page ended, not how far it was. Pure."""

import base64
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from headwater_server.errors import Invalid

R = TypeVar("R")
Rank = tuple[int, Any]
"""(what it is, its value): values in their order, then NaN, then what is missing, whichever way it runs."""


class Clause(NamedTuple, Generic[R]):
    read: Callable[[R], Any]
    ascending: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    rows: Sequence[R]
    token: str | None
    """For the next page; None: this is the last."""
    total: int
    """Rows of all pages together."""
    tokens: Callable[[], list[str]]
    """For the page behind each of these rows."""


def page_of(
    rows: Sequence[R],
    clauses: Sequence[Clause[R]],
    *,
    identity: Callable[[R], str],
    size: int,
    token: str | None,
    about: str,
) -> Page[R]:
    """Rows in order of the clauses, then of their identity, `size` of them behind the token.

    `about` is what the token is good for: the filter and the order, as they were asked. A token of the form
    {"offset": n}, as MLflow's own server gives it, is read too.

    Raises:
        Invalid: no token of this search.

    """
    offset, bound = _read(token, about) if token else (0, None)
    ranked: list[tuple[Any, ...]] = [
        (*(_rank(clause.read(row), clause.ascending) for clause in clauses), identity(row), row)
        for row in rows
    ]
    if token and bound is not None:
        try:
            ranked = [one for one in ranked if _is_behind(one, bound, clauses)]
        except (TypeError, IndexError):  # somebody made it up: its values are of other kinds than the rows'
            raise _unknown(token) from None
    last = len(clauses)
    ranked.sort(key=itemgetter(last))
    for place in range(last - 1, -1, -1):
        ranked.sort(key=itemgetter(place), reverse=not clauses[place].ascending)
    shown = ranked[offset : offset + size]
    more = len(ranked) > offset + size
    return Page(
        [one[-1] for one in shown],
        _written(shown[-1], about) if more and shown else None,
        len(rows),
        lambda: [_written(one, about) for one in shown],
    )


def _rank(value: Any, ascending: bool) -> Rank:  # noqa: FBT001
    """Running down, sorting reverses: what is to come last has to be least."""
    if value is None:
        return (2, 0) if ascending else (-2, 0)
    if isinstance(value, float) and math.isnan(value):
        return (1, 0) if ascending else (-1, 0)
    return 0, value


def _is_behind(one: tuple[Any, ...], bound: list[Any], clauses: Sequence[Clause[Any]]) -> bool:
    for place, clause in enumerate(clauses):
        mine, theirs = one[place], bound[place]
        if mine != theirs:
            return bool(mine > theirs) if clause.ascending else bool(mine < theirs)
    return bool(one[len(clauses)] > bound[len(clauses)])


def _written(one: tuple[Any, ...], about: str) -> str:
    last = [[rank, _plain(value)] if isinstance(value, float) else [rank, value] for rank, value in one[:-2]]
    return sealed([*last, one[-2]], about)


def sealed(place: list[Any], about: str) -> str:
    """A token for what stands behind a place of this search."""
    return base64.urlsafe_b64encode(orjson.dumps({"after": place, "of": _digest(about)})).decode()


def opened(token: str, about: str) -> list[Any]:
    """The place that was sealed. Raises Invalid: not for this search."""
    try:
        said = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        if said["of"] == _digest(about):
            return list(said["after"])
    except (ValueError, TypeError, KeyError):
        pass
    raise _unknown(token)


def _unknown(token: str) -> Invalid:
    return Invalid(
        f"Invalid page token {token[:80]!r}: give one that this search answered, with the same filter and order_by."
    )


def _plain(value: float) -> Any:
    return value if math.isfinite(value) else {"inf": value > 0}


def _read(token: str, about: str) -> tuple[int, list[Any] | None]:
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        raise Invalid(
            f"Invalid page token, could not base64-decode {token[:80]!r}: give one that this search answered."
        ) from None
    try:
        said = orjson.loads(raw)
        if "offset" in said:
            return max(0, int(said["offset"])), None
        if said["of"] == _digest(about):
            *ranks, name = said["after"]
            return 0, [*((rank, _value(value)) for rank, value in ranks), name]
    except (ValueError, TypeError, KeyError):
        pass
    raise _unknown(token)


def _value(said: Any) -> Any:
    return (math.inf if said["inf"] else -math.inf) if isinstance(said, dict) else said


def _digest(about: str) -> str:
    return hashlib.blake2b(about.encode(), digest_size=6).hexdigest()

"""A filter's tree as a function of one row: which of them match. Pure."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from headwater_server.errors import Invalid
from headwater_server.tracking.language import And, Comparison, Not, Or, Order, Tree

R = TypeVar("R")
Read = Callable[[R], Any]
"""A row's value: a text, a number, or None when it has none."""
EQUAL = frozenset({"=", "!="})
NUMERIC = EQUAL | {">", ">=", "<", "<="}
TEXT = EQUAL | {"LIKE", "ILIKE"}
LISTED = TEXT | {"IN", "NOT IN"}
NULLABLE = TEXT | {"IS NULL", "IS NOT NULL"}


@dataclass(frozen=True, slots=True)
class Field(Generic[R]):
    """What may be compared, and how: `read` makes, of a key, a function that reads it from a row."""

    what: str
    """`number`, `text`, or `param`: a text that may be compared as a number."""
    operators: frozenset[str]
    read: Callable[[str], Read[R]]
    many: bool = False
    """A row has several values: one that matches is enough."""
    rank: Callable[[str], Read[R]] | None = None
    """What rows are ordered by where they have several; None: they have no order."""


@dataclass(frozen=True, slots=True)
class Language(Generic[R]):
    """What a filter may speak of."""

    attributes: Mapping[str, Field[R]]
    """By name, lower-case."""
    entities: Mapping[str, Field[R]]
    """By entity (`metrics`, and `metric` too): its keys are free."""
    parts: Mapping[str, Mapping[str, Field[R]]] = field(default_factory=dict)
    """By entity, those with fixed keys (`datasets.name`)."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Other names of attributes."""
    itself: frozenset[str] = frozenset({"run"})
    """Entities that are the row itself: their keys are attributes."""
    within: Mapping[str, "Within[R]"] = field(default_factory=dict)
    """By entity, what a row has many of: all that one AND says of them is said of one."""

    def field(self, entity: str, key: str) -> tuple[Field[R], str]:
        """Raises Invalid: there is none."""
        if entity in self.entities:
            return self.entities[entity], key
        if entity in self.parts:
            fixed = self.parts[entity]
            if key.lower() not in fixed:
                raise Invalid(
                    f"Invalid {entity} key '{key}' specified. Valid keys are {', '.join(sorted(fixed))}."
                )
            return fixed[key.lower()], key
        if entity in ("", "attribute", "attributes", "attr") or entity in self.itself:
            name = self.spelled.get(key.lower(), key.lower())
            if name in self.attributes:
                return self.attributes[name], key
            raise Invalid(
                f"Invalid attribute key {key!r} specified. Valid keys are: {sorted(self.attributes)}."
            )
        known = sorted({*self.entities, *self.parts, "attributes"})
        raise Invalid(f"Invalid entity type {entity!r}. Valid values are: {', '.join(known)}.")

    def predicate(self, tree: "Tree | _Of | None") -> Callable[[R], bool]:
        match tree:
            case None:
                return lambda _: True
            case And(terms):
                every = [self.predicate(t) for t in self._together(terms)]
                return lambda row: all(p(row) for p in every)
            case Or(terms):
                some = [self.predicate(t) for t in terms]
                return lambda row: any(p(row) for p in some)
            case Not(term):
                inner = self.predicate(term)
                return lambda row: not inner(row)
            case _Of(entity, comparisons):
                return self._within(entity, comparisons)
            case Comparison(entity=entity) if entity in self.within:
                return self._within(entity, (tree,))
        return self._comparison(tree)

    def _together(self, terms: "Sequence[Tree | _Of]") -> "list[Tree | _Of]":
        """What is said of the parts of a row, by entity."""
        parts: dict[str, list[Comparison]] = {}
        found: list[Tree | _Of] = []
        for term in terms:
            if isinstance(term, Comparison) and term.entity in self.within:
                parts.setdefault(term.entity, []).append(term)
            else:
                found.append(term)
        return [*found, *(_Of(entity, tuple(said)) for entity, said in parts.items())]

    def _within(self, entity: str, said: "tuple[Comparison, ...]") -> Callable[[R], bool]:
        language, read = self.within[entity]
        inner = language.predicate(And(tuple(_inside(one) for one in said)))
        return lambda row: any(inner(part) for part in read(row))

    def _comparison(self, said: Comparison) -> Callable[[R], bool]:
        field, key = self.field(said.entity, said.key)
        name = f"{said.entity}.{said.key}" if said.entity else said.key
        if said.operator not in field.operators and not _is_numeric_param(field, said):
            raise self._no_such(said, field, name)
        read = field.read(key)
        test = _test(said, field, name)
        if field.many and said.operator == "IS NULL":
            return lambda row: not any(value is not None for value in read(row))
        if field.many:
            return lambda row: any(test(value) for value in read(row))
        return lambda row: test(read(row))

    def _no_such(self, said: Comparison, field: Field[R], name: str) -> Invalid:
        """The refusal of an operator, in the words that MLflow has for it."""
        if field.what == "number":
            return _not_numeric(said.value, name)
        if isinstance(said.value, tuple) and said.entity not in {*self.entities, *self.parts}:
            listed = sorted(k for k, f in self.attributes.items() if "IN" in f.operators)
            return Invalid(
                f"Only {listed} attributes support comparison with a list of quoted string values. This one is {name}."
            )
        if isinstance(said.value, tuple):
            return Invalid(
                f"Expected a quoted string value for {name} (e.g. 'my-value'). Got value {said.value}"
            )
        return Invalid(
            f"Invalid comparator '{said.operator}' not one of '{', '.join(sorted(field.operators))}' for {name}."
        )

    def order(self, said: Order) -> Read[R]:
        field, key = self.field(said.entity, said.key)
        if field.rank is not None:
            return field.rank(key)
        if field.many:
            raise Invalid(f"Invalid order_by: {said.entity}.{said.key} has no order.")
        return field.read(key)


class Within(NamedTuple, Generic[R]):
    """What a row has many of: the language of one, and how to read them."""

    language: Language[Any]
    read: Callable[[R], Iterable[Any]]


class _Of(NamedTuple):
    """Comparisons with one part of a row."""

    entity: str
    said: tuple[Comparison, ...]


def _inside(said: Comparison) -> Comparison:
    """`span.attributes.model` as a span says it: `attributes.model`."""
    entity, dot, key = said.key.partition(".")
    return said._replace(entity=entity.lower(), key=key) if dot else said._replace(entity="")


def _is_numeric_param(field: Field[Any], said: Comparison) -> bool:
    return field.what == "param" and isinstance(said.value, float) and said.operator in NUMERIC


def _test(said: Comparison, field: Field[Any], name: str) -> Callable[[Any], bool]:
    value = said.value
    match said.operator:
        case "IS NULL":
            return lambda found: found is None
        case "IS NOT NULL":
            return lambda found: found is not None
        case "IN" | "NOT IN":
            wanted = value if isinstance(value, tuple) else ()
            if any(isinstance(v, float) for v in wanted):
                raise Invalid(
                    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got "
                    f"different type in list for {name}."
                )
            among = frozenset(wanted)
            if said.operator == "IN":
                return lambda found: found in among
            return lambda found: found is not None and found not in among
    if field.what == "number":
        return _number_test(said.operator, _number(value, name))
    if field.what == "param" and isinstance(value, float):
        compare = _number_test(said.operator, value)
        return lambda found: found is not None and (n := as_number(found)) is not None and compare(n)
    if not isinstance(value, str):
        raise Invalid(f"Expected a quoted string value for {name}. Got value {value}.")
    match said.operator:
        case "LIKE":
            like = _like(value, 0)
            return lambda found: found is not None and like(found)
        case "ILIKE":
            ilike = _like(value, re.IGNORECASE)
            return lambda found: found is not None and ilike(found)
        case "=":
            return lambda found: found == value
    return lambda found: found is not None and found != value


def _number(value: Any, name: str) -> float:
    if isinstance(value, float):
        return value
    if (
        isinstance(value, str)
        and (found := as_number(value)) is not None
        and value.strip().lstrip("-").isdigit()
    ):
        return found  # clients quote version numbers
    raise _not_numeric(value, name)


def _not_numeric(value: Any, name: str) -> Invalid:
    entity, _, key = name.rpartition(".")
    what = "metric" if entity in ("metric", "metrics") else f"numeric attribute: {key}"
    return Invalid(f"Expected numeric value type for {what}. Found {value!r}, compared with {name}.")


def _number_test(operator: str, value: float) -> Callable[[Any], bool]:
    """NaN is in no order; `!=` does not match what is missing."""
    match operator:
        case "=":
            return lambda found: found is not None and found == value
        case "!=":
            return lambda found: found is not None and found != value
        case ">":
            return lambda found: found is not None and found > value
        case ">=":
            return lambda found: found is not None and found >= value
        case "<":
            return lambda found: found is not None and found < value
    return lambda found: found is not None and found <= value


@lru_cache(maxsize=65_536)
def as_number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _like(pattern: str, flags: int) -> Callable[[str], bool]:
    """`%` any characters, `_` one. Piece by piece from the left: no pattern makes the match slow."""
    pieces = [
        re.compile("".join("." if c == "_" else re.escape(c) for c in piece), flags | re.DOTALL)
        for piece in pattern.split("%")
    ]
    if len(pieces) == 1:
        return lambda text: pieces[0].fullmatch(text) is not None
    first, *middle, last = pieces
    end = len(pattern.rpartition("%")[2])

    def match(text: str) -> bool:
        found = first.match(text)
        for piece in middle:
            found = piece.search(text, found.end()) if found else None
        return (
            found is not None
            and len(text) - end >= found.end()
            and last.fullmatch(text, len(text) - end) is not None
        )

    return match

"""The compiled rows answer what the stock executor answers, byte for byte, errors and their paths too."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, ClassVar

import orjson
import pytest
import strawberry
from graphql import execute_sync, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater_server.api.graphql.execution import Engine
from headwater_server.api.graphql.fast import StockExecutor, fast_executor
from headwater_server.api.graphql.operation import Query
from headwater_server.api.graphql.schema import schema as served
from tests.graphql.asking import Api


@strawberry.enum
class Colour(Enum):
    RED = "RED"
    GREEN = "GREEN"


@strawberry.enum
class Odd(Enum):
    ONE = 1
    TWO = strawberry.enum_value(2, name="ZWEI")


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Inner:
    text: str
    number: int | None


@strawberry.type
class Row(Named):
    id: strawberry.ID
    count: int
    ratio: float | None
    on: bool
    colour: Colour
    odd: Odd | None
    tags: list[str]
    maybes: list[int | None] | None
    inner: Inner | None
    inners: list[Inner]

    @strawberry.field
    def loud(self) -> str:
        return self.name.upper()

    @strawberry.field
    def times(self, by: int = 2) -> int:
        return self.count * by


@strawberry.type
class Other(Named):
    note: str | None


@dataclass
class Stranger:
    """Not a type of the schema, but it has the attributes of one."""

    text: Any = "t"
    number: Any = 1


@dataclass
class Data:
    rows: Any = field(default_factory=list)
    plain: Any = field(default_factory=list)


Either = Annotated[Row | Other, strawberry.union("Either")]


@strawberry.type
class Root:
    @strawberry.field
    def rows(self, info: strawberry.Info[Any, None]) -> list[Row]:
        return info.context.rows  # type: ignore[no-any-return]

    @strawberry.field
    def maybe_rows(self, info: strawberry.Info[Any, None]) -> list[Row | None] | None:
        return info.context.rows  # type: ignore[no-any-return]

    @strawberry.field
    def named(self, info: strawberry.Info[Any, None]) -> list[Named]:
        return info.context.rows  # type: ignore[no-any-return]

    @strawberry.field
    def either(self, info: strawberry.Info[Any, None]) -> list[Either]:
        return info.context.rows  # type: ignore[no-any-return]

    @strawberry.field
    def plain(self, info: strawberry.Info[Any, None]) -> list[Inner]:
        return info.context.plain  # type: ignore[no-any-return]

    @strawberry.field
    def maybe_plain(self, info: strawberry.Info[Any, None]) -> list[Inner | None]:
        return info.context.plain  # type: ignore[no-any-return]


SCHEMA = strawberry.Schema(Root, types=[Row, Other])._schema
FAST = fast_executor(SCHEMA)


def row(i: int = 0, **changes: Any) -> Row:
    given: dict[str, Any] = {
        "name": f"n{i}", "id": strawberry.ID(str(i)), "count": i, "ratio": i / 3, "on": i % 2 == 0, "colour": Colour.RED,
        "odd": Odd.TWO, "tags": ["a", "b"], "maybes": [1, None], "inner": Inner(text="t", number=None),
        "inners": [Inner(text="x", number=i)],
    }  # fmt: skip
    return Row(**{**given, **changes})


def run(
    executor: type[StockExecutor], query: str, data: Data, variables: dict[str, Any] | None = None
) -> bytes:
    result = execute_sync(
        SCHEMA, parse(query), context_value=data, variable_values=variables or {}, executor_class=executor
    )
    errors = [error.formatted for error in result.errors or ()]
    return orjson.dumps({"data": result.data, "errors": errors}, option=orjson.OPT_NON_STR_KEYS)


def same(query: str, rows: list[Any], variables: dict[str, Any] | None = None) -> bytes:
    assert validate(SCHEMA, parse(query)) == []
    data = Data(rows=rows, plain=rows)
    stock = run(StockExecutor, query, data, variables)
    assert run(FAST, query, data, variables) == stock
    return stock


ROWS = [row(i) for i in range(12)]
ALL = "name id count ratio on colour odd tags maybes inner { text number } inners { text number }"
MIXED = [row(i) if i % 3 else Other(name=f"o{i}", note=None) for i in range(12)]

QUERIES = {
    "plain attributes": f"{{ rows {{ {ALL} }} }}",
    "aliases": "{ rows { a: name b: name c: inner { d: text e: text } } }",
    "typename": "{ rows { __typename t: __typename inner { __typename } } }",
    "fragments": "{ rows { ...A ...B } } fragment A on Row { name inner { text } } fragment B on Row { inner { number } }",
    "inline fragments": "{ rows { ... on Named { name } ... on Row { count } } }",
    "skip and include": "query ($y: Boolean = true) { rows { name @skip(if: $y) count @include(if: $y) id @include(if: false) } }",
    "a resolver": "{ rows { name loud } }",
    "arguments": "{ rows { name times(by: 3) } }",
    "an argument's default": "{ rows { times } }",
    "the same field twice": "{ rows { inner { text } inner { number } name name } }",
    "nothing selected": "{ rows { name @skip(if: true) } }",
    "a list that may be null": f"{{ maybeRows {{ {ALL} }} }}",
    "interface": "{ named { name __typename } }",
    "interface with fragments": "{ named { name ... on Row { count colour inners { number } } ... on Other { note } } }",
    "union": "{ either { __typename ... on Row { name count } ... on Other { note x: name } } }",
    "a quote in an alias's neighbour": "{ rows { name } plain: rows { tags } }",
}


@pytest.mark.parametrize("case", QUERIES, ids=str)
@pytest.mark.parametrize("rows", [ROWS, ROWS[:2], [], MIXED], ids=["many", "few", "none", "mixed"])
def test_an_ordinary_list_is_answered_alike(case: str, rows: list[Any]) -> None:
    same(QUERIES[case], rows)


BROKEN: dict[str, dict[str, Any]] = {
    "null in a required text": {"name": None},
    "a number as text": {"name": 5},
    "a number as id": {"id": 7},
    "a bool as text": {"name": True},
    "an object as text": {"name": object()},
    "text as a number": {"count": "3"},
    "a float as a number": {"count": 3.0},
    "a fraction as a number": {"count": 3.5},
    "a bool as a number": {"count": True},
    "a number out of 32 bits": {"count": 2**31},
    "a whole number as a float": {"ratio": 3},
    "not a number": {"ratio": float("nan")},
    "infinity": {"ratio": float("inf")},
    "a number as a bool": {"on": 1},
    "text as a bool": {"on": "yes"},
    "a colour's value": {"colour": "RED"},
    "no colour": {"colour": "BLUE"},
    "null for a required colour": {"colour": None},
    "the odd one": {"odd": Odd.ONE},
    "an odd value": {"odd": 2},
    "tags as a tuple": {"tags": ("a",)},
    "tags as a set": {"tags": {"a"}},
    "tags as text": {"tags": "ab"},
    "a null tag": {"tags": ["a", None]},
    "null tags": {"tags": None},
    "an error as a value": {"name": ValueError("broken")},
    "an error in a list": {"tags": [ValueError("broken")]},
    "a stranger inside": {"inner": Stranger()},
    "a stranger that lacks": {"inner": Stranger(text=None)},
    "a dict inside": {"inner": {"text": "t"}},
    "null in a list of objects": {"inners": [None]},
    "a generator": {"inners": (Inner(text="g", number=1) for _ in range(0))},
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
@pytest.mark.parametrize("place", ["rows", "maybeRows"])
def test_a_broken_row_is_told_alike(case: str, place: str) -> None:
    rows: list[Any] = [*ROWS, row(99, **BROKEN[case]), *ROWS]
    same(f"{{ {place} {{ {ALL} }} }}", rows)


@pytest.mark.parametrize(
    "stray", [None, 5, Stranger(), Inner(text="x", number=1), ValueError("broken")], ids=repr
)
@pytest.mark.parametrize("place", ["rows", "maybeRows", "named", "plain", "maybePlain"])
def test_a_stray_item_is_told_alike(stray: Any, place: str) -> None:
    fields = "text number" if "lain" in place else "name"
    items = [Inner(text="t", number=2)] * 9 if "lain" in place else list(ROWS)
    same(f"{{ {place} {{ {fields} }} }}", [*items, stray])


class Watched(FAST):  # type: ignore[valid-type,misc]
    """The fast executor, and how many rows its short cut has done."""

    taken: ClassVar[list[int]] = []

    def _complete_rows(self, *args: Any) -> list[Any]:
        done: list[Any] = super()._complete_rows(*args)
        self.taken.append(len(done))
        return done


def test_the_short_cut_is_taken() -> None:
    """The comparisons above would hold of an executor that never takes it."""
    for case in ("plain attributes", "fragments", "interface with fragments", "skip and include"):
        Watched.taken.clear()
        run(Watched, QUERIES[case], Data(rows=ROWS))
        assert Watched.taken == [12], case
    Watched.taken.clear()
    run(Watched, QUERIES["a resolver"], Data(rows=ROWS))
    assert Watched.taken == []


class Broken(FAST):  # type: ignore[valid-type,misc]
    def _complete_rows(self, *args: Any) -> list[Any]:
        raise ZeroDivisionError(len(args))


def test_a_short_cut_that_fails_is_logged_and_the_answer_is_the_ordinary_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    query, data = QUERIES["plain attributes"], Data(rows=ROWS)
    assert run(Broken, query, data) == run(StockExecutor, query, data)
    (told,) = caplog.records
    assert "['rows']" in told.getMessage()
    assert told.exc_info is not None
    assert told.exc_info[0] is ZeroDivisionError
    caplog.clear()
    same("{ rows { name count } }", [*ROWS, row(1, count=2**40)])  # a row that is wrong is no failure of ours
    assert not caplog.records


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**33), 2**33), st.floats(), st.text(max_size=3),
    st.sampled_from([*Colour, *Odd]), st.lists(st.one_of(st.none(), st.integers(0, 3), st.text(max_size=2)), max_size=2),
)  # fmt: skip
FIELDS = ["name", "id", "count", "ratio", "on", "colour", "odd", "tags", "maybes", "loud", "times", "__typename",
          "inner { text number }", "inners { number t: text }", "... on Named { n: name }"]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["name", "id", "count", "ratio", "on", "colour", "odd", "tags", "maybes"]), LEAVES, max_size=1), min_size=8, max_size=11),
    st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6, unique=True),
    st.sampled_from(["rows", "maybeRows"]),
)  # fmt: skip
def test_any_rows_and_any_selection_are_answered_alike(
    changes: list[dict[str, Any]], fields: list[str], place: str
) -> None:
    same(f"{{ {place} {{ {' '.join(fields)} }} }}", [row(i, **change) for i, change in enumerate(changes)])


@pytest.mark.parametrize("fast", [True, False])
def test_the_shop_is_told_alike(shop: Api, fast: bool) -> None:
    query = """{
      lineage(ref: "postgres://warehouse/dw.marts.orders", depth: 20) { root totalNodes nodes { id urn kind name namespace depth status
        tags archived updatedAt upstreamCount } edges { source target kind evidence confidence firstSeen count masking } }
      datasets(first: 20) { edges { cursor node { id name columns { id name type ordinal tags { key value } } } } }
      runs(first: 30) { edges { node { runId startedAt durationMs namespace { name platform { label } } } } } }"""
    answer = Engine(served, fast=fast).run(Query(query), shop.context).body
    assert "errors" not in answer
    assert answer == shop.engine.run(Query(query), shop.context).body

"""10,000 rows × 8 scalar fields through the API's own executor, beside plain orjson on ready dicts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
from graphql import GraphQLSchema, execute_sync, parse

from bench import cpu
from bench.figures import Figure, compared
from headwater_server.api.graphql.fast import StockExecutor, fast_executor
from headwater_server.api.graphql.schema import schema as served

ROWS = 10_000
GOAL = 30.0
FIELDS = ("id", "urn", "name", "namespace", "depth", "upstreamCount", "archived", "columnCount")
QUERY = f"{{ rows {{ nodes {{ {' '.join(FIELDS)} }} }} }}"


@dataclass(frozen=True, slots=True)
class Row:
    """As a node of a lineage answer."""

    id: str
    urn: str
    name: str
    namespace: str | None
    depth: int
    upstream_count: int
    archived: bool
    column_count: int | None


@dataclass(frozen=True, slots=True)
class Rows:
    nodes: tuple[Row, ...]


def measure(size: float) -> Iterator[Figure]:
    count = max(int(ROWS * size), 100)
    rows = tuple(
        Row(f"ZGF0YXNldHxiZW5jaHx0{i}", f"hw:dataset:bench/schema.table_{i}", f"schema.table_{i}", "bench", i % 20, 3,
            archived=False, column_count=12)
        for i in range(count)
    )  # fmt: skip
    schema = _schema()
    document = parse(QUERY)

    def run(executor: type[StockExecutor]) -> bytes:
        result = execute_sync(schema, document, context_value=Rows(rows), executor_class=executor)
        assert result.errors is None, result.errors
        return orjson.dumps({"data": result.data})

    fast = fast_executor(schema)
    took, answer = cpu.median(lambda: run(fast))
    stock, expected = cpu.median(lambda: run(StockExecutor))
    assert answer == expected, "the two executors differ"
    data = orjson.loads(answer)
    floor, _ = cpu.median(lambda: orjson.dumps(data))
    what = f"GraphQL, {count:,} rows × {len(FIELDS)} fields, {len(answer) / 1e6:.2f} MB"
    most = GOAL if size == 1 else None
    yield compared(what, took, "ms CPU", with_="orjson on dicts", floor=floor, most=most)
    yield compared(f"{what}, stock executor", stock, "ms CPU", with_="orjson on dicts", floor=floor)


def _schema() -> GraphQLSchema:
    """The served type of lineage nodes under a field that makes none."""
    node = served.get_type_by_name("LineageNode")
    assert node is not None
    cls: Any = getattr(node, "origin")  # noqa: B009 - only object types have one

    @strawberry.type
    class Graph:
        nodes: list[cls]  # type: ignore[valid-type]

    @strawberry.type
    class Query:
        @strawberry.field
        def rows(self, info: strawberry.Info) -> Graph:
            return info.context  # type: ignore[no-any-return]

    config = served.config
    return strawberry.Schema(Query, config=config)._schema  # noqa: SLF001


if __name__ == "__main__":
    from bench.figures import table

    print(table(list(measure(1.0))))

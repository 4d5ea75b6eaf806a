"""The search for traces: read in order of time, a piece at a time, filtered by what is read of each only when asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

import orjson

from headwater_server.errors import Invalid
from headwater_server.traces.port import Place, Span, Trace, TraceStore
from headwater_server.tracking.language import And, Comparison, Order, Tree, parse_filter, parse_orders
from headwater_server.tracking.matching import EQUAL, LISTED, NULLABLE, NUMERIC, Field, Language, Within
from headwater_server.tracking.paging import Clause, opened, page_of, sealed
from headwater_server.tracking.search import Asked, plain
from headwater_server.tracking.spans import NAME, plain_of, text
from headwater_server.tracking.traces import RUN

MAX_TRACES = 500
MAX_EXPERIMENTS = 1_000
LOOKED_AT = 20_000
"""Traces that one call looks at in order of time: it answers what it found, and a token to go on."""
ORDERED = 100_000
"""Traces that may be looked at to be put in another order."""
CHUNK = 500
PROMPTS = "mlflow.linkedPrompts"
FIRST, LAST = -(2**63), 2**63 - 1


@dataclass(eq=False)
class Row:
    """A trace as a filter sees it. Its spans and assessments are read with those of its chunk, when one is asked for."""

    trace: Trace
    chunk: "_Chunk"

    @property
    def spans(self) -> "list[Seen]":
        return self.chunk.spans.get(self.trace.id, [])

    def assessed(self, kind: str, name: str) -> list[str]:
        """The values of its valid assessments, as texts."""
        held = self.chunk.assessments.get(self.trace.id, {})
        return [
            text(_value(one[kind]))
            for one in held.values()
            if kind in one and one.get("assessment_name") == name and one.get("valid", True)
        ]


class Seen:
    """A span as a filter sees it."""

    def __init__(self, trace: str, span: Span, chunk: "_Chunk") -> None:
        self.span = span
        self._trace, self._chunk = trace, chunk

    @property
    def content(self) -> str:
        return self._chunk.bodies[self._trace][self.span.id].decode()

    @cached_property
    def attributes(self) -> Mapping[str, Any]:
        return plain_of(orjson.loads(self.content).get("attributes", ()))


class _Chunk:
    def __init__(self, traces: Sequence[Trace], store: TraceStore) -> None:
        self._ids = [one.id for one in traces]
        self._store = store

    @cached_property
    def spans(self) -> dict[str, list[Seen]]:
        found = self._store.spans(self._ids, bodies=False)
        return {name: [Seen(name, span, self) for span in spans] for name, spans in found.items()}

    @cached_property
    def bodies(self) -> dict[str, dict[str, bytes]]:
        found = self._store.spans(self._ids)
        return {name: {span.id: span.body for span in spans} for name, spans in found.items()}

    @cached_property
    def assessments(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        return self._store.assessments(self._ids)


@dataclass(frozen=True, slots=True)
class Found:
    traces: Sequence[Trace] = field(default_factory=list)
    token: str | None = None
    """To go on with; None: that is all."""


class _Within(NamedTuple):
    """A stretch of time, ends included."""

    since: int = FIRST
    until: int = LAST


class TraceSearch:
    def __init__(self, store: TraceStore, *, looked_at: int = LOOKED_AT, ordered: int = ORDERED) -> None:
        self._store = store
        self._looked_at, self._ordered = looked_at, ordered

    def traces(self, experiments: Sequence[str], asked: Asked) -> Found:
        """Newest first unless told. In order of time a page may be short, or empty, and have a token all the same:
        more is behind it.

        Raises:
            Invalid: the filter, the order, the size or the token; more than `ordered` traces would be to put in order.

        """
        asked.checked(MAX_TRACES)
        if len(experiments) > MAX_EXPERIMENTS:
            raise Invalid(f"At most {MAX_EXPERIMENTS} locations a search, these are {len(experiments)}.")
        tree = parse_filter(asked.filter)
        matches = TRACES.predicate(tree)
        orders = parse_orders(asked.order_by)
        clauses = [Clause(TRACES.order(one), one.ascending) for one in orders]
        names = sorted(set(experiments))
        about = "\n".join((",".join(names), asked.filter, *asked.order_by))
        within = stretch(tree)
        if not orders or _is_time(orders[0]):
            newest = not orders or not orders[0].ascending
            return self._in_time(names, matches, within, asked, about, newest=newest)
        rows = list(islice(self._rows(names, within, newest=True, after=None), self._ordered + 1))
        if len(rows) > self._ordered:
            raise Invalid(
                f"More than {self._ordered} traces would be to put in this order. Order by timestamp_ms, or narrow the "
                "search by timestamp_ms > … AND timestamp_ms < …"
            )
        page = page_of(
            [row for row in rows if matches(row)],
            [*clauses, Clause(lambda row: row.trace.start, ascending=False)],
            identity=lambda row: row.trace.id,
            size=asked.size,
            token=asked.token,
            about=about,
        )
        return Found([row.trace for row in page.rows], page.token)

    def _in_time(
        self,
        experiments: Sequence[str],
        matches: Callable[[Row], bool],
        within: _Within,
        asked: Asked,
        about: str,
        *,
        newest: bool,
    ) -> Found:
        found: list[Trace] = []
        after = _place(asked.token, about) if asked.token else None
        rows = self._rows(experiments, within, newest=newest, after=after)
        for number, row in enumerate(rows, 1):
            if matches(row):
                found.append(row.trace)
            if len(found) == asked.size or number == self._looked_at:
                more = next(rows, None) is not None
                place = [row.trace.start, row.trace.id]
                return Found(found, sealed(place, about) if more else None)
        return Found(found)

    def _rows(
        self, experiments: Sequence[str], within: _Within, *, newest: bool, after: Place | None
    ) -> Iterator[Row]:
        each = [self._of(one, within, newest=newest, after=after) for one in experiments]
        return merge(*each, key=lambda row: (row.trace.start, row.trace.id), reverse=newest)

    def _of(self, experiment: str, within: _Within, *, newest: bool, after: Place | None) -> Iterator[Row]:
        while True:
            page = self._store.page(
                experiment, newest=newest, after=after, since=within.since, until=within.until, limit=CHUNK
            )
            chunk = _Chunk(page, self._store)
            yield from (Row(trace, chunk) for trace in page)
            if len(page) < CHUNK:
                return
            after = page[-1].start, page[-1].id


def stretch(tree: Tree | None) -> _Within:
    """The time that a filter confines itself to, so that nothing else is read."""
    since, until = FIRST, LAST
    for term in tree.terms if isinstance(tree, And) else (tree,):
        if not isinstance(term, Comparison) or not isinstance(term.value, float) or not _is_time(term):
            continue
        if not FIRST < term.value < LAST:
            continue
        if term.operator in (">", ">=", "="):
            since = max(since, int(term.value))
        if term.operator in ("<", "<=", "="):
            until = min(until, int(term.value) + 1)
    return _Within(since, until)


def _is_time(said: Comparison | Order) -> bool:
    return said.entity in ("", "attribute", "attributes", "attr", "trace") and said.key.lower() in _TIME


def _place(token: str, about: str) -> Place:
    match opened(token, about):
        case [int(start), str(name)] if FIRST <= start <= LAST:
            return start, name
    raise Invalid(f"Invalid page token {token[:80]!r}: give one that this search answered.")


def _value(said: Mapping[str, Any]) -> Any:
    """Of a feedback or an expectation."""
    if "serialized_value" in said:
        return said["serialized_value"].get("value", "")
    return said.get("value")


def _end(row: Row) -> int | None:
    return None if row.trace.duration is None else row.trace.start + row.trace.duration


def _runs(row: Row) -> Iterable[str]:
    source = row.trace.metadata.get(RUN)
    return [*row.trace.runs, *([source] if source else ())]


def _prompts(row: Row) -> list[str]:
    """`name/version` of those that its client linked, as it writes them down in a tag."""
    try:
        return [f"{one['name']}/{one['version']}" for one in orjson.loads(row.trace.tags.get(PROMPTS, "[]"))]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []


def _assessment(kind: str) -> Field[Row]:
    def read(key: str) -> Callable[[Row], list[str]]:
        return lambda row: row.assessed(kind, key)

    return Field("param", NULLABLE, read, many=True)


_TIME = frozenset({"timestamp_ms", "timestamp", "request_time"})
_SEARCHED = frozenset({"LIKE", "ILIKE"})
_TAG: Field[Row] = Field("text", NULLABLE, lambda key: lambda row: row.trace.tags.get(key))
_METADATA: Field[Row] = Field("text", NULLABLE, lambda key: lambda row: row.trace.metadata.get(key))

_SPAN: Language[Seen] = Language(
    attributes={
        "name": plain("text", LISTED, lambda one: one.span.name),
        "type": plain("text", LISTED, lambda one: one.span.type),
        "status": plain("text", LISTED, lambda one: one.span.status),
        "content": plain("text", _SEARCHED, lambda one: one.content),
    },
    entities={
        "attributes": Field(
            "param",
            LISTED,
            lambda key: lambda one: text(one.attributes[key]) if key in one.attributes else None,
        )
    },
    itself=frozenset(),
)
TRACES: Language[Row] = Language(
    attributes={
        "request_id": plain("text", LISTED, lambda row: row.trace.id),
        "timestamp_ms": plain("number", NUMERIC, lambda row: row.trace.start),
        "execution_time_ms": plain("number", NUMERIC, lambda row: row.trace.duration),
        "end_time_ms": plain("number", NUMERIC, _end),
        "status": plain("text", LISTED, lambda row: row.trace.state),
        "name": plain("text", LISTED, lambda row: row.trace.tags.get(NAME)),
        "client_request_id": plain("text", LISTED, lambda row: row.trace.client_id or None),
        "experiment_id": plain("text", LISTED, lambda row: row.trace.experiment),
        "run_id": Field("text", LISTED, lambda _: _runs, many=True),
        "prompt": Field("text", EQUAL, lambda _: _prompts, many=True),
        "text": Field("text", _SEARCHED, lambda _: lambda row: (one.content for one in row.spans), many=True),
    },
    entities={
        **dict.fromkeys(("tag", "tags"), _TAG),
        **dict.fromkeys(("metadata", "request_metadata", "trace_metadata"), _METADATA),
        **{kind: _assessment(kind) for kind in ("feedback", "expectation")},
    },
    spelled={
        "trace_id": "request_id",
        "timestamp": "timestamp_ms",
        "request_time": "timestamp_ms",
        "execution_time": "execution_time_ms",
        "execution_duration": "execution_time_ms",
        "end_time": "end_time_ms",
        "state": "status",
        "trace_name": "name",
    },
    itself=frozenset({"trace"}),
    within={"span": Within(_SPAN, lambda row: row.spans)},
)

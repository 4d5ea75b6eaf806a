"""Who said that an edge exists: every piece of evidence, oldest first."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from headwater_server.graph import keys, times
from headwater_server.graph.changes import Edge, Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.lineage.fold import CONFIDENCE, evidence_of
from headwater_server.lineage.refs import resolve
from headwater_server.lineage.shapes import Evidence, EvidenceKind, SqlSpan
from headwater_server.lineage.symlinks import group_of
from headwater_server.project.weights import weight_on
from headwater_server.store.port import Direction, GraphStore

UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM
_IN = (EdgeKind.INPUT_OF, EdgeKind.WAS_INPUT_OF)
_OUT = (EdgeKind.OUTPUTS, EdgeKind.DID_OUTPUT)
_COLUMNS = (
    EdgeKind.DERIVES,
    EdgeKind.AFFECTS,
    EdgeKind.FEATURE_OF,
    EdgeKind.DID_DERIVE,
    EdgeKind.DID_AFFECT,
)
_PLACE = re.compile(r"(\d+):(\d+)-(\d+):(\d+)")
_STANDING = (EdgeKind.IN_STAGE, EdgeKind.POINTED_TO)

RunRecords = Callable[[list[str]], dict[str, tuple[int, int]]]
ScriptOf = Callable[[str], str | None]
"""The script that a run ran, by the run's key."""


class Span(NamedTuple):
    """One time that a step was the flow."""

    step: str
    since: int | None
    until: int | None
    run: str
    note: str | None
    place: str = ""
    """Where in the run's script: `line:column-line:column`."""
    confidence: float | None = None


def why(
    ref: str,
    store: GraphStore,
    *,
    to: str,
    run_records: RunRecords | None = None,
    script_of: ScriptOf | None = None,
) -> tuple[Evidence, ...]:
    """Steps between the two, now and in history; `run_records` tells the first and the last record of runs."""
    source, target = resolve(ref, store), resolve(to, store)
    spans = _spans(source, target, store)
    steps = store.get({span.step for span in spans})
    openers = store.get({span.run for span in spans if span.run})
    last_runs = [_last_run(steps.get(span.step), span, store) for span in spans]
    named = {span.run for span in spans if span.run} | {run.key for run in last_runs if run}
    records = run_records(sorted(named)) if run_records and named else {}
    found = [
        _evidence(span, steps.get(span.step), openers.get(span.run), last, records, script_of)
        for span, last in zip(spans, last_runs, strict=True)
    ]
    found += _same_thing(source, target, store)
    return tuple(sorted(found, key=lambda one: (one.first_seen, one.last_seen, one.kind)))


def _spans(source: Node, target: Node, store: GraphStore) -> list[Span]:
    if source.kind is Kind.COLUMN and target.kind in (Kind.COLUMN, Kind.DATASET, Kind.MODEL_VERSION):
        ends = set(_names(target, store))
        edges = store.expand([source.key], DOWN, _COLUMNS)
        spans = [
            _span(edge.tag.partition("@")[0], [edge], _how(edge)) for edge in edges if edge.target in ends
        ]
        if spans or target.kind is Kind.COLUMN:
            return spans
    takes = {} if source.kind is Kind.JOB else _takes(source, store)
    makes = {} if target.kind is Kind.JOB else _makes(target, store)
    if source.kind is Kind.JOB:
        own = _steps(source.key, store)
        if target.kind is Kind.JOB:
            takes = _takes(source, store)
            return _both(takes, dict.fromkeys(_steps(target.key, store)))
        return _both(makes, dict.fromkeys(own))
    if target.kind is Kind.JOB:
        return _both(takes, dict.fromkeys(_steps(target.key, store)))
    spans = []
    for (step, since), ins in takes.items():
        if outs := makes.get((step, since)):
            spans.append(_span(step, [*ins, *outs], None))
    return spans


def _both(sides: dict[tuple[str, int | None], list[Edge]], steps: dict[str, None]) -> list[Span]:
    return [_span(step, edges, None) for (step, _), edges in sides.items() if step in steps]


def _steps(job: str, store: GraphStore) -> list[str]:
    return [edge.source for edge in store.expand([job], UP, [EdgeKind.STEP_OF])]


def _names(node: Node, store: GraphStore) -> Iterable[str]:
    """A dataset under all its names; a column as itself."""
    return group_of(node.key, store) if node.kind is Kind.DATASET else (node.key,)


def _takes(source: Node, store: GraphStore) -> dict[tuple[str, int | None], list[Edge]]:
    """What the thing goes into, by step and the time it began; a version goes where its stages do."""
    key = keys.dataset_of(source.key) if source.kind is Kind.COLUMN else source.key
    places = list(group_of(key, store)) if key.startswith("dataset|") else [key]
    if source.kind is Kind.MODEL_VERSION:
        places += [edge.target for edge in store.expand([key], DOWN, _STANDING)]
    found: dict[tuple[str, int | None], list[Edge]] = {}
    for edge in store.expand(places, DOWN, _IN):
        found.setdefault((edge.target, edge.since), []).append(edge)
    return found


def _makes(target: Node, store: GraphStore) -> dict[tuple[str, int | None], list[Edge]]:
    found: dict[tuple[str, int | None], list[Edge]] = {}
    for edge in store.expand(_names(target, store), UP, _OUT):
        found.setdefault((edge.source, edge.since), []).append(edge)
    return found


def _span(step: str, edges: list[Edge], note: str | None) -> Span:
    run = next((run for edge in edges if isinstance(run := edge.props.get("run"), str)), "")
    ends = [edge.until for edge in edges if edge.until is not None]
    place, confidence = edges[0].props.get("span"), edges[0].props.get("confidence")
    return Span(
        step,
        edges[0].since,
        min(ends, default=None),
        run,
        note,
        place if isinstance(place, str) else "",
        confidence if isinstance(confidence, float) else None,
    )


def _how(edge: Edge) -> str | None:
    weight = weight_on(edge)
    said = [edge.props.get("subtype"), edge.props.get("description"), weight.text if weight else None]
    return ": ".join(text for text in said if isinstance(text, str) and text) or None


def _last_run(step: Node | None, span: Span, store: GraphStore) -> Node | None:
    """The newest complete run of the job before the span ended."""
    if step is None or not step.group:
        return None
    before = None if span.until is None else (times.sortable(span.until), "")
    newest = store.page(Kind.RUN, marks=("C", "T"), group=step.group, before=before, reverse=True, limit=1)
    return newest[0] if newest else None


def _evidence(
    span: Span,
    step: Node | None,
    opener: Node | None,
    last: Node | None,
    records: dict[str, tuple[int, int]],
    script_of: ScriptOf | None,
) -> Evidence:
    kind = evidence_of(step)
    script = script_of(span.run) if script_of and span.run and span.place else None
    began = times.from_sortable(opener.sort) if opener and opener.sort else None
    first = span.since if span.since is not None else (began or 0)
    seen = times.from_sortable(last.sort) if last and last.sort else first
    opened = records.get(span.run, (0, 0))
    closed = records.get(last.key if last else "", opened)
    producer = (opener.props.get("producer") if opener else None) or (
        step.props.get("producer") if step else None
    )
    return Evidence(
        kind=kind,
        producer=producer if isinstance(producer, str) else None,
        first_seq=opened[0],
        last_seq=max(closed[1], opened[1]),
        first_seen=first,
        last_seen=max(first, seen),
        run_id=keys.parts_of(opener.key)[0] if opener else None,
        current=span.until is None,
        confidence=CONFIDENCE[kind] if span.confidence is None else span.confidence,
        note=span.note,
        job=step.group if step and step.group else None,
        run=span.run or None,
        sql=_piece(script, span.place) if script else None,
    )


def _piece(script: str, place: str) -> SqlSpan | None:
    found = _PLACE.fullmatch(place)
    if not found:
        return None
    first, left, last, right = (int(number) for number in found.groups())
    lines = script.splitlines()[first - 1 : last]
    if lines:
        lines[-1] = lines[-1][: right - 1]
        lines[0] = lines[0][left - 1 :]
    return SqlSpan("\n".join(lines), first, left, last, right)


def _same_thing(source: Node, target: Node, store: GraphStore) -> list[Evidence]:
    """Two names of one dataset."""
    if source.kind is not Kind.DATASET or target.kind is not Kind.DATASET:
        return []
    return [
        Evidence(
            kind=EvidenceKind.SYMLINK,
            producer=None,
            first_seq=0,
            last_seq=0,
            first_seen=edge.since or 0,
            last_seen=edge.since or 0,
            run_id=None,
            current=edge.until is None,
            confidence=CONFIDENCE[EvidenceKind.SYMLINK],
            note="two names of one dataset",
            job=None,
            run=None,
        )
        for edge in store.expand([source.key], DOWN, [EdgeKind.SYMLINK])
        if edge.target == target.key
    ]

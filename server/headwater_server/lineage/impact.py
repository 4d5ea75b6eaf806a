"""What breaks when a thing changes: ranked, with reasons and the path it takes."""

import heapq
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headwater_server.errors import Invalid
from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage.answer import PATIENCE
from headwater_server.lineage.fold import Ends
from headwater_server.lineage.moves import View
from headwater_server.lineage.refs import resolve
from headwater_server.lineage.routes import Links, Writer, links
from headwater_server.lineage.score import (
    DECAY,
    RANK,
    importance_of,
    reasons_of,
    severity_of,
    strength_of,
    weight_of,
)
from headwater_server.lineage.shapes import (
    AffectedModel,
    AffectedModels,
    ChangeKind,
    EntityKind,
    Granularity,
    ImpactItem,
    ImpactReport,
    ImpactSummary,
    KindCount,
    LineageDirection,
    Severity,
    SeverityCount,
    ShownEdgeKind,
)
from headwater_server.lineage.show import ENTITY_KIND, Details, is_gone, strings
from headwater_server.lineage.tell import markdown_of
from headwater_server.lineage.trace import Trace, trace
from headwater_server.lineage.urns import encode_id
from headwater_server.store.port import GraphStore

_MAX_PLACES = 50_000
_OF_COLUMNS = frozenset(
    {
        ChangeKind.SCHEMA_CHANGE,
        ChangeKind.COLUMN_DROP,
        ChangeKind.COLUMN_RENAME,
        ChangeKind.COLUMN_TYPE,
    }
)


@dataclass(frozen=True, slots=True)
class Way:
    """The best way a change arrives: how strongly, how surely, over what."""

    strength: float
    confidence: float
    importance: float
    distance: int
    before: str | None
    over: Ends | None

    @property
    def worth(self) -> float:
        return self.strength * self.confidence * self.importance * DECAY**self.distance


@dataclass(frozen=True, slots=True)
class Reached:
    """Everything downstream with its best way."""

    done: Trace
    ways: dict[str, Way]
    into: dict[str, set[str]]
    nodes: dict[str, Node]
    details: Details
    writer: Writer

    def feeding(self, version: str) -> list[Node]:
        """The columns over which a model version is reached, those of most weight first."""

        def order(column: Node) -> tuple[float, str]:
            bond = self.done.fold.bonds.get((column.key, version, ShownEdgeKind.TRAINS))
            return -bond.weight.share if bond and bond.weight else 0.0, column.key

        return sorted(
            (self.nodes[k] for k in self.into.get(version, ()) if k.startswith("column|")), key=order
        )

    def path(self, key: str) -> tuple[list[str], list[Ends | None]]:
        places, over = [key], []
        while (way := self.ways[places[-1]]).before is not None:
            over.append(way.over)
            places.append(way.before)
        return places[::-1], over[::-1]


def impact(
    ref: str,
    store: GraphStore,
    *,
    change: ChangeKind,
    columns: Sequence[str] = (),
    new_type: str | None = None,
    depth: int = 25,
    as_of: int | None = None,
    min_severity: Severity = Severity.LOW,
    kinds: Sequence[EntityKind] = (),
    now: int | None = None,
    deadline: float | None = None,
) -> ImpactReport:
    """What is downstream of the change, worst first; the caller pages.

    A change of columns follows columns where producers told them apart. Columns of a table that is
    hit are listed with it; they are items of their own when `kinds` asks for COLUMN.
    """
    now = time.time_ns() // 1000 if now is None else now
    subject = resolve(ref, store)
    if columns and subject.kind is not Kind.DATASET:
        raise Invalid(f"columns belong to a dataset, and {ref!r} is a {subject.kind}. Leave them out.")
    by_column = bool(columns) or subject.kind is Kind.COLUMN or change in _OF_COLUMNS
    reached = _reach(
        subject,
        View(store, as_of),
        columns=columns,
        by_column=by_column,
        depth=depth,
        now=now,
        deadline=deadline,
    )
    items = [
        item
        for item in _items(reached, change=change, with_columns=EntityKind.COLUMN in kinds)
        if RANK[item.severity] >= RANK[min_severity]
        and (not kinds or ENTITY_KIND.get(item.entity.kind) in kinds)
    ]
    items.sort(key=lambda item: (-RANK[item.severity], -item.score, item.distance, item.entity.key))
    summary = _summary(items, reached.details)
    return ImpactReport(
        subject=subject,
        change=change,
        as_of=now if as_of is None else as_of,
        items=tuple(items),
        summary=summary,
        truncated=reached.done.stopped is not None,
        markdown=markdown_of(
            subject, change, items, summary, columns=columns, new_type=new_type, details=reached.details
        ),
    )


def affected_models(
    ref: str,
    store: GraphStore,
    *,
    columns: Sequence[str] = (),
    stages: Sequence[str] = (),
    as_of: int | None = None,
    depth: int = 50,
    now: int | None = None,
    deadline: float | None = None,
) -> AffectedModels:
    """Model versions (in these stages; all by default) that depend on a thing, the nearest first."""
    now = time.time_ns() // 1000 if now is None else now
    subject = resolve(ref, store)
    by_column = bool(columns) or subject.kind is Kind.COLUMN
    reached = _reach(
        subject,
        View(store, as_of),
        columns=columns,
        by_column=by_column,
        depth=depth,
        now=now,
        deadline=deadline,
    )
    wanted = {stage.casefold() for stage in stages}
    found = []
    for key, way in reached.ways.items():
        node = reached.nodes.get(key)
        if node is None or node.kind is not Kind.MODEL_VERSION or is_gone(node) or key == subject.key:
            continue
        stage = reached.details.stage_of(node)
        if wanted and (stage or "").casefold() not in wanted:
            continue
        places, over = reached.path(key)
        found.append(
            AffectedModel(
                model_version=node,
                stage_name=stage,
                distance=way.distance,
                columns=tuple(reached.feeding(key)),
                path=reached.writer.path(places, over),
            )
        )
    found.sort(key=lambda m: (m.distance, -reached.ways[m.model_version.key].worth, m.model_version.key))
    return AffectedModels(tuple(found), reached.done.stopped is not None)


def _reach(
    subject: Node,
    view: View,
    *,
    columns: Sequence[str],
    by_column: bool,
    depth: int,
    now: int,
    deadline: float | None,
) -> Reached:
    until = time.monotonic() + PATIENCE if deadline is None else deadline
    done = trace(
        subject,
        view,
        direction=LineageDirection.DOWNSTREAM,
        depth=depth,
        granularity=Granularity.COLUMN if by_column else Granularity.ENTITY,
        limit=_MAX_PLACES,
        deadline=until,
        columns=columns,
    )
    within = dict(done.down)
    for (source, target, _), bond in done.fold.bonds.items():
        if bond.via and source in within and target in within:  # the job that carries it is hit too
            within.setdefault(bond.via, within[source] + 1)
    nodes = view.store.get(within)
    within = {key: depth for key, depth in within.items() if key in nodes}
    details = Details(view, deadline=until)
    details.load_stages(key for key in nodes if key.startswith("model_version|"))
    between = links(done, within)
    ways = _best_ways(done, between, starts=[key for key, at in done.down.items() if at == 0])
    into: dict[str, set[str]] = {}
    for source, targets in between.items():
        for target, ends in targets:
            if ends is not None and source in ways:
                into.setdefault(target, set()).add(source)
                via = done.fold.bonds[ends].via
                if via in nodes and via is not None:
                    into.setdefault(via, set()).add(source)
                    _offer(ways, via, ways[source], done, ends, source)
    writer = Writer(nodes, done.fold.bonds, depths=within, now=now, details=details)
    return Reached(done, ways, into, nodes, details, writer)


def _best_ways(done: Trace, between: Links, *, starts: list[str]) -> dict[str, Way]:
    """The way of most worth to each key; worth only falls along a way, so the best are settled first."""
    ways: dict[str, Way] = {}
    waiting: list[tuple[float, int, str, Way]] = [
        (-1.0, number, key, Way(1.0, 1.0, 1.0, 0, None, None)) for number, key in enumerate(starts)
    ]
    heapq.heapify(waiting)
    number = len(waiting)
    while waiting:
        _, _, key, way = heapq.heappop(waiting)
        if key in ways:
            continue
        ways[key] = way
        for there, ends in between.get(key, ()):
            if there not in ways:
                number += 1
                step = _further(way, done, ends, key)
                heapq.heappush(waiting, (-step.worth, number, there, step))
    return ways


def _further(way: Way, done: Trace, ends: Ends | None, before: str) -> Way:
    if ends is None:
        return replace(way, before=before, over=None)
    bond = done.fold.bonds[ends]
    return Way(
        min(way.strength, strength_of(ends, bond)),
        min(way.confidence, bond.confidence),
        min(way.importance, importance_of(bond)),
        way.distance + 1,
        before,
        ends,
    )


def _offer(ways: dict[str, Way], job: str, way: Way, done: Trace, ends: Ends, before: str) -> None:
    """A folded job is hit by what it carries on; the edge it is folded into shows how. It breaks whatever the model that
    it trains makes of a column.
    """
    step = replace(_further(way, done, ends, before), importance=way.importance)
    known = ways.get(job)
    if known is None or step.worth > known.worth:
        ways[job] = replace(step, over=None)


def _items(reached: Reached, *, change: ChangeKind, with_columns: bool) -> list[ImpactItem]:
    hit: dict[str, list[Node]] = {}
    for key in reached.ways:
        if key.startswith("column|") and reached.ways[key].distance and key in reached.nodes:
            hit.setdefault(keys.dataset_of(key), []).append(reached.nodes[key])
    items = []
    for key, way in reached.ways.items():
        node = reached.nodes.get(key)
        if node is None or not way.distance or is_gone(node):
            continue
        if node.kind is Kind.COLUMN and not with_columns:
            continue
        if node.kind is Kind.MODEL_VERSION:
            columns = reached.feeding(key)
        else:
            columns = sorted(hit.get(key, ()), key=lambda column: column.sort)
        items.append(_item(reached, node, way, change=change, columns=columns))
    return items


def _item(reached: Reached, node: Node, way: Way, *, change: ChangeKind, columns: list[Node]) -> ImpactItem:
    stage = reached.details.stage_of(node)
    weight = weight_of(node, stage)
    score = weight * way.worth
    places, over = reached.path(node.key)
    crossed, bonds = [ends for ends in over if ends], reached.done.fold.bonds
    weakest = min(crossed, key=lambda e: (strength_of(e, bonds[e]), bonds[e].confidence), default=None)
    return ImpactItem(
        entity=node,
        severity=severity_of(node, stage, score=score, change=change),
        score=round(score, 6),
        distance=way.distance,
        reasons=reasons_of(
            node,
            stage,
            weight=weight,
            strength=way.strength,
            confidence=way.confidence,
            distance=way.distance,
            change=change,
            weakest=tuple(encode_id(end) for end in weakest[:2]) if weakest else (),
            lightest=min(
                ((ends, bonds[ends]) for ends in crossed if bonds[ends].weight),
                key=lambda one: importance_of(one[1]),
                default=None,
            ),
        ),
        path=reached.writer.path(places, over),
        alternative_paths=max(0, len(reached.into.get(node.key, ())) - 1),
        columns=tuple(columns),
    )


def _summary(items: list[ImpactItem], details: Details) -> ImpactSummary:
    kinds = Counter(ENTITY_KIND.get(item.entity.kind, EntityKind.EXTERNAL) for item in items)
    severities = Counter(item.severity for item in items)
    return ImpactSummary(
        by_kind=tuple(KindCount(kind, kinds[kind]) for kind in EntityKind if kinds[kind]),
        by_severity=tuple(
            SeverityCount(severity, severities[severity])
            for severity in reversed(Severity)
            if severities[severity]
        ),
        production_models=tuple(
            item.entity for item in items if (details.stage_of(item.entity) or "").casefold() == "production"
        ),
        owners=tuple(sorted({owner for item in items for owner in strings(item.entity, "owners")})),
    )

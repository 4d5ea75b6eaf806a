"""What the registry tells: stages and who stands in them, aliases, a version's moves, what it was trained on."""

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.project.reading import facts_of, pinned
from headwater_server.project.registered import TOLD, dataset_behind
from headwater_server.registry.views import AliasView, StageView, Transition
from headwater_server.store.port import Direction, GraphStore


class RegistryReads:
    """Answers from the graph; from any thread."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store

    def revision(self, model_key: str) -> int:
        return facts_of(model_key, self._store).last.get("revision", 0)

    def stages(self, model_key: str) -> list[StageView]:
        nodes = self._store.page(Kind.STAGE, marks=[""], group=model_key, limit=200)
        held: dict[str, list[str]] = {}
        for edge in self._store.expand([n.key for n in nodes], Direction.UPSTREAM, [EdgeKind.NOW_IN]):
            held.setdefault(edge.target, []).append(edge.source)
        return [
            StageView(
                n.key,
                str(n.props["name"]),
                int(str(n.props.get("order", 99))),
                bool(n.props.get("exclusive")),
                tuple(sorted(held.get(n.key, ()), key=keys.number_of)),
            )
            for n in nodes
        ]

    def aliases(self, model_key: str) -> list[AliasView]:
        nodes = self._store.page(Kind.ALIAS, marks=[""], group=model_key, limit=1_000)
        edges = self._store.expand([n.key for n in nodes], Direction.UPSTREAM, [EdgeKind.POINTED_TO])
        found = [
            AliasView(keys.parts_of(e.target)[1], e.source, e.since or 0, str(e.props.get("by", "")))
            for e in edges
            if e.until is None
        ]
        return sorted(found, key=lambda a: a.name)

    def history(self, version_key: str) -> list[Transition]:
        """A version's moves, newest first."""
        return _moves(version_key, facts_of(version_key, self._store))

    def in_stage(
        self,
        stage_name: str,
        *,
        model_key: str | None = None,
        at: int | None = None,
        after: str | None = None,
        limit: int,
    ) -> list[str]:
        """Versions that stand in a stage (or stood in it at a moment), by model and number."""
        found: list[str] = []
        kind = EdgeKind.NOW_IN if at is None else EdgeKind.IN_STAGE
        start = keys.parts_of(after)[0] if after else None
        cursor: tuple[str, str] | None = (start, "") if start else None
        while len(found) < limit:
            if model_key is not None:
                names = [keys.parts_of(model_key)[0]]
            else:
                page = self._store.page(Kind.MODEL, marks=["", "h"], after=cursor, limit=200)
                if not page:
                    break
                names = [str(n.props["name"]) for n in page]
                cursor = page[-1].sort, page[-1].key
            stages = [keys.stage(n, stage_name) for n in names]
            edges = self._store.expand(stages, Direction.UPSTREAM, [kind], at=at)
            ordered = sorted({e.source for e in edges}, key=_order)
            found += [k for k in ordered if after is None or _order(k) > _order(after)]
            if model_key is not None:
                break
        return found[:limit]

    def trained_on(self, version_key: str) -> list[str]:
        """The versions of the datasets it was trained on; the dataset where no version is known.

        What its run read stands above what was named when the version was made.
        """
        edges = self._store.expand([version_key], Direction.DOWNSTREAM, [EdgeKind.TRAINED_ON])
        read = {dataset_behind(edge.target) for edge in edges if edge.tag != TOLD}
        found = set()
        for edge in edges:
            if edge.tag == TOLD and dataset_behind(edge.target) in read:
                continue
            target: str | None = edge.target
            if keys.kind_of(edge.target) is Kind.DATASET and edge.since is not None:
                target = pinned(edge.target, edge.since, self._store)
            found.add(target or edge.target)
        return sorted(found)


def _moves(version_key: str, facts: Facts) -> list[Transition]:
    model, _ = keys.parts_of(version_key)
    found = [
        Transition(
            move["id"],
            version_key,
            move["from"],
            move["to"] or "None",
            move["at"],
            move["by"],
            move["comment"],
            int(revision),
            tuple(keys.model_version(model, n) for n in move["archived"]),
        )
        for revision, move in facts.named("move|")
    ]
    return sorted(found, key=lambda t: -t.revision)


def _order(version_key: str) -> tuple[str, int]:
    return keys.parts_of(version_key)[0], keys.number_of(version_key)

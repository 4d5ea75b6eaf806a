"""Models and versions as they are registered, whole: what lists and MLflow's clients are told."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from headwater_server.errors import NotFound
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.project.lru import Lru
from headwater_server.registry import prompts
from headwater_server.registry.reads import RegistryReads
from headwater_server.store.port import Direction, GraphStore

PAGE = 500
NO_STAGE = "None"
REMEMBERED = 1_000
"""Models at hand."""
_PARTS = ("model|", "model_version|", "stage|", "alias|")


@dataclass(frozen=True, slots=True)
class ModelView:
    """Times in microseconds."""

    name: str
    created: int
    updated: int
    """As MLflow's clients expect it: tags and aliases are no change."""
    moved: int
    """The last change of any kind, of it or of its versions."""
    description: str
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class VersionView:
    """Times in microseconds."""

    model: str
    number: str
    created: int
    updated: int
    stage: str
    """`None` where it stands in none."""
    description: str
    source: str
    run_id: str
    run_link: str
    logged_model: str
    """Its id; empty: none is known."""
    by: str
    tags: dict[str, str]
    aliases: tuple[str, ...]


class Whole(NamedTuple):
    """A model with what stands around it."""

    model: ModelView
    latest: tuple[VersionView, ...]
    """The newest version in each stage."""
    aliases: tuple[tuple[str, str], ...]
    """(alias, version)"""


class Catalogue(RegistryReads):
    def __init__(self, store: GraphStore) -> None:
        super().__init__(store)
        self._lock = threading.Lock()
        self._wholes: Lru[Whole] = Lru(REMEMBERED)
        self._turn = 0

    def whole(self, name: str) -> Whole:
        """Remembered until something of it changes: clients ask before every other call. Raises NotFound."""
        with self._lock:
            known, turn = self._wholes.get(name), self._turn
        if known is not None:
            return known
        found = Whole(self.model(name), tuple(self.latest(name)), tuple(self.pointers(name)))
        with self._lock:
            if turn == self._turn:
                self._wholes.put(name, found)
        return found

    def shown(self, told: Iterable[str]) -> None:
        """Called with the keys of what the graph shows anew."""
        changed = {keys.parts_of(key)[0] for key in told if key.startswith(_PARTS)}
        if changed:
            with self._lock:
                self._turn += 1
                for name in changed:
                    self._wholes.drop(name)

    def forget(self) -> None:
        """The graph begins again."""
        with self._lock:
            self._turn += 1
            self._wholes = Lru(REMEMBERED)

    def model(self, name: str) -> ModelView:
        """By its very name. Raises NotFound."""
        key = keys.model(name)
        found = self._models([key])
        if not found:
            raise NotFound(f"Registered Model with name={name} not found", ref=name, didYouMean=[])
        return found[0]

    def is_prompt(self, name: str) -> bool:
        """Whether MLflow's clients keep a prompt by this name."""
        return any(prompts.is_prompt(one.tags) for one in self._models([keys.model(name)]))

    def models(self) -> Iterator[ModelView]:
        """All, by name."""
        after: tuple[str, str] | None = None
        while page := self._store.page(Kind.MODEL, marks=["", "h"], after=after, limit=PAGE):
            yield from self._models(n.key for n in page if n.mark == "" or n.props.get("archived"))
            after = page[-1].sort, page[-1].key

    def model_version(self, name: str, number: str) -> VersionView:
        """By its very name. Raises NotFound."""
        found = self._versions([keys.model_version(name, number)]) if number.isdecimal() else []
        if not found:
            text = f"Model Version (name={name}, version={number}) not found"
            raise NotFound(text, ref=f"models:/{name}/{number}", didYouMean=[])
        return found[0]

    def versions_of(self, name: str) -> list[VersionView]:
        """By number."""
        return list(self._pages(keys.model(name)))

    def newest(self, name: str) -> VersionView | None:
        """The version with the highest number; None: it has none."""
        before: tuple[str, str] | None = None
        while page := self._store.page(
            Kind.MODEL_VERSION, marks=["", "h"], group=keys.model(name), before=before, reverse=True, limit=4
        ):
            for node in page:
                if found := self._versions([node.key]):
                    return found[0]
            before = page[-1].sort, page[-1].key
        return None

    def all_versions(self) -> Iterator[VersionView]:
        yield from self._pages(None)

    def at_alias(self, name: str, alias: str) -> VersionView:
        """Raises NotFound: the model, or the alias points at nothing."""
        edges = self._store.expand([keys.alias(name, alias)], Direction.UPSTREAM, [EdgeKind.NOW_AT])
        found = self._versions([e.source for e in edges])
        if not found:
            self.model(name)
            text = f"Registered model alias {alias} not found."
            raise NotFound(text, ref=f"models:/{name}@{alias}", didYouMean=[])
        return found[0]

    def pointers(self, name: str) -> list[tuple[str, str]]:
        """(alias, version) of a model, by alias."""
        return [(a.name, keys.parts_of(a.version_key)[1]) for a in self.aliases(keys.model(name))]

    def latest(self, name: str, stages: Sequence[str] = ()) -> list[VersionView]:
        """The newest version in each stage (in each of these, whatever their case), in order of their numbers.

        Cost: the versions that stand in a stage, and those made since the last that stands in none.
        """
        key = keys.model(name)
        wanted = {s.casefold() for s in stages}
        held = {v for stage in self.stages(key) for v in stage.current}
        newest: dict[str, VersionView] = {}
        loose = None if wanted and NO_STAGE.casefold() not in wanted else self._newest_loose(key)
        for view in [*self._versions(sorted(held)), *([loose] if loose else [])]:
            known = newest.get(view.stage)
            if known is None or int(view.number) > int(known.number):
                newest[view.stage] = view
        return sorted(
            (v for v in newest.values() if not wanted or v.stage.casefold() in wanted),
            key=lambda v: int(v.number),
        )

    def registrations(self, model_id: str) -> list[tuple[str, str]]:
        """(model, version) that a logged model is registered as."""
        key = keys.logged_model(model_id)
        edges = self._store.expand([key], Direction.UPSTREAM, [EdgeKind.OF_MODEL])
        found = (keys.parts_of(e.source) for e in edges)
        return sorted(((name, number) for name, number in found), key=lambda one: (one[0], int(one[1])))

    # ---------------------------------------------------------------------------------------------

    def _models(self, wanted: Iterable[str]) -> list[ModelView]:
        wanted = list(wanted)
        states = self._store.states(wanted)
        return [
            view
            for key in wanted
            if key in states and (view := _model(keys.parts_of(key)[0], Facts.load(states[key])))
        ]

    def _pages(self, group: str | None) -> Iterator[VersionView]:
        after: tuple[str, str] | None = None
        kind = Kind.MODEL_VERSION
        while page := self._store.page(kind, marks=["", "h"], group=group, after=after, limit=PAGE):
            yield from self._versions([node.key for node in page])
            after = page[-1].sort, page[-1].key

    def _versions(self, wanted: Sequence[str]) -> list[VersionView]:
        if not wanted:
            return []
        states = self._store.states(wanted)
        named: dict[str, list[str]] = {}
        for edge in self._store.expand(wanted, Direction.DOWNSTREAM, [EdgeKind.NOW_AT]):
            named.setdefault(edge.source, []).append(keys.parts_of(edge.target)[1])
        found = []
        for key in wanted:
            facts = Facts.load(states[key]) if key in states else Facts()
            if facts.get("made") and not facts.get("deleted"):
                found.append(_version(key, facts, tuple(sorted(named.get(key, ())))))
        return found

    def _newest_loose(self, model_key: str) -> VersionView | None:
        """The newest version that stands in no stage."""
        before: tuple[str, str] | None = None
        limit = 4
        while page := self._store.page(
            Kind.MODEL_VERSION, marks=[""], group=model_key, before=before, reverse=True, limit=limit
        ):
            for node in page:
                if not node.props.get("stage"):
                    return next(iter(self._versions([node.key])), None)
            before = page[-1].sort, page[-1].key
            limit = PAGE
        return None


def _model(name: str, facts: Facts) -> ModelView | None:
    if "created" not in facts.first or facts.get("deleted"):
        return None
    again = facts.values.get("deleted")
    created = int(again[0]) if again is not None else facts.first["created"]
    changed = facts.last.get("changed", facts.last.get("moved", created))
    return ModelView(
        name,
        created,
        changed,
        facts.last.get("moved", created),
        str(facts.get("description") or ""),
        _tags(facts),
    )


def _version(key: str, facts: Facts, aliases: tuple[str, ...]) -> VersionView:
    model, number = keys.parts_of(key)
    made = facts.get("made")
    moves = sorted(facts.named("move|"), key=lambda move: int(move[0]))
    stage = moves[-1][1]["to"] if moves else None
    run = made.get("run")
    description = facts.get("description") if "description" in facts.values else made.get("description")
    return VersionView(
        model,
        number,
        made["at"],
        max([made["at"], facts.last.get("edited", 0), *(move["at"] for _, move in moves)]),
        stage or NO_STAGE,
        str(description or ""),
        str(made.get("sourceUri") or ""),
        keys.parts_of(run)[0] if run else str(made.get("runId") or ""),
        str(made.get("runLink") or ""),
        _logged(made),
        str(made.get("by") or ""),
        _tags(facts),
        aliases,
    )


def _logged(made: dict[str, Any]) -> str:
    return keys.logged_model_id(made["loggedModel"]) or "" if made.get("loggedModel") else ""


def _tags(facts: Facts) -> dict[str, str]:
    return {tag: str(said.get("value") or "") for tag, said in facts.named("tag|") if not said.get("removed")}

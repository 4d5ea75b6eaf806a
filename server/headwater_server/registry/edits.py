"""Changes to what is registered already: descriptions and tags, deletions, a model's name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headwater_server.errors import AlreadyExists, NotFound
from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.log.port import Draft, Receipt
from headwater_server.project.reading import facts_of
from headwater_server.registry import records
from headwater_server.registry.deciding import Deciding
from headwater_server.registry.names import checked
from headwater_server.store.port import Direction

_KEEP: Any = object()
"""Not given: it stays as it is."""
PAGE = 500


class Edits(Deciding):
    def edit(
        self,
        model: str,
        version: str | None = None,
        *,
        description: str | None = _KEEP,
        tags: Mapping[str, str] | None = None,
        removed: Sequence[str] = (),
        actor: str,
        at: int | None = None,
    ) -> None:
        """A model's, or a version's. Removing a tag that is not there changes nothing.

        Raises:
            NotFound: the model or the version.

        """

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], None]]:
            model_key = self.registered(model).key
            key = model_key if version is None else self.version(model, version).key
            body: dict[str, Any] = {"model": model, "revision": self.revision(model_key) + 1}
            if version is not None:
                body["number"] = version
            if description is not _KEEP:
                body["description"] = description
            body |= {"tags": dict(tags or {}), "removed": list(removed)}
            about = list(dict.fromkeys((model_key, key)))
            return [self._draft(records.EDIT, model_key, body, actor, about, at=at)], lambda _: None

        self._committer.command(decide)

    def delete_version(self, model: str, version: str, *, actor: str) -> None:
        """It leaves its stage and its aliases. Its number is never given again.

        Raises:
            NotFound: the version.

        """

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], None]]:
            node = self.version(model, version)
            aliases = [a.name for a in self.aliases(keys.model(model)) if a.version_key == node.key]
            body = self._deletion(model, [node], aliases, tags=[], whole=False)
            about = [keys.model(model), node.key]
            return [self._draft(records.DELETE, about[0], body, actor, about)], lambda _: None

        self._committer.command(decide)

    def delete_model(self, model: str, *, actor: str) -> None:
        """With all its versions. A model that is registered by this name again goes on numbering behind them.

        Raises:
            NotFound: the model.

        """

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], None]]:
            key = self.registered(model).key
            return [self._draft(records.DELETE, key, self._whole(model), actor, [key])], lambda _: None

        self._committer.command(decide)

    def rename(self, model: str, to: str, *, actor: str) -> str:
        """The new key. Versions, stages, aliases and their history go along.

        Raises:
            NotFound: the model.
            AlreadyExists: a model has, or had, the new name.

        """
        to = checked(to, "model")

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], str]]:
            key, new = self.registered(model).key, keys.model(to)
            if facts_of(new, self._store).first:
                raise AlreadyExists(f"Registered Model (name={to}) already exists, or did.", key=new)
            body = {
                **self._whole(model),
                "to": to,
                "known": self._moved(model, to),
                "produced": self._produced(model, to),
            }
            draft = self._draft(records.RENAME, key, body, actor, [key, new])
            return [draft], lambda _: new

        return self._committer.command(decide)

    # ---------------------------------------------------------------------------------------------

    def _whole(self, model: str) -> dict[str, Any]:
        key = keys.model(model)
        tags = [tag for tag, said in facts_of(key, self._store).named("tag|") if not said.get("removed")]
        aliases = [a.name for a in self.aliases(key)]
        return self._deletion(model, self.versions(key), aliases, tags=tags, whole=True)

    def _deletion(
        self,
        model: str,
        versions: Sequence[Node],
        aliases: Sequence[str],
        *,
        tags: Sequence[str],
        whole: bool,
    ) -> dict[str, Any]:
        return {
            "model": model,
            "versions": [[keys.parts_of(v.key)[1], v.props.get("stage")] for v in versions],
            "aliases": list(aliases),
            "tags": list(tags),
            "whole": whole,
            "revision": self.revision(keys.model(model)) + 1,
        }

    def _moved(self, model: str, to: str) -> dict[str, Any]:
        """The facts of the model and of all that is its, under their new keys."""
        key = keys.model(model)
        nodes = [
            *self._all(Kind.MODEL_VERSION, key),
            *self._all(Kind.STAGE, key),
            *self._all(Kind.ALIAS, key),
        ]
        found: dict[str, Any] = {}
        for old in [key, *(node.key for node in nodes)]:
            facts = facts_of(old, self._store).copy()
            _rewrite(facts, to)
            found[_under(old, to)] = [facts.values, facts.first, facts.last]
        return found

    def _produced(self, model: str, to: str) -> list[list[Any]]:
        versions = [node.key for node in self._all(Kind.MODEL_VERSION, keys.model(model))]
        edges = self._store.expand(versions, Direction.UPSTREAM, [EdgeKind.PRODUCED])
        return sorted([e.source, e.target, _under(e.target, to), e.since] for e in edges)

    def _all(self, kind: Kind, group: str) -> list[Node]:
        found: list[Node] = []
        after: tuple[str, str] | None = None
        while page := self._store.page(kind, marks=["", "h"], group=group, after=after, limit=PAGE):
            found += page
            after = page[-1].sort, page[-1].key
        return found

    def versions(self, model_key: str) -> list[Node]:
        """Those that are not deleted, by number."""
        return [
            n for n in self._all(Kind.MODEL_VERSION, model_key) if n.mark == "" or n.props.get("archived")
        ]

    def registered(self, name: str) -> Node:
        """By its very name. Raises NotFound."""
        key = keys.model(name)
        node = self._store.get([key]).get(key)
        if node is None or (node.mark == "h" and not node.props.get("archived")):
            raise NotFound(f"Registered Model with name={name} not found", ref=name, didYouMean=[])
        return node

    def version(self, model: str, version: str) -> Node:
        """By its very name. Raises NotFound."""
        key = keys.model_version(model, version)
        node = self._store.get([key]).get(key)
        if node is None or (node.mark == "h" and not node.props.get("archived")):
            text = f"Model Version (name={model}, version={version}) not found"
            raise NotFound(text, ref=f"models:/{model}/{version}", didYouMean=[])
        return node


def _under(old: str, name: str) -> str:
    """The key under a model's new name."""
    _, *rest = keys.parts_of(old)
    return keys.key(keys.kind_of(old), name, *rest)


def _rewrite(facts: Facts, name: str) -> None:
    """Texts in facts that name the model or its versions."""
    made = facts.values.get("made")
    if made is not None:
        facts.values["made"] = [made[0], made[1], {**made[2], "model": name}]
    for point, entry in facts.values.items():
        if point.startswith("point|") and entry[2]["version"]:
            version = _under(entry[2]["version"], name)
            facts.values[point] = [entry[0], version, {**entry[2], "version": version}]

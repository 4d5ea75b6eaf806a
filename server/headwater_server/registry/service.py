"""Changes to the registry: each is decided in the writer's turn, recorded as decided, and seen when it returns."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from headwater_server.commit.committer import Committer
from headwater_server.errors import AlreadyExists, Conflict, Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.log.port import Draft, Receipt, RecordLog
from headwater_server.project.reading import facts_of
from headwater_server.registry import records
from headwater_server.registry.names import checked, checked_alias
from headwater_server.registry.reads import RegistryReads
from headwater_server.registry.views import AliasChange, Transition
from headwater_server.store.port import Direction, GraphStore

_TRAINABLE = frozenset({Kind.DATASET, Kind.DATASET_VERSION})


class Registry(RegistryReads):
    """Models, versions, stages, aliases. `resolve` turns any reference into its node."""

    def __init__(
        self,
        committer: Committer,
        log: RecordLog,
        store: GraphStore,
        *,
        resolve: Callable[[str], Node],
        now: Callable[[], int],
    ) -> None:
        super().__init__(store)
        self._committer = committer
        self._log = log
        self._resolve = resolve
        self._now = now

    def register_model(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        stages: Sequence[tuple[str, bool]] | None = None,
        actor: str,
    ) -> str:
        """The new model's key.

        Raises:
            Invalid: the name, or a stage's.
            AlreadyExists: details `key`.

        """
        name = checked(name, "model")
        named = [(checked(s, "stage"), exclusive) for s, exclusive in stages or ()]
        if len({s.casefold() for s, _ in named}) < len(named):
            raise Invalid("a model's stages have different names.", field="stages")
        key = keys.model(name)

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], str]]:
            node = self._store.get([key]).get(key)
            if node is not None and (node.mark == "" or node.props.get("archived")):
                raise AlreadyExists(f"model {name} is registered already.", key=key)
            body = {
                "name": name,
                "description": description,
                "tags": dict(tags or {}),
                "stages": named or None,
                "revision": self.revision(key) + 1,
            }
            return [self._draft(records.MODEL, key, body, actor, [key])], lambda _: key

        return self._committer.command(decide)

    def create_version(
        self,
        model: str,
        *,
        run_id: str | None = None,
        source_uri: str | None = None,
        content_hash: str | None = None,
        signature: Any = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        trained_on: Sequence[str] = (),
        idempotency_key: str | None = None,
        actor: str,
    ) -> str:
        """The new version's key; the same again for the same idempotency key.

        Raises:
            NotFound: the model, the run or a dataset.
            Invalid: what it was trained on is not a dataset.

        """

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], str]]:
            node = self._model(model)
            name = str(node.props["name"])
            run = self._run(run_id) if run_id else None
            trained = [self._trained_on(ref) for ref in trained_on]
            newest = self._store.page(
                Kind.MODEL_VERSION, marks=["", "h"], group=node.key, reverse=True, limit=1
            )
            last = newest[0].props.get("number") if newest else 0
            number = (last if isinstance(last, int) else 0) + 1
            body: dict[str, Any] = {
                "model": name,
                "number": number,
                "run": run,
                "sourceUri": source_uri,
                "contentHash": content_hash,
                "signature": None if signature is None else orjson.dumps(signature).decode(),
                "description": description,
                "tags": dict(tags or {}),
                "trainedOn": trained,
                "revision": self.revision(node.key) + 1,
            }
            about = [node.key, keys.model_version(name, number), *([run] if run else []), *trained]
            draft = self._draft(records.VERSION, node.key, body, actor, about, idempotency_key)

            def finish(receipts: list[Receipt]) -> str:
                record = self._log.get(receipts[0].seq)
                made = orjson.loads(record.body) if record else body
                return keys.model_version(name, made["number"])

            return [draft], finish

        return self._committer.command(decide)

    def transition(
        self,
        *,
        ref: str | None = None,
        model: str | None = None,
        version: str | None = None,
        to_stage: str,
        expected_revision: int | None = None,
        comment: str | None = None,
        archive_existing: bool | None = None,
        idempotency_key: str | None = None,
        actor: str,
    ) -> Transition:
        """Move a version to a stage (`None` takes it out of all). Already there: nothing is recorded.

        `archive_existing` moves those that stand there to Archived; unless told, as the stage is exclusive.

        Raises:
            NotFound: the version.
            Invalid: no such stage on a model with stages of its own.
            Conflict: the model's revision is not the expected one; details expected, actual, current.

        """

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], Transition]]:
            node = self._version(ref, model, version)
            name, number = keys.parts_of(node.key)
            model_key = keys.model(name)
            self._expect(model_key, expected_revision)
            stage = self._stage_name(model_key, to_stage)
            now = node.props.get("stage")
            if now == stage:
                return [], lambda _: self._standing(node.key)
            moves: list[dict[str, Any]] = [{"number": number, "from": now, "to": stage}]
            moves += self._leaving(name, stage, number, archive=archive_existing)
            body = {
                "id": secrets.token_hex(8),
                "model": name,
                "moves": moves,
                "comment": comment,
                "revision": self.revision(model_key) + 1,
                "before": {"stage": now},
                "after": {"stage": stage},
            }
            about = [model_key, *(keys.model_version(name, str(m["number"])) for m in moves)]
            draft = self._draft(records.TRANSITION, model_key, body, actor, about, idempotency_key)
            return [draft], lambda _: self.history(node.key)[0]

        return self._committer.command(decide)

    def set_alias(
        self,
        model: str,
        alias: str,
        *,
        version: str | None,
        expected_version: str | None = None,
        actor: str,
    ) -> AliasChange:
        """Point an alias at a version, or at none. `expected_version` makes it compare-and-swap (`` for "none").

        Raises:
            NotFound: model or version.
            Invalid: the alias' name.
            Conflict: it points elsewhere; details expected, actual, current.

        """
        alias = checked_alias(alias)

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], AliasChange]]:
            node = self._model(model)
            name = str(node.props["name"])
            key = keys.alias(name, alias)
            held = self._store.expand([key], Direction.UPSTREAM, [EdgeKind.NOW_AT])
            previous = held[0].source if held else None
            actual = keys.parts_of(previous)[1] if previous else ""
            if expected_version is not None and expected_version != actual:
                raise Conflict(
                    f"alias {alias} of {name} points at {actual or 'nothing'}, not at {expected_version or 'nothing'}.",
                    expected=expected_version,
                    actual=actual,
                    current=node.key,
                )
            target = None if version is None else self._version(None, model, version).key
            body = {
                "model": name,
                "alias": alias,
                "number": None if target is None else keys.parts_of(target)[1],
                "revision": self.revision(node.key) + 1,
                "before": {"version": actual or None},
                "after": {"version": version},
            }
            about = [k for k in (node.key, key, target, previous) if k]
            draft = self._draft(records.ALIAS, node.key, body, actor, about)
            at = orjson.loads(draft.body)["at"]
            change = AliasChange(node.key, alias, target, previous, at, actor)
            return [draft], lambda _: change

        return self._committer.command(decide)

    # -- look-ups of a decision -------------------------------------------------------------------

    def _model(self, name: str) -> Node:
        key = keys.model(name)
        node = self._store.get([key]).get(key)
        if node is None:
            node = self._resolve(name)
        if node.kind is not Kind.MODEL or (node.mark == "h" and not node.props.get("archived")):
            raise NotFound(f"no model is registered as {name!r}. Register it first.", ref=name, didYouMean=[])
        return node

    def _version(self, ref: str | None, model: str | None, version: str | None) -> Node:
        if ref is None:
            if model is None or version is None:
                raise Invalid("give `ref`, or `model` and `version`.", field="version")
            self._model(model)
            key = keys.model_version(model, version)
            found = self._store.get([key]).get(key)
            if found is None or (found.mark == "h" and not found.props.get("archived")):
                raise NotFound(
                    f"model {model} has no version {version}.",
                    ref=f"models:/{model}/{version}",
                    didYouMean=[],
                )
            return found
        node = self._resolve(ref)
        if node.kind is not Kind.MODEL_VERSION:
            raise Invalid(f"{ref} is a {node.kind}, not a model version.", field="ref")
        return node

    def _run(self, run_id: str) -> str:
        found = self._store.starting(keys.key(Kind.RUN, run_id) + "|", limit=1)
        if found:
            return found[0]
        node = self._resolve(run_id)
        if node.kind is not Kind.RUN:
            raise Invalid(f"{run_id} is a {node.kind}, not a run.", field="runId")
        return node.key

    def _trained_on(self, ref: str) -> str:
        node = self._resolve(ref)
        if node.kind not in _TRAINABLE:
            raise Invalid(f"{ref} is a {node.kind}; a model is trained on datasets.", field="trainedOn")
        return node.key

    def _expect(self, model_key: str, expected: int | None) -> None:
        actual = self.revision(model_key)
        if expected is not None and expected != actual:
            raise Conflict(
                f"the model is at revision {actual}, not {expected}: somebody changed it first. Look again, then decide.",
                expected=expected,
                actual=actual,
                current=model_key,
            )

    def _stage_name(self, model_key: str, given: str) -> str | None:
        """As the model spells it. A model with stages of its own takes no others."""
        if given.strip().casefold() in ("", "none"):
            return None
        name = checked(given, "stage")
        known = [s.name for s in self.stages(model_key)]
        spelled = next((s for s in known if s.casefold() == name.casefold()), None)
        if spelled is None and facts_of(model_key, self._store).get("own_stages"):
            raise Invalid(f"this model has no stage {given!r}; it has {', '.join(known)}.", field="toStage")
        return spelled or name

    def _leaving(
        self, model: str, stage: str | None, number: str, *, archive: bool | None
    ) -> list[dict[str, Any]]:
        if stage in (None, records.ARCHIVED):
            return []
        views = {s.name: s for s in self.stages(keys.model(model))}
        here = views.get(str(stage))
        if here is None or not (here.exclusive if archive is None else archive or here.exclusive):
            return []
        others = (keys.parts_of(key)[1] for key in here.current)
        return [{"number": n, "from": stage, "to": records.ARCHIVED} for n in others if n != number]

    def _standing(self, version_key: str) -> Transition:
        moves = self.history(version_key)
        if moves:
            return moves[0]
        revision = self.revision(keys.model(keys.parts_of(version_key)[0]))
        return Transition("", version_key, None, "None", self._now(), "", None, revision, ())

    def _draft(
        self,
        kind: str,
        model_key: str,
        body: dict[str, Any],
        actor: str,
        about: Sequence[str],
        idempotency_key: str | None = None,
    ) -> Draft:
        """Times within one model never go back, so that its intervals have an order."""
        moved = facts_of(model_key, self._store).last.get("moved", 0)
        at = max(self._now(), moved + 1)
        token = f"{model_key}|{idempotency_key}" if idempotency_key else secrets.token_hex(16)
        content_key = hashlib.sha256(f"{kind}|{token}".encode()).digest()
        raw = orjson.dumps({**body, "at": at, "by": actor})
        return Draft(kind, raw, content_key, event_time=at, producer="headwater", actor=actor, mentions=about)

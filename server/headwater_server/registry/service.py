"""Changes to the registry: each is decided in the writer's turn, recorded as decided, and seen when it returns."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from headwater_server.errors import AlreadyExists, Conflict, Invalid
from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.log.port import Draft, Receipt
from headwater_server.registry import records
from headwater_server.registry.edits import Edits
from headwater_server.registry.names import checked, checked_alias, model_in_run
from headwater_server.registry.views import AliasChange, Transition
from headwater_server.store.port import Direction


class Registry(Edits):
    """Models, versions, stages, aliases."""

    def register_model(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        stages: Sequence[tuple[str, bool]] | None = None,
        actor: str,
        at: int | None = None,
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
            return [self._draft(records.MODEL, key, body, actor, [key], at=at)], lambda _: key

        return self._committer.command(decide)

    def create_version(
        self,
        model: str,
        *,
        run_id: str | None = None,
        run_key: str | None = None,
        source_uri: str | None = None,
        content_hash: str | None = None,
        signature: Any = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        trained_on: Sequence[str] = (),
        more: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        number: int | None = None,
        actor: str,
        at: int | None = None,
    ) -> str:
        """The new version's key; the same again for the same idempotency key. `run_key` is a run's by its very
        key. `more` is kept with it: `runId` and `runLink` of a run that is tracked elsewhere, `loggedModel`, the key
        of the model that it is. `number` is that which it had elsewhere.

        Raises:
            NotFound: the model, the run or a dataset.
            Invalid: what it was trained on is not a dataset; the number is none.
            AlreadyExists: the number was given before, be it to a version that is deleted.

        """

        def decide() -> tuple[list[Draft], Callable[[list[Receipt]], str]]:
            node = self._model(model)
            name = str(node.props["name"])
            run = run_key or (self._run(run_id) if run_id else None)
            trained = [self._trained_on(ref) for ref in trained_on]
            free = self._free_number(node.key, number)
            logged = model_in_run(source_uri or "", keys.parts_of(run)[0]) if run else None
            body: dict[str, Any] = {
                "model": name,
                "number": free,
                "run": run,
                "sourceUri": source_uri,
                "contentHash": content_hash,
                "signature": None if signature is None else orjson.dumps(signature).decode(),
                "description": description,
                "tags": dict(tags or {}),
                "trainedOn": trained,
                **({"loggedModel": logged} if logged else {}),
                **(more or {}),
                "revision": self.revision(node.key) + 1,
            }
            about = [node.key, keys.model_version(name, free), *([run] if run else []), *trained]
            draft = self._draft(records.VERSION, node.key, body, actor, about, idempotency_key, at=at)

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
        at: int | None = None,
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
            draft = self._draft(records.TRANSITION, model_key, body, actor, about, idempotency_key, at=at)
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
        at: int | None = None,
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
            draft = self._draft(records.ALIAS, node.key, body, actor, about, at=at)
            change = AliasChange(node.key, alias, target, previous, orjson.loads(draft.body)["at"], actor)
            return [draft], lambda _: change

        return self._committer.command(decide)

    def _free_number(self, model_key: str, wanted: int | None) -> int:
        if wanted is not None:
            (name,) = keys.parts_of(model_key)
            key = keys.model_version(name, wanted)
            if wanted <= 0 or keys.number_of(key) != wanted:
                raise Invalid(
                    f"A version's number is a whole one from 1 to 999,999,999, not {wanted}.", field="version"
                )
            if self._store.get([key]):
                raise AlreadyExists(f"version {wanted} of model {name} is there, or was.", key=key)
            return wanted
        newest = self._store.page(Kind.MODEL_VERSION, marks=["", "h"], group=model_key, reverse=True, limit=1)
        last = newest[0].props.get("number") if newest else 0
        return (last if isinstance(last, int) else 0) + 1

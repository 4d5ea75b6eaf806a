"""What every decision of the registry needs: look-ups with the graph caught up, and a draft at the right moment."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from headwater_server.commit.committer import Committer
from headwater_server.errors import Conflict, Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.log.port import Draft, RecordLog
from headwater_server.project.reading import facts_of
from headwater_server.registry import records
from headwater_server.registry.catalogue import Catalogue
from headwater_server.registry.names import checked
from headwater_server.registry.views import Transition
from headwater_server.store.port import GraphStore

_TRAINABLE = frozenset({Kind.DATASET, Kind.DATASET_VERSION})


class Deciding(Catalogue):
    """`resolve` turns any reference into its node. A change takes `at`, in microseconds: when it happened, where that
    was elsewhere and before.
    """

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
        *,
        at: int | None = None,
    ) -> Draft:
        """Times within one model never go back, so that its intervals have an order."""
        moved = facts_of(model_key, self._store).last.get("moved", 0)
        at = max(self._now() if at is None else at, moved + 1)
        token = f"{model_key}|{idempotency_key}" if idempotency_key else secrets.token_hex(16)
        content_key = hashlib.sha256(f"{kind}|{token}".encode()).digest()
        raw = orjson.dumps({**body, "at": at, "by": actor})
        return Draft(kind, raw, content_key, event_time=at, producer="headwater", actor=actor, mentions=about)

"""Changes to the registry and by hand, within a principal's scope: what they do not see is not there for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from headwater_server.auth.policy import Permission, Principal
from headwater_server.errors import Forbidden, NotFound
from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage import resolve
from headwater_server.registry.reads import RegistryReads
from headwater_server.store.port import GraphStore

_MODELS = frozenset({Kind.MODEL, Kind.MODEL_VERSION})


class PermittedRegistry(RegistryReads):
    """The registry, for one principal (`api.graphql.context.Registry`). Raises Forbidden and NotFound beside its errors."""

    def __init__(self, registry: Any, store: GraphStore, principal: Principal) -> None:
        super().__init__(store)
        self._registry = registry
        self._seen = store
        self._principal = principal

    def register_model(self, name: str, **given: Any) -> str:
        self._must(Permission.REGISTER, name)
        key: str = self._registry.register_model(name, **given)
        return key

    def create_version(
        self, model: str, *, run_id: str | None = None, trained_on: Sequence[str] = (), **given: Any
    ) -> str:
        name = self._model(model)
        self._must(Permission.REGISTER, name)
        if run_id is not None and resolve(f"runs:/{run_id}", self._seen).kind is not Kind.RUN:
            raise NotFound(f"there is no run {run_id}.", ref=run_id, didYouMean=[])
        trained = [resolve(ref, self._seen).key for ref in trained_on]
        key: str = self._registry.create_version(name, run_id=run_id, trained_on=trained, **given)
        return key

    def transition(
        self,
        *,
        ref: str | None = None,
        model: str | None = None,
        version: str | None = None,
        to_stage: str,
        **given: Any,
    ) -> Any:
        if ref is None and model is not None and version is not None:
            ref = keys.model_version(self._model(model), version)
        if ref is None:
            return self._registry.transition(model=model, version=version, to_stage=to_stage, **given)
        node = resolve(ref, self._seen)
        if node.kind is Kind.MODEL_VERSION:
            name = keys.parts_of(node.key)[0]
            for stage in (
                to_stage,
                node.props.get("stage"),
            ):  # who takes it out of a stage changes that stage too
                self._must(Permission.REQUEST_TRANSITION, name, None if stage is None else str(stage))
        return self._registry.transition(ref=node.key, to_stage=to_stage, **given)

    def set_alias(self, model: str, alias: str, **given: Any) -> Any:
        name = self._model(model)
        self._must(Permission.REQUEST_TRANSITION, name, alias)
        return self._registry.set_alias(name, alias, **given)

    def _model(self, name: str) -> str:
        """As it is spelled; raises NotFound for one that is not seen."""
        key = keys.model(name)
        node = self._seen.get([key]).get(key) or resolve(name, self._seen)
        return keys.parts_of(node.key)[0] if node.kind in _MODELS else name

    def _must(self, permission: Permission, model: str, stage: str | None = None) -> None:
        if not self._principal.may_on(permission, model=model, stage=stage):
            where = f"model {model}" + (f", stage or alias {stage}" if stage is not None else "")
            raise Forbidden(
                f"{self._principal.name} may not do this on {where}: it needs {permission} there.",
                needs=str(permission),
            )


class PermittedCuration:
    """Changes by hand, for one principal (`api.graphql.context.Curation`)."""

    def __init__(self, curation: Any, store: GraphStore, principal: Principal) -> None:
        self._curation = curation
        self._store = store
        self._principal = principal

    def tag(self, ref: str, *, set: Mapping[str, str | None], remove: Sequence[str], actor: str) -> str:  # noqa: A002
        key: str = self._curation.tag(self._mine(ref), set=set, remove=remove, actor=actor)
        return key

    def update(self, ref: str, **given: Any) -> str:
        key: str = self._curation.update(self._mine(ref), **given)
        return key

    def annotate(self, ref: str, *, body: str, actor: str) -> str:
        key: str = self._curation.annotate(self._mine(ref), body=body, actor=actor)
        return key

    def archive(self, ref: str, **given: Any) -> str:
        key: str = self._curation.archive(self._mine(ref), **given)
        return key

    def manual_edge(self, from_ref: str, to_ref: str, **given: Any) -> str:
        key: str = self._curation.manual_edge(self._mine(from_ref), self._mine(to_ref), **given)
        return key

    def _mine(self, ref: str) -> str:
        """The key of what may be changed. Raises NotFound, Forbidden."""
        node = resolve(ref, self._store)
        if not self._may(node):
            raise Forbidden(
                f"{self._principal.name} may not change {ref}: it needs {Permission.CURATE} there.",
                needs=str(Permission.CURATE),
            )
        return node.key

    def _may(self, node: Node) -> bool:
        parts = keys.parts_of(node.key)
        if node.kind in _MODELS:
            return self._principal.may_on(Permission.CURATE, model=parts[0])
        namespace = parts[1] if node.kind is Kind.RUN else parts[0]
        return self._principal.may_in(Permission.CURATE, namespace=namespace)

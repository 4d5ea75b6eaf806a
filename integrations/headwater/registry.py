"""Models, their versions, and where they stand."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from headwater.connection import current
from headwater.errors import Conflict, NotFound
from headwater.session import Session

_ERROR = """... on UserError { code message field }
  ... on NotFoundError { ref didYouMean } ... on ConflictError { expectedRevision actualRevision }
  ... on ForbiddenError { needs }"""
_VERSION = "urn version description sourceUri contentHash stage { name } aliasNames createdAt model { name revision } run { runId }"
_REGISTER = """mutation($input: RegisterModelInput!) { registerModel(input: $input) {
  ... on RegisterModelPayload { model { name } } ... on UserError { code message } } }"""
_CREATE = f"""mutation($input: CreateModelVersionInput!) {{ createModelVersion(input: $input) {{
  ... on CreateModelVersionPayload {{ modelVersion {{ {_VERSION} }} }} {_ERROR} }} }}"""
_MOVE = f"""mutation($input: TransitionStageInput!) {{ transitionStage(input: $input) {{
  ... on TransitionPayload {{ revision modelVersion {{ {_VERSION} }} }} {_ERROR} }} }}"""
_ALIAS = f"""mutation($input: SetAliasInput!) {{ setAlias(input: $input) {{
  ... on AliasPayload {{ alias {{ name }} previous {{ version }} }} {_ERROR} }} }}"""
_ONE = f"query($model: String!, $version: String!) {{ modelVersion(model: $model, version: $version) {{ {_VERSION} }} }}"
_ALL = """query($first: Int!, $after: String) { models(first: $first, after: $after) {
  edges { node { name } } pageInfo { hasNextPage endCursor } } }"""
_VERSIONS = f"""query($ref: String!, $after: String) {{ entity(ref: $ref) {{ ... on RegisteredModel {{
  versions(first: 100, after: $after) {{ edges {{ node {{ {_VERSION} }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
_STAGE = f"""query($stage: String!, $asOf: TimePoint, $after: String) {{
  modelsInStage(stage: $stage, asOf: $asOf, first: 100, after: $after) {{
    edges {{ node {{ {_VERSION} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""


@dataclass(frozen=True)
class ModelVersion:
    """A version as the server told it; `promote` and `alias` answer the next state."""

    model: str
    version: str
    stage: str | None
    aliases: tuple[str, ...]
    run_id: str | None
    source: str | None
    digest: str | None
    urn: str
    revision: int
    _session: Session = field(repr=False, compare=False)

    def promote(
        self, stage: str, *, comment: str | None = None, archive_existing: bool | None = None
    ) -> "ModelVersion":
        """Move it into a stage, unless somebody changed the model since this was read.

        Raises:
            Conflict: they did; read it again, then decide.
            GateFailed, ApprovalRequired: the stage's policy says no, with the reasons.

        """
        answer = self._session.change(
            _MOVE, "transitionStage", model=self.model, version=self.version, toStage=stage, comment=comment,
            archiveExisting=archive_existing, expectedRevision=self.revision,
        )  # fmt: skip
        return _read({**answer["modelVersion"], "revision": answer["revision"]}, self._session)

    def alias(self, name: str) -> "ModelVersion":
        """Let the alias point here."""
        self._session.change(_ALIAS, "setAlias", model=self.model, alias=name, version=self.version)
        return version(self.model, self.version, session=self._session)

    def lineage(self, **given: Any) -> Any:
        """What it is made of; see `headwater.lineage`."""
        from headwater.graphs import lineage

        return lineage(self.urn, **{"up": 10, "down": 0, **given})


class Model:
    """A registered model by its name."""

    def __init__(self, name: str, session: Session | None = None) -> None:
        self.name = name
        self._session = session or current()

    def __getitem__(self, which: str | int) -> ModelVersion:
        """By number, alias, stage or `latest`."""
        return version(self.name, str(which), session=self._session)

    @property
    def versions(self) -> list[ModelVersion]:
        """All of them, the newest first."""
        found: list[ModelVersion] = []
        after: str | None = None
        while True:
            entity = self._session.gql(_VERSIONS, ref=f"hw:model:{self.name}", after=after)["entity"]
            if not entity:
                raise NotFound(f"no model is registered as {self.name!r}.")
            page = entity["versions"]
            found += [_read(edge["node"], self._session) for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    def in_stage(self, stage: str, *, as_of: str | None = None) -> list[ModelVersion]:
        """What stands there, or stood there at a moment (`2026-01-31`, `P7D` ago)."""
        found: list[ModelVersion] = []
        after: str | None = None
        while True:
            page = self._session.gql(_STAGE, stage=stage, asOf=as_of, after=after)["modelsInStage"]
            nodes = [edge["node"] for edge in page["edges"]]
            found += [_read(node, self._session) for node in nodes if node["model"]["name"] == self.name]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    def __repr__(self) -> str:
        return f"<Model {self.name}>"


class Models:
    """`headwater.models`: by name, or one after the other."""

    def __getitem__(self, name: str) -> Model:
        return Model(name)

    def __iter__(self) -> Iterator[Model]:
        after: str | None = None
        while True:
            page = current().gql(_ALL, first=100, after=after)["models"]
            yield from (Model(edge["node"]["name"]) for edge in page["edges"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return


def version(model: str, which: str, *, session: Session | None = None) -> ModelVersion:
    """By number, alias, stage or `latest`. Raises NotFound."""
    session = session or current()
    found = session.gql(_ONE, model=model, version=which)["modelVersion"]
    if found is None:
        raise NotFound(f"model {model!r} has no version {which!r}.")
    return _read(found, session)


def create_version(
    session: Session,
    name: str,
    *,
    run_id: str | None = None,
    source: str | None = None,
    digest: str | None = None,
    description: str | None = None,
    trained_on: list[str] | None = None,
) -> ModelVersion:
    """The next version of a model, which is registered when it is new. Sent again, it is the same version."""
    with suppress(Conflict):  # it is there: versions are what is made here
        session.change(_REGISTER, "registerModel", name=name)
    answer = session.change(
        _CREATE, "createModelVersion", model=name, runId=run_id, sourceUri=source, contentHash=digest,
        description=description, trainedOn=trained_on, idempotencyKey=f"{run_id or time.time_ns()}|{source}|{digest}",
    )  # fmt: skip
    return _read(answer["modelVersion"], session)


def _read(said: dict[str, Any], session: Session) -> ModelVersion:
    return ModelVersion(
        model=said["model"]["name"],
        version=str(said["version"]),
        stage=(said.get("stage") or {}).get("name"),
        aliases=tuple(said.get("aliasNames") or ()),
        run_id=(said.get("run") or {}).get("runId"),
        source=said.get("sourceUri"),
        digest=said.get("contentHash"),
        urn=said["urn"],
        revision=int(said.get("revision") or said["model"]["revision"]),
        _session=session,
    )


models = Models()

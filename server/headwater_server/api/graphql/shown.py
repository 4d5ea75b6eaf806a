"""Which class shows which kind of node, and how a node's id is read back."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from headwater_server.api.graphql.artifacts import Artifact, artifact_of
from headwater_server.api.graphql.audits import EVENT, AuditEvent, audit_event
from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.datasets import Column, Dataset, DatasetVersion
from headwater_server.api.graphql.entity import Annotation, Namespace
from headwater_server.api.graphql.experiments import Experiment
from headwater_server.api.graphql.jobs import Job, JobVersion
from headwater_server.api.graphql.loading import Loader, Shown
from headwater_server.api.graphql.loggedmodels import LoggedModel, Package
from headwater_server.api.graphql.models import ModelVersion, RegisteredModel, Stage, StageTransition
from headwater_server.api.graphql.runs import Run
from headwater_server.api.graphql.versions import UNVERSIONED, unversioned
from headwater_server.graph import keys
from headwater_server.graph.keys import is_key
from headwater_server.graph.words import Kind

SHOWN: dict[Kind, type[Shown]] = {
    Kind.DATASET: Dataset,
    Kind.COLUMN: Column,
    Kind.DATASET_VERSION: DatasetVersion,
    Kind.JOB: Job,
    Kind.JOB_VERSION: JobVersion,
    Kind.RUN: Run,
    Kind.EXPERIMENT: Experiment,
    Kind.MODEL: RegisteredModel,
    Kind.MODEL_VERSION: ModelVersion,
    Kind.STAGE: Stage,
    Kind.ANNOTATION: Annotation,
    Kind.LOGGED_MODEL: LoggedModel,
    Kind.PACKAGE: Package,
}

TYPES = (
    Artifact, AuditEvent, Annotation, Column, Dataset, DatasetVersion, Experiment, Job, JobVersion, LoggedModel,
    ModelVersion, Namespace, Package, RegisteredModel, Run, Stage, StageTransition,
)  # fmt: skip


def loader_for(context: Context, anew: Callable[[], Context] | None = None) -> Loader:
    return Loader(context, SHOWN, anew)


def find(loader: Loader, ids: Sequence[str]) -> list[Any]:
    """What each id names; None where there is nothing (any more)."""
    read = [_read(id_) for id_ in ids]
    known = loader.load(key for key in read if is_key(key))
    return [known.get(key) or _made(loader, key) for key in read]


def _made(loader: Loader, key: str) -> Any:
    """What is no node of the graph, but has an id."""
    if "\x1f" in key:
        which, name, of = key.split("\x1f", 2)
        match which:
            case "record":
                return _record(loader, name, of)
            case "artifact":
                return artifact_of(loader, name, of)
        return _transition(loader, name, of)
    if not is_key(key):
        return None
    kind, parts = keys.kind_of(key), keys.parts_of(key)
    if kind is Kind.NAMESPACE and len(parts) == 1:
        counts = (loader.store.groups(k) for k in (Kind.DATASET, Kind.JOB))
        return Namespace.named(parts[0]) if any(parts[0] in count for count in counts) else None
    if kind is Kind.DATASET_VERSION and len(parts) == 3 and parts[2] == UNVERSIONED:
        dataset = loader.store.get([keys.dataset(parts[0], parts[1])])
        return next(iter(loader.show(unversioned(node) for node in dataset.values())), None)
    return None


def _record(loader: Loader, seq: str, key: str) -> AuditEvent | None:
    record = loader.context.log.get(int(seq)) if seq.isdecimal() and len(seq) < 19 else None
    return audit_event(record, key) if record is not None and record.kind != EVENT else None


def _transition(loader: Loader, id_: str, version_key: str) -> StageTransition | None:
    if version_key not in loader.store.get([version_key]):
        return None
    views = loader.context.registry.history(version_key)
    return next((StageTransition.told(view) for view in views if view.id == id_), None)


def _read(id_: str) -> str:
    try:
        return base64.b64decode(id_ + "=" * (-len(id_) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        return ""

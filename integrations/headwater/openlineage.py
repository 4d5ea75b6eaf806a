"""A training script as OpenLineage events, for pipelines that speak OpenLineage alone. Needs openlineage-python.

with headwater.openlineage.Job("train-churn", namespace="ml") as job:
    job.input(frame, "warehouse/core.orders")
    job.model("churn/3")
"""

import logging
import sys
import traceback
import uuid
from contextlib import ContextDecorator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from headwater import capture, content
from headwater.errors import HeadwaterError

PRODUCER = "urn:headwater:client"
MODELS = "models:"
"""The namespace of what is registered."""

logger = logging.getLogger("headwater")


class Job(ContextDecorator):
    """START when the block, or the decorated function, begins; COMPLETE with all that was named, or FAIL with the
    error, when it ends. An event that cannot be sent is told in the log and stops nothing.

    `client` is an OpenLineageClient, else one as OpenLineage's own settings (OPENLINEAGE_URL, …) make it.
    `parent` is the run that started this one: (namespace, job, run id).
    """

    def __init__(
        self,
        name: str,
        *,
        namespace: str = "default",
        inputs: tuple[str, ...] = (),
        outputs: tuple[str, ...] = (),
        model: str | None = None,
        parent: tuple[str, str, str] | None = None,
        client: Any = None,
    ) -> None:
        self.name, self.namespace = name, namespace
        self.run_id = ""
        self._given = inputs, outputs, model
        self._parent = parent
        self._client = client
        self._inputs: dict[tuple[str, str], Any] = {}
        self._outputs: dict[tuple[str, str], Any] = {}

    def input(self, data: Any, name: str) -> None:
        """It read this (None: only the name), at the version that its content is."""
        place = split(name)
        self._inputs[place] = _library().event_v2.InputDataset(*place, facets=_facets(data))

    def output(self, data: Any, name: str) -> None:
        place = split(name)
        self._outputs[place] = _library().event_v2.OutputDataset(*place, facets=_facets(data))

    def model(self, name: str) -> None:
        """It made a version of a registered model: `churn/3`; `churn` alone when its number is not known."""
        place = (MODELS, name.removeprefix("models:/"))
        self._outputs[place] = _library().event_v2.OutputDataset(*place)

    def uses(self, name: str) -> None:
        """It used a registered model: `churn/3`, `churn/Production`, `churn@champion`."""
        place = (MODELS, name.removeprefix("models:/"))
        self._inputs[place] = _library().event_v2.InputDataset(*place)

    def __enter__(self) -> Self:
        inputs, outputs, model = self._given
        self._inputs.clear()
        self._outputs.clear()
        self.run_id = str(uuid.uuid4())
        for name in inputs:
            self.input(None, name)
        for name in outputs:
            self.output(None, name)
        if model:
            self.model(model)
        self._emit("START", None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._emit("COMPLETE" if error is None else "FAIL", error)

    def _emit(self, state: str, error: BaseException | None) -> None:
        try:
            lib = _library()
            if self._client is None:
                self._client = lib.OpenLineageClient()
            event = lib.event_v2.RunEvent(
                eventType=lib.event_v2.RunState[state],
                eventTime=datetime.now(UTC).isoformat(),
                run=lib.event_v2.Run(self.run_id, facets=self._run_facets(error)),
                job=lib.event_v2.Job(self.namespace, self.name, facets=_job_facets()),
                inputs=list(self._inputs.values()),
                outputs=[] if state == "FAIL" else list(self._outputs.values()),
                producer=PRODUCER,
            )
            self._client.emit(event)
        except Exception as failed:  # noqa: BLE001 - lineage never stops what it tells of
            logger.warning("%s of %s could not be sent: %s", state, self.name, failed)

    def _run_facets(self, error: BaseException | None) -> dict[str, Any]:
        lib = _library()
        found: dict[str, Any] = {
            "processing_engine": lib.processing_engine_run.ProcessingEngineRunFacet(
                version=sys.version.split()[0], name="Python"
            )
        }
        if self._parent is not None:
            namespace, name, run_id = self._parent
            parent = lib.parent_run
            found["parent"] = parent.ParentRunFacet(parent.Run(run_id), parent.Job(namespace, name))
        if error is not None:
            found["errorMessage"] = lib.error_message_run.ErrorMessageRunFacet(
                message=f"{type(error).__name__}: {error}",
                programmingLanguage="PYTHON",
                stackTrace="".join(traceback.format_exception(error)),
            )
        return found


def split(name: str) -> tuple[str, str]:
    """(namespace, name) by OpenLineage's rules: `s3://bucket` and a key, `file` and a path, else at the last slash.

    Raises:
        HeadwaterError: there is no namespace in it.

    """
    if name.startswith("/"):
        return "file", name
    scheme, separator, rest = name.partition("://")
    before, _, after = rest.partition("/") if separator else name.rpartition("/")
    if not before or not after:
        raise HeadwaterError(f"{name!r} has no namespace; expected `<namespace>/<name>`.")
    return (f"{scheme}://{before}" if separator else before), after


def _facets(data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    lib = _library()
    found: dict[str, Any] = {}
    try:
        digest = content.digest(data)
        found["version"] = lib.dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=digest)
    except (TypeError, OSError) as error:
        logger.warning("the content is not hashed: %s", error)
    if columns := content.columns(data):
        schema = lib.schema_dataset
        fields = [schema.SchemaDatasetFacetFields(name=c["name"], type=c["type"]) for c in columns]
        found["schema"] = schema.SchemaDatasetFacet(fields=fields)
    return found


def _job_facets() -> dict[str, Any]:
    lib = _library()
    found: dict[str, Any] = {
        "jobType": lib.job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="PYTHON", jobType="TRAINING"
        )
    }
    code = capture.code()
    repository = code.get("mlflow.source.git.repoURL")
    if repository:
        found["sourceCodeLocation"] = lib.source_code_location_job.SourceCodeLocationJobFacet(
            type="git",
            url=repository,
            repoUrl=repository,
            version=code.get("mlflow.source.git.commit"),
            branch=code.get("mlflow.source.git.branch"),
            path=code["mlflow.source.name"],
        )
    return found


class _Library:
    """openlineage-python's parts by their names."""

    def __getattr__(self, name: str) -> Any:
        from importlib import import_module

        try:
            client = import_module("openlineage.client")
        except ImportError:
            raise HeadwaterError(
                "openlineage-python is not installed. Try: pip install openlineage-python"
            ) from None
        if name == "OpenLineageClient":
            return client.OpenLineageClient
        inside = "openlineage.client" if name == "event_v2" else "openlineage.client.generated"
        return import_module(f"{inside}.{name}")


def _library() -> Any:
    return _Library()

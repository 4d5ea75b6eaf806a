"""Every call of MLflow's REST API that is answered here: method, path, fields, who may, who answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from headwater_server.api.mlflow import (
    artifact_lists,
    curves,
    experiments,
    logged_models,
    registry,
    runs,
    traces,
    versions,
    webhooks,
)
from headwater_server.api.mlflow.ask import Ask
from headwater_server.auth.policy import Permission

Answer: TypeAlias = Callable[[Ask], dict[str, Any] | bytes]


@dataclass(frozen=True, slots=True)
class Call:
    methods: str
    path: str
    """Below `/api/2.0/mlflow` and `/ajax-api/2.0/mlflow`, for version 2.0."""
    fields: str
    """See `fields`."""
    need: Permission
    answer: Answer
    versions: str = "2.0"
    """Of the API that have it."""


_READ, _RUNS, _MODELS = Permission.READ, Permission.WRITE_RUNS, Permission.REGISTER
_MOVES, _ADMIN = Permission.REQUEST_TRANSITION, Permission.ADMIN
_RUN = "run_id run_uuid"
_HOOK = "description secret status more_events*"
_SEARCH = "filter max_results:int64 order_by* page_token"

# What MLflow has no fields for: `at` is when that happened which is imported, in milliseconds; with it a logged model
# has the `model_id`, and a version the number, that it had elsewhere.
CALLS: tuple[Call, ...] = (
    # Those that ordinary scripts make most often stand first: routes are tried in this order.
    Call("GET", "/runs/get", _RUN, _READ, runs.get),
    Call("POST", "/runs/log-metric", f"{_RUN} key! value!:double timestamp!:int64 step:int64 model_id dataset_name dataset_digest", _RUNS, runs.log_metric),
    Call("POST", "/runs/log-batch", "run_id! metrics:metric* params:pair* tags:pair*", _RUNS, runs.log_batch),
    Call("GET", "/registered-models/get", "name!", _READ, registry.get),
    Call("POST", "/runs/create", "experiment_id user_id run_name start_time:int64 tags:pair* run_id at:int64", _RUNS, runs.create),
    Call("POST", "/runs/update", f"{_RUN} status:run_status end_time:int64 run_name", _RUNS, runs.update),
    Call("POST", "/runs/search", f"experiment_ids* run_view_type:view {_SEARCH}", _READ, runs.search),
    Call("POST", "/runs/log-parameter", f"{_RUN} key! value!", _RUNS, runs.log_parameter),
    Call("POST", "/runs/set-tag", f"{_RUN} key! value!", _RUNS, runs.set_tag),
    Call("POST", "/runs/delete-tag", "run_id! key!", _RUNS, runs.delete_tag),
    Call("POST", "/runs/log-inputs", "run_id! datasets:dataset_input* models:model_input* at:int64", _RUNS, runs.log_inputs),
    Call("POST", "/runs/outputs", "run_id! models!:model_output* at:int64", _RUNS, runs.outputs),
    Call("POST", "/runs/log-model", "run_id! model_json!", _RUNS, runs.log_model),
    Call("POST", "/runs/delete", "run_id!", _RUNS, runs.delete),
    Call("POST", "/runs/restore", "run_id!", _RUNS, runs.restore),
    Call("GET", "/metrics/get-history", f"{_RUN} metric_key! page_token max_results:int64", _READ, runs.get_history),
    Call("GET", "/metrics/get-history-bulk", "run_id* metric_key max_results:int64", _READ, curves.history),
    Call("GET", "/metrics/get-history-bulk-interval", "run_ids* metric_key! start_step:int64 end_step:int64 max_results:int64", _READ, curves.interval),
    Call("GET", "/experiments/get-by-name", "experiment_name!", _READ, experiments.get_by_name),
    Call("GET", "/experiments/get", "experiment_id!", _READ, experiments.get),
    Call("POST", "/experiments/create", "name! artifact_location tags:pair* at:int64", _RUNS, experiments.create),
    Call("GET POST", "/experiments/search", f"view_type:view {_SEARCH}", _READ, experiments.search),
    Call("POST", "/experiments/search-datasets", "experiment_ids*", _READ, curves.datasets),
    Call("POST", "/experiments/delete", "experiment_id!", _RUNS, experiments.delete),
    Call("POST", "/experiments/restore", "experiment_id!", _RUNS, experiments.restore),
    Call("POST", "/experiments/update", "experiment_id! new_name!", _RUNS, experiments.update),
    Call("POST", "/experiments/set-experiment-tag", "experiment_id! key! value!", _RUNS, experiments.set_tag),
    Call("POST", "/experiments/delete-experiment-tag", "experiment_id! key!", _RUNS, experiments.delete_tag),
    Call("POST", "/logged-models", "experiment_id! name model_type source_run_id params:pair* tags:pair* model_id at:int64", _RUNS, logged_models.create),
    Call("POST", "/logged-models/search", "experiment_ids* datasets:dataset_name* filter max_results:int64 order_by:order* page_token", _READ, logged_models.search),
    Call("GET", "/logged-models/{model_id}", "model_id!", _READ, logged_models.get),
    Call("PATCH", "/logged-models/{model_id}", "model_id! status!:model_status", _RUNS, logged_models.finalize),
    Call("DELETE", "/logged-models/{model_id}", "model_id!", _RUNS, logged_models.delete),
    Call("POST", "/logged-models/{model_id}/params", "model_id! params:pair*", _RUNS, logged_models.log_params),
    Call("PATCH", "/logged-models/{model_id}/tags", "model_id! tags:pair*", _RUNS, logged_models.set_tags),
    Call("DELETE", "/logged-models/{model_id}/tags/{tag_key}", "model_id! tag_key!", _RUNS, logged_models.delete_tag),
    Call("GET", "/logged-models/{model_id}/artifacts/directories", "model_id! artifact_directory_path page_token", _READ, artifact_lists.of_model),
    Call("GET", "/artifacts/list", f"{_RUN} path page_token", _READ, artifact_lists.of_run),
    Call("POST", "/registered-models/create", "name! tags:pair* description deployment_job_id at:int64", _MODELS, registry.create),
    Call("POST", "/registered-models/rename", "name! new_name!", _MODELS, registry.rename),
    Call("PATCH", "/registered-models/update", "name! description deployment_job_id at:int64", _MODELS, registry.update),
    Call("DELETE", "/registered-models/delete", "name!", _MODELS, registry.delete),
    Call("GET", "/registered-models/search", _SEARCH, _READ, registry.search),
    Call("GET POST", "/registered-models/get-latest-versions", "name! stages*", _READ, registry.latest),
    Call("POST", "/registered-models/set-tag", "name! key! value! at:int64", _MODELS, registry.set_tag),
    Call("DELETE", "/registered-models/delete-tag", "name! key!", _MODELS, registry.delete_tag),
    Call("POST", "/registered-models/alias", "name! alias! version! at:int64", _MODELS, registry.set_alias),
    Call("DELETE", "/registered-models/alias", "name! alias!", _MODELS, registry.delete_alias),
    Call("GET", "/registered-models/alias", "name! alias!", _READ, registry.by_alias),
    Call("POST", "/model-versions/create", "name! source! run_id tags:pair* run_link description model_id version:int64 at:int64", _MODELS, versions.create),
    Call("GET", "/model-versions/get", "name! version!", _READ, versions.get),
    Call("PATCH", "/model-versions/update", "name! version! description at:int64", _MODELS, versions.update),
    Call("POST", "/model-versions/transition-stage", "name! version! stage! archive_existing_versions!:bool comment at:int64", _MOVES, versions.transition),
    Call("DELETE", "/model-versions/delete", "name! version!", _MODELS, versions.delete),
    Call("GET", "/model-versions/search", _SEARCH, _READ, versions.search),
    Call("GET", "/model-versions/get-download-uri", "name! version!", _READ, versions.download_uri),
    Call("POST", "/model-versions/set-tag", "name! version! key! value! at:int64", _MODELS, registry.set_tag),
    Call("DELETE", "/model-versions/delete-tag", "name! version! key!", _MODELS, registry.delete_tag),
    Call("POST", "/webhooks", f"name! url! events!:webhook_event* {_HOOK}", _ADMIN, webhooks.create),
    Call("GET", "/webhooks", "max_results:int64 page_token", _ADMIN, webhooks.search),
    Call("GET", "/webhooks/{webhook_id}", "webhook_id!", _ADMIN, webhooks.get),
    Call("PATCH", "/webhooks/{webhook_id}", f"webhook_id! name url events:webhook_event* {_HOOK}", _ADMIN, webhooks.update),
    Call("DELETE", "/webhooks/{webhook_id}", "webhook_id!", _ADMIN, webhooks.delete),
    Call("POST", "/webhooks/{webhook_id}/test", "webhook_id! event:webhook_event", _ADMIN, webhooks.test),
    Call("GET", "/webhooks/{webhook_id}/deliveries", "webhook_id! max_results:int64 page_token", _ADMIN, webhooks.deliveries),
    Call("POST", "/traces", "trace!:trace", _RUNS, traces.start, "3.0"),
    Call("POST", "/traces/search", f"locations!:trace_location* {_SEARCH}", _READ, traces.search, "3.0"),
    Call("GET", "/traces/get", "trace_id! allow_partial:bool", _READ, traces.get, "3.0"),
    Call("GET", "/traces/batchGet", "trace_ids* experiment_ids*", _READ, traces.batch_get, "3.0"),
    Call("POST", "/traces/batchGetInfos", "trace_ids* experiment_ids*", _READ, traces.batch_get_infos, "3.0"),
    Call("POST", "/traces/delete-traces", "experiment_id! max_timestamp_millis:int64 max_traces:int64 request_ids*", _RUNS, traces.delete, "2.0 3.0"),
    Call("POST", "/traces/link-to-run", "trace_ids* run_id!", _RUNS, traces.link),
    Call("PATCH", "/traces/{request_id}/tags", "request_id key value", _RUNS, traces.set_tag),
    Call("DELETE", "/traces/{request_id}/tags", "request_id key", _RUNS, traces.delete_tag),
    Call("PATCH", "/traces/{trace_id}/tags", "trace_id key value", _RUNS, traces.set_tag, "3.0"),
    Call("DELETE", "/traces/{trace_id}/tags", "trace_id key", _RUNS, traces.delete_tag, "3.0"),
    Call("GET", "/traces/{trace_id}", "trace_id", _READ, traces.info, "3.0"),
    Call("POST", "/traces/{trace_id}/assessments", "trace_id assessment!:assessment", _RUNS, traces.assess, "3.0"),
    Call("GET", "/traces/{trace_id}/assessments/{assessment_id}", "trace_id! assessment_id!", _READ, traces.assessment, "3.0"),
    Call("PATCH", "/traces/{trace_id}/assessments/{assessment_id}", "trace_id assessment_id assessment!:assessment_change update_mask!:mask", _RUNS, traces.update_assessment, "3.0"),
    Call("DELETE", "/traces/{trace_id}/assessments/{assessment_id}", "trace_id! assessment_id!", _RUNS, traces.delete_assessment, "3.0"),
)  # fmt: skip

"""What is registered as MLflow's JSON."""

from typing import Any

from headwater_server.api.mlflow.shapes import filled, pairs
from headwater_server.registry.catalogue import VersionView, Whole


def model(one: Whole) -> dict[str, Any]:
    """With its newest versions by stage, and its aliases."""
    said = one.model
    return filled(
        {
            "name": said.name,
            "creation_timestamp": said.created // 1_000,
            "last_updated_timestamp": said.updated // 1_000,
            "moved_timestamp": said.moved // 1_000,
            "description": said.description,
            "latest_versions": [version(v) for v in one.latest],
            "tags": pairs(said.tags),
            "aliases": [{"alias": alias, "version": number} for alias, number in one.aliases],
        }
    )


def version(one: VersionView) -> dict[str, Any]:
    said = filled(
        {
            "name": one.model,
            "version": one.number,
            "creation_timestamp": one.created // 1_000,
            "last_updated_timestamp": one.updated // 1_000,
            "user_id": one.by,
            "current_stage": one.stage,
            "source": one.source,
            "status": "READY",
            "tags": pairs(one.tags),
            "aliases": list(one.aliases),
            "model_id": one.logged_model,
        }
    )
    return said | {"description": one.description, "run_id": one.run_id, "run_link": one.run_link}

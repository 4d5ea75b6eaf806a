"""What is registered as MLflow's JSON."""

from typing import Any

from headwater_server.api.mlflow.shapes import filled, pairs
from headwater_server.registry.catalogue import ModelView, VersionView
from headwater_server.registry.service import Registry


def model(one: ModelView, registry: Registry) -> dict[str, Any]:
    """With its newest versions by stage, and its aliases."""
    return filled(
        {
            "name": one.name,
            "creation_timestamp": one.created // 1_000,
            "last_updated_timestamp": one.updated // 1_000,
            "description": one.description,
            "latest_versions": [version(v) for v in registry.latest(one.name)],
            "tags": pairs(one.tags),
            "aliases": [{"alias": a, "version": n} for a, n in registry.pointers(one.name)],
        }
    )


def version(one: VersionView) -> dict[str, Any]:
    return filled(
        {
            "name": one.model,
            "version": one.number,
            "creation_timestamp": one.created // 1_000,
            "last_updated_timestamp": one.updated // 1_000,
            "user_id": one.by,
            "current_stage": one.stage,
            "description": one.description,
            "source": one.source,
            "run_id": one.run_id,
            "status": "READY",
            "tags": pairs(one.tags),
            "run_link": one.run_link,
            "aliases": list(one.aliases),
            "model_id": one.logged_model,
        }
    )

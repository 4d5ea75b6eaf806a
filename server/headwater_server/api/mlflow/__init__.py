"""MLflow's REST API, as its unmodified clients speak it."""

from headwater_server.api.mlflow.router import mlflow_routes

__all__ = ["mlflow_routes"]

"""Run by the stock server's Python: so many runs into its database. `stock_runs.py URI COUNT`."""

import sys
from typing import Any

from mlflow.store.tracking.dbmodels import models
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

KEYS = 5


def main() -> None:
    uri, count = sys.argv[1], int(sys.argv[2])
    store: Any = SqlAlchemyStore(uri, "artifacts")
    rows: dict[str, list[dict[str, Any]]] = {
        "runs": [],
        "params": [],
        "tags": [],
        "latest": [],
        "metrics": [],
    }
    for number in range(count):
        run = f"{number:032x}"
        rows["runs"].append(
            {
                "run_uuid": run,
                "name": f"run {number}",
                "user_id": "ada",
                "experiment_id": 0,
                "source_type": "UNKNOWN",
                "status": "FINISHED",
                "lifecycle_stage": "active",
                "start_time": 1_700_000_000_000 + number,
                "artifact_uri": f"mlflow-artifacts:/0/{run}",
            }
        )
        rows["tags"].append({"run_uuid": run, "key": "mlflow.runName", "value": f"run {number}"})
        for key in range(KEYS):
            rows["params"].append({"run_uuid": run, "key": f"p{key}", "value": str((number + key) % 7)})
            point = {
                "run_uuid": run,
                "key": f"m{key}",
                "value": ((number * 7919 + key) % 10_007) / 10_007,
                "timestamp": 1_700_000_000_000,
                "step": 0,
                "is_nan": False,
            }
            rows["latest"].append(point)
            rows["metrics"].append(point)
    with store.ManagedSessionMaker() as session:
        for name, table in (
            ("runs", models.SqlRun),
            ("tags", models.SqlTag),
            ("params", models.SqlParam),
            ("latest", models.SqlLatestMetric),
            ("metrics", models.SqlMetric),
        ):
            session.execute(table.__table__.insert(), rows[name])


if __name__ == "__main__":
    main()

"""When something happened is for who may import to say: nobody else moves a stage in the past."""

from typing import Any

from tests.auth.served import Served, bearer


def test_only_an_admin_says_when_something_happened(own: Served) -> None:
    def call(key: str, path: str, **said: Any) -> int:
        answer = own.http.post(f"/api/2.0/mlflow/{path}", json=said, headers=bearer(key))
        return answer.status_code

    admin, both = own.key("admin"), own.key("experimenter", "registrar")
    at = 1_700_000_000_000
    assert call(both, "experiments/create", name="a", at=at) == 403
    assert call(both, "experiments/create", name="a") == 200
    assert call(admin, "experiments/create", name="b", at=at) == 200
    found = own.http.get(
        "/api/2.0/mlflow/experiments/get-by-name?experiment_name=b", headers=bearer(both)
    ).json()
    assert found["experiment"]["creation_time"] == at
    assert call(admin, "registered-models/create", name="m", at=at) == 200
    said = {"name": "m", "source": "s3://b/k", "version": 5}
    assert call(both, "model-versions/create", **said, at=at) == 403
    assert call(both, "model-versions/create", **said) == 200  # a number of its own, not this
    moved = {"name": "m", "version": "1", "stage": "Production", "archive_existing_versions": False}
    assert call(both, "model-versions/transition-stage", **moved, at=at + 1) == 403
    assert call(both, "model-versions/transition-stage", **moved) == 200

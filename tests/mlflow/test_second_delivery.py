"""What a client that delivers at least once may say twice, and how Headwater's own names data."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest


def post(address: str, route: str, body: dict[str, Any]) -> Any:
    request = Request(
        address + route, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urlopen(request) as answer:
        return json.load(answer)


def call(address: str, route: str, **body: Any) -> Any:
    return post(address, f"/api/2.0/mlflow/{route}", body)


def refusal(address: str, route: str, **body: Any) -> tuple[int, str]:
    with pytest.raises(HTTPError) as caught:
        call(address, route, **body)
    said = json.load(caught.value)
    caught.value.close()
    return caught.value.code, said["error_code"]


def ask(address: str, query: str, **variables: Any) -> Any:
    return post(address, "/graphql", {"query": query, "variables": variables})["data"]


def test_a_run_with_an_id_of_the_clients_is_created_once(address: str) -> None:
    experiment = call(address, "experiments/create", name="once")["experiment_id"]
    run_id = uuid4().hex
    first = call(address, "runs/create", experiment_id=experiment, run_id=run_id, run_name="one")["run"]
    call(address, "runs/update", run_id=run_id, status="FINISHED", end_time=5)
    again = call(address, "runs/create", experiment_id=experiment, run_id=run_id, run_name="one")["run"]
    assert first["info"]["run_id"] == again["info"]["run_id"] == run_id
    assert again["info"]["status"] == "FINISHED"
    assert len(call(address, "runs/search", experiment_ids=[experiment])["runs"]) == 1


def test_an_id_of_another_experiments_run_and_one_that_is_none_are_refused(address: str) -> None:
    one, other = (call(address, "experiments/create", name=n)["experiment_id"] for n in ("a one", "an other"))
    run_id = uuid4().hex
    call(address, "runs/create", experiment_id=one, run_id=run_id)
    assert refusal(address, "runs/create", experiment_id=other, run_id=run_id) == (
        400,
        "RESOURCE_ALREADY_EXISTS",
    )
    assert refusal(address, "runs/create", experiment_id=one, run_id="mine") == (
        400,
        "INVALID_PARAMETER_VALUE",
    )


def test_an_input_of_the_client_is_the_dataset_that_its_pipeline_writes(address: str) -> None:
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T08:00:00Z",
        "run": {"runId": str(uuid4())},
        "job": {"namespace": "etl", "name": "load"},
        "outputs": [{"namespace": "postgres://warehouse", "name": "dw.raw/orders"}],
        "producer": "test",
    }
    post(address, "/api/v1/lineage", event)
    experiment = call(address, "experiments/create", name="reads")["experiment_id"]
    run_id = call(address, "runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    datasets = [
        {
            "dataset": {
                "name": "x",
                "digest": "d",
                "source_type": "headwater",
                "source": json.dumps({"ref": ref}),
            }
        }
        for ref in ("postgres://warehouse/dw.raw/orders", "lake/never.heard.of", "nameless")
    ]
    call(address, "runs/log-inputs", run_id=run_id, datasets=datasets)
    asked = (
        "query($ref: String!) { lineage(ref: $ref, direction: DOWNSTREAM, depth: 3) { nodes { name kind } } }"
    )
    for ref in ("postgres://warehouse/dw.raw/orders", "lake/never.heard.of", "mlflow/reads/x"):
        below = ask(address, asked, ref=ref)["lineage"]["nodes"]
        assert "reads" in {node["name"] for node in below}, ref


def test_a_batch_that_is_sent_again_leaves_no_record(address: str) -> None:
    experiment = call(address, "experiments/create", name="again")["experiment_id"]
    run_id = call(address, "runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    batch = {
        "run_id": run_id,
        "metrics": [{"key": "loss", "value": 0.5, "timestamp": 9, "step": step} for step in range(3)],
        "params": [{"key": "lr", "value": "0.1"}],
    }
    count = "{ events(first: 1) { totalCount } }"
    call(address, "runs/log-batch", **batch)
    before = ask(address, count)
    call(address, "runs/log-batch", **batch)
    assert ask(address, count) == before
    batch["metrics"].append({"key": "loss", "value": 0.1, "timestamp": 9, "step": 3})
    call(address, "runs/log-batch", **batch)
    assert ask(address, count)["events"]["totalCount"] == before["events"]["totalCount"] + 1

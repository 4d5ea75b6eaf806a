"""Searches of runs and of what is registered, in MLflow's filter language and ours, page by page."""

import base64
import math

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

LOSSES = (0.5, 0.1, math.nan, 0.3, None, 0.2)


@pytest.fixture(scope="module")
def runs(address: str) -> tuple[str, dict[str, str]]:
    """An experiment with runs named by their place: (its id, name by run id)."""
    client = MlflowClient(address)
    number = client.create_experiment("searched")
    named = {}
    for place, loss in enumerate(LOSSES):
        run = client.create_run(
            number, start_time=1_000 + place, run_name=f"run {place}", tags={"Team": "ads"}
        )
        named[run.info.run_id] = str(place)
        client.log_param(run.info.run_id, "lr", str(10**-place))
        client.log_param(run.info.run_id, "model", "forest" if place % 2 else "Linear")
        if loss is not None:
            client.log_metric(run.info.run_id, "loss", loss)
        if place < 2:
            client.set_tag(run.info.run_id, "note", "100% sure_ly")
        client.set_terminated(run.info.run_id, "FINISHED" if place else "FAILED", end_time=5_000 + place)
    return number, named


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "543210"),
        ("metrics.loss < 0.3", "51"),
        ("metrics.loss <= 0.3 and params.model = 'forest'", "531"),
        ("METRICS.loss > 0 AND tags.Team ILIKE 'ADS'", "5310"),
        ("metric.`loss` != 0.5", "5321"),
        ("params.model LIKE 'L%'", "420"),
        ("params.model ILIKE 'l_near'", "420"),
        ("params.model != 'forest'", "420"),
        ("params.absent != 'x'", ""),
        ("params.absent IS NULL AND tags.note IS NOT NULL", "10"),
        ("tags.note LIKE '%\x25 sure%'", "10"),
        ("attributes.status = 'FAILED'", "0"),
        ("run_name = 'run 3' ", "3"),
        ("attributes.`Run name` LIKE 'run %'", "543210"),
        ("Created > 1003", "54"),
        ("attributes.start_time >= 1001 and end_time < 5003", "21"),
        ("run_id IN ('nothing')", ""),
        # more than MLflow's own server reads
        ("metrics.loss = 0.1 OR metrics.loss = 0.5", "10"),
        ("NOT (params.model = 'forest' or status = 'FAILED')", "42"),
        ("params.lr < 0.01", "543"),
        ("(metrics.loss > 0.2 OR tags.note = '100% sure_ly') AND params.lr >= 0.1", "10"),
        ("params.model NOT LIKE 'x'", None),
    ],
)
def test_filters(address: str, runs: tuple[str, dict[str, str]], text: str, found: str | None) -> None:
    number, named = runs
    client = MlflowClient(address)
    if found is None:
        with pytest.raises(MlflowException) as refused:
            client.search_runs([number], text)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
        return
    assert "".join(named[r.info.run_id] for r in client.search_runs([number], text)) == found


@pytest.mark.parametrize(
    ("orders", "found"),
    [
        (["metrics.loss ASC"], "153024"),
        (["metrics.loss DESC"], "035124"),
        (["params.model DESC", "start_time ASC"], "135024"),
        (["attributes.end_time"], "012345"),
        (["tag.note ASC"], "105432"),
    ],
)
def test_orders(address: str, runs: tuple[str, dict[str, str]], orders: list[str], found: str) -> None:
    """NaN behind the numbers, what is missing last, whichever way it runs; then the newest first."""
    number, named = runs
    client = MlflowClient(address)
    pages = client.search_runs([number], order_by=orders)
    assert "".join(named[r.info.run_id] for r in pages) == found
    together, token = "", None
    while True:
        page = client.search_runs([number], order_by=orders, max_results=2, page_token=token)
        together += "".join(named[r.info.run_id] for r in page)
        token = page.token
        if token is None:
            break
    assert together == found


def test_a_page_goes_on_where_the_last_ended_though_runs_came(
    mlflow_client: MlflowClient, experiment: str
) -> None:
    for place in range(4):
        mlflow_client.create_run(experiment, start_time=1_000 + place, run_name=str(place))
    first = mlflow_client.search_runs([experiment], max_results=2)
    mlflow_client.create_run(experiment, start_time=2_000, run_name="new")
    second = mlflow_client.search_runs([experiment], max_results=2, page_token=first.token)
    assert [r.info.run_name for r in (*first, *second)] == ["3", "2", "1", "0"]
    assert second.token is None


def test_a_token_of_mlflows_own_form_is_read(address: str, runs: tuple[str, dict[str, str]]) -> None:
    number, named = runs
    token = base64.b64encode(b'{"offset": 4}').decode()
    found = MlflowClient(address).search_runs([number], page_token=token)
    assert "".join(named[r.info.run_id] for r in found) == "10"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"filter_string": "metrics.loss > 'x'"}, "numeric value"),
        ({"filter_string": "params.lr = "}, "at character 13 there is its end"),
        ({"filter_string": "wrong.key = 'x'"}, "Invalid entity type 'wrong'"),
        ({"filter_string": "attributes.nothing = 'x'"}, "Invalid attribute key 'nothing'"),
        ({"filter_string": "tags.a = 'open"}, "quote left open"),
        ({"filter_string": "(" * 200 + "metrics.a = 1" + ")" * 200}, "parentheses"),
        ({"max_results": 50_001}, "max_results"),
        ({"page_token": "nonsense"}, "Invalid page token"),
        ({"order_by": ["metrics.loss SIDEWAYS"]}, "expected is the end"),
    ],
)
def test_a_search_that_cannot_be_read_says_where(
    address: str, runs: tuple[str, dict[str, str]], asked: dict[str, object], said: str
) -> None:
    with pytest.raises(MlflowException) as refused:
        MlflowClient(address).search_runs([runs[0]], **asked)  # type: ignore[arg-type]
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert said in str(refused.value)


def test_a_run_that_changed_is_found_as_it_is_now(mlflow_client: MlflowClient, experiment: str) -> None:
    run_id = mlflow_client.create_run(experiment).info.run_id
    assert mlflow_client.search_runs([experiment], "metrics.m = 1") == []
    mlflow_client.log_metric(run_id, "m", 1.0)
    (found,) = mlflow_client.search_runs([experiment], "metrics.m = 1")
    assert found.data.metrics == {"m": 1.0}
    mlflow_client.set_tag(run_id, "k", "v")
    assert mlflow_client.search_runs([experiment])[0].data.tags["k"] == "v"


def test_experiments_are_searched(mlflow_client: MlflowClient) -> None:
    for name in ("s-one", "s-two"):
        mlflow_client.create_experiment(name, tags={"kind": name})
    found = mlflow_client.search_experiments(filter_string="name LIKE 's-%'", order_by=["name ASC"])
    assert [e.name for e in found] == ["s-one", "s-two"]
    assert [e.name for e in mlflow_client.search_experiments(filter_string="tags.kind = 's-two'")] == [
        "s-two"
    ]
    page = mlflow_client.search_experiments(max_results=1, filter_string="name LIKE 's-%'")
    assert [e.name for e in page] == ["s-two"]
    rest = mlflow_client.search_experiments(
        max_results=1, filter_string="name LIKE 's-%'", page_token=page.token
    )
    assert [e.name for e in rest] == ["s-one"]

"""Training libraries and feature stores into a run, each through the calls that it makes itself."""

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from openlineage.client import OpenLineageClient
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

import headwater as hw
from headwater import callbacks, dvclive, feast, openlineage
from tests.client.served import artifacts_of, get, params_of, run_of, steps_of, tags_of
from tests.client.test_recording import quick

X = np.random.default_rng(0).normal(size=(60, 2))
Y = (X[:, 0] > 0).astype(int)


def speaking_to(url: str) -> OpenLineageClient:
    return OpenLineageClient(config={"transport": {"type": "http", "url": url, "retry": {"total": 0}}})


def last(url: str, run_id: str) -> dict[str, float]:
    return {m["key"]: m["value"] for m in run_of(url, run_id)["data"]["metrics"]}


def test_an_estimator_of_scikit_learn_is_told_by_its_params_curve_and_scores(url: str) -> None:
    with quick(experiment="sklearn") as run:
        model = MLPClassifier(hidden_layer_sizes=(4,), max_iter=5, random_state=0, early_stopping=True)
        with pytest.warns(UserWarning, match="hasn't converged"):
            fitted = callbacks.fit(model, X, Y, test=(X, Y))
    assert fitted is model
    assert params_of(url, run.id)["hidden_layer_sizes"] == "[4]"
    assert steps_of(url, run.id, "loss_curve") == list(range(len(model.loss_curve_)))
    assert last(url, run.id)["test_score"] == fitted.score(X, Y)
    assert tags_of(url, run.id)["estimator"].endswith("MLPClassifier")


def test_a_search_of_scikit_learn_has_its_candidates_as_children(url: str) -> None:
    with quick(experiment="search") as run:
        found = callbacks.fit(GridSearchCV(LogisticRegression(), {"C": [0.01, 10]}, cv=2), X, Y)
    assert params_of(url, run.id)["best_C"] == str(found.best_params_["C"])
    experiment = get(url, "experiments/get-by-name?experiment_name=search")["experiment"]["experiment_id"]
    asked = {"experiment_ids": [experiment], "filter": f"tags.`mlflow.parentRunId` = '{run.id}'"}
    children = hw.current().mlflow("runs/search", asked)["runs"]
    assert {params_of(url, child["info"]["run_id"])["C"] for child in children} == {"0.01", "10"}
    assert all("mean_test_score" in last(url, child["info"]["run_id"]) for child in children)


def test_keras_calls_its_callback_at_every_epoch(url: str) -> None:
    callback = callbacks.keras()
    optimizer = SimpleNamespace(get_config=lambda: {"name": "adam", "learning_rate": 0.01})
    callback.params = {"epochs": 2, "steps": 3, "verbose": 0}
    callback.model = SimpleNamespace(optimizer=optimizer, count_params=lambda: 17)
    callback.on_train_begin({})
    for epoch in range(2):
        callback.on_epoch_end(epoch, {"loss": np.float32(1 / (1 + epoch)), "val_loss": 0.5})
    callback.on_train_end({})
    (run,) = hw.runs("params.`optimizer.name` = 'adam'")
    run_id = run["info"]["run_id"]
    assert run["info"]["status"] == "FINISHED"
    assert {"epochs": "2", "model_params": "17", "optimizer.learning_rate": "0.01"}.items() <= params_of(
        url, run_id
    ).items()
    assert steps_of(url, run_id, "val_loss") == [0, 1]


def test_lightning_has_a_logger_that_ends_with_the_training(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = callbacks.lightning(checkpoints=True)
    logger.log_hyperparams(Namespace(lr=0.1, layers=2))
    logger.log_metrics({"loss": 0.5, "epoch": 0}, step=9)
    logger.log_metrics({"loss": 0.4, "epoch": 1}, 19)
    (tmp_path / "best.ckpt").write_bytes(b"w")
    logger.after_save_checkpoint(SimpleNamespace(best_model_path=str(tmp_path / "best.ckpt")))
    logger.save()
    run = logger.experiment
    monkeypatch.setenv("LOCAL_RANK", "1")
    callbacks.lightning().log_metrics({"loss": 9}, step=0)
    monkeypatch.delenv("LOCAL_RANK")
    logger.finalize("success")
    assert logger.version == run.id
    assert params_of(url, run.id) == {"lr": "0.1", "layers": "2"}
    assert steps_of(url, run.id, "loss") == [9, 19]
    assert artifacts_of(url, run.id)["checkpoints/best.ckpt"] == b"w"
    assert run_of(url, run.id)["info"]["status"] == "FINISHED"


def test_where_a_library_is_loaded_its_own_class_is_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    class Logger:
        pass

    monkeypatch.setitem(
        __import__("sys").modules, "lightning.pytorch.loggers", SimpleNamespace(Logger=Logger)
    )
    assert isinstance(callbacks.lightning(), Logger)
    assert isinstance(callbacks.lightning(), callbacks.LightningLogger)


class SnowflakeSource(SimpleNamespace):
    """As Feast's: database, schema and table."""


class FileSource(SimpleNamespace):
    """As Feast's: a path."""


class FeatureStore:
    """As Feast's, of two views and one that is computed on demand."""

    def __init__(self) -> None:
        int64 = "Int64"
        orders = SnowflakeSource(
            name="orders", database="DW", schema="MART", table="CUSTOMER_STATS",
            timestamp_field="EVENT_TS", field_mapping={"ORDERS_7": "orders_7d"},
        )  # fmt: skip
        visits = FileSource(
            name="visits", path="s3://lake/visits.parquet", timestamp_field="at", field_mapping={}
        )
        stats = SimpleNamespace(
            name="customer_stats",
            features=[SimpleNamespace(name=n, dtype=int64) for n in ("orders_7d", "refunds_7d")],
            batch_source=orders,
            join_keys=["customer_id"],
        )
        web = SimpleNamespace(
            name="web", features=[SimpleNamespace(name="visits", dtype=int64)], batch_source=visits, join_keys=["customer_id"],
        )  # fmt: skip
        ratio = SimpleNamespace(
            name="ratio",
            features=[SimpleNamespace(name="orders_per_visit", dtype="Float64")],
            source_feature_view_projections={"web": SimpleNamespace(name="web", features=web.features)},
        )
        self._views = {view.name: view for view in (stats, web, ratio)}

    def get_feature_view(self, name: str) -> Any:
        if name == "ratio":
            raise LookupError(name)
        return self._views[name]

    def get_on_demand_feature_view(self, name: str) -> Any:
        return self._views[name]

    get_stream_feature_view = get_feature_view

    def get_feature_service(self, name: str) -> Any:
        wanted = [SimpleNamespace(name="orders_7d", dtype="Int64")]
        return SimpleNamespace(
            name=name, feature_view_projections=[SimpleNamespace(name="customer_stats", features=wanted)]
        )


def inputs_of(url: str, run_id: str) -> dict[str, str]:
    read = run_of(url, run_id)["inputs"]["dataset_inputs"]
    return {one["dataset"]["source"]: one["dataset"]["schema"] for one in read}


def test_features_of_a_feast_service_lead_to_their_table_and_columns(url: str) -> None:
    store = FeatureStore()
    service = store.get_feature_service("churn_v2")
    with quick(experiment="feast") as run:
        names = feast.inputs(run, service, store=store, namespaces={"snowflake": "snowflake://acme"})
    assert names == ["snowflake://acme/DW.MART.CUSTOMER_STATS"]
    ((source, schema),) = inputs_of(url, run.id).items()
    assert "CUSTOMER_STATS" in source
    assert all(f'"{name}"' in schema for name in ("ORDERS_7", "customer_id", "EVENT_TS"))
    assert "refunds_7d" not in schema
    assert tags_of(url, run.id)["feast.feature_service"] == "churn_v2"


def test_names_of_features_and_views_on_demand_are_followed_to_their_files(url: str) -> None:
    store = FeatureStore()
    with quick(experiment="feast") as run:
        names = feast.inputs(run, ["ratio:orders_per_visit", "customer_stats:refunds_7d"], store=store)
        assert names == ["s3://lake/visits.parquet", "DW.MART.CUSTOMER_STATS"]
        with pytest.raises(hw.HeadwaterError, match="give the `store`"):
            feast.inputs(run, "web:visits")
    graph = hw.lineage("s3://lake/visits.parquet", up=0, down=2)
    assert "feast" in {node["name"] for node in graph.of("job")}


def test_what_dvclive_wrote_becomes_a_run(url: str, tmp_path: Path) -> None:
    home = tmp_path / "dvclive"
    (home / "plots" / "metrics" / "train").mkdir(parents=True)
    (home / "plots" / "images").mkdir()
    (home / "plots" / "images" / "one.png").write_bytes(b"png")
    (home / "plots" / "metrics" / "train" / "loss.tsv").write_text(
        "timestamp\tstep\tloss\n1623671484747\t0\t0.4\n1623671484892\t1\t0.2\n"
    )
    (home / "metrics.json").write_text('{"step": 1, "train": {"loss": 0.2}, "final": 0.9}')
    (home / "params.yaml").write_text("lr: 0.1\nmodel:\n  depth: 3\n")
    run = dvclive.read(home)
    assert params_of(url, run.id) == {"lr": "0.1", "model.depth": "3"}
    assert steps_of(url, run.id, "train/loss") == [0, 1]
    assert last(url, run.id) == {"train/loss": 0.2, "final": 0.9}
    assert artifacts_of(url, run.id)["plots/images/one.png"] == b"png"
    assert run_of(url, run.id)["info"]["status"] == "FINISHED"
    with pytest.raises(hw.HeadwaterError, match=r"no metrics\.json"):
        dvclive.read(tmp_path)


def test_a_script_of_dvclive_logs_into_a_run(url: str, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"w")
    picture = SimpleNamespace(save=lambda into, format: into.write(format.encode()))  # noqa: A006
    with dvclive.Live(dir="dvclive", save_dvc_exp=False) as live:
        live.log_params({"lr": 0.1})
        for epoch in range(2):
            live.log_metric("train/loss", 1 - epoch / 2)
            live.next_step()
        live.log_artifact(tmp_path / "model.pt", type="model", name="gpt")
        live.log_image("sample.png", picture)
        live.log_sklearn_plot("confusion_matrix", [0, 1], np.array([0, 0]))
    assert steps_of(url, live.run.id, "train/loss") == [0, 1]
    kept = artifacts_of(url, live.run.id)
    assert kept["models/gpt/model.pt"] == b"w"
    assert kept["plots/images/sample.png"] == b"png"
    assert b'{"actual": 1, "predicted": 0}' in kept["plots/sklearn/confusion_matrix.json"]
    assert run_of(url, live.run.id)["info"]["status"] == "FINISHED"


def test_a_script_of_openlineage_ties_its_model_to_its_data(url: str) -> None:
    client = speaking_to(url)
    with quick() as run:
        version = run.register(b"w", "by-openlineage")

    @openlineage.Job("train-it", namespace="ml", client=client, inputs=("warehouse/core.orders",))
    def train() -> None:
        pass

    train()
    with openlineage.Job("train-it-again", namespace="ml", client=client) as job:
        job.input(Path(__file__), "s3://lake/raw/orders.csv")
        job.uses("base@champion")
        job.model(f"by-openlineage/{version.version}")
    graph = hw.lineage(f"models:/by-openlineage/{version.version}", up=4, down=0)
    assert {"raw/orders.csv", "train-it-again"} <= {node["name"] for node in graph}
    assert "train-it" in {node["name"] for node in hw.lineage("warehouse/core.orders", up=0, down=2)}


def test_a_script_of_openlineage_that_fails_says_why_and_one_without_a_server_goes_on(url: str) -> None:
    client = speaking_to(url)

    def fail() -> None:
        with openlineage.Job("break", namespace="ml", client=client, outputs=("lake/scores",)):
            raise ValueError("bad rows")

    with pytest.raises(ValueError, match="bad rows"):
        fail()
    asked = 'query { entity(ref: "ml/break") { ... on Job { runs(first: 5) { edges { node { state } } } } } }'
    (edge,) = hw.gql(asked)["entity"]["runs"]["edges"]
    assert edge["node"]["state"] in ("FAILED", "FAIL")
    with openlineage.Job("lonely", client=speaking_to("http://127.0.0.1:1")) as job:
        job.output(None, "lake/scores")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("warehouse/core.orders", ("warehouse", "core.orders")),
        ("s3://lake/raw/orders.csv", ("s3://lake", "raw/orders.csv")),
        ("postgres://db:5432/shop.public.orders", ("postgres://db:5432", "shop.public.orders")),
        ("/data/orders.csv", ("file", "/data/orders.csv")),
    ],
)
def test_a_name_is_taken_apart_by_openlineages_rules(name: str, place: tuple[str, str]) -> None:
    assert openlineage.split(name) == place
    with pytest.raises(hw.HeadwaterError, match="no namespace"):
        openlineage.split("orders")

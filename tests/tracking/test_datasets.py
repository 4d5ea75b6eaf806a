"""Sources that clients log, in the names that OpenLineage gives data."""

import pytest

from headwater_server.tracking.datasets import identity, schema_facet


@pytest.mark.parametrize(
    ("kind", "source", "found"),
    [
        ("s3", '{"uri": "s3://lake/raw/orders.parquet"}', ("s3://lake", "raw/orders.parquet")),
        ("s3", '{"uri": "s3a://lake/raw/"}', ("s3://lake", "raw")),
        ("gs", '{"uri": "gs://lake/raw/x.csv"}', ("gs://lake", "raw/x.csv")),
        ("local", '{"uri": "/data/./a/../x.csv"}', ("file", "/data/x.csv")),
        ("local", '{"uri": "file:///data/x%20y.csv"}', ("file", "/data/x y.csv")),
        ("http", '{"url": "https://example.com/data/x.csv"}', ("https://example.com", "data/x.csv")),
        ("abfss", '{"uri": "abfss://c@a.dfs.core.windows.net/x"}', ("abfss://c@a.dfs.core.windows.net", "x")),
        ("hugging_face", '{"path": "org/data", "split": "train"}', ("huggingface", "org/data")),
        ("delta_table", '{"delta_table_name": "main.ml.orders"}', ("unity", "main.ml.orders")),
        ("delta_table", '{"path": "s3://lake/delta/orders"}', ("s3://lake", "delta/orders")),
        ("spark", '{"table_name": "ml.orders"}', ("spark", "ml.orders")),
        ("spark", '{"path": "hdfs://nn:8020/orders"}', ("hdfs://nn:8020", "orders")),
        ("sql", '{"uri": "postgresql+psycopg2://me:secret@DB:5432/shop", "table": "orders"}', ("postgres://db:5432", "shop.public.orders")),
        ("sql", '{"uri": "mysql://db/shop/orders"}', ("mysql://db", "shop.orders")),
        ("uri", "s3://lake/plain", ("s3://lake", "plain")),
        ("code", '{"tags": {"mlflow.user": "ada"}}', None),
        ("sql", '{"uri": "postgresql://db/shop"}', None),
        ("odd", "no json", None),
        ("odd", "[1]", None),
    ],
)  # fmt: skip
def test_a_source_has_the_name_that_others_call_it_by(
    kind: str, source: str, found: tuple[str, str] | None
) -> None:
    assert identity(kind, source) == found


def test_a_schema_is_openlineages() -> None:
    said = '{"mlflow_colspec": [{"type": "long", "name": "id", "required": true}, {"type": "tensor"}]}'
    assert schema_facet(said) == {"schema": {"fields": [{"name": "id", "type": "long"}]}}
    assert schema_facet('{"mlflow_tensorspec": {}}') == schema_facet("") == {}

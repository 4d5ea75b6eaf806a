"""How much of what a model learnt from a column, on the command line."""

from pathlib import Path

from tests.app import open_empty
from tests.cli.conftest import Run
from tests.tracking.test_features import train, upload


def test_a_tree_and_an_impact_say_how_much_a_column_weighs(run: Run, tmp_path: Path) -> None:
    headwater = open_empty(tmp_path / "lab")
    upload(headwater, train(headwater), "importance.json", b'{"price": 3, "visits": 1}')
    headwater.close()
    data = ("--data", str(tmp_path / "lab"))
    tree = run("lineage", "s3://lake/users#price", "--down", "3", *data)
    assert "churn v1  model version  (direct, feature, 75% of the model's importance)  (trains)" in tree.out
    impact = run("impact", "s3://lake/users", "--drop", "price", "--json", *data)
    (reason,) = (
        reason["text"]
        for edge in impact.json["items"]["edges"]
        for reason in edge["node"]["reasons"]
        if reason["code"] == "IMPORTANCE"
    )
    assert reason == "carries 75.0% of the model's importance (IMPORTANCE, importance.json): 0.875"

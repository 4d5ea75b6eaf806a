"""A run over a real socket: what is logged is what the server has."""

import subprocess
import threading
from pathlib import Path

import pandas as pd
import pytest

import headwater as hw
from tests.client.served import artifacts_of, params_of, run_of, steps_of, tags_of


def quick(name: str | None = None, **given: object) -> hw.Run:
    """Without a look at this machine."""
    return hw.run(name, **{"environment": False, "diff": False, **given})  # type: ignore[arg-type]


def test_ten_lines_lead_to_a_version_in_a_stage(url: str, tmp_path: Path) -> None:
    with hw.run("train", experiment="churn", tags={"team": "growth"}) as run:
        run.params(lr=0.1, tree={"depth": 6, "cut": {"min": 2}}, layers=[1, 2], shuffle=True)
        for epoch in hw.track(range(3)):
            run.log(loss=1 / (1 + epoch))
        run.log({"auc": float("nan")}, step=7)
        file = tmp_path / "report.txt"
        file.write_text("all is well")
        run.artifact(file, "reports")
        run.text("said", "notes/one.txt")
        version = run.register(b"weights", "churn")
    assert params_of(url, run.id) == {
        "lr": "0.1", "tree.depth": "6", "tree.cut.min": "2", "layers": "[1, 2]", "shuffle": "true",
    }  # fmt: skip
    assert steps_of(url, run.id, "loss") == [0, 1, 2]
    assert steps_of(url, run.id, "auc") == [7]
    info = run_of(url, run.id)["info"]
    assert (info["status"], info["run_name"]) == ("FINISHED", "train")
    assert info["end_time"] >= info["start_time"]
    tags = tags_of(url, run.id)
    assert tags["team"] == "growth"
    assert tags["mlflow.source.type"] == "LOCAL"
    kept = artifacts_of(url, run.id)
    assert kept["reports/report.txt"] == b"all is well"
    assert kept["notes/one.txt"] == b"said"
    assert "# Python 3" in kept["headwater/environment.txt"].decode()
    assert "pytest==" in kept["headwater/environment.txt"].decode()
    assert (version.model, version.version, version.run_id) == ("churn", "1", run.id)
    assert kept[str(version.source).removeprefix(f"runs:/{run.id}/") + "/model.pkl"] == b"weights"
    staged = version.promote("Staging", comment="first try")
    assert staged.stage == "Staging"
    assert staged.alias("champion").aliases == ("champion",)
    assert hw.models["churn"]["champion"].version == "1"


def test_what_a_run_reads_is_the_dataset_of_its_pipeline_at_a_version_by_all_of_its_rows(url: str) -> None:
    frame = pd.DataFrame({"id": range(20_000), "amount": 1.5})
    with quick(experiment="inputs") as run:
        first = run.input(frame, "warehouse/core.orders")
        frame.loc[19_999, "amount"] = 2.0
        second = run.input(frame, "warehouse/core.orders", context="test")
    assert first != second
    assert len(first) == 32
    read = run_of(url, run.id)["inputs"]["dataset_inputs"]
    assert {one["dataset"]["digest"] for one in read} == {first, second}
    assert {one["tags"][0]["value"] for one in read} == {"training", "test"}
    assert "amount" in read[0]["dataset"]["schema"]
    graph = hw.lineage("warehouse/core.orders", up=0, down=2)
    assert "inputs" in {node["name"] for node in graph.of("job")}


def test_a_file_is_kept_as_it_was_when_it_was_logged(url: str, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.bin"
    with quick() as run:
        for epoch in range(3):
            file.write_bytes(bytes([epoch]) * 100_000)
            run.artifact(file, f"epoch-{epoch}")
        file.unlink()
        with pytest.raises(OSError, match="no-such-file"):
            run.artifact(tmp_path / "no-such-file")
    kept = artifacts_of(url, run.id)
    assert {path: data[0] for path, data in kept.items()} == {
        f"epoch-{epoch}/checkpoint.bin": epoch for epoch in range(3)
    }


def test_a_run_inside_another_is_its_child_and_one_of_another_thread_is_not(url: str) -> None:
    made: list[hw.Run] = []

    def elsewhere() -> None:
        with quick("elsewhere") as one:
            made.append(one)

    with quick("outer") as outer:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        with quick("inner") as inner:
            assert hw.active() is inner
        with quick("alone", nested=False) as alone:
            pass
        assert hw.active() is outer
    assert hw.active() is None
    assert tags_of(url, inner.id)["mlflow.parentRunId"] == outer.id
    assert "mlflow.parentRunId" not in tags_of(url, alone.id)
    assert "mlflow.parentRunId" not in tags_of(url, made[0].id)


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("bad rows"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(0), "FINISHED")],
)
def test_a_run_that_ends_badly_says_so(url: str, error: BaseException, status: str) -> None:
    def train() -> None:
        with run:
            run.log(loss=1)
            raise error

    run = quick()
    with pytest.raises(type(error)):
        train()
    assert run_of(url, run.id)["info"]["status"] == status
    assert steps_of(url, run.id, "loss") == [0]
    if status == "FAILED":
        assert tags_of(url, run.id)["headwater.error"] == "ValueError: bad rows"
        assert b"raise error" in artifacts_of(url, run.id)["headwater/error.txt"]


def test_one_bad_value_takes_no_others_with_it(url: str, outbox: Path) -> None:
    with quick() as run:
        run.params(lr=1)
        run.flush()
        run.params({f"p{n}": n for n in range(150)})
        run.params(lr=2, last=1)
        run.tags({"x" * 300: "too long", "fine": "yes"})
        with pytest.warns(UserWarning, match="no number"):
            run.log(loss=object(), auc=1)  # type: ignore[arg-type]
        run.log({f"m{n}": n for n in range(2_500)})
    found = params_of(url, run.id)
    assert (found["lr"], found["last"], len(found)) == ("1", "1", 152)
    assert tags_of(url, run.id)["fine"] == "yes"
    assert len(run_of(url, run.id)["data"]["metrics"]) == 2_501
    (refused,) = outbox.rglob("*.refused")
    assert len(refused.read_text().splitlines()) == 2
    assert '"value": "2"' in refused.read_text()


def test_output_hardware_and_uncommitted_changes_are_kept(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git = ["git", "-c", "user.name=one", "-c", "user.email=one@example.test"]
    (tmp_path / "repo").mkdir()
    monkeypatch.chdir(tmp_path / "repo")
    Path("train.py").write_text("lr = 1\n")
    for command in (
        ["init", "-q", "-b", "trunk"],
        ["add", "train.py"],
        ["commit", "-qm", "begin"],
        ["remote", "add", "origin", "https://me:s3cr3t@git.example.test/shop/train.git"],
    ):
        subprocess.run([*git, *command], check=True)
    Path("train.py").write_text("lr = 2\n")
    with hw.run(output=True, hardware=60, environment=False) as run:
        print("epoch 1 of 1")  # noqa: T201
    assert "epoch 1 of 1" in capsys.readouterr().out
    tags = tags_of(url, run.id)
    assert tags["mlflow.source.git.repoURL"] == "https://git.example.test/shop/train.git"
    assert (tags["mlflow.source.git.branch"], tags["mlflow.source.git.dirty"]) == ("trunk", "true")
    assert len(tags["mlflow.source.git.commit"]) == 40
    kept = artifacts_of(url, run.id)
    assert b"+lr = 2" in kept["headwater/uncommitted.diff"]
    assert kept["headwater/output.log"] == b"epoch 1 of 1\n"
    assert "system/cpu_utilization_percentage" in {m["key"] for m in run_of(url, run.id)["data"]["metrics"]}

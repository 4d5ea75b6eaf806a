"""Commands that write and look after the data: what they leave behind, and with which exit code."""

import json
from pathlib import Path

import pytest

from headwater_server.cli import main
from headwater_server.demo import events
from tests.cli.conftest import Run


def test_what_was_exported_gives_the_same_lineage_elsewhere(
    run: Run, told_shop: Path, tmp_path: Path
) -> None:
    ref = "postgres://warehouse/dw.staging.stg_orders"
    file, copy = str(tmp_path / "events.ndjson"), str(tmp_path / "copy")
    assert run("export", ref, "-o", file, "--data", str(told_shop)).code == 0
    assert run("ingest", file, "--data", copy).code == 0
    there, here = (
        run("lineage", ref, "--up", "9", "--format", "dot", "--data", data).out
        for data in (str(told_shop), copy)
    )
    assert "dw.raw.orders" in here
    assert here == there


def test_rebuilding_and_repeating_change_nothing(run: Run, own_shop: Path, tmp_path: Path) -> None:
    data = str(own_shop)
    before = run("hash", "--data", data).out
    file = tmp_path / "again.json"
    file.write_text(json.dumps(list(events())[::-1]))
    said = run("ingest", str(file), "--data", data, "--json")
    assert said.json["failed"] == 0
    assert run("hash", "--data", data).out == before
    assert run("rebuild", "--data", data).code == 0
    assert run("hash", "--data", data).out == before


def test_what_is_refused_is_told_with_its_place_and_exit_code_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    good = json.dumps(next(events()))
    file.write_text(f'{good}\n{{"job": {{}}}}\n')
    said = run("ingest", str(file), "--data", str(tmp_path / "data"))
    assert said.code == 1
    assert "1 event from 1 file is in" in said.out
    assert f"{file}:2: " in said.err


def test_a_model_goes_from_its_run_to_production_and_back(run: Run, own_shop: Path) -> None:
    place = ("--data", str(own_shop))
    assert run("model", "register", "upsell", "--stage", "Test", "--stage", "Live!", *place).code == 0
    again = run("model", "register", "upsell", *place)
    assert (again.code, again.out) == (1, "")
    run_id = run("show", "ml/ml.train_churn", "--json", *place).json["runs"]["edges"][0]["node"]["runId"]
    made = run("model", "create-version", "upsell", "--run", run_id, "--json", *place).json
    assert made["version"] == "1"
    moved = run("model", "promote", "upsell/1", "--to", "Live", "-m", "it sells", *place)
    assert moved.out.startswith("upsell version 1 moved to Live (revision ")
    assert "it sells" in run("model", "history", "upsell", *place).out
    lost = run("model", "promote", "upsell/1", "--to", "Test", "--expected-revision", "1", *place)
    assert (lost.code, lost.out) == (4, "")
    assert run("model", "alias", "upsell", "best", "1", *place).out == "upsell@best points to version 1.\n"
    assert run("model", "alias", "upsell", "best", "--remove", *place).out == "upsell@best is gone (was 1).\n"


def test_doctor_finds_a_healthy_folder_healthy(run: Run, told_shop: Path) -> None:
    found = {c["check"]: c["outcome"] for c in run("doctor", "--data", str(told_shop), "--json").json}
    assert found["log and graph"] == "ok"
    assert "fail" not in found.values()


def test_doctor_names_a_setting_that_cannot_be_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_PORT", "many")
    said = run("doctor", "--json")
    assert said.code == 1
    assert "HEADWATER_PORT" in said.out


def test_the_schema_is_printed(run: Run) -> None:
    assert "type Query" in run("schema").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for(run: Run, shell: str) -> None:
    assert "_HEADWATER_COMPLETE" in run("completion", shell).out


def test_help_names_every_command_and_an_unknown_one_is_usage(run: Run) -> None:
    assert "Usage: headwater COMMAND" in run().out
    said = run("impcat", "x")
    assert said.code == 2
    assert said.err == "headwater: There is no command 'impcat'. Did you mean impact?\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["impact", "a", "--drop", "b", "--delete"],
        ["impact", "a", "--type", "b"],
        ["lineage", "a", "--columns", "--datasets"],
        ["lineage", "a", "--up", "0"],
        ["model", "ls", "--as-of", "P7D"],
        ["model", "promote", "churn", "--to", "Production"],
        ["status", "--url", "http://localhost:1", "--data", "x"],
        ["search"],
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_where_help_is(run: Run, arguments: list[str]) -> None:
    said = run(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("headwater: ")


def test_no_server_is_one_line_with_a_way_out(run: Run) -> None:
    said = run("search", "x", "--url", "http://127.0.0.1:9")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "headwater up" in said.err


def test_main_reads_the_arguments_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["headwater", "--help"])
    assert main() == 0


def test_sql_is_read_without_a_server(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "load.sql"
    file.write_text("insert into mart select a, b + c as d from source")
    said = run("sql", str(file), "--dialect", "postgres")
    assert said.code == 0
    assert "source.a" in said.out
    assert run("sql", str(file), "--json").json["in_tables"] == ["source"]
    assert "flowchart" in run("sql", str(file), "--format", "mermaid").out
    gone = run("sql", str(tmp_path / "nothing.sql"))
    assert (gone.code, gone.out, gone.err.count("\n")) == (1, "", 1)
    assert run("sql").code == 2

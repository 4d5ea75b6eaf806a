"""`headwater sql --emit`: a script tells what it is meant to do, before it ever runs."""

from pathlib import Path

import pytest

from tests.sql.conftest import Run

DB = "postgres://db"
SCRIPT = (
    "insert into marts.spend (customer, total) select customer_id, sum(amount) from core.orders group by 1;\n"
)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "spend.sql").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENLINEAGE_NAMESPACE", raising=False)
    return "jobs/spend.sql"


def emit(run: Run, *given: str) -> str:
    said = run("sql", *given, "--emit", "--namespace", DB, "--default-database", "shop", "--data", "data")
    assert said.code == 0, said.err
    return said.out


def test_a_file_becomes_a_job_with_its_columns(run: Run, script: str) -> None:
    out = emit(run, script)
    assert out.splitlines()[-1] == "jobs/spend: shop.core.orders → shop.marts.spend"
    shown = run("lineage", f"{DB}/shop.marts.spend#total", "--up", "2", "--data", "data")
    assert "shop.core.orders.amount  column  (direct, aggregation)" in shown.out
    job = run("show", "default/jobs/spend", "--data", "data", "--json")
    assert job.code == 0


def test_a_job_may_be_named(run: Run, script: str) -> None:
    assert emit(run, script, "--job", "nightly.spend").splitlines()[-1].startswith("nightly.spend: ")
    said = run("sql", script, script, "--emit", "--job", "one")
    assert (said.code, "2 files" in said.err) == (2, True)


def test_what_was_sent_is_told_as_json_too(run: Run, script: str) -> None:
    said = run("sql", script, "--emit", "--namespace", DB, "--data", "data", "--json")
    assert said.json["jobs"] == ["default/jobs/spend"]
    assert said.json["successful"] == 1


def test_a_part_that_cannot_be_read_is_told_with_its_line(run: Run, script: str) -> None:
    Path(script).write_text("select from where;\n" + SCRIPT)
    said = run("sql", script, "--emit", "--namespace", DB, "--data", "data")
    assert said.code == 0
    assert "jobs/spend.sql:1:" in said.err


def test_without_emit_nothing_is_sent(run: Run, script: str) -> None:
    assert run("sql", script, "--data", "data").code == 2
    assert run("sql", script).out.startswith("jobs/spend.sql")
    assert not Path("data").exists()

"""`headwater impact --from-git-diff`: what a branch's SQL means to what is downstream, in one comment."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.imports.conftest import FIXTURES, Run

HARVEST = Path("models/marts/harvest.sql")


def git(*arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def commit(text: str) -> None:
    git("add", ".")
    git("commit", "-q", "-m", text)


@pytest.fixture
def branch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> str:
    """A dbt project in git, imported, on a branch of its own; the options that ask its graph."""
    project = shutil.copytree(FIXTURES / "orchard", tmp_path / "orchard")
    monkeypatch.chdir(project)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git("init", "-q", "-b", "main")
    commit("as it is")
    git("switch", "-q", "-c", "topic")
    data = str(tmp_path / "data")
    assert run("import", "dbt", "target", "--data", data).code == 0
    return data


def edit(old: str, new: str, file: Path = HARVEST) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


ASK = ("impact", "--from-git-diff", "main...", "--dialect", "duckdb", "--dbt-target", "target")


def test_a_column_that_goes_reaches_the_model_and_the_dashboard_behind_it(branch: str, run: Run) -> None:
    edit(", sum(p.grams) as grams", "")
    commit("no grams")
    said = run(*ASK, "--data", branch, "--format", "markdown", "--fail-on", "medium")
    assert said.code == 3
    assert (
        "| `duckdb://orchard.duckdb/orchard.main.harvest` | `grams` goes | models/marts/harvest.sql |"
        in said.out
    )
    assert "orchard.main.harvest_by_day" in said.out
    assert "harvest_board" in said.out
    assert "Barn" in said.out
    assert "stg_pickings |" not in said.out


def test_a_column_with_another_name_or_type_is_told_as_that(branch: str, run: Run) -> None:
    edit("max(w.rain_mm) as rain_mm", "max(w.rain_mm) as rain")
    edit("sum(p.grams) as grams", "cast(sum(p.grams) as integer) as grams")
    commit("other names")
    changes = run(*ASK, "--data", branch, "--json").json["changes"]
    assert {(c["change"], c["text"]) for c in changes} == {
        ("COLUMN_RENAME", "`rain_mm` becomes `rain`"),
        ("COLUMN_TYPE", "`grams` becomes integer"),
    }


def test_a_column_made_of_something_else_and_other_rows_are_told(branch: str, run: Run) -> None:
    edit("sum(p.grams)", "max(p.picking_id)")
    edit("group by 1, 2", "where p.grams > 0 group by 1, 2")
    commit("another sum")
    kinds = {c["change"]: c["text"] for c in run(*ASK, "--data", branch, "--json").json["changes"]}
    assert kinds["SCHEMA_CHANGE"] == "`grams` is made differently"
    assert kinds["JOB_CHANGE"].startswith("other filters")


def test_comments_and_spacing_are_no_change(branch: str, run: Run) -> None:
    edit("select t.variety", "-- what each tree gave\nSELECT   t.variety")
    commit("words")
    said = run(*ASK, "--data", branch, "--fail-on", "low", "--format", "markdown")
    assert said.code == 0
    assert "no table that others may read changes" in said.out


def test_it_works_without_dbt_by_the_names_of_files_and_tables(branch: str, run: Run) -> None:
    edit(", sum(p.grams) as grams", "")
    Path("load.sql").write_text(
        "insert into main.stg_trees select 1 as tree_id, 'x' as variety, 'y' as owner_hash"
    )
    commit("no grams")
    git("checkout", "-q", "-b", "later")
    Path("load.sql").unlink()
    commit("no load")
    found = run("impact", "--from-git-diff", "main..later", "--data", branch, "--json").json
    assert [c["text"] for c in found["changes"]] == ["`grams` goes"]
    found = run("impact", "--from-git-diff", "topic...later", "--data", branch, "--json").json
    assert [(c["change"], c["table"]) for c in found["changes"]] == [("DATASET_DELETE", "main.stg_trees")]


def test_the_working_tree_counts_when_one_revision_is_given(branch: str, run: Run) -> None:
    edit(", sum(p.grams) as grams", "")
    found = run(
        "impact", "--from-git-diff", "main", "--data", branch, "--dbt-target", "target", "--json"
    ).json
    assert [c["text"] for c in found["changes"]] == ["`grams` goes"]


def test_a_table_that_nobody_knows_is_told_and_stops_nothing(branch: str, run: Run) -> None:
    Path("other.sql").write_text("create table elsewhere.new_thing as select 1 as a, 2 as b")
    commit("new")
    git("switch", "-q", "-c", "again")
    Path("other.sql").write_text("create table elsewhere.new_thing as select 1 as a")
    commit("less")
    said = run(
        "impact", "--from-git-diff", "topic...", "--data", branch, "--format", "markdown", "--fail-on", "low"
    )
    assert said.code == 0
    assert "elsewhere.new_thing" in said.out.split("Not in the graph")[1]


def test_a_test_makes_no_table_and_a_macro_is_told_as_not_worked_out(branch: str, run: Run) -> None:
    Path("tests").mkdir()
    Path("macros").mkdir()
    Path("tests/no_empty_pickings.sql").write_text("select 1 as a, 2 as b from x")
    Path("macros/grams.sql").write_text("{% macro grams(x) %} {{ x }} * 1000 {% endmacro %}")
    commit("both")
    git("switch", "-q", "-c", "again")
    Path("tests/no_empty_pickings.sql").write_text("select 1 as a from x")
    Path("macros/grams.sql").write_text("{% macro grams(x) %} {{ x }} * 1001 {% endmacro %}")
    commit("less")
    found = run(
        "impact", "--from-git-diff", "topic...", "--dbt-target", "target", "--data", branch, "--json"
    ).json
    assert (found["changes"], found["unknown"]) == ([], [])
    assert ["macros/grams.sql: a macro changes" in text for text in found["notes"]] == [True]


def test_things_are_listed_once_with_every_reason(branch: str, run: Run) -> None:
    edit(", sum(p.grams) as grams, max(w.rain_mm) as rain_mm", "")
    edit("sum(grams) as grams", "max(grams) as grams", Path("models/marts/harvest_log.sql"))
    commit("much")
    items = run(*ASK, "--data", branch, "--json").json["items"]
    assert len({item["urn"] for item in items}) == len(items)
    (board,) = [item for item in items if item["name"] == "harvest_board"]
    assert len(board["because"]) == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--from-git-diff", "nowhere..."], "git rev-parse failed"),
        (["--from-git-diff", "--output=x"], "is no range of revisions"),
        (["--from-git-diff", "main...", "some/ref"], "leave REF"),
        ([], "Say what changes"),
    ],
)
def test_what_cannot_be_asked_is_told(branch: str, run: Run, given: list[str], expected: str) -> None:
    said = run("impact", *given, "--data", branch)
    assert said.code != 0
    assert expected in said.err


def test_production_models_come_first(
    told_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git("init", "-q", "-b", "main")
    script = "insert into dw.staging.stg_orders select order_id, customer_id, amount_eur from dw.raw.orders"
    Path("stg.sql").write_text(script)
    commit("as it is")
    git("switch", "-q", "-c", "topic")
    Path("stg.sql").write_text(script.replace(", amount_eur", ""))
    commit("no amount")
    said = run(
        "impact", "--from-git-diff", "main...", "--data", str(told_shop), "--json", "--fail-on", "high"
    )
    assert said.code == 3
    assert said.json["items"][0]["stage"] == "Production"

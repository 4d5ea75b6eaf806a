"""Commands that read, on the demo shop: for people in trees and tables, for programs in JSON."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run

CUSTOMERS = "postgres://warehouse/dw.marts.customers"
ORDERS = "postgres://shop-db/shop.public.orders"


def test_a_tree_shows_what_a_table_is_made_of_and_what_it_makes(ask: Run) -> None:
    said = ask("lineage", CUSTOMERS, "--up", "2", "--down", "2")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("dw.marts.customers  dataset · postgres://warehouse  #tier-1")
    made_of, makes = (
        next(i for i, line in enumerate(lines) if line.endswith(word)) for word in ("made of", "makes")
    )
    assert made_of < makes
    assert any("dw.staging.stg_customers" in line for line in lines[made_of:makes])
    assert any("dw.ml.churn_features" in line for line in lines[makes:])


def test_a_column_leads_to_the_model_in_production_and_to_the_dashboard(ask: Run) -> None:
    said = ask("lineage", f"{ORDERS}#amount", "--down", "20")
    assert "dw.ml.churn_features.spend_90d  column  (direct, aggregation)" in said.out
    assert "dw.ml.churn_features  dataset · postgres://warehouse  #feature-table  (as a whole)" in said.out
    assert "churn v2  model version  [Production]  (trains)" in said.out
    assert "retention  dataset · bi://shop" in said.out


def test_the_past_shows_the_source_that_was_replaced(ask: Run) -> None:
    staging = "postgres://warehouse/dw.staging.stg_customers"
    now = ask("lineage", staging, "--up", "2").out
    then = ask("lineage", staging, "--up", "2", "--as-of", "2026-01-10").out
    assert "dw.raw.customers" in now
    assert "crm_contacts" not in now
    assert "dw.raw.crm_contacts" in then
    assert "dw.raw.customers" not in then


def test_a_difference_names_what_came_and_what_went(ask: Run) -> None:
    lines = ask(
        "diff", "postgres://warehouse/dw.staging.stg_customers", "--from", "2026-01-10"
    ).out.splitlines()
    assert "- postgres://warehouse/dw.raw.crm_contacts → dbt/shop.staging.stg_customers" in lines
    assert "+ postgres://warehouse/dw.raw.customers → dbt/shop.staging.stg_customers" in lines


def test_a_path_goes_from_a_column_to_the_model(ask: Run) -> None:
    said = ask("paths", f"{ORDERS}#amount", "models:/churn/2")
    assert said.out.splitlines()[1].strip() == "shop.public.orders.amount  column"
    assert said.out.splitlines()[-1].strip().startswith("→ churn v2  model version")
    none = ask("paths", "models:/churn/2", ORDERS)
    assert (none.code, none.out) == (0, f"No path leads from models:/churn/2 to {ORDERS}.\n")


def test_an_edge_says_who_said_it(ask: Run) -> None:
    said = ask(
        "why", "postgres://warehouse/dw.raw.orders", "postgres://warehouse/dw.staging.stg_orders", "--json"
    )
    (reason,) = [edge["node"] for edge in said.json["edges"]]
    assert (reason["kind"], reason["current"]) == ("COLUMN", True)


def test_names_are_found_by_the_beginnings_of_their_words(ask: Run) -> None:
    assert "models:/churn/2" in ask("search", "chu").out
    kinds = ask("search", "churn", "--kind", "job", "--json").json
    assert {edge["node"]["kind"] for edge in kinds["edges"]} == {"JOB"}


def test_impact_puts_the_model_in_production_first_and_names_whom_to_tell(ask: Run) -> None:
    said = ask("impact", ORDERS, "--drop", "amount")
    assert said.code == 0
    assert "Models that serve from it: churn v2 (Production)" in said.out
    assert "team:ml" in said.out
    first = said.out.split("Because")[1].split()
    assert first[:2] == ["critical", "churn@2"]


@pytest.mark.parametrize(("level", "code"), [("critical", 3), ("high", 3), ("low", 3)])
def test_impact_stops_a_pipeline_at_a_threshold(ask: Run, level: str, code: int) -> None:
    assert ask("impact", ORDERS, "--drop", "amount", "--fail-on", level).code == code


def test_impact_lets_a_pipeline_go_on_below_the_threshold(ask: Run) -> None:
    harmless = ask(
        "impact", "postgres://warehouse/dw.marts.revenue_daily", "--drop", "day", "--fail-on", "critical"
    )
    assert harmless.code == 0


def test_impact_as_markdown_is_fit_for_a_pull_request(ask: Run) -> None:
    said = ask("impact", ORDERS, "--drop", "amount", "--format", "markdown")
    assert said.out.startswith("### Impact")
    assert "| CRITICAL | churn v2 (Production) |" in said.out


@pytest.mark.parametrize(
    ("form", "sign"),
    [("table", "→"), ("mermaid", "flowchart LR"), ("dot", "digraph lineage {"), ("json", '"upstream"')],
)
def test_lineage_has_other_forms(ask: Run, form: str, sign: str) -> None:
    said = ask("lineage", CUSTOMERS, "--format", form)
    assert said.code == 0
    assert sign in said.out


def test_an_answer_that_was_cut_says_so(ask: Run) -> None:
    said = ask("lineage", CUSTOMERS, "--down", "9", "--max-nodes", "3")
    assert "Cut by the limit of nodes" in said.err


def test_show_tells_of_each_kind_of_thing(ask: Run) -> None:
    table = ask("show", CUSTOMERS).out
    assert "One row a customer" in table
    assert "lifetime_value" in table
    job = ask("show", "dbt/shop.marts.customers").out
    assert "division by zero" in job
    assert "left join dw.marts.orders" in job
    column = ask("show", f"{CUSTOMERS}#lifetime_value").out
    assert "postgres://warehouse/dw.marts.orders#amount_eur" in column
    version = ask("show", "models:/churn/Production").out
    assert "models:/churn/2" in version
    assert "team:ml" in version
    model = ask("show", "churn").out
    assert "challenger" in model
    run_id = ask("show", "ml/ml.train_churn", "--json").json["runs"]["edges"][0]["node"]["runId"]
    assert "complete" in ask("show", f"runs:/{run_id}").out


def test_models_are_listed_with_where_their_versions_stand(ask: Run) -> None:
    assert "Staging: v3  Production: v2  Archived: v1" in ask("model", "ls").out
    then = ask("model", "ls", "--stage", "Production", "--as-of", "2026-01-10", "--json").json
    assert [edge["node"]["version"] for edge in then["edges"]] == ["1"]


def test_history_says_who_moved_what_and_why(ask: Run) -> None:
    moves = ask("model", "history", "churn", "--json").json
    assert [(m["version"], m["toStage"]) for m in moves if m["toStage"] == "Production"] == [
        ("2", "Production"),
        ("1", "Production"),
    ]
    one = ask("model", "history", "churn/2").out
    assert "Two nights beside version 1 without surprise." in one
    assert "v1" not in one.split("Why")[1].split()


def test_events_are_listed_newest_first_and_shown_whole(ask: Run) -> None:
    listed = ask("events", "--first", "3", "--json").json
    seqs = [edge["node"]["seq"] for edge in listed["edges"]]
    assert seqs == sorted(seqs, reverse=True)
    assert ask("events", "--seq", "1").json["producer"].startswith("https://")
    assert ask("events", "--conformance").out.strip() == "Nothing."
    assert ask("events", "--seq", "999999").code == 1


def test_a_name_that_nothing_has_is_one_line_and_exit_code_1(ask: Run) -> None:
    said = ask("show", "postgres://warehouse/dw.marts.custmers")
    assert said.code == 1
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "dw.marts.customers" in said.err
    as_json = ask("lineage", "nothing/of/this", "--json")
    assert '"code": "NOT_FOUND"' in as_json.err


def test_status_says_how_much_there_is(ask: Run) -> None:
    about = ask("status", "--json").json
    assert about["backend"] == "sqlite"
    assert about["eventsIngested"] > 1000


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md", "docs/registry.md"])
def test_the_answers_in_the_docs_are_what_the_commands_print(ask: Run, page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text()
    shown = 0
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for command, answer in re.findall(
            r"^\$ headwater ([^\n]*)\n((?:(?!\$ )[^\n]*\n)*)", block, re.MULTILINE
        ):
            if not answer.strip() or command.startswith("up"):
                continue
            said = ask(*shlex.split(re.sub(r"\s# .*", "", command))).out
            assert [line.rstrip() for line in said.splitlines()] == answer.rstrip().splitlines(), command
            shown += 1
    assert shown

"""The experiment that is there for everybody: reads do not write it, the first write in it does."""

import pytest

from headwater_server.errors import AlreadyExists
from headwater_server.graph import keys
from headwater_server.graph.words import Kind
from headwater_server.tracking.search import Asked, View
from tests.app import Headwater

ME = "ada"


def written(headwater: Headwater) -> list[str]:
    headwater.parts.committer.settle(patience=10)
    return [node.key for node in headwater.store.page(Kind.EXPERIMENT, marks=["", "h"], limit=10)]


def test_reading_on_an_empty_server_writes_nothing(headwater: Headwater) -> None:
    tracking, head = headwater.parts.tracking, headwater.log.head()
    (found,) = tracking.search.experiments(Asked()).rows
    assert (found.id, found.name, found.deleted) == ("0", "Default", False)
    assert tracking.experiments.get("0") == tracking.experiments.find("Default") == found
    assert tracking.search.runs(["0"], Asked("metrics.auc > 0.5")).rows == []
    assert tracking.search.models(["0"], Asked()).rows == []
    assert headwater.log.head() == head
    assert written(headwater) == []


def test_the_first_run_in_it_writes_it_once(headwater: Headwater) -> None:
    tracking = headwater.parts.tracking
    tracking.runs.create("0", name="one", actor=ME)
    assert written(headwater) == [keys.experiment("0")]
    head = headwater.log.head()
    tracking.runs.create("0", name="two", actor=ME)
    assert headwater.log.head() == head + 1
    assert {row.run.name for row in tracking.search.runs(["0"], Asked()).rows} == {"one", "two"}
    assert tracking.experiments.get("0").created > 0


def test_a_logged_model_a_tag_or_a_rename_writes_it(headwater: Headwater) -> None:
    tracking = headwater.parts.tracking
    tracking.experiments.rename("0", "Scratch", actor=ME)
    tracking.experiments.tag("0", {"team": "ads"}, actor=ME)
    tracking.models.create("0", actor=ME)
    assert written(headwater) == [keys.experiment("0")]
    found = tracking.experiments.get("0")
    assert (found.name, found.job, found.tags) == ("Scratch", "Default", {"team": "ads"})
    assert tracking.experiments.create("Default", actor=ME) == "1"
    written(headwater)
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == before


def test_it_can_be_deleted_before_anybody_used_it_and_its_name_is_taken(headwater: Headwater) -> None:
    experiments = headwater.parts.tracking.experiments
    with pytest.raises(AlreadyExists):
        experiments.create("Default", actor=ME)
    experiments.delete("0", actor=ME)
    (found,) = headwater.parts.tracking.search.experiments(Asked(), View.DELETED_ONLY).rows
    assert found.id == "0"
    assert written(headwater) == [keys.experiment("0")]


def test_it_is_there_after_a_restart_whether_it_was_written_or_not(embedded: Headwater) -> None:
    assert embedded.parts.tracking.experiments.get("0").name == "Default"
    again = embedded.again()
    again.parts.tracking.runs.create("0", name="one", actor=ME)
    third = again.again()
    assert [row.run.name for row in third.parts.tracking.search.runs(["0"], Asked()).rows] == ["one"]
    third.close()

"""Races, idempotency, aliases, stages of one's own, and what stood where at a moment."""

import threading
from typing import Any

import pytest

from headwater_server.errors import AlreadyExists, Conflict, HeadwaterError, Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from tests.app import Headwater
from tests.openlineage.said import dataset_key, facet, run, run_key, table, uuid_of

V1, V2 = keys.model_version("churn", 1), keys.model_version("churn", 2)


@pytest.fixture
def churn(headwater: Headwater) -> Headwater:
    """A model with two versions."""
    headwater.registry.register_model("churn", actor="ada")
    for _ in range(2):
        headwater.registry.create_version("churn", actor="ada")
    return headwater


def move(headwater: Headwater, version: str, stage: str, **more: Any) -> int:
    """When it happened."""
    return headwater.registry.transition(
        model="churn", version=version, to_stage=stage, actor="ada", **more
    ).at


def test_of_two_that_expect_the_same_revision_one_wins(churn: Headwater) -> None:
    together = threading.Barrier(2)
    results: list[str] = []

    def mover(version: str) -> None:
        together.wait()
        try:
            move(churn, version, "Production", expected_revision=3)
            results.append("won")
        except Conflict as error:
            results.append(f"conflict {error.details['expected']} {error.details['actual']}")

    threads = [threading.Thread(target=mover, args=(v,)) for v in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["conflict 3 4", "won"]
    assert len(churn.edges(EdgeKind.NOW_IN)) == 1


def test_what_stood_in_a_stage_at_a_moment_is_told(churn: Headwater) -> None:
    first = move(churn, "1", "Production")
    second = move(churn, "2", "Production", archive_existing=True)
    standing = churn.registry.in_stage
    assert standing("Production", limit=9) == [V2]
    assert standing("Archived", limit=9) == [V1]
    assert standing("Production", at=first - 1, limit=9) == []
    assert standing("Production", at=first, limit=9) == [V1]
    assert standing("Production", at=second - 1, limit=9) == [V1]
    assert standing("Production", at=second, limit=9) == [V2]


def test_the_history_is_the_same_after_a_rebuild(churn: Headwater) -> None:
    for version, stage in (("1", "Staging"), ("1", "Production"), ("2", "Production"), ("1", "None")):
        move(churn, version, stage, comment=f"to {stage}")
    before = [churn.registry.history(v) for v in (V1, V2)], churn.fingerprint()
    assert [t.to_stage for t in before[0][0]] == ["None", "Production", "Staging"]
    churn.parts.rebuild(lambda *_: None)
    assert ([churn.registry.history(v) for v in (V1, V2)], churn.fingerprint()) == before


def test_an_exclusive_stage_sends_the_one_before_to_the_archive(headwater: Headwater) -> None:
    own = [("Lab", False), ("Live", True), ("Archived", False)]
    headwater.registry.register_model("churn", stages=own, actor="ada")
    for _ in range(2):
        headwater.registry.create_version("churn", actor="ada")
    move(headwater, "1", "live")
    moved = headwater.registry.transition(model="churn", version="2", to_stage="Live", actor="ada")
    assert moved.archived == (V1,)
    assert [s.current for s in headwater.registry.stages(keys.model("churn"))] == [(), (V2,), (V1,)]
    with pytest.raises(Invalid):
        move(headwater, "1", "Production")


def test_moving_to_where_it_stands_records_nothing(churn: Headwater) -> None:
    move(churn, "1", "Production")
    head = churn.log.head()
    move(churn, "1", "Production")
    assert churn.log.head() == head


def test_the_same_idempotency_key_makes_one_version(churn: Headwater) -> None:
    made = {churn.registry.create_version("churn", idempotency_key="ci 7", actor="ada") for _ in range(3)}
    assert made == {keys.model_version("churn", 3)}
    assert churn.registry.revision(keys.model("churn")) == 4


def test_the_same_idempotency_key_moves_once(churn: Headwater) -> None:
    move(churn, "1", "Production", idempotency_key="deploy 7")
    move(churn, "1", "Staging")
    head = churn.log.head()
    move(churn, "1", "Production", idempotency_key="deploy 7")
    assert churn.log.head() == head
    assert churn.registry.in_stage("Staging", limit=9) == [V1]


def test_an_alias_moves_only_from_where_it_is_expected(churn: Headwater) -> None:
    registry = churn.registry
    registry.set_alias("churn", "champion", version="1", expected_version="", actor="ada")
    with pytest.raises(Conflict) as lost:
        registry.set_alias("churn", "champion", version="2", expected_version="", actor="bob")
    assert lost.value.details["actual"] == "1"
    change = registry.set_alias("churn", "champion", version="2", expected_version="1", actor="bob")
    assert (change.previous_key, change.version_key) == (V1, V2)
    assert [(a.name, a.version_key) for a in registry.aliases(keys.model("churn"))] == [("champion", V2)]
    registry.set_alias("churn", "champion", version=None, actor="ada")
    assert registry.aliases(keys.model("churn")) == []
    assert len(churn.edges(EdgeKind.POINTED_TO)) == 2


def test_a_version_from_a_run_was_trained_on_what_the_run_read(headwater: Headwater) -> None:
    headwater.send(
        run("COMPLETE", "features", "f", 1, writes=["features"]),
        run("COMPLETE", "train", "t", 2, reads=["features"]),
    )
    headwater.registry.register_model("churn", actor="ada")
    headwater.registry.create_version("churn", run_id=uuid_of("t"), actor="ada")
    assert headwater.out_of(run_key("train", "t"), EdgeKind.PRODUCED) == {V1}
    (trained,) = headwater.registry.trained_on(V1)
    assert headwater.props(trained)["run"] == run_key("features", "f")
    assert (dataset_key("features"), V1) in headwater.flows()


@pytest.mark.parametrize(
    "name", ["churn/", "churn%2F", " churn", "a:b", "a@b", "a#b", "\u202echurn", "a\nb", "", "x" * 501]
)
def test_a_name_that_could_pass_for_another_is_refused(embedded: Headwater, name: str) -> None:
    with pytest.raises(Invalid):
        embedded.registry.register_model(name, actor="ada")


def test_what_the_run_read_stands_above_what_was_named(headwater: Headwater) -> None:
    """Two say that the version was trained on a table; what one of them says later leaves the other's word."""
    headwater.send(
        run("COMPLETE", "features", "f", 1, writes=["features"]),
        run("START", "train", "t", 2, reads=["features"]),
    )
    headwater.registry.register_model("churn", actor="ada")
    headwater.registry.create_version(
        "churn", run_id=uuid_of("t"), trained_on=["postgres://db/features"], actor="ada"
    )
    snapshot = table("features", version=facet(datasetVersion="7"))
    headwater.send(run("COMPLETE", "train", "t", 3, reads=[snapshot]))
    (trained,) = headwater.registry.trained_on(V1)
    assert headwater.props(trained)["version"] == "7"
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == before


@pytest.mark.parametrize("name", ["latest", "v3", "3", "a/b"])
def test_an_alias_does_not_look_like_a_version(churn: Headwater, name: str) -> None:
    with pytest.raises(Invalid):
        churn.registry.set_alias("churn", name, version="1", actor="ada")


def test_what_is_not_there_and_what_is_there_already_are_told(churn: Headwater) -> None:
    refused: list[type[HeadwaterError]] = []
    for ask in (
        lambda: churn.registry.register_model("churn", actor="ada"),
        lambda: churn.registry.create_version("nobody", actor="ada"),
        lambda: move(churn, "9", "Production"),
    ):
        with pytest.raises(HeadwaterError) as error:
            ask()
        refused.append(type(error.value))
    assert refused == [AlreadyExists, NotFound, NotFound]
    assert churn.store.count(Kind.MODEL_VERSION, marks=[""]) == 2


def test_what_happened_elsewhere_keeps_its_number_and_its_time(headwater: Headwater) -> None:
    registry = headwater.registry
    registry.register_model("churn", actor="ada", at=1_000_000)
    registry.create_version("churn", number=7, actor="ada", at=2_000_000)
    assert move(headwater, "7", "Production", at=3_000_000, comment="imported") == 3_000_000
    found = registry.model_version("churn", "7")
    assert (found.created, found.updated, found.stage) == (2_000_000, 3_000_000, "Production")
    with pytest.raises(AlreadyExists, match="version 7 of model churn is there, or was"):
        registry.create_version("churn", number=7, actor="ada", at=4_000_000)
    assert registry.create_version("churn", actor="ada") == keys.model_version("churn", 8)


def test_times_within_a_model_never_go_back_whoever_says_them(headwater: Headwater) -> None:
    headwater.registry.register_model("churn", actor="ada", at=5_000_000)
    headwater.registry.create_version("churn", number=1, actor="ada", at=2_000_000)
    assert headwater.registry.model_version("churn", "1").created == 5_000_001


@pytest.mark.parametrize("number", [0, -3, 10**9, 2**62])
def test_a_number_that_no_version_has_is_refused(churn: Headwater, number: int) -> None:
    with pytest.raises(Invalid, match="from 1 to 999,999,999"):
        churn.registry.create_version("churn", number=number, actor="ada", at=2_000_000)


@pytest.mark.parametrize("name", ["²", "20240101120000", "9" * 30, "007"])
def test_a_job_may_read_what_is_called_as_no_version_is(churn: Headwater, name: str) -> None:
    event = run("COMPLETE", "score", "one", 1, reads=["a"], writes=["b"])
    event["inputs"].append({"namespace": "models:", "name": f"churn/{name}"})
    churn.send(event)
    assert churn.has(dataset_key("b"))
    assert len(churn.parts.letters) == 0
    made = churn.registry.create_version("churn", actor="ada")
    assert keys.number_of(made) == (8 if name == "007" else 3)

from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage import ChangeKind, EntityKind, Severity, affected_models, impact
from headwater_server.lineage.show import shown_name
from tests.lineage.scene import DAY, MONDAY, Scene


def _models(scene: Scene) -> Scene:
    scene.step("make", columns=[("raw.a", "features.x"), ("raw.b", "other.y")], evidence="COLUMN")
    served = scene.version("churn", 1, stage="Production", owners=["ml"])
    trial = scene.version("churn", 2)
    for job, version in (("train", served), ("retrain", trial)):
        step = scene.step(job, [scene.dataset("features")], [version], evidence="EXPLICIT")
        scene.edges.append(Edge(scene.column("features.x"), EdgeKind.FEATURE_OF, version, step))
    scene.edges = [edge for edge in scene.edges if edge.kind is not EdgeKind.FEEDS_WHOLE]
    scene.step("mail", ["features"], ["letters"])
    scene.save()
    return scene


def test_a_model_in_production_comes_first_and_is_critical(scene: Scene) -> None:
    report = impact("db/raw", _models(scene).store, change=ChangeKind.COLUMN_DROP, columns=["a"])
    first = report.items[0]
    assert shown_name(first.entity) == "churn v1"
    assert first.severity is Severity.CRITICAL
    assert first.distance == 2
    assert first.score == 0.81
    assert [reason.code for reason in first.reasons] == [
        "WEIGHT",
        "STRENGTH",
        "CONFIDENCE",
        "DISTANCE",
        "BREAKING",
    ]
    assert first.path.text == "raw.a → features.x → churn v1"
    assert [shown_name(column) for column in first.columns] == ["x"]
    assert [shown_name(node) for node in report.summary.production_models] == ["churn v1"]
    assert report.summary.owners == ("ml",)
    assert "**Models in production: `churn v1`.**" in report.markdown
    assert {shown_name(item.entity) for item in report.items} >= {
        "features",
        "churn v2",
        "letters",
        "make",
        "train",
    }


def test_another_column_hits_nothing_of_the_model(scene: Scene) -> None:
    report = impact("db/raw", _models(scene).store, change=ChangeKind.COLUMN_DROP, columns=["b"])
    assert {shown_name(item.entity) for item in report.items} == {"make", "other"}
    assert not report.summary.production_models


def test_a_change_that_takes_nothing_away_is_less_severe(scene: Scene) -> None:
    store = _models(scene).store
    report = impact("db/raw", store, change=ChangeKind.DATASET_STALE)
    assert report.items[0].severity is Severity.HIGH
    assert (
        impact("db/raw", store, change=ChangeKind.DATASET_STALE, min_severity=Severity.CRITICAL).items == ()
    )
    only = impact("db/raw", store, change=ChangeKind.DATASET_DELETE, kinds=[EntityKind.MODEL_VERSION])
    assert {shown_name(item.entity) for item in only.items} == {"churn v1", "churn v2"}


def test_the_number_of_other_ways_is_told(scene: Scene) -> None:
    scene.step("j", ["a"], ["b"])
    scene.step("k", ["a"], ["c"])
    scene.step("l", ["b", "c"], ["d"])
    scene.save()
    report = impact("db/a", scene.store, change=ChangeKind.DATASET_DELETE)
    last = next(item for item in report.items if shown_name(item.entity) == "l")
    assert last.alternative_paths == 1
    assert last.path.length == 3


def test_nothing_downstream_is_said_in_words(scene: Scene) -> None:
    scene.dataset("alone")
    report = impact("db/alone", scene.save(), change=ChangeKind.DATASET_DELETE)
    assert report.items == ()
    assert "Nothing that is known depends on it." in report.markdown


def test_a_cycle_does_not_hit_the_thing_itself(scene: Scene) -> None:
    scene.step("there", ["a"], ["b"])
    scene.step("back", ["b"], ["a"])
    scene.save()
    report = impact("db/a", scene.store, change=ChangeKind.DATASET_DELETE)
    assert {shown_name(item.entity) for item in report.items} == {"there", "b", "back"}


def test_affected_models_by_stage_by_column_and_by_time(scene: Scene) -> None:
    store = _models(scene).store
    found = affected_models("db/raw", store, columns=["a"])
    assert {shown_name(m.model_version): m.stage_name for m in found.items} == {
        "churn v1": "Production",
        "churn v2": None,
    }
    assert [shown_name(c) for c in found.items[0].columns] == ["x"]
    assert affected_models("db/raw", store, columns=["b"]).items == ()
    (served,) = affected_models("db/raw", store, stages=["production"]).items
    assert served.path.text == "raw → make → features → train → churn v1"
    assert affected_models("db/raw", store, stages=["production"], as_of=MONDAY - DAY).items == ()

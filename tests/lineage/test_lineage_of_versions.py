from headwater_server.graph.changes import Edge
from headwater_server.graph.words import EdgeKind
from headwater_server.lineage import Granularity, LineageDirection, lineage
from tests.lineage.scene import DAY, MONDAY, Scene
from tests.lineage.seen import edges


def _scene(scene: Scene) -> Scene:
    scene.dataset_version("raw", "1", created=MONDAY)
    scene.dataset_version("raw", "2", created=MONDAY + 2 * DAY)
    first = scene.run("r1", "load", begin=MONDAY + DAY)
    second = scene.run("r2", "load", begin=MONDAY + 3 * DAY)
    train = scene.run("r3", "train", begin=MONDAY + 4 * DAY)
    old = scene.dataset_version("t", "1", created=MONDAY + DAY)
    new = scene.dataset_version("t", "2", created=MONDAY + 3 * DAY)
    for run in (first, second):
        scene.read(run, scene.dataset("raw"))
    scene.wrote(first, old)
    scene.wrote(second, new)
    scene.read(train, old)
    scene.edges.append(Edge(train, EdgeKind.PRODUCED, scene.version("churn", 1)))
    scene.save()
    return scene


def test_a_run_read_the_version_that_was_there_when_it_began(scene: Scene) -> None:
    store = _scene(scene).store
    ask = Granularity.VERSION
    graph = lineage("models:/churn/1", store, granularity=ask, depth=9, direction=LineageDirection.UPSTREAM)
    assert edges(graph) == {
        "r3 TRAINS churn v1",
        "t@1 READS r3",
        "r1 WRITES t@1",
        "raw@1 READS r1",
    }
    down = lineage(
        "hw:dataset_version:db/raw@2", store, granularity=ask, depth=9, direction=LineageDirection.DOWNSTREAM
    )
    assert edges(down) == {"raw@2 READS r2", "r2 WRITES t@2"}


def test_a_dataset_stands_for_its_newest_version_then(scene: Scene) -> None:
    store = _scene(scene).store
    now = lineage("db/t", store, granularity=Granularity.VERSION, depth=1)
    assert edges(now) == {"r2 WRITES t@2"}
    then = lineage("db/t", store, granularity=Granularity.VERSION, depth=1, as_of=MONDAY + 2 * DAY)
    assert edges(then) >= {"r1 WRITES t@1"}

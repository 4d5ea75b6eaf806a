import pytest

from headwater_server.errors import Invalid, NotFound
from headwater_server.graph import times
from headwater_server.lineage import (
    EntityKind,
    Granularity,
    GroupBy,
    LineageDirection,
    encode_id,
    lineage,
    moment,
    overview,
    resolve,
    search,
    urn,
)
from tests.lineage.scene import DAY, MONDAY, Scene

PG = "postgres://db.example:5432"


@pytest.fixture
def shop(scene: Scene) -> Scene:
    scene.dataset("shop.orders", ns="postgres://db.example", tags=["pii"], owners=["ann"])
    scene.dataset("key/with/slashes", ns="s3://lake")
    scene.column("warehouse.orders.Amount")
    scene.dataset("t@1", ns="snowflake://acme")
    scene.job("dag.task", ns="airflow:prod")
    scene.job("dag.other", ns="airflow:prod")
    scene.run("0192-abc", "dag.task")
    one, two = scene.version("churn", 1), scene.version("churn", 2, stage="Production")
    scene.alias("churn", "champion", one)
    scene.dataset_version("warehouse.orders", "v7", created=MONDAY + DAY)
    assert two
    scene.save()
    return scene


@pytest.mark.parametrize(
    ("ref", "key"),
    [
        ("postgres://db.example/shop.orders", "dataset|postgres://db.example|shop.orders"),
        (f"{PG}/shop.orders", "dataset|postgres://db.example|shop.orders"),
        (f"hw:dataset:{PG}/shop.orders", "dataset|postgres://db.example|shop.orders"),
        ("shop.orders", "dataset|postgres://db.example|shop.orders"),
        (f"dataset:{PG}:shop.orders", "dataset|postgres://db.example|shop.orders"),
        ("dataset:postgres://db.example:shop.orders", "dataset|postgres://db.example|shop.orders"),
        (
            "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.orders,PROD)",
            "dataset|postgres://db.example|shop.orders",
        ),
        ("s3a://lake/key/with/slashes", "dataset|s3://lake|key/with/slashes"),
        ("snowflake://acme/t@1", "dataset|snowflake://acme|t@1"),
        ("db/warehouse.orders#AMOUNT", "column|db|warehouse.orders|amount"),
        ("hw:dataset:db/warehouse.orders#amount", "column|db|warehouse.orders|amount"),
        ("warehouse.orders#amount", "column|db|warehouse.orders|amount"),
        ("datasetField:db:warehouse.orders:amount", "column|db|warehouse.orders|amount"),
        ("hw:job:airflow:prod/dag.task", "job|airflow:prod|dag.task"),
        ("airflow:prod/dag.task", "job|airflow:prod|dag.task"),
        ("job:airflow:prod:dag.task", "job|airflow:prod|dag.task"),
        ("dag.other", "job|airflow:prod|dag.other"),
        ("runs:/0192-abc", "run|0192-abc|jobs|dag.task"),
        ("runs:/0192-abc/model", "run|0192-abc|jobs|dag.task"),
        ("hw:run:0192-abc", "run|0192-abc|jobs|dag.task"),
        ("run:0192-abc", "run|0192-abc|jobs|dag.task"),
        ("models:/churn", "model|churn"),
        ("hw:model:churn", "model|churn"),
        ("churn", "model|churn"),
        ("models:/churn/2", "model_version|churn|2"),
        ("hw:model:churn@2", "model_version|churn|2"),
        ("models:/churn/latest", "model_version|churn|2"),
        ("models:/churn/production", "model_version|churn|2"),
        ("models:/churn@champion", "model_version|churn|1"),
        ("churn@champion", "model_version|churn|1"),
        ("hw:dataset_version:db/warehouse.orders@v7", "dataset_version|db|warehouse.orders|v7"),
        ("dataset|db|warehouse.orders", "dataset|db|warehouse.orders"),
    ],
)
def test_every_spelling_finds_its_node(shop: Scene, ref: str, key: str) -> None:
    assert resolve(ref, shop.store).key == key


def test_the_id_and_the_urn_of_every_node_lead_back_to_it(shop: Scene) -> None:
    for node in list(shop.store.all_nodes()):
        assert resolve(encode_id(node.key), shop.store) == node
        assert resolve(urn(node), shop.store).key == node.key


def test_a_miss_says_what_may_have_been_meant(shop: Scene) -> None:
    with pytest.raises(NotFound) as missed:
        resolve("db/warehouse.ordrs", shop.store)
    assert missed.value.details["ref"] == "db/warehouse.ordrs"
    assert "hw:dataset:db/warehouse.orders" in missed.value.details["didYouMean"]
    with pytest.raises(NotFound):
        resolve("", shop.store)


def test_a_name_of_two_things_is_refused_with_both(shop: Scene) -> None:
    shop.dataset("shop.orders", ns="other")
    shop.save()
    with pytest.raises(NotFound, match="may mean any of 2 things") as missed:
        resolve("shop.orders", shop.store)
    assert len(missed.value.details["didYouMean"]) == 2


def test_a_moment_is_an_instant_a_while_ago_or_a_versions_making(shop: Scene) -> None:
    now = times.parse("2026-02-01T00:00:00Z")
    assert moment("2026-01-05T00:00:00+00:00", shop.store, now=now) == MONDAY
    assert moment("P7D", shop.store, now=now) == now - 7 * DAY
    assert moment("hw:dataset_version:db/warehouse.orders@v7", shop.store, now=now) == MONDAY + DAY
    for bad in ("2026-13-01", "yesterday", "shop.orders"):
        with pytest.raises(Invalid):
            moment(bad, shop.store, now=now)


def test_a_search_finds_counts_and_marks(shop: Scene) -> None:
    found = search("orders", shop.store)
    assert {edge.node.key for edge in found.edges} == {
        "dataset|postgres://db.example|shop.orders",
        "dataset|db|warehouse.orders",
    }
    assert found.total_count == 2
    facets = {facet.field: {v.value: v.count for v in facet.values} for facet in found.facets}
    assert facets["kind"] == {"DATASET": 2}
    assert facets["platform"] == {"postgres": 1, "db": 1}
    match = found.edges[0].matched[0]
    assert match.snippet[match.ranges[0] : match.ranges[1]] == "orders"


def test_terms_narrow_a_search(shop: Scene) -> None:
    for query in ("orders tag:pii", "tag:pii", "owner:Ann orders", "namespace:postgres://db.example"):
        keys = [edge.node.key for edge in search(query, shop.store).edges]
        assert keys == ["dataset|postgres://db.example|shop.orders"], query
    assert {e.node.kind for e in search("kind:model", shop.store).edges} == {"Model"}
    assert {e.node.kind for e in search("churn", shop.store, kinds=[EntityKind.MODEL_VERSION]).edges} == {
        "ModelVersion"
    }


def test_a_search_is_paged_and_offers_what_is_near(shop: Scene) -> None:
    first = search("orders", shop.store, first=1)
    assert (first.has_next_page, first.has_previous_page) == (True, False)
    rest = search("orders", shop.store, first=1, after=first.edges[-1].cursor)
    assert (rest.has_next_page, rest.has_previous_page) == (False, True)
    assert first.edges[0].node.key != rest.edges[0].node.key
    assert search("warehouse.ordrs", shop.store).did_you_mean == "warehouse.orders"
    with pytest.raises(Invalid):
        search("orders", shop.store, after="x")


def test_the_overview_counts_the_flow_between_namespaces(scene: Scene) -> None:
    lake = scene.dataset("raw", ns="s3://lake")
    other = scene.dataset("raw2", ns="s3://lake")
    scene.step("load", [lake, other], ["stage.orders"])
    scene.step("inside", ["stage.orders"], ["mart.orders"])
    scene.save()
    graph = overview(GroupBy.NAMESPACE, scene.store)
    name = {node.id: node.name for node in graph.nodes}
    assert {(name[e.source], name[e.target], e.count) for e in graph.edges} == {("s3://lake", "db", 2)}
    assert {group.label: group.node_count for group in graph.groups} == {"s3://lake": 2, "db": 2, "jobs": 2}
    schemas = overview(GroupBy.SCHEMA, scene.store)
    name = {node.id: node.name for node in schemas.nodes}
    assert {(name[e.source], name[e.target]) for e in schemas.edges} == {
        ("s3://lake", "db/stage"),
        ("db/stage", "db/mart"),
    }
    few = overview(GroupBy.NAMESPACE, scene.store, max_groups=1)
    assert (few.truncated_reason, len(few.nodes), few.total_nodes) == ("MAX_NODES", 1, 3)
    for group_by in GroupBy:
        assert overview(group_by, scene.store).nodes


def test_lineage_rolled_up_is_a_graph_of_namespaces(scene: Scene) -> None:
    scene.step("load", [scene.dataset("raw", ns="s3://lake")], ["a"])
    scene.step("use", ["a"], [scene.dataset("sheet", ns="gs://out")])
    scene.save()
    graph = lineage("db/a", scene.store, granularity=Granularity.GROUP, direction=LineageDirection.BOTH)
    name = {node.id: node.name for node in graph.nodes}
    assert {(name[e.source], name[e.target]) for e in graph.edges} == {
        ("s3://lake", "db"),
        ("db", "gs://out"),
    }
    assert name[graph.root] == "db"

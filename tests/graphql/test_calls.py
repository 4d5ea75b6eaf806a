"""A level of a query costs a fixed number of the store's calls, however many things stand on it."""

from itertools import count

import pytest

from tests.graphql.asking import Api, counting

LEVELS = {
    "datasets with their columns, both ways": """query ($n: Int) { datasets(first: $n) { edges { node { name namespace { name datasetCount }
        upstreamCount downstreamCount columns { name fields { name } dataset { name }
          upstream { column { dataset { urn } } job { name } } downstream { column { name } job { name } } } } } } }""",
    "datasets with their jobs": """query ($n: Int) { datasets(first: $n) { edges { node {
        producers { edges { node { name inputs { name } outputs { name } parent { name } } } }
        consumers { totalCount edges { node { name children { totalCount } } } } trainedModels { edges { node { urn model { name } } } } } } } }""",
    "runs with all around them": """query ($n: Int) { runs(first: $n) { edges { node { state job { name } jobVersion { version } parent { runId state }
        root { runId } children { totalCount } upstreamCount downstreamCount outputs { version dataset { name } producedBy { state } }
        modelVersions { urn stage { name currentVersions { urn } } run { runId } } } } } }""",
    "words": 'query ($n: Int) { datasets(query: "dw", first: $n) { totalCount edges { node { name upstreamCount } } } }',
    "pages of runs and versions": """query ($n: Int) { jobs(first: $n) { edges { node { latestRun { state job { name } }
        runs(first: 2) { edges { node { outputs { version } } } } } } } }""",
}


def calls(shop: Api, query: str, n: int) -> int:
    store, counted = counting(shop.parts.store)
    shop.with_context(store=store).ask(query, n=n)
    return counted()


@pytest.mark.parametrize("case", LEVELS, ids=str)
def test_many_cost_no_more_calls_than_few(shop: Api, case: str) -> None:
    few, many = calls(shop, LEVELS[case], 4), calls(shop, LEVELS[case], 40)
    # a step more where the first few have nothing to ask about
    assert many <= few + 12, (few, many)


def test_the_things_of_a_walk_come_together(shop: Api) -> None:
    walk = """query ($n: Int) { lineage(ref: "postgres://warehouse/dw.marts.orders", depth: 5, maxNodes: $n) {
        nodes { id %s } } }"""
    things = "entity { urn displayName ... on Dataset { columns { name } } ... on Job { inputs { name } } }"
    for n in (4, 40):
        assert calls(shop, walk % things, n) - calls(shop, walk % "", n) <= 7


def test_a_total_that_nobody_asks_for_is_not_counted(shop: Api) -> None:
    page = "query ($n: Int) { datasets(first: $n) { edges { node { name } } } }"
    with_total = page.replace("edges", "totalCount edges")
    assert calls(shop, with_total, 3) == calls(shop, page, 3) + 1


def test_a_list_of_names_is_one_call(shop: Api) -> None:
    assert (
        calls(shop, "query ($n: Int) { jobs(first: $n) { edges { node { id urn name tags { key } } } } }", 50)
        == 1
    )


def test_what_is_asked_twice_is_read_once(shop: Api) -> None:
    numbers = count()
    column = "columns { name upstream { column { name } } }"
    once = f"query ($n: Int) {{ datasets(first: $n) {{ edges {{ node {{ a: {column} }} }} }} }}"
    thrice = once.replace(f"a: {column}", " ".join(f"a{next(numbers)}: {column}" for _ in range(3)))
    assert calls(shop, thrice, 10) == calls(shop, once, 10)

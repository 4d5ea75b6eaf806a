"""What a hostile request costs: nothing to speak of."""

import time
from typing import Any

import pytest

from tests.graphql.asking import Api


def bomb(fragments: int, branch: int, leaf: str = "id") -> str:
    """Fragments that double (or worse) one after the other: small to send, endless to spread."""
    parts = [f"query {{ {' '.join(f'n{i}: node(id: 1) {{ ...F0 }}' for i in range(2))} }}"]
    for i in range(fragments):
        inner = " ".join(f"a{i}_{j}: node {{ ...F{i + 1} }}" for j in range(branch))
        parts.append(f"fragment F{i} on Query {{ {inner} }}")
    return " ".join([*parts, f"fragment F{fragments} on Query {{ {leaf} }}"])


ATTACKS = {
    "a fragment bomb of 2^15": bomb(15, 2),
    "a fragment bomb of 4^10": bomb(10, 4),
    "a fragment bomb of one name": bomb(15, 2).replace("a0_0:", "").replace("a0_1:", ""),
    "a fragment bomb without aliases": " ".join(
        ["query { node(id: 1) { ...F0 } }"]
        + [
            f"fragment F{i} on Dataset {{ columns {{ dataset {{ ...F{i + 1} ...F{i + 1} }} }} }}"
            for i in range(20)
        ]
        + ["fragment F20 on Dataset { id }"]
    ),
    "100 levels": "{ " + "parent { " * 100 + "id" + " }" * 101,
    "3,000 levels": "{" + "a{" * 3000 + "b" + "}" * 3001,
    "9,000 brackets": "{ node(id: " + "[" * 9000 + "]" * 9000 + ") { id } }",
    "2,000 aliases": "{ " + " ".join(f"a{i}: server {{ version }}" for i in range(1200)) + " }",
    "31 aliases": "{ " + " ".join(f"a{i}: server {{ version }}" for i in range(31)) + " }",
    "1,600 times one field": "{ " + "server { version } " * 1200 + " }",
    "2,000 directives": "{ server " + "@a " * 2000 + "{ version } }",
    "a comment of a megabyte": "#" + "x" * 1_000_000 + "\n{ server { version } }",
    "a page of a thousand million": "{ datasets(first: 1000000000) { edges { node { id } } } }",
    "pages within pages": "{ namespaces(first: 200) { edges { node { id } } } "
    "datasets(first: 200) { edges { node { versions(first: 200) { edges { node { id dataset { id } } } } } } } }",
    "a walk with its entities": '{ lineage(ref: "x", maxNodes: 20000) { nodes { entity { id history { edges { node { id } } } } } } }',
    "21 operations": " ".join(f"query Q{i} {{ server {{ version }} }}" for i in range(21)),
    "an impact of everything": '{ impact(input: {ref: "x", change: COLUMN_DROP, first: 200}) '
    "{ items { edges { node { entity { history(first: 200) { edges { node { subject { id } } } } } } } } } }",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack_is_refused_in_no_time(shop: Api, attack: str) -> None:
    query = ATTACKS[attack]
    shop.answer("{ server { version } }")  # the first request of all builds what later ones share
    took = []
    for _ in range(3):
        began = time.process_time()
        answer = shop.answer(query)
        took.append(time.process_time() - began)
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED", answer["errors"]
    assert min(took) < 0.05


def test_fragments_that_hold_each_other_are_named(shop: Api) -> None:
    error = shop.error("{ node(id: 1) { ...A } } fragment A on Dataset { columns { dataset { ...A } } }")
    assert "itself" in error["message"]


def test_the_cost_is_told_and_counts_variables(shop: Api) -> None:
    query = "query ($n: Int = 3) { datasets(first: $n) { edges { node { id columns { id } } } } }"
    small = shop.answer(query)["extensions"]["cost"]
    large = shop.answer(query, n=100)["extensions"]["cost"]
    assert small == 3 + 3 * 1
    assert large == 100 + 100 * 1
    refused = shop.answer(query, n=30_000)
    assert refused["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ server { version limits { maxCost } } }", {}, 0),
        ('{ entity(ref: "x") { id namespace { name } owners { name } } }', {}, 2),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a", "b", "c"]}, 1),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Dataset { currentVersion { id } } } }", {"ids": ["a", "b"]}, 3),
        ('{ lineage(ref: "x", maxNodes: 100) { nodes { id name } edges { source } } }', {}, 20),
        ('{ lineage(ref: "x", maxNodes: 100) { nodes { entity { id } } } }', {}, 120),
        ("query ($i: ImpactInput!) { impact(input: $i) { items { edges { node { entity { id } } } } } }",
         {"i": {"ref": "x", "change": "COLUMN_DROP", "first": 7}}, 37),
        ('{ impact(input: {ref: "x", change: COLUMN_DROP}) { items { edges { node { entity { id } } } } } }', {}, 130),
    ],
)  # fmt: skip
def test_what_things_cost(shop: Api, query: str, variables: dict[str, Any], cost: int) -> None:
    assert shop.answer(query, **variables)["extensions"]["cost"] == cost


@pytest.mark.parametrize("first", ["0", "-1", "201", "null", '"5"', "1.5", "99999999999"])
def test_a_page_has_from_1_to_200_entries(shop: Api, first: str) -> None:
    answer = shop.answer(f"{{ datasets(first: {first}) {{ edges {{ cursor }} }} }}")
    if first == "null":
        assert "errors" not in answer
    else:
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"


@pytest.mark.parametrize(
    "argument",
    ["depth: 51", "depth: -1", "maxNodes: 0", "maxNodes: 20001", 'asOf: "yesterday"', "depth: 1e3"],
)
def test_a_walk_has_bounds(shop: Api, argument: str) -> None:
    error = shop.error(
        f'{{ lineage(ref: "postgres://warehouse/dw.marts.orders", {argument}) {{ totalNodes }} }}'
    )
    assert error["extensions"]["code"] == "INVALID"


def test_a_cursor_is_good_for_its_own_list_alone(shop: Api) -> None:
    page = shop.ask(
        "{ datasets(first: 2) { pageInfo { endCursor } } jobs(first: 2) { pageInfo { endCursor } } }"
    )
    cursor, other = page["datasets"]["pageInfo"]["endCursor"], page["jobs"]["pageInfo"]["endCursor"]
    query = "query ($a: String, $ns: String) { datasets(first: 2, after: $a, namespace: $ns) { edges { cursor } } }"
    assert shop.ask(query, a=cursor)["datasets"]["edges"]
    for forged in (other, cursor[:-2], cursor + "AA", "x", "", "é", "W10", cursor[5:]):
        error = shop.error(query, a=forged)
        assert error["extensions"]["code"] == "INVALID"
        assert "cursor" in error["message"]
    assert shop.error(query, a=cursor, ns="dbt")["extensions"]["code"] == "INVALID"


def test_pages_one_after_the_other_are_the_whole_list(shop: Api) -> None:
    query = """query ($a: String) { runs(first: 97, after: $a) { totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
        edges { node { id startedAt } } } }"""
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = shop.ask(query, a=after)["runs"]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        seen += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len({run["id"] for run in seen}) == len(seen) == page["totalCount"]
    assert [run["startedAt"] for run in seen] == sorted((run["startedAt"] for run in seen), reverse=True)

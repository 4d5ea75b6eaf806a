"""Runs: how they are found, and which of them are lost."""

from typing import Any

from tests.graphql.asking import Api, dataset, run_event

DAY = 86_400_000_000
NOW = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z


def run_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def states(api: Api, **filters: Any) -> dict[str, str]:
    found = api.ask(
        "query ($f: RunFilter) { runs(filter: $f) { totalCount edges { node { runId state } } } }",
        f=filters or None,
    )["runs"]
    assert found["totalCount"] == len(found["edges"])
    return {edge["node"]["runId"][-2:]: edge["node"]["state"] for edge in found["edges"]}


def processing(type_: str) -> dict[str, Any]:
    return {"jobType": {"_producer": "p", "processingType": type_, "integration": "SPARK", "jobType": "JOB"}}


def test_a_run_that_runs_for_far_too_long_is_lost(api: Api) -> None:
    api.tell(
        run_event("START", "2027-01-14T01:00:00Z", run_id(1), "new"),  # more than a day ago
        run_event("START", "2027-01-15T01:00:00Z", run_id(2), "new"),
        run_event("START", "2026-12-01T00:00:00Z", run_id(3), "slow"),  # takes three days
        run_event("COMPLETE", "2026-12-04T00:00:00Z", run_id(3), "slow"),
        run_event("START", "2027-01-05T00:00:00Z", run_id(4), "slow"),  # ten days ago: not ten times three
        run_event("START", "2026-01-01T00:00:00Z", run_id(5), "stream", job_facets=processing("STREAMING")),
        run_event("START", "2026-01-01T00:00:00Z", run_id(6), "batch", job_facets=processing("BATCH")),
    )
    assert states(api) == {
        "01": "LOST", "02": "RUNNING", "03": "COMPLETE", "04": "RUNNING", "05": "RUNNING", "06": "LOST",
    }  # fmt: skip
    assert states(api, states=["LOST"]) == {"01": "LOST", "06": "LOST"}
    assert set(states(api, states=["RUNNING"])) == {"02", "04", "05"}


def test_a_run_whose_parent_has_ended_is_lost(api: Api) -> None:
    parent = {
        "parent": {"_producer": "p", "run": {"runId": run_id(1)}, "job": {"namespace": "etl", "name": "dag"}}
    }
    api.tell(
        run_event("START", "2027-01-15T07:00:00Z", run_id(1), "dag"),
        run_event("START", "2027-01-15T07:10:00Z", run_id(2), "dag.task", run_facets=parent),
    )
    assert states(api)["02"] == "RUNNING"
    api.tell(run_event("FAIL", "2027-01-15T07:30:00Z", run_id(1), "dag"))
    assert states(api) == {"01": "FAIL", "02": "LOST"}
    told = api.ask(
        '{ jobs(query: "task") { edges { node { name parent { name children { totalCount } } latestRun { parent { state } root { runId } } } } } }'
    )["jobs"]["edges"][0]["node"]
    assert told["parent"] == {"name": "dag", "children": {"totalCount": 1}}
    assert told["latestRun"]["parent"]["state"] == "FAIL"


def test_runs_are_found_by_state_job_time_and_input(api: Api) -> None:
    for day in range(1, 9):
        job, end = f"job{day % 2}", "COMPLETE" if day % 3 else "FAIL" if day % 2 else "ABORT"
        source = dataset(f"in{day % 4}", "a")
        api.tell(
            run_event("START", f"2027-01-0{day}T00:00:00Z", run_id(day), job, inputs=[source]),
            run_event(
                end, f"2027-01-0{day}T00:05:00Z", run_id(day), job, outputs=[dataset(f"out{day}", "a")]
            ),
        )
    assert list(states(api)) == [f"0{day}" for day in range(8, 0, -1)]
    assert states(api, states=["FAIL"]) == {"03": "FAIL"}
    assert states(api, states=["ABORT", "FAIL"]) == {"06": "ABORT", "03": "FAIL"}
    jobs = api.ask("{ jobs { edges { node { id name } } } }")["jobs"]["edges"]
    ids = {edge["node"]["name"]: edge["node"]["id"] for edge in jobs}
    assert set(states(api, jobIds=[ids["job0"]])) == {"02", "04", "06", "08"}
    assert list(states(api, jobIds=[ids["job0"], ids["job1"]])) == list(states(api))
    between = {"startedAfter": "2027-01-02T00:00:00Z", "startedBefore": "2027-01-05T00:00:00Z"}
    assert set(states(api, **between)) == {"03", "04"}
    assert set(states(api, inputs=["pg://db/in1"])) == {"01", "05"}
    assert set(states(api, inputs=["pg://db/in1", "pg://db/in2"], states=["COMPLETE"])) == {"01", "05", "02"}
    assert states(api, jobIds=[]) == {}


def test_pages_of_a_filter_are_the_whole_of_it(api: Api) -> None:
    api.tell(
        *(
            run_event(
                "FAIL" if n % 5 == 0 else "ABORT",
                f"2027-01-01T{n // 60:02d}:{n % 60:02d}:00Z",
                run_id(n),
                "j",
            )
            for n in range(450)
        )
    )
    query = """query ($a: String) { runs(first: 17, after: $a, filter: {states: [FAIL]}) { totalCount pageInfo { hasNextPage endCursor }
        edges { node { runId state } } } }"""
    seen, after, more = [], None, True
    while more:
        page = api.ask(query, a=after)["runs"]
        assert page["totalCount"] == 90
        seen += [edge["node"]["runId"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == [run_id(n) for n in range(445, -1, -5)]


def test_a_source_that_nobody_writes_is_read_without_a_version(api: Api) -> None:
    api.tell(
        run_event("COMPLETE", "2027-01-01T00:00:00Z", run_id(1), "w", outputs=[dataset("made", "a")]),
        run_event(
            "COMPLETE",
            "2027-01-02T00:00:00Z",
            run_id(2),
            "r",
            inputs=[dataset("made", "a"), dataset("raw", "b")],
        ),
        run_event("COMPLETE", "2027-01-03T00:00:00Z", run_id(3), "w", outputs=[dataset("made", "a")]),
    )
    run = api.ask(
        "query ($r: String!) { entity(ref: $r) { ... on Run { inputs { id version dataset { name } columns { name } } } } }",
        r=f"runs:/{run_id(2)}",
    )
    read = {v["dataset"]["name"]: v for v in run["entity"]["inputs"]}
    assert read["made"]["version"] == run_id(1)  # what was there, not the newest
    assert read["raw"]["version"] == "-"
    assert [c["name"] for c in read["raw"]["columns"]] == ["b"]
    again = api.ask(
        "query ($id: ID!) { node(id: $id) { ... on DatasetVersion { version dataset { name } } } }",
        id=read["raw"]["id"],
    )
    assert again["node"] == {"version": "-", "dataset": {"name": "raw"}}

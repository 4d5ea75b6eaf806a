"""What traces leave in the log and in the graph, on each store; what a search for them reads; what a backup takes along."""

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest

from headwater_server.backup import back_up, restore
from headwater_server.errors import Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.log.port import Which
from headwater_server.tracking.search import Asked
from headwater_server.tracking.trace_search import TraceSearch
from headwater_server.tracking.traces import Told, Traces
from tests.app import Headwater, settings

ME = "ada"


def told(name: str, experiment: str, start: int = 1_000, **metadata: str) -> Told:
    given = {key.replace("_", "."): value for key, value in metadata.items()}
    return Told(name, experiment, start, 5, "OK", "", "asked", "answered", given, {"mlflow.traceName": name})


def spans(number: int, name: str = "root", start: int = 1_000) -> dict[str, Any]:
    """An export of one span."""
    span = {
        "trace_id": b64(number, 16),
        "span_id": b64(1, 8),
        "name": name,
        "start_time_unix_nano": start * 1_000_000,
        "end_time_unix_nano": (start + 1) * 1_000_000,
    }
    return {"resource_spans": [{"scope_spans": [{"spans": [span]}]}]}


def b64(number: int, size: int) -> str:
    return base64.b64encode(number.to_bytes(size, "big")).decode()


def test_runs_models_and_experiments_know_their_traces(headwater: Headwater) -> None:
    tracking = headwater.parts.tracking
    number = tracking.experiments.create("chat", actor=ME)
    run = tracking.runs.create(number, actor=ME)
    model = tracking.models.create(number, name="agent", run_id=run.id, actor=ME)
    traces = tracking.traces
    traces.tell(told("a", number, 1_000, mlflow_sourceRun=run.id, mlflow_modelId=model.id), actor=ME)
    traces.tell(told("b", number, 3_000, mlflow_modelId=model.id, mlflow_sourceRun="elsewhere"), actor=ME)
    traces.tell(told("b", number, 3_000, mlflow_modelId=model.id), actor=ME)  # said again
    traces.link(["b"], run.id, actor=ME)
    traces.take(number, spans(7, start=2_000), run_id=run.id, actor=ME)
    headwater.parts.committer.settle(patience=10)
    counted = {
        key: [headwater.props(key).get(name) for name in ("traces", "lastTrace")]
        for key in (keys.experiment(number), run.key, keys.logged_model(model.id))
    }
    assert list(counted.values()) == [[3, 3_000_000], [3, 3_000_000], [2, 3_000_000]]
    assert traces.delete(number, ids=["b"], actor=ME) == 1
    headwater.parts.committer.settle(patience=10)
    assert headwater.props(run.key)["traces"] == 2
    assert headwater.props(keys.logged_model(model.id))["traces"] == 1
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda _, __: None)
    assert headwater.fingerprint() == before


def test_the_log_tells_what_traces_come_to_and_none_of_their_words(embedded: Headwater) -> None:
    tracking = embedded.parts.tracking
    tracking.traces.tell(told("a", "0", 1_000), actor=ME)
    tracking.traces.delete("0", ids=["a"], actor=ME)
    records = embedded.log.recent(Which(kind="tracking.traces"), limit=9)
    bodies = [orjson.loads(one.body) for one in records]
    assert [one["of"] for one in bodies] == [
        {keys.experiment("0"): [2, 0, 1_000]},
        {keys.experiment("0"): [1, 1, 1_000]},
    ]
    assert bodies[0]["deleted"] == ["a"]
    assert {one["by"] for one in bodies} == {ME}
    assert "asked" not in str(bodies)
    embedded.parts.committer.settle(patience=10)
    assert embedded.props(keys.experiment("0"))["name"] == "Default"


def test_spans_before_and_after_their_trace_was_told_make_the_same_of_it(embedded: Headwater) -> None:
    traces = embedded.parts.tracking.traces
    whole = []
    for number, order in ((1, "sst"), (2, "sts"), (3, "tss")):
        name = f"tr-{number:032x}"
        for what in order:
            if what == "t":
                traces.tell(told(name, "0", 1_234, a_b="c"), actor=ME)
            else:
                traces.take("0", spans(number, name="root"), actor=ME)
        one = traces.get(name)
        tags = {key: value for key, value in one.tags.items() if key != "mlflow.artifactLocation"}
        whole.append((one.start, one.duration, one.state, one.metadata, tags | {"mlflow.traceName": ""}))
        assert [span.name for span in traces.spans([one])[name]] == ["root"]
    assert whole[0] == whole[1] == whole[2]
    assert whole[0][:3] == (1_234, 5, "OK")


def test_whoever_sends_more_attributes_than_a_trace_has_tags_for_loses_no_span(embedded: Headwater) -> None:
    traces = embedded.parts.tracking.traces
    sent = spans(1)
    attributes = [{"key": f"k{n}", "value": {"string_value": "x"}} for n in range(1_100)]
    sent["resource_spans"][0]["resource"] = {"attributes": attributes}
    traces.take("0", sent, actor=ME)
    one = traces.get(f"tr-{1:032x}")
    assert len(one.tags) == 1_000
    assert one.tags["mlflow.trace.spansLocation"] == "TRACKING_STORE"
    assert len(traces.spans([one])[one.id]) == 1


def test_a_trace_stays_in_the_experiment_it_began_in_until_it_is_told_elsewhere(embedded: Headwater) -> None:
    tracking = embedded.parts.tracking
    other = tracking.experiments.create("other", actor=ME)
    tracking.traces.take("0", spans(1), actor=ME)
    tracking.traces.take(other, spans(1), actor=ME)
    name = f"tr-{1:032x}"
    assert tracking.traces.get(name).experiment == "0"
    tracking.traces.tell(told(name, other), actor=ME)
    embedded.parts.committer.settle(patience=10)
    assert [embedded.props(keys.experiment(one)).get("traces") for one in ("0", other)] == [0, 1]


def test_traces_outlive_a_restart_and_go_with_a_backup(embedded: Headwater, tmp_path: Path) -> None:
    tracking = embedded.parts.tracking
    tracking.traces.tell(told(f"tr-{1:032x}", "0"), actor=ME)
    tracking.traces.take("0", spans(1), actor=ME)
    tracking.assessments.create(f"tr-{1:032x}", {"assessment_name": "ok", "feedback": {"value": True}})
    expected = tracking.traces.get(f"tr-{1:032x}")
    made = back_up(embedded.settings, tmp_path / "kept")
    assert "traces.db" in made.files
    restore(tmp_path / "kept", settings(tmp_path / "back"))
    back = Headwater(settings(tmp_path / "back"))
    try:
        again = back.parts.tracking
        assert again.traces.get(expected.id) == expected
        assert len(again.traces.spans([expected])[expected.id]) == 1
        (one,) = again.assessments.of([expected])[expected.id]
        assert one["feedback"] == {"value": True}
    finally:
        back.close()


def many(headwater: Headwater, count: int) -> Traces:
    traces = headwater.parts.tracking.traces
    for number in range(count):
        traces.tell(told(f"t{number}", "0", 1_000 + number), actor=ME)
    return traces


def test_a_call_looks_at_so_many_traces_and_goes_on_with_a_token(embedded: Headwater) -> None:
    many(embedded, 5)
    search = TraceSearch(embedded.parts.traces, looked_at=2)
    asked = Asked("name = 't0' OR name = 't1'", size=10)
    first = search.traces(["0"], asked)
    assert (first.traces, first.token is None) == ([], False)
    second = search.traces(["0"], Asked(asked.filter, size=10, token=first.token))
    assert [one.id for one in second.traces] == ["t1"]
    third = search.traces(["0"], Asked(asked.filter, size=10, token=second.token))
    assert ([one.id for one in third.traces], third.token) == (["t0"], None)


def test_what_is_too_much_to_be_put_in_order_is_refused_until_it_is_narrowed(embedded: Headwater) -> None:
    many(embedded, 5)
    search = TraceSearch(embedded.parts.traces, ordered=3)
    with pytest.raises(Invalid, match="narrow the search by timestamp_ms"):
        search.traces(["0"], Asked(order_by=["name"], size=9))
    found = search.traces(["0"], Asked("timestamp_ms >= 1002 AND status = 'OK'", ["name DESC"], 9))
    assert [one.id for one in found.traces] == ["t4", "t3", "t2"]


def test_experiments_are_searched_as_one(embedded: Headwater) -> None:
    tracking = embedded.parts.tracking
    other = tracking.experiments.create("other", actor=ME)
    for number in range(6):
        tracking.traces.tell(told(f"t{number}", ("0", other)[number % 2], 1_000 + number), actor=ME)
    seen: list[str] = []
    token = None
    for _ in range(3):
        page = tracking.trace_search.traces(["0", other, "none"], Asked(size=2, token=token))
        seen += [one.id for one in page.traces]
        token = page.token
    assert (seen, token) == (["t5", "t4", "t3", "t2", "t1", "t0"], None)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "Either"),
        ({"ids": ["a"], "until": 1}, "not both"),
        ({"ids": ["a"], "most": 1}, "max_traces"),
        ({"until": 1, "most": 0}, "positive"),
    ],
)
def test_a_deletion_says_what_it_means(embedded: Headwater, given: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        embedded.parts.tracking.traces.delete("0", **given, actor=ME)
    with pytest.raises(NotFound):
        embedded.parts.tracking.traces.delete("9", until=1, actor=ME)

"""What a store of traces promises."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from headwater_server.errors import Invalid, Unavailable
from headwater_server.traces.port import Edit, Span, Tally, Trace, TraceStore
from headwater_server.traces.sqlite import SqliteTraces

FIRST, LAST = -(2**63), 2**63 - 1


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[TraceStore]:
    opened = SqliteTraces(tmp_path / "traces.db")
    yield opened
    opened.close()


def being(trace: Trace) -> Edit:
    return lambda _: trace


def trace(name: str, start: int = 1, *owners: str, experiment: str = "1") -> Trace:
    return Trace(name, experiment, start, tags={"a": "é"}, owners=owners)


def span(name: str, parent: str = "", start: int = 1) -> Span:
    return Span(name, parent, f"span {name}", "LLM", "OK", start, b'{"name":"%s"}' % name.encode())


def put(store: TraceStore, *every: Trace) -> None:
    for one in every:
        store.change({one.id: being(one)})


def test_a_trace_and_its_spans_are_there_again_after_a_restart(tmp_path: Path) -> None:
    opened = SqliteTraces(tmp_path / "traces.db")
    whole = replace(trace("t", 5, "run|r"), runs=("r",), metadata={"m": "1"}, duration=3, finished=True)
    opened.change({"t": being(whole)}, {"t": [span("b", "a", 1), span("c", "a", 0), span("a", "", 2)]})
    opened.assess("t", lambda _, __: {"x": {"valid": True}})
    opened.close()
    again = SqliteTraces(tmp_path / "traces.db")
    assert again.get(["t", "none", "t"]) == [whole]
    assert [one.id for one in again.spans(["t"])["t"]] == ["a", "c", "b"]
    assert again.spans(["t"])["t"][2] == span("b", "a", 1)
    assert again.spans(["t"], bodies=False)["t"][0].body == b""
    assert again.assessments(["t", "none"]) == {"t": {"x": {"valid": True}}}
    again.close()


def test_a_span_is_there_once_as_it_was_sent_last(traces: TraceStore) -> None:
    traces.change({"t": being(trace("t"))}, {"t": [span("a")]})
    traces.change({"t": being(trace("t"))}, {"t": [span("a", start=9), span("b", "a")]})
    assert [(one.id, one.start) for one in traces.spans(["t"])["t"]] == [("a", 9), ("b", 1)]


def test_what_is_refused_changes_nothing(traces: TraceStore) -> None:
    def refuse(_: Trace | None) -> Trace:
        raise Invalid("no")

    with pytest.raises(Invalid):
        traces.change({"t": being(trace("t", 1, "run|r")), "u": refuse}, {"t": [span("a")]})
    assert traces.get(["t"]) == []
    assert traces.change({"t": being(trace("t", 1, "run|r"))}).tallies == {"run|r": Tally(1, 1, 1)}


def test_pages_follow_time_both_ways(traces: TraceStore) -> None:
    put(traces, *(trace(f"t{n}", n // 2) for n in range(6)), trace("other", 1, experiment="2"))
    newest = traces.page("1", newest=True, after=None, since=FIRST, until=LAST, limit=4)
    assert [one.id for one in newest] == ["t5", "t4", "t3", "t2"]
    rest = traces.page("1", newest=True, after=(1, "t2"), since=FIRST, until=LAST, limit=4)
    assert [one.id for one in rest] == ["t1", "t0"]
    oldest = traces.page("1", newest=False, after=(0, "t1"), since=1, until=1, limit=9)
    assert [one.id for one in oldest] == ["t2", "t3"]


def test_owners_are_counted_as_traces_come_move_and_go(traces: TraceStore) -> None:
    put(traces, trace("a", 7, "experiment|1", "run|r"), trace("b", 5, "experiment|1"))
    assert traces.change({"b": being(trace("b", 5, "experiment|1"))}).tallies == {}
    moved = traces.change({"b": being(trace("b", 5, "experiment|2"))})
    assert moved.tallies == {"experiment|1": Tally(3, 1, 7), "experiment|2": Tally(1, 1, 5)}
    gone = traces.delete("1", ids=["a", "none"], until=None, most=None)
    assert gone.tallies == {"experiment|1": Tally(4, 0, 7), "run|r": Tally(2, 0, 7)}
    assert list(gone.traces) == ["a"]


def test_the_oldest_go_first_with_all_that_is_theirs(traces: TraceStore) -> None:
    put(traces, *(trace(f"t{n}", n) for n in range(5)))
    traces.change({"t0": being(trace("t0", 0))}, {"t0": [span("a")]})
    traces.assess("t0", lambda _, __: {"x": {}})
    assert list(traces.delete("1", ids=None, until=3, most=2).traces) == ["t0", "t1"]
    assert list(traces.delete("1", ids=["t4", "t2"], until=3, most=None).traces) == ["t2"]
    assert traces.spans(["t0"]) == {}
    put(traces, trace("t0", 0))
    assert traces.spans(["t0"]) == {}
    assert traces.assessments(["t0"]) == {}
    assert traces.delete("2", ids=["t3"], until=None, most=None).traces == {}


def test_nothing_of_a_deleted_trace_stays_on_the_disk(tmp_path: Path) -> None:
    opened = SqliteTraces(tmp_path / "traces.db")
    put(opened, replace(trace("t"), request="what somebody wrote"), trace("u"))

    def is_there() -> bool:
        return any(b"what somebody wrote" in file.read_bytes() for file in tmp_path.iterdir())

    assert is_there()
    opened.delete("1", ids=["t"], until=None, most=None)
    assert not is_there()
    opened.close()


def test_changes_come_one_after_the_other(traces: TraceStore) -> None:
    put(traces, trace("t"))

    def count(known: Trace | None) -> Trace:
        assert known is not None
        return replace(known, runs=(*known.runs, str(len(known.runs))))

    def work() -> None:
        for _ in range(20):
            traces.change({"t": count})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert traces.get(["t"])[0].runs == tuple(str(n) for n in range(80))


def test_a_file_that_is_gone_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="traces"):
        SqliteTraces(tmp_path / "none" / "traces.db")

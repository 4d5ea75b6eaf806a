"""What a series store promises."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater_server.series.port import Point, SeriesStore
from headwater_server.series.sqlite import SqliteSeries

NAN, INF = math.nan, math.inf


@pytest.fixture
def series(tmp_path: Path) -> Iterator[SeriesStore]:
    opened = SqliteSeries(tmp_path / "series.db")
    yield opened
    opened.close()


def test_points_come_back_in_order_and_each_once(series: SeriesStore) -> None:
    late, early = Point(2, 20, 0.5), Point(1, 10, 0.25)
    series.append("r", {"loss": [late, early, early]})
    summary = series.append("r", {"loss": [late]})["loss"]
    assert series.read("r", "loss") == [early, late]
    assert (summary.n, summary.last, summary.least, summary.most, summary.since) == (
        2,
        late,
        0.25,
        0.5,
        10,
    )


def test_the_last_value_is_the_greatest_by_step_then_time_then_value(series: SeriesStore) -> None:
    points = [Point(0, 9, 1.0), Point(3, 1, -7.0), Point(3, 1, -2.0), Point(-4, 99, 5.0)]
    assert series.append("r", {"m": points})["m"].last == Point(3, 1, -2.0)
    assert series.read("r", "m")[0] == Point(-4, 99, 5.0)


def test_nan_and_the_infinities_are_kept(series: SeriesStore) -> None:
    summary = series.append("r", {"m": [Point(0, 0, NAN), Point(0, 0, INF), Point(0, 0, -INF)]})["m"]
    values = [p.value for p in series.read("r", "m")]
    assert math.isnan(values[0])
    assert values[1:] == [-INF, INF]
    assert (summary.n, summary.least, summary.most, summary.last.value) == (3, -INF, INF, INF)
    assert math.isnan(series.append("r", {"n": [Point(1, 0, NAN)]})["n"].least)


def test_pages_go_on_behind_a_point(series: SeriesStore) -> None:
    points = [Point(step, step, float(step)) for step in range(10)]
    series.append("r", {"m": points})
    first = series.read("r", "m", max_points=4)
    assert first == points[:4]
    assert series.read("r", "m", after=first[-1]) == points[4:]


def test_what_was_appended_is_there_after_a_restart(tmp_path: Path) -> None:
    opened = SqliteSeries(tmp_path / "series.db")
    before = opened.append("r", {"a": [Point(0, 1, 2.0)], "b": [Point(0, 1, 3.0)]})
    opened.close()
    again = SqliteSeries(tmp_path / "series.db")
    assert again.keys("r") == ["a", "b"]
    assert again.summaries("r") == before
    again.delete("r")
    assert again.keys("r") == []
    assert again.read("r", "a") == []
    again.close()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3), st.floats(width=16)), min_size=1, max_size=12)
)
def test_any_split_into_batches_ends_in_the_same_summary(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[int, int, float]]
) -> None:
    opened = SqliteSeries(tmp_path_factory.mktemp("series") / "series.db")
    points = [Point(*one) for one in said]
    whole = opened.append("whole", {"m": points})["m"]
    pieces = [opened.append("pieces", {"m": [point]})["m"] for point in reversed(points)][-1]
    assert repr(whole) == repr(pieces)
    assert repr(opened.read("whole", "m")) == repr(opened.read("pieces", "m"))
    assert whole.n == len(opened.read("whole", "m"))
    opened.close()

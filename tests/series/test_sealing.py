"""Sealed chunks give back what rows would: every point, once, in order, spikes included."""

import math
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headwater_server.series.chunk import Damaged, decode, encode, loose
from headwater_server.series.order import place
from headwater_server.series.port import Point
from headwater_server.series.sample import buckets
from headwater_server.series.sqlite import TAIL, SqliteSeries

INT64 = st.integers(-(2**63), 2**63 - 1)
POINTS = st.lists(st.builds(Point, INT64, INT64, st.floats()), max_size=40)
NEAR = st.builds(Point, st.integers(0, 30), st.integers(0, 2), st.sampled_from([0.0, -0.0, 1.5, math.nan]))


@pytest.fixture
def series(tmp_path: Path) -> Iterator[SqliteSeries]:
    opened = SqliteSeries(tmp_path / "series.db")
    yield opened
    opened.close()


def curve(count: int, first: int = 0) -> list[Point]:
    return [Point(n, 1_700_000_000_000 + 97 * n, math.sin(n / 50)) for n in range(first, first + count)]


def bits(points: Iterable[Point]) -> list[bytes]:
    return [struct.pack("<qqd", *point) for point in points]


@settings(deadline=None)
@given(POINTS)
@example([Point(step, -step, 0.5) for step in (-(2**61), 2**61 - 1, -(2**61), 2**61, 2**63 - 1)])
@example([Point(step, step, 0.5) for step in (-(2**61), 2**61 - 1, -(2**61), 2**61 - 1, -1, 0, 1)])
def test_a_chunk_keeps_every_bit(points: list[Point]) -> None:
    assert bits(decode(encode(points))) == bits(points)
    assert not points or bits(decode(loose(points))) == bits(points)


@pytest.mark.parametrize(
    "damage",
    [lambda c: bytes((9,)) + c[1:], lambda c: c[:-4], lambda c: c[:3] + bytes(4) + c[7:], lambda c: c[:5]],
)
def test_a_damaged_chunk_says_so(damage: "pytest.FixtureRequest") -> None:
    for chunk in (encode(curve(50)), loose(curve(50))):
        with pytest.raises(Damaged, match="metric points"):
            decode(damage(chunk))  # type: ignore[operator]


@settings(max_examples=100, deadline=None)
@given(
    batches=st.lists(st.lists(NEAR, min_size=1, max_size=12), min_size=1, max_size=10),
    many=st.sampled_from([2, 4, 99]),
    tail=st.sampled_from([6, 14]),
)
def test_rows_and_chunks_together_are_the_set_of_points(
    batches: list[list[Point]], many: int, tail: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Late steps, batches sent again, chunks of every size, loose and sealed: as if all were in one set."""
    path = tmp_path_factory.mktemp("series") / "series.db"
    opened = SqliteSeries(path, tail=tail, piece=9, many=many)
    wanted: dict[tuple[int, int, int], Point] = {}
    every: list[Point] = []
    for batch in batches:
        summary = opened.append("r", {"m": batch})["m"]
        wanted.update((place(p), p._replace(value=p.value + 0.0)) for p in batch)
        every = [wanted[at] for at in sorted(wanted)]
        assert bits(opened.read("r", "m")) == bits(every)
        assert (summary.n, summary.last) == (len(every), every[-1]) or math.isnan(every[-1].value)
        assert repr(opened.summaries("r")["m"]) == repr(summary)
    for cut in range(0, len(every), 3):
        assert bits(opened.read("r", "m", after=every[cut], max_points=4)) == bits(every[cut + 1 : cut + 5])
    opened.close()


def test_a_sealed_point_takes_ten_bytes_at_most(series: SqliteSeries, tmp_path: Path) -> None:
    for first in range(0, 40_000, 1_000):
        series.append("r", {"loss": curve(1_000, first)})
    series.close()
    assert (tmp_path / "series.db").stat().st_size / 40_000 <= 10


def test_a_series_that_grows_by_single_points_is_sealed_too(series: SqliteSeries, tmp_path: Path) -> None:
    points = curve(2_600)
    for point in points:
        series.append("r", {"loss": [point]})
    assert series.read("r", "loss") == points
    series.close()
    with closing(sqlite3.connect(tmp_path / "series.db")) as file:
        [(rows,)] = file.execute("SELECT count(*) FROM point")
    assert rows < TAIL


def test_many_points_at_once_are_one_row_until_they_are_sealed(series: SqliteSeries, tmp_path: Path) -> None:
    for first in range(0, 400, 100):
        series.append("r", {"loss": curve(100, first)})
    late = Point(250, 0, 7.0)
    series.append("r", {"loss": [late]})
    expected = sorted([*curve(400), late], key=place)
    assert series.read("r", "loss") == expected
    with closing(sqlite3.connect(tmp_path / "series.db")) as file:
        assert file.execute("SELECT count(*) FROM point").fetchall() == [(1,)]
        assert file.execute("SELECT count FROM chunk ORDER BY id").fetchall() == [(100,)] * 4
        series.append("r", {"loss": curve(100, 400)})
        assert file.execute("SELECT count FROM chunk").fetchall() == [(501,)]
        assert file.execute("SELECT count(*) FROM point").fetchall() == [(0,)]
    assert series.read("r", "loss") == [*expected, *curve(100, 400)]


def test_no_spike_is_lost_however_few_points_are_shown(series: SqliteSeries) -> None:
    points = curve(9_000)
    points[4_321] = points[4_321]._replace(value=99.0)
    points[7_000] = points[7_000]._replace(value=-99.0)
    series.append("r", {"loss": points})
    for most in (4, 10, 1_000):
        shown, count = series.sample("r", "loss", most)
        assert count == 9_000
        assert len(shown) <= most
        assert {points[4_321], points[7_000]} <= set(shown) or most == 4
        assert shown == sorted(shown, key=place)
        assert (shown[0], shown[-1]) == (points[0], points[-1])
    assert series.sample("r", "loss", 20_000)[0] == points
    assert series.sample("r", "none", 10) == ([], 0)


def test_few_points_are_shown_as_they_are() -> None:
    points = curve(3)
    assert buckets(points, 10) == points
    assert buckets(points, 2) == [points[0], points[-1]]

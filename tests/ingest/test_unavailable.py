"""When it cannot be stored or shown now: 503 and come back, never 429 or 500, and nothing is lost."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from headwater_server.app import create_app
from headwater_server.commit.room import Room
from headwater_server.errors import Conflict, Unavailable
from headwater_server.settings import Settings
from tests.app import Headwater, settings
from tests.openlineage.said import run

EVENT = run("COMPLETE", "load", "one", 1, reads=["a"], writes=["b"])


def test_more_than_may_wait_is_refused_by_records_and_by_bytes() -> None:
    """What is larger than the whole room comes in alone: nobody could ever send it otherwise."""
    room = Room(records=10, size=1_000)
    room.take(11, 5_000)
    with pytest.raises(Unavailable, match="Nothing of this was stored"):
        room.take(1, 1)
    room.give_back(11, 5_000)
    room.take(9, 900)
    with pytest.raises(Unavailable):
        room.take(2, 1)
    with pytest.raises(Unavailable):
        room.take(1, 101)
    room.take(1, 100)
    assert (room.records, room.bytes) == (10, 1_000)


def test_a_second_headwater_on_the_same_folder_is_refused(door: TestClient, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="another Headwater works on"):
        create_app(Settings(data=tmp_path / "data"))


def test_a_graph_of_another_log_is_refused(tmp_path: Path) -> None:
    one, other = Headwater(settings(tmp_path / "one")), Headwater(settings(tmp_path / "other"))
    one.send(EVENT)
    one.close()
    other.close()
    (tmp_path / "other" / "graph.db").write_bytes((tmp_path / "one" / "graph.db").read_bytes())
    with pytest.raises(Conflict, match="another record log"):
        Headwater(settings(tmp_path / "other"))


def test_a_log_that_was_moved_away_is_not_ready_and_takes_nothing_until_it_is_back(
    door: TestClient, tmp_path: Path
) -> None:
    assert door.post("/api/v1/lineage", json=EVENT).status_code == 201
    moved = (tmp_path / "data" / "log.db").rename(tmp_path / "moved")
    ready = door.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "log.db was deleted" in ready.json()["log"]
    refused = door.post("/api/v1/lineage", json={**EVENT, "eventType": "OTHER"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "put the file back" in refused.text
    moved.rename(tmp_path / "data" / "log.db")
    assert door.get("/readyz").status_code == 200
    assert door.post("/api/v1/lineage", json={**EVENT, "eventType": "OTHER"}).status_code == 201


def test_a_record_that_was_logged_before_a_kill_is_projected_after_it(tmp_path: Path) -> None:
    headwater = Headwater(settings(tmp_path))
    headwater.send(EVENT)
    expected = headwater.fingerprint()
    headwater.close()
    (tmp_path / "graph.db").unlink()
    again = Headwater(settings(tmp_path))
    again.parts.committer.command(lambda: ((), lambda _: None))
    assert again.fingerprint() == expected
    again.close()

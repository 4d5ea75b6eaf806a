"""Who may speak for a namespace speaks for it; of all else they tell as observers, and never over its owner."""

import itertools
from pathlib import Path
from typing import Any

import orjson
import pytest

from headwater_server.auth.policy import Grant, Principal, own_namespaces
from headwater_server.errors import Forbidden
from headwater_server.graph import keys
from headwater_server.ingest.receive import receive, receive_many
from headwater_server.settings import Settings
from tests.app import Headwater, embedded, headwater, neo4j_server, on_neo4j
from tests.auth.served import Served, bearer

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]

OWNER = Principal("service:b", (Grant.read("emitter?namespace=b"), Grant.read("reader")))
OTHER = Principal("service:a", (Grant.read("emitter?namespace=a*"),))
ANYBODY = Principal("service:root", (Grant.read("emitter"),))
TABLE = keys.dataset("b", "orders")


def facet(**said: Any) -> dict[str, Any]:
    return {"_producer": "https://it", "_schemaURL": "https://it", **said}


def event(job: str, at: int, *, run: str | None = None, **table: Any) -> dict[str, Any]:
    """A run of a job in a namespace that says something of b's table."""
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-01-01T00:00:{at:02}Z",
        "producer": "https://it",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": run or f"00000000-0000-0000-0000-0000000000{at:02}"},
        "job": {"namespace": job, "name": "job"},
        "inputs": [],
        "outputs": [{"namespace": "b", "name": "orders", "facets": table}],
    }


def say(headwater: Headwater, by: Principal, said: dict[str, Any]) -> bool:
    """Whether it was known already."""
    submission = receive(orjson.dumps(said), headwater.parts.committer, by=by, eager=True)
    (receipt,) = submission.logged.result()
    submission.projected.result()
    assert not len(headwater.parts.letters)
    return receipt.duplicate


THEIRS = event(
    "b",
    1,
    documentation=facet(description="the orders"),
    schema=facet(fields=[{"name": "id", "type": "int"}]),
)
POISON = event(
    "a-jobs", 9,
    documentation=facet(description="drop me"),
    tags=facet(tags=[{"key": "public", "value": "true"}]),
    schema=facet(fields=[{"name": "nonsense"}]),
    lifecycleStateChange=facet(lifecycleStateChange="DROP"),
    dataQualityAssertions=facet(assertions=[{"assertion": "ok", "success": True}]),
    symlinks=facet(identifiers=[{"namespace": "b", "name": "customers", "type": "TABLE"}]),
)  # fmt: skip


def test_a_job_of_another_namespace_is_refused_with_the_reason(headwater: Headwater) -> None:
    with pytest.raises(Forbidden, match=r"service:a may not emit for jobs of namespace 'b', only of a\*"):
        receive(orjson.dumps(THEIRS), headwater.parts.committer, by=OTHER)
    batch = [orjson.dumps(e) for e in (THEIRS, event("a", 2))]
    submission, taken, failed = receive_many(batch, headwater.parts.committer, by=OTHER)
    assert submission is not None
    submission.projected.result()
    assert taken == [1]
    assert [f.index for f in failed] == [0]
    assert not headwater.has(keys.job("b", "job"))


def test_what_is_told_of_anothers_table_never_overwrites_its_owner(headwater: Headwater) -> None:
    say(headwater, OWNER, THEIRS)
    say(headwater, OTHER, POISON)
    props = headwater.props(TABLE)
    assert props["description"] == "the orders"
    assert headwater.columns(TABLE) == {"id"}
    assert headwater.node(TABLE).mark == ""
    assert not headwater.has(keys.dataset("b", "customers"))
    assert not headwater.facts(TABLE).named("check|")
    views = headwater.facets(TABLE)
    assert views["documentation"].value["description"] == "the orders"
    assert views["tags"].value["tags"][0]["key"] == "public"  # an observation, where the owner says nothing
    # and yet the job's own lineage is what it says
    assert headwater.writes_of(keys.job("a-jobs", "job")) >= set()
    assert any(e.target == TABLE for e in headwater.store.all_edges())


@pytest.mark.parametrize("form", ["input", "dataset"])
def test_neither_as_an_input_nor_by_an_event_of_its_own(headwater: Headwater, form: str) -> None:
    say(headwater, OWNER, THEIRS)
    said = dict(POISON)
    if form == "input":
        said |= {"inputs": said["outputs"], "outputs": []}
    else:
        said |= {"dataset": said["outputs"][0]}
        for name in ("run", "job", "inputs", "outputs", "eventType"):
            del said[name]
    say(headwater, OTHER, said)
    assert headwater.props(TABLE)["description"] == "the orders"
    assert headwater.columns(TABLE) == {"id"}
    assert headwater.node(TABLE).mark == ""


def test_the_owners_word_as_a_reader_is_not_overwritten_either(headwater: Headwater) -> None:
    reading = {**THEIRS, "inputs": THEIRS["outputs"], "outputs": []}
    say(headwater, OWNER, reading)
    say(headwater, OTHER, POISON)
    assert headwater.props(TABLE)["description"] == "the orders"


def test_a_name_of_ones_own_is_not_made_anothers_table(headwater: Headwater) -> None:
    say(headwater, OWNER, THEIRS)
    mine = event("a", 5)
    link = facet(identifiers=[{"namespace": "b", "name": "orders", "type": "TABLE"}])
    mine["outputs"] = [{"namespace": "a", "name": "mine", "facets": {"symlinks": link}}]
    say(headwater, OTHER, mine)
    assert not [e for e in headwater.store.all_edges() if e.kind == "SYMLINK"]


def test_the_owner_who_says_the_same_words_is_heard(headwater: Headwater) -> None:
    shared = event("a", 3, documentation=facet(description="by both"))
    both = Principal("service:ab", (Grant.read("emitter?namespace=a*&namespace=b"),))
    assert not say(headwater, OTHER, shared)
    assert say(headwater, OTHER, shared)  # twice the same speaker: one record
    assert not headwater.facts(TABLE).named("facet|")
    assert not say(headwater, both, shared)
    assert headwater.facts(TABLE).named("facet|")


def test_any_order_gives_the_same_graph_and_so_does_a_rebuild(tmp_path: Path) -> None:
    said = [(OWNER, THEIRS), (OTHER, POISON), (ANYBODY, event("c", 4, documentation=facet(description="c")))]
    hashes = set()
    for number, order in enumerate(itertools.permutations(said)):
        opened = Headwater(Settings(data=tmp_path / str(number)))
        for by, one in order:
            say(opened, by, one)
        hashes.add(opened.fingerprint())
        opened.parts.rebuild(lambda _done, _total: None)
        hashes.add(opened.fingerprint())
        opened.close()
    assert len(hashes) == 1


def test_the_record_says_who_spoke_and_for_what(headwater: Headwater) -> None:
    say(headwater, OTHER, event("a", 2))
    say(headwater, ANYBODY, event("a", 3))
    actors = [record.actor for record in headwater.log.read(0, limit=10)]
    assert actors == ["service:a?namespace=a*", "service:root"]
    assert own_namespaces(actors[0]) == ("a*",)
    assert own_namespaces(actors[1]) == ()


def test_names_with_signs_of_their_own_come_back(headwater: Headwater) -> None:
    odd = Principal("it", (Grant.read("emitter?namespace=a%26b&namespace=kafka://x:1,y:2&namespace=%2B"),))
    assert own_namespaces(odd.spoken) == ("a&b", "kafka://x:1,y:2", "+")


def test_over_the_wire(own: Served) -> None:
    a, b = own.key("emitter?namespace=a*", name="a"), own.key("emitter?namespace=b", "reader", name="b")
    refused = own.http.post("/api/v1/lineage", json=THEIRS, headers=bearer(a))
    assert refused.status_code == 403
    assert (refused.json()["needs"], refused.json()["pointer"]) == ("events:emit", "/job/namespace")
    assert own.http.post("/api/v1/lineage", json=THEIRS, headers=bearer(b)).status_code == 201
    assert own.http.post("/api/v1/lineage", json=POISON, headers=bearer(a)).status_code == 201
    batch = own.http.post("/api/v1/lineage/batch", json=[THEIRS, event("a", 7)], headers=bearer(a)).json()
    assert batch["summary"]["successful"] == 1
    assert "may not emit" in batch["failed_events"][0]["reason"]
    shown = own.http.get("/api/v1/namespaces/b/datasets/orders", headers=bearer(b)).json()
    assert shown["description"] == "the orders"

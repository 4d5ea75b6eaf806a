"""What is seen and what may be changed within a scope: the same on both stores."""

from collections.abc import Callable
from typing import Any

import pytest

from headwater_server.api.graphql.execution import Engine
from headwater_server.api.graphql.operation import Query
from headwater_server.api.graphql.schema import schema
from headwater_server.app import context_factory
from headwater_server.auth.policy import Grant, Principal
from headwater_server.errors import Forbidden, NotFound
from headwater_server.graph import keys
from headwater_server.graph.words import Kind
from tests.app import Headwater, embedded, headwater, neo4j_server, on_neo4j
from tests.auth.scene import LINEAGE, READER, tell, tells_nothing

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]


def seen_by(headwater: Headwater, *roles: str) -> Any:
    principal = Principal("service:it", tuple(Grant.read(role) for role in roles))
    return context_factory(headwater.parts)(principal)


def test_both_stores_show_the_same(headwater: Headwater) -> None:
    tell(headwater.parts)
    context = seen_by(headwater, READER)
    answer = Engine(schema).run(Query(LINEAGE, {"ref": "open/raw", "d": "DOWNSTREAM"}), context).body
    assert "errors" not in answer
    tells_nothing(str(answer))
    assert sum(n["restricted"] for n in answer["data"]["lineage"]["nodes"]) == 3
    assert context.store.count(Kind.DATASET, marks=[""]) == 4
    assert context.store.count(Kind.RUN, marks=["C", "T"]) == 2
    assert set(context.store.groups(Kind.JOB)) == {"jobs"}
    assert not context.store.get([keys.dataset("secret-ns", "merger")])
    assert not context.store.states([keys.dataset("secret-ns", "merger")])
    assert not context.store.starting(keys.key(Kind.RUN, "00000000-0000-0000-0000-000000000002"), limit=5)
    assert {n.key for n in context.store.all_nodes() if n.kind is Kind.DATASET} == {
        keys.dataset("open", n) for n in ("raw", "first", "last", "end")
    }
    tells_nothing(str(list(context.store.all_edges())))


def test_who_sees_everything_pays_nothing(headwater: Headwater) -> None:
    context = seen_by(headwater, "reader", "auditor")
    assert context.store is headwater.store
    assert context.log is headwater.log


def test_models_are_changed_within_a_scope(headwater: Headwater) -> None:
    for name in ("churn", "fraud"):
        headwater.registry.register_model(name, actor="root")
        headwater.registry.create_version(name, actor="root")
    mine = seen_by(headwater, "registrar?model=churn&stage=Staging")
    mine.registry.transition(model="churn", version="1", to_stage="Staging", actor="it")
    with pytest.raises(Forbidden):
        mine.registry.transition(model="churn", version="1", to_stage="Production", actor="it")
    with pytest.raises(Forbidden):
        mine.registry.set_alias("churn", "champion", version="1", expected_version=None, actor="it")
    headwater.registry.transition(model="churn", version="1", to_stage="Production", actor="root")
    with pytest.raises(Forbidden):  # it would leave Production
        mine.registry.transition(model="churn", version="1", to_stage="Staging", actor="it")
    acts: tuple[Callable[[], object], ...] = (
        lambda: mine.registry.transition(model="fraud", version="1", to_stage="Staging", actor="it"),
        lambda: mine.registry.transition(ref="models:/fraud/1", to_stage="Staging", actor="it"),
        lambda: mine.registry.create_version("fraud", actor="it"),
        lambda: mine.curation.tag("hw:model:fraud", set={"a": None}, remove=(), actor="it"),
    )
    for act in acts:
        with pytest.raises(NotFound) as told:
            act()
        assert "hw:model:fraud" not in str(told.value.details.get("didYouMean"))
    with pytest.raises(Forbidden):
        mine.registry.register_model("other", actor="it")
    assert mine.registry.create_version("churn", actor="it") == keys.model_version("churn", 2)
    wide = seen_by(headwater, "reader", "registrar?model=churn")
    with pytest.raises(Forbidden):  # it sees it, so it is told
        wide.registry.create_version("fraud", actor="it")


def test_things_are_changed_by_hand_within_a_scope(headwater: Headwater) -> None:
    tell(headwater.parts)
    mine = seen_by(headwater, "reader", "experimenter?namespace=open")
    mine.curation.annotate("open/raw", body="ours", actor="it")
    acts: tuple[Callable[[], object], ...] = (
        lambda: mine.curation.annotate("secret-ns/merger", body="theirs", actor="it"),
        lambda: mine.curation.archive("jobs/load", actor="it"),
        lambda: mine.curation.manual_edge("open/raw", "secret-ns/merger", kind="DERIVES", actor="it"),
    )
    for act in acts:
        with pytest.raises(Forbidden):
            act()

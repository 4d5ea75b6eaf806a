"""Whatever is asked of the registry, in whatever order, what it promises holds, and holds after a rebuild."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater_server.errors import Conflict, HeadwaterError
from headwater_server.graph import keys
from headwater_server.graph.words import EdgeKind, Kind
from tests.app import Headwater, open_empty

MODELS = ("churn", "fraud")
STAGES = ("Development", "Staging", "Production", "Archived", "None", "Shadow")
NAMES = st.sampled_from(MODELS)
NUMBERS = st.sampled_from(["1", "2", "3"])
REVISIONS = st.one_of(st.none(), st.none(), st.integers(1, 9))
COMMANDS = st.one_of(
    st.tuples(st.just("register"), NAMES, st.booleans()),
    st.tuples(st.just("create"), NAMES, st.sampled_from([None, "key 1", "key 2"])),
    st.tuples(st.just("create"), NAMES, st.none()),
    st.tuples(st.just("move"), NAMES, NUMBERS, st.sampled_from(STAGES), REVISIONS, st.sampled_from([None, True, False])),
    st.tuples(st.just("move"), NAMES, NUMBERS, st.sampled_from(STAGES), st.none(), st.none()),
    st.tuples(st.just("alias"), NAMES, st.sampled_from(["champion", "shadow"]), st.one_of(st.none(), NUMBERS), st.sampled_from([None, "", "1", "2"])),
)  # fmt: skip
OFTEN = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def obey(headwater: Headwater, command: tuple[Any, ...]) -> str | None:
    """The model that changed; None: nothing did."""
    what, model, *rest = command
    registry, key = headwater.registry, keys.model(model)
    before = registry.revision(key)
    try:
        match what:
            case "register":
                own = [("Development", False), ("Production", True)] if rest[0] else None
                registry.register_model(model, stages=own, actor="ada")
            case "create":
                registry.create_version(model, idempotency_key=rest[0], actor="ada")
            case "move":
                number, stage, expected, archive = rest
                registry.transition(
                    model=model,
                    version=number,
                    to_stage=stage,
                    expected_revision=expected,
                    archive_existing=archive,
                    actor="ada",
                )
            case "alias":
                name, number, expected = rest
                registry.set_alias(model, name, version=number, expected_version=expected, actor="ada")
    except HeadwaterError:
        assert registry.revision(key) == before
        return None
    return model if registry.revision(key) > before else None


def holds(headwater: Headwater) -> None:
    """NOW_IN exactly where one IN_STAGE is open, NOW_AT where one POINTED_TO is; no two intervals overlap."""
    for now, interval, of in (
        (EdgeKind.NOW_IN, EdgeKind.IN_STAGE, "source"),
        (EdgeKind.NOW_AT, EdgeKind.POINTED_TO, "target"),
    ):
        spans = headwater.edges(interval)
        still = [(e.source, e.target) for e in spans if e.until is None]
        assert sorted(still) == sorted((e.source, e.target) for e in headwater.edges(now))
        assert max(Counter(getattr(e, of) for e in spans if e.until is None).values(), default=1) == 1
        for key in {getattr(e, of) for e in spans}:
            mine = sorted((e.since or 0, e.until or 2**62) for e in spans if getattr(e, of) == key)
            assert all(since < until for since, until in mine)
            assert all(a[1] <= b[0] for a, b in pairwise(mine))
    for stage in headwater.store.page(Kind.STAGE, marks=[""], limit=99):
        if stage.props.get("exclusive"):
            assert len(headwater.into(stage.key, EdgeKind.NOW_IN)) <= 1


@OFTEN
@given(commands=st.lists(COMMANDS, min_size=4, max_size=25))
def test_what_is_promised_holds_after_every_command(
    tmp_path_factory: pytest.TempPathFactory, commands: list[tuple[Any, ...]]
) -> None:
    headwater = open_empty(tmp_path_factory.mktemp("registry"))
    changes: Counter[str] = Counter()
    for command in (("register", "churn", False), ("create", "churn", None), *commands):
        changed = obey(headwater, command)
        if changed:
            changes[changed] += 1
        holds(headwater)
    for model in MODELS:
        assert headwater.registry.revision(keys.model(model)) == changes[model]
    assert headwater.log.head() == changes.total()
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == before
    holds(headwater)
    headwater.close()


@pytest.mark.neo4j
@settings(OFTEN, max_examples=3, phases=[Phase.generate])
@given(commands=st.lists(COMMANDS, min_size=12, max_size=20))
def test_it_holds_on_neo4j_too(
    on_neo4j: Headwater, tmp_path_factory: pytest.TempPathFactory, commands: list[tuple[Any, ...]]
) -> None:
    on_neo4j.store.reset()
    headwater = Headwater(
        type(on_neo4j.settings)(
            data=tmp_path_factory.mktemp("registry"),
            neo4j_uri=on_neo4j.settings.neo4j_uri,
            neo4j_username=on_neo4j.settings.neo4j_username,
            neo4j_password=on_neo4j.settings.neo4j_password,
            neo4j_database=on_neo4j.settings.neo4j_database,
        )
    )
    for command in (("register", "churn", False), ("create", "churn", None), *commands):
        obey(headwater, command)
    holds(headwater)
    before = headwater.fingerprint()
    headwater.parts.rebuild(lambda *_: None)
    assert headwater.fingerprint() == before
    headwater.close()


def test_a_lost_race_is_a_conflict_that_names_both_revisions(embedded: Headwater) -> None:
    for command in (("register", "churn", False), ("create", "churn", None)):
        obey(embedded, command)
    embedded.registry.transition(
        model="churn", version="1", to_stage="Staging", expected_revision=2, actor="ada"
    )
    with pytest.raises(Conflict) as lost:
        embedded.registry.transition(
            model="churn", version="1", to_stage="Production", expected_revision=2, actor="bob"
        )
    assert (lost.value.details["expected"], lost.value.details["actual"]) == (2, 3)

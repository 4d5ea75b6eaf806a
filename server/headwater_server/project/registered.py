"""The registry's facts as nodes and edges: models, versions, stages as intervals, aliases as intervals.

Names of facts (said by `registry.records`):

* Model: `created`, `description`, `tag|KEY`, `revision`, `moved`, `changed` (as clients are told), `stages`, `mentioned`
* ModelVersion: `made`, `move|REVISION` -> {to, from, at, by, comment}
* Stage: `order`, `exclusive`, `seen`;  Alias: `point|REVISION` -> {version, at, by}
"""

from headwater_server.graph import keys, names
from headwater_server.graph.changes import Edge, Node, Value
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.project.flow import make_step, step_edges, step_nodes
from headwater_server.project.said import Derived, curated, present, tags_of

NOT_SERVED = frozenset({"None", "Archived"})
"""What stands in these stages is not what the model's bare name means."""

TOLD = "told"
"""Tag of a TRAINED_ON that somebody named when the version was made; the one that its run read has none."""


def derive_model(key: str, facts: Facts) -> Derived:
    (name,) = keys.parts_of(key)
    by_hand = curated(facts)
    registered = "created" in facts.first and not facts.get("deleted")
    props: dict[str, Value] = {
        "name": name,
        "created": _registered_at(facts),
        "revision": facts.last.get("revision", 0),
        "tags": tags_of(facts, ()),
        **by_hand,
    }
    hidden = not registered or bool(by_hand.get("archived"))
    if facts.get("deleted"):
        props.pop("archived", None)  # it is not there, not put away
    node = Node(
        key,
        Kind.MODEL,
        mark="h" if hidden else "",
        sort=name,
        words=names.words(name, str(props.get("displayName") or "")),
        props=present(props),
    )
    return Derived([node], [])


def _registered_at(facts: Facts) -> int | None:
    """Again, when it was deleted in between."""
    again = facts.values.get("deleted")
    first = facts.first.get("created", facts.first.get("seen"))
    return int(again[0]) if again is not None and again[2] is False else first


def derive_version(key: str, facts: Facts) -> Derived:
    model, number = keys.parts_of(key)
    made = facts.get("made") or {}
    by_hand = curated(facts)
    created = made.get("at", facts.first.get("seen"))
    derived = Derived([], [Edge(key, EdgeKind.VERSION_OF, keys.model(model))])
    moves = sorted(facts.named("move|"), key=lambda move: int(move[0]))
    for (revision, move), later in zip(moves, [*moves[1:], None], strict=False):
        if move["to"] is None:
            continue
        stage = keys.stage(model, move["to"])
        until = later[1]["at"] if later else None
        how: dict[str, Value] = {"by": move["by"]}
        if move.get("comment"):
            how["reason"] = move["comment"]
        derived.edges.append(Edge(key, EdgeKind.IN_STAGE, stage, revision, move["at"], until, how))
        if later is None:
            derived.edges.append(Edge(key, EdgeKind.NOW_IN, stage, since=move["at"]))
    now = moves[-1][1]["to"] if moves else None
    props: dict[str, Value] = {
        "model": keys.model(model),
        "number": keys.number_of(key),
        "description": made.get("description"),
        "tags": tags_of(facts, made.get("tags") or ()),
        "created": created,
        "sourceUri": made.get("sourceUri"),
        "contentHash": made.get("contentHash"),
        "signature": made.get("signature"),
        "run": made.get("run"),
        "by": made.get("by"),
        "stage": now,
        "loggedModel": made.get("loggedModel"),
        **by_hand,
    }
    deleted = bool(facts.get("deleted"))
    hidden = not made or deleted or bool(by_hand.get("archived"))
    if deleted:
        props.pop("archived", None)
    if made.get("loggedModel"):
        derived.edges.append(Edge(key, EdgeKind.OF_MODEL, made["loggedModel"]))
    derived.nodes.append(
        Node(
            key,
            Kind.MODEL_VERSION,
            group=keys.model(model),
            mark="h" if hidden else "",
            sort=f"{keys.number_of(key):09d}",
            words=names.words(model, number),
            props=present(props),
        )
    )
    trained = made.get("trainedOn") or []
    for target in trained:
        derived.edges.append(Edge(key, EdgeKind.TRAINED_ON, target, TOLD, since=created))
    if trained and not deleted:
        step = make_step(key, "", "DECLARED", {dataset_behind(t) for t in trained}, [key])
        derived.nodes += step_nodes(step)
        derived.edges += step_edges(step, since=created)
    return derived


def dataset_behind(key: str) -> str:
    """A dataset of itself or of one of its versions."""
    if keys.kind_of(key) is Kind.DATASET_VERSION:
        namespace, name, _ = keys.parts_of(key)
        return keys.dataset(namespace, name)
    return key


def derive_stage(key: str, facts: Facts) -> Derived:
    model, name = keys.parts_of(key)
    order = facts.get("order")
    props: dict[str, Value] = {
        "model": keys.model(model),
        "name": name,
        "order": order if order is not None else 99,
        "exclusive": facts.get("exclusive"),
    }
    node = Node(
        key,
        Kind.STAGE,
        group=keys.model(model),
        sort=f"{props['order']:03d}|{name}",
        props=present(props),
    )
    edges = [Edge(key, EdgeKind.STAGE_OF, keys.model(model))]
    if name not in NOT_SERVED:
        edges.append(Edge(key, EdgeKind.SERVES, keys.model(model)))
    return Derived([node], edges)


def derive_alias(key: str, facts: Facts) -> Derived:
    model, name = keys.parts_of(key)
    node = Node(
        key,
        Kind.ALIAS,
        group=keys.model(model),
        sort=name,
        props={"model": keys.model(model), "name": name},
    )
    derived = Derived([node], [Edge(key, EdgeKind.STAGE_OF, keys.model(model))])
    points = sorted(facts.named("point|"), key=lambda point: int(point[0]))
    for (revision, point), later in zip(points, [*points[1:], None], strict=False):
        if point["version"] is None:
            continue
        until = later[1]["at"] if later else None
        how: dict[str, Value] = {"by": point["by"]}
        version = point["version"]
        derived.edges.append(Edge(version, EdgeKind.POINTED_TO, key, revision, point["at"], until, how))
        if later is None:
            derived.edges.append(Edge(version, EdgeKind.NOW_AT, key, since=point["at"]))
    return derived

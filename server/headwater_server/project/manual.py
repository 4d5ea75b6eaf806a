"""Edges that people set by hand, as steps and edges owned by the node they start from. Pure."""

from headwater_server.graph.changes import Edge
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind
from headwater_server.project.flow import make_step, step_edges, step_nodes
from headwater_server.project.said import Derived


def derive_manual(key: str, facts: Facts) -> Derived:
    """`manual|KIND|TARGET` -> {removed, at, by, note}, told on the edge's source (a column's on its dataset
    as `manual|KIND|SOURCE>TARGET`).
    """
    derived = Derived([], [])
    for _, said in facts.named("manual|"):
        if said.get("removed"):
            continue
        source, target, kind = said["source"], said["target"], said["kind"]
        how = {"by": said["by"], **({"note": said["note"]} if said.get("note") else {})}
        if kind == "SYMLINK":
            derived.edges.append(Edge(source, EdgeKind.SYMLINK, target, since=said["at"], props=how))
            continue
        if source.startswith("column|"):
            feeds = EdgeKind.DERIVES if target.startswith("column|") else EdgeKind.FEATURE_OF
            derived.edges.append(
                Edge(source, feeds, target, "manual", said["at"], props={"evidence": "MANUAL", **how})
            )
            continue
        if source.startswith("job|"):
            step = make_step(key, source, "MANUAL", (), [target])
        elif target.startswith("job|"):
            step = make_step(key, target, "MANUAL", [source], ())
        else:
            step = make_step(key, "", "MANUAL", [source], [target])
        derived.nodes += step_nodes(step)
        derived.edges += [
            Edge(e.source, e.kind, e.target, e.tag, e.since, e.until, {**e.props, **how})
            for e in step_edges(step, since=said["at"])
        ]
    return derived

"""A run in its job's history: its place in the timeline, the edges of its past flow, the versions it made. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headwater_server.graph import keys, times
from headwater_server.graph.changes import Edge, Node, Value
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind, Kind
from headwater_server.project.claims import Used
from headwater_server.project.derive import derive_run
from headwater_server.project.flow import Step, make_step, step_edges, step_nodes
from headwater_server.project.run_times import run_times
from headwater_server.project.said import Derived, present
from headwater_server.project.timeline import Place, Turn
from headwater_server.project.weights import weighted


@dataclass(frozen=True, slots=True)
class Flow:
    """What a run's events say of flow, as steps, under a name that no later schema changes."""

    name: str = ""
    steps: tuple[Step, ...] = ()


def place_of(key: str, facts: Facts, flow: Flow) -> Place | None:
    """None: the run is not complete, or says nothing about flow."""
    if not flow.steps:
        return None
    when = run_times(facts)
    if when.state != "COMPLETE":
        return None
    return Place(times.sortable(when.begin), key, flow.name)


def derive_run_in_time(key: str, facts: Facts, flow: Flow, turn: Turn, used: Mapping[str, Used]) -> Derived:
    """The run itself; what its flow was if that has ended; the job's version it opened; the model versions it produced."""
    derived = derive_run(key, facts)
    run = derived.nodes[0]
    begin = derived.edges[0].since
    props: dict[str, Value] = dict(run.props)
    if flow.steps:
        props["flow"] = flow.name
    if turn.turns:
        if turn.until is not None:
            props["until"] = turn.until
        version = _job_version(key, facts, flow, run)
        derived.nodes.append(version)
        derived.edges.append(Edge(version.key, EdgeKind.VERSION_OF, run.group))
        # Of runs that begin at one moment only the last flow held for any time; the others' edges
        # would have its keys.
        if turn.until is not None and begin is not None and begin < turn.until:
            for step in flow.steps:
                derived.nodes += step_nodes(step)
                derived.edges += step_edges(step, since=begin, until=turn.until, run=key)
    derived.nodes[0] = run._replace(mark="T" if turn.turns else run.mark, props=props)
    for version_key, at in facts.firsts("produced|"):
        if f"renamed|{version_key}" in facts.first:
            continue  # it stands under another name
        _produced(derived, key, flow.steps, version_key, at, used.get(version_key))
    return derived


def _job_version(key: str, facts: Facts, flow: Flow, run: Node) -> Node:
    """A span of time in which the job's flow was the same; named by the run that opened it."""
    job = run.group
    code = facts.get("code") or {}
    props: dict[str, Value] = {
        "job": job,
        "version": keys.parts_of(key)[0],
        "created": run.props.get("first"),
        "gitCommit": code.get("version"),
        "codeHash": facts.get("code_hash"),
        "flow": flow.name,
        "inputs": sorted({k for s in flow.steps for k in s.inputs}),
        "outputs": sorted({k for s in flow.steps for k in s.outputs}),
    }
    return Node(
        keys.key(Kind.JOB_VERSION, *keys.parts_of(job), keys.parts_of(key)[0]),
        Kind.JOB_VERSION,
        group=job,
        sort=run.sort,
        props=present(props),
    )


def _produced(
    derived: Derived, run: str, steps: Sequence[Step], version: str, at: int, used: Used | None
) -> None:
    """A model version made by a run stands in the flow for ever: what it was trained on does not change.

    While a feature has no column, whole tables are known to feed it as well.
    """
    how: dict[str, Value] = {"unmatched": list(used.unmatched)} if used and used.unmatched else {}
    derived.edges.append(Edge(run, EdgeKind.PRODUCED, version, since=at, props=how))
    for edge in [e for e in derived.edges if e.kind is EdgeKind.READ]:
        derived.edges.append(Edge(version, EdgeKind.TRAINED_ON, edge.target, since=edge.since))
    model = keys.model(keys.parts_of(version)[0])
    making = [s for s in steps if model in s.outputs or version in s.outputs]
    inputs = {k for s in (making or steps) for k in s.inputs}
    if inputs:
        guessed = "MLFLOW" if any(s.evidence == "MLFLOW" for s in steps) else "CARTESIAN"
        evidence = making[0].evidence if making else guessed
        job = keys.job_of(run)
        made = []
        if used and used.claims:
            made.append(make_step(version, job, "MLFLOW", inputs, [version], used.claims))
        if not made or how:
            made.append(make_step(version, job, evidence, inputs, [version]))
        for step in made:
            derived.nodes += step_nodes(step)
            edges = step_edges(step, since=at, run=run)
            derived.edges += [weighted(edge, used.weights) for edge in edges] if used else edges

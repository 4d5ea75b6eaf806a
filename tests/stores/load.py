"""Load for stores: changesets as events make them, and graphs of any size. Run it to see figures."""

import random
from collections.abc import Iterable, Iterator

from headwater_server.graph import keys, names
from headwater_server.graph.changes import Changeset, Edge, EdgeKey, Node
from headwater_server.graph.words import EdgeKind, Kind

_STATE = bytes(300)


def joined(changesets: Iterable[Changeset]) -> Changeset:
    """One changeset of many, as group commit makes it."""
    nodes: dict[str, Node] = {}
    states: dict[str, bytes] = {}
    edges: dict[EdgeKey, Edge] = {}
    for changes in changesets:
        nodes.update((node.key, node) for node in changes.nodes)
        states.update(changes.states)
        edges.update((edge.key, edge) for edge in changes.edges)
    return Changeset(nodes=tuple(nodes.values()), states=states, edges=tuple(edges.values()))


def new_job(number: int) -> Changeset:
    """An event of a job never seen: 26 nodes and 51 edges."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    job = keys.job("airflow", f"shop.load_{number}")
    run = keys.run(f"{number:032x}", job)
    step = keys.key(Kind.STEP, f"{number * 7919:064x}")
    nodes += [
        Node(job, Kind.JOB, "airflow", "", f"shop.load_{number}", words=f"shop load_{number} load {number}",
             props={"namespace": "airflow", "name": f"shop.load_{number}", "jobType": "TASK"}),
        run_node(run, job, number),
        Node(step, Kind.STEP, job, props={"job": job, "evidence": "COLUMN", "owner": job}),
    ]  # fmt: skip
    datasets = [_dataset(f"shop.t{number}_{i}") for i in range(3)]
    nodes += datasets
    columns = [
        _column(dataset, i) for dataset in datasets for i in range(20 // 3 + (dataset is datasets[0]) * 2)
    ]
    nodes += columns
    inputs, output = datasets[:2], datasets[2]
    for dataset in inputs:
        edges.append(Edge(dataset.key, EdgeKind.INPUT_OF, step, since=number, props={"run": run}))
        edges.append(Edge(run, EdgeKind.READ, dataset.key))
    edges.append(Edge(step, EdgeKind.OUTPUTS, output.key, since=number, props={"run": run}))
    edges.append(Edge(step, EdgeKind.STEP_OF, job))
    edges.append(Edge(run, EdgeKind.RUN_OF, job))
    edges.append(Edge(run, EdgeKind.WROTE, output.key))
    edges += [Edge(column.group, EdgeKind.HAS_COLUMN, column.key) for column in columns]
    outs = [column for column in columns if column.group == output.key]
    ins = [column for column in columns if column.group != output.key]
    for i in range(51 - len(edges)):
        edges.append(
            Edge(ins[i % len(ins)].key, EdgeKind.DERIVES, outs[i % len(outs)].key, step, number, None,
                 {"subtype": "IDENTITY", "run": run})
        )  # fmt: skip
    return Changeset(tuple(nodes), {node.key: _STATE for node in nodes[:6]}, tuple(edges))


def run_again(number: int, jobs: int) -> Changeset:
    """A run of a job that is known: 1 node, its state and 4 edges."""
    which = number % jobs
    job = keys.job("airflow", f"shop.load_{which}")
    run = keys.run(f"{number + 10**9:032x}", job)
    return Changeset(
        (run_node(run, job, number),),
        {run: _STATE},
        (
            Edge(run, EdgeKind.RUN_OF, job),
            Edge(run, EdgeKind.READ, keys.dataset("postgres://db", f"shop.t{which}_0")),
            Edge(run, EdgeKind.READ, keys.dataset("postgres://db", f"shop.t{which}_1")),
            Edge(run, EdgeKind.WROTE, keys.dataset("postgres://db", f"shop.t{which}_2")),
        ),
    )


def run_node(run: str, job: str, number: int) -> Node:
    begin = 63_900_000_000_000_000 + number
    return Node(
        run, Kind.RUN, job, "C", f"{begin:018d}",
        props={"runId": run, "job": job, "state": "COMPLETE", "started": begin, "ended": begin + 5, "flow": "f"},
    )  # fmt: skip


def _dataset(name: str) -> Node:
    return Node(
        keys.dataset("postgres://db", name), Kind.DATASET, "postgres://db", "", name, words=names.words(name),
        props={"namespace": "postgres://db", "name": name, "tags": ["gold"], "created": 1_700_000_000_000_000},
    )  # fmt: skip


def _column(dataset: Node, ordinal: int) -> Node:
    name = f"column_{ordinal}"
    return Node(
        keys.column(dataset.key, name), Kind.COLUMN, dataset.key, "", f"{ordinal:05d}{name}", words=names.words(name),
        props={"namespace": "postgres://db", "dataset": dataset.key, "name": name, "type": "int", "ordinal": ordinal},
    )  # fmt: skip


def random_graph(nodes: int, edges: int, chunk: int = 20_000) -> Iterator[Changeset]:
    """Datasets joined at random among near ones, so that a walk of any depth goes on and on."""
    rng = random.Random(7)
    key = [keys.dataset("ns", f"t{i}") for i in range(nodes)]
    for low in range(0, nodes, chunk):
        yield Changeset(tuple(Node(k, Kind.DATASET, "ns", "", k) for k in key[low : low + chunk]))
    each = edges // nodes
    made: list[Edge] = []
    for i in range(nodes):
        made.extend(
            Edge(key[i], EdgeKind.INPUT_OF, key[min(nodes - 1, i + rng.randint(1, 50))]) for _ in range(each)
        )
        if len(made) >= chunk:
            yield Changeset(edges=tuple(made))
            made = []
    yield Changeset(edges=tuple(made))

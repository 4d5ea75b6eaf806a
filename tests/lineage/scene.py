"""Building graphs for the tests of lineage: a sentence per step, applied to a real store."""

import hashlib
from collections.abc import Iterable, Sequence

from headwater_server.graph import keys, names, times
from headwater_server.graph.changes import Changeset, Edge, Node, Value
from headwater_server.graph.words import PAST, EdgeKind, Kind
from headwater_server.store.port import Applied
from headwater_server.store.sqlite import SqliteStore

NS = "db"
DAY = 86_400_000_000
MONDAY = times.parse("2026-01-05T00:00:00Z")


class Scene:
    """Nodes and edges gathered, written by `save`."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.seq = 0

    def save(self) -> SqliteStore:
        self.seq += 1
        self.store.apply(
            Changeset(nodes=tuple(self.nodes.values()), edges=tuple(self.edges)),
            upto=Applied(self.seq, "log"),
        )
        return self.store

    def dataset(self, name: str, *, ns: str = NS, mark: str = "", **props: Value) -> str:
        key = keys.dataset(ns, name)
        if key not in self.nodes or props or mark:
            told = {"namespace": ns, "name": name, "primary": True, "created": MONDAY, **props}
            self.nodes[key] = Node(key, Kind.DATASET, ns, mark, name, names.words(name, ns), told)
        return key

    def column(self, path: str, **props: Value) -> str:
        """`table.column`; dots before the last belong to the table."""
        table, _, name = path.rpartition(".")
        owner = self.dataset(table)
        key = keys.column(owner, name)
        if key not in self.nodes:
            told = {"namespace": NS, "dataset": owner, "name": name, **props}
            self.nodes[key] = Node(key, Kind.COLUMN, owner, "", f"00000|{name}", names.words(name), told)
            self.edges.append(Edge(owner, EdgeKind.HAS_COLUMN, key))
        return key

    def job(self, name: str, *, ns: str = "jobs", **props: Value) -> str:
        key = keys.job(ns, name)
        if key not in self.nodes or props:
            told = {"namespace": ns, "name": name, "created": MONDAY, **props}
            self.nodes[key] = Node(key, Kind.JOB, ns, "", name, names.words(name, ns), told)
        return key

    def run(
        self,
        run_id: str,
        job: str,
        *,
        begin: int = MONDAY,
        state: str = "COMPLETE",
        mark: str = "C",
        **props: Value,
    ) -> str:
        job_key = self.job(job)
        key = keys.run(run_id, job_key)
        told = {"runId": run_id, "job": job_key, "state": state, "started": begin, **props}
        self.nodes[key] = Node(key, Kind.RUN, job_key, mark, times.sortable(begin), "", told)
        self.edges.append(Edge(key, EdgeKind.RUN_OF, job_key))
        return key

    def _place(self, name: str) -> str:
        return name if "|" in name else self.dataset(name)

    def step(
        self,
        job: str,
        ins: Iterable[str] = (),
        outs: Iterable[str] = (),
        *,
        columns: Sequence[tuple[str, str]] = (),
        affects: Sequence[tuple[str, str]] = (),
        evidence: str = "CARTESIAN",
        since: int | None = MONDAY,
        until: int | None = None,
        run: str = "",
        subtype: str = "",
        masking: bool = False,
    ) -> str:
        """One step of a job (`` for none): what goes in, what comes out, which column makes which."""
        job_key = self.job(job) if job else ""
        inputs = {self._place(name) for name in ins} | {
            self._place(path.rpartition(".")[0]) for path, _ in (*columns, *affects)
        }
        outputs = {self._place(name) for name in outs} | {
            self._place(path.rpartition(".")[0]) for _, path in (*columns, *affects)
        }
        claims = [(self.column(a), EdgeKind.DERIVES, self.column(b)) for a, b in columns]
        for a, b in affects:
            claims.append(
                (
                    self.column(a),
                    EdgeKind.AFFECTS,
                    self.dataset(b[:-2]) if b.endswith(".*") else self.column(b),
                )
            )
        content = repr((job_key, sorted(inputs), sorted(outputs), claims, evidence))
        step = keys.key(Kind.STEP, hashlib.blake2b(content.encode(), digest_size=8).hexdigest())
        props = {"job": job_key, "owner": job_key, "evidence": evidence}
        self.nodes[step] = Node(step, Kind.STEP, job_key, props=props)
        if job_key:
            self.edges.append(Edge(step, EdgeKind.STEP_OF, job_key))
        told = {keys.dataset_of(source) for source, _, _ in claims}
        flow = [(key, EdgeKind.INPUT_OF, step, "") for key in inputs]
        flow += [(step, EdgeKind.OUTPUTS, key, "") for key in outputs]
        if outputs:
            flow += [
                (key, EdgeKind.FEEDS_WHOLE, step, "")
                for key in inputs
                if key.startswith("dataset|") and key not in told
            ]
        flow += [(source, kind, target, step) for source, kind, target in claims]
        for source, kind, target, tag in flow:
            how: dict[str, Value] = {"run": run} if run else {}
            if tag:
                how |= {"subtype": subtype, "masking": masking}
            if until is None:
                self.edges.append(Edge(source, kind, target, tag, since, None, how))
            else:
                self.edges.append(Edge(source, PAST[kind], target, f"{tag}@{since}", since, until, how))
        return step

    def same(self, one: str, other: str) -> None:
        a, b = self._place(one), self._place(other)
        self.edges += [Edge(a, EdgeKind.SYMLINK, b), Edge(b, EdgeKind.SYMLINK, a)]

    def model(self, name: str, **props: Value) -> str:
        key = keys.model(name)
        if key not in self.nodes:
            self.nodes[key] = Node(key, Kind.MODEL, "", "", name, names.words(name), {"name": name, **props})
        return key

    def version(
        self, model: str, number: int, *, stage: str | None = None, since: int = MONDAY, **props: Value
    ) -> str:
        of = self.model(model)
        key = keys.model_version(model, number)
        told = {
            "model": of,
            "number": number,
            "created": since,
            **({"stage": stage} if stage else {}),
            **props,
        }
        self.nodes[key] = Node(
            key, Kind.MODEL_VERSION, of, "", f"{number:09d}", names.words(model, str(number)), told
        )
        self.edges.append(Edge(key, EdgeKind.VERSION_OF, of))
        if stage:
            self.stands(key, self.stage(model, stage), since=since)
        return key

    def stage(self, model: str, name: str) -> str:
        of, key = self.model(model), keys.stage(model, name)
        if key not in self.nodes:
            self.nodes[key] = Node(key, Kind.STAGE, of, "", f"001|{name}", "", {"model": of, "name": name})
            self.edges += [Edge(key, EdgeKind.STAGE_OF, of), Edge(key, EdgeKind.SERVES, of)]
        return key

    def stands(self, version: str, stage: str, *, since: int, until: int | None = None) -> None:
        self.edges.append(Edge(version, EdgeKind.IN_STAGE, stage, str(since), since, until))
        if until is None:
            self.edges.append(Edge(version, EdgeKind.NOW_IN, stage, since=since))

    def alias(self, model: str, name: str, version: str, *, since: int = MONDAY) -> str:
        of, key = self.model(model), keys.alias(model, name)
        self.nodes[key] = Node(key, Kind.ALIAS, of, "", name, "", {"model": of, "name": name})
        self.edges += [
            Edge(key, EdgeKind.STAGE_OF, of),
            Edge(version, EdgeKind.POINTED_TO, key, "1", since),
            Edge(version, EdgeKind.NOW_AT, key, since=since),
        ]
        return key

    def dataset_version(self, name: str, version: str, *, created: int = MONDAY) -> str:
        owner = self.dataset(name)
        key = keys.key(Kind.DATASET_VERSION, *keys.parts_of(owner), version)
        told: dict[str, Value] = {"dataset": owner, "version": version, "created": created}
        self.nodes[key] = Node(key, Kind.DATASET_VERSION, owner, "", times.sortable(created), "", told)
        self.edges.append(Edge(key, EdgeKind.VERSION_OF, owner))
        return key

    def read(self, run: str, thing: str) -> None:
        self.edges.append(Edge(run, EdgeKind.READ, thing))

    def wrote(self, run: str, thing: str) -> None:
        self.edges.append(Edge(run, EdgeKind.WROTE, thing))

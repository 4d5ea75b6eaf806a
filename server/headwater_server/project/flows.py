"""What runs and declarations say of flow, as steps: statements, and scripts read with the schemas that are known."""

from collections.abc import Sequence
from functools import lru_cache

from headwater_server.graph import keys
from headwater_server.graph.changes import Node
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.openlineage.sql import Script, SqlSaid
from headwater_server.openlineage.statement import Statement
from headwater_server.project.entries import SILENT, Sight
from headwater_server.project.flow import Step, name_of_flow, steps_of
from headwater_server.project.history import Flow
from headwater_server.project.lru import Lru
from headwater_server.project.sqlflow import SqlFlow, sql_flow


class Flows:
    """Remembers what it worked out: runs of a job mostly say the same."""

    def __init__(self) -> None:
        self._contents: Lru[object] = Lru(20_000)
        self._flows: Lru[tuple[tuple[tuple[str, tuple[str, ...]], ...], Flow]] = Lru(20_000)

    def of_run(self, run: str, facts: Facts, sight: Sight) -> Flow:
        snapshot = facts.get("snapshot")
        said = (snapshot,) if snapshot else tuple(name for name, _ in facts.firsts("said|"))
        sql: SqlSaid | None = facts.get("sql")
        if (not said and sql is None) or self._is_echo(run, facts, sight):
            return SILENT
        return self._flow(keys.job_of(run), said, sql, sight, declared=False)

    def _is_echo(self, run: str, facts: Facts, sight: Sight) -> bool:
        """Another job below the same root run said the very script before."""
        said = facts.get("said_once")
        entry = sight(said) if said else None
        return entry is not None and keys.job_of(first_to_say(entry.facts)) != keys.job_of(run)

    def declared(self, owner: str, facts: Facts, sight: Sight) -> tuple[Step, ...]:
        """Of a job's or dataset's own event."""
        said = facts.get("declared")
        if not said:
            return ()
        return self._flow(owner, (said["statement"],), said.get("sql"), sight, declared=True).steps

    def statement(self, name: str, sight: Sight) -> Statement:
        return self._content(name, sight)  # type: ignore[return-value]

    def _flow(
        self, owner: str, said: Sequence[str], sql: SqlSaid | None, sight: Sight, *, declared: bool
    ) -> Flow:
        tables = sorted(sql["tables"].items()) if sql else []
        memo = "\n".join(
            (f"{declared:d}{owner}", *said, sql["script"] if sql else "", *(f"{n}={k}" for n, k in tables))
        )
        known = self._flows.get(memo)
        schemas = tuple((key, schemas_of(key, sight)) for _, key in tables)
        if known is not None and known[0] == schemas:
            return known[1]
        statements = [self.statement(name, sight) for name in said]
        plain = steps_of(owner, statements, declared=declared)
        steps, script = plain, ""
        if sql is not None:
            script = sql["script"]
            steps = steps_of(owner, statements, declared=declared, sql=self._sql(sql, sight))
        flow = Flow(name_of_flow(plain, script), steps)
        self._flows.put(memo, (schemas, flow))
        return flow

    def _sql(self, said: SqlSaid, sight: Sight) -> SqlFlow:
        script: Script = self._content(said["script"], sight)  # type: ignore[assignment]
        return sql_flow(script, said, lambda dataset: columns_of(dataset, sight))

    def _content(self, name: str, sight: Sight) -> object:
        found = self._contents.get(name)
        if found is None:
            entry = sight(keys.key(Kind.STATEMENT, name))
            if entry is None:
                raise LookupError(f"the graph lost statement {name}: run `headwater rebuild`")
            found = entry.facts.get("content")
            self._contents.put(name, found)
        return found


def schemas_of(dataset: str, sight: Sight) -> tuple[str, ...]:
    """Names of the schemas that were told of a dataset: what reading a script depends on."""
    entry = sight(dataset)
    return schema_names(entry.facts) if entry else ()


def schema_names(facts: Facts) -> tuple[str, ...]:
    """None while column lineage knows of a column that no schema has: a partial schema (dbt sends documented
    columns only) would expand a star wrongly and give an unqualified column to the wrong table.
    """
    found = tuple(sorted(n[7:] for n in facts.values if n.startswith("schema|")))
    told = {path.casefold() for name in found for path, *_ in facts.get(f"schema|{name}")}
    partial = any(path not in told for path, _ in facts.firsts("col|"))
    return () if partial else found


def columns_of(dataset: str, sight: Sight) -> tuple[str, ...]:
    """The top-level columns that the schemas told of a dataset, in a fixed order: by place, then name."""
    entry = sight(dataset)
    if entry is None:
        return ()
    told: dict[str, tuple[int, str]] = {}
    for name in schema_names(entry.facts):
        for path, spelled, _, _, ordinal in entry.facts.get(f"schema|{name}"):
            if path == spelled:
                at = (int(ordinal), spelled)
                told[path.casefold()] = min(told.get(path.casefold(), at), at)
    return tuple(spelled for _, spelled in sorted(told.values()))


def missing_columns(steps: Sequence[Step], sight: Sight) -> list[Node]:
    """Columns that only a script knows (a star's, one without any schema): nodes as long as a flow names them."""
    found: dict[str, Node] = {}
    for step in steps:
        if step.evidence == "SQL":
            for claim in step.claims:
                for key in (claim.source, claim.target):
                    if key.startswith("column|") and key not in found and not _has(key, sight):
                        found[key] = _column(key)
    return list(found.values())


def _has(column: str, sight: Sight) -> bool:
    entry = sight(keys.dataset_of(column))
    return entry is not None and column in entry.picture.nodes


@lru_cache(maxsize=8_192)
def _column(key: str) -> Node:
    namespace, _, path = keys.parts_of(key)
    return Node(
        key,
        Kind.COLUMN,
        group=keys.dataset_of(key),
        sort=f"00000|{path}",
        words=path,
        props={
            "namespace": namespace,
            "dataset": keys.dataset_of(key),
            "name": path.rpartition(".")[2],
            "ordinal": 0,
        },
    )


def first_to_say(facts: Facts) -> str:
    """Of the runs that said one script below one root run."""
    return min(facts.firsts("run|"), key=lambda said: (said[1], said[0]))[0]

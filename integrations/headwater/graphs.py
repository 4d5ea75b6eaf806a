"""Answers about the graph, as objects that show themselves in a terminal and in a notebook."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from headwater.connection import current
from headwater.drawing import dot, html, mermaid, text_tree
from headwater.errors import HeadwaterError, ImpactTooHigh

Json: TypeAlias = dict[str, Any]

_NODE = "id urn kind name namespace depth parentId status stage tags archived"
_EDGE = "source target kind evidence transformation subtype masking"
_GRAPH = f"root asOf granularity totalNodes truncated truncatedReason nodes {{ {_NODE} }} edges {{ {_EDGE} }}"
_LINEAGE = f"""query($ref: String!, $up: Int!, $down: Int!, $withUp: Boolean!, $withDown: Boolean!, $granularity: Granularity!,
    $asOf: TimePoint, $maxNodes: Int!) {{
  up: lineage(ref: $ref, direction: UPSTREAM, depth: $up, granularity: $granularity, asOf: $asOf, maxNodes: $maxNodes)
    @include(if: $withUp) {{ {_GRAPH} }}
  down: lineage(ref: $ref, direction: DOWNSTREAM, depth: $down, granularity: $granularity, asOf: $asOf, maxNodes: $maxNodes)
    @include(if: $withDown) {{ {_GRAPH} }} }}"""
_IMPACT = """query($input: ImpactInput!) { impact(input: $input) { change markdown truncated subject { urn name }
  summary { bySeverity { severity count } productionModels { urn version model { name } stage { name } } }
  items { totalCount edges { node { severity score distance entity { urn kind name owners { name } }
    reasons { code text } columns { name } path { length text } } } } } }"""
_PATHS = f"""query($a: String!, $b: String!, $limit: Int!, $asOf: TimePoint) {{
  paths(from: $a, to: $b, limit: $limit, asOf: $asOf) {{ length text nodes {{ {_NODE} }} edges {{ {_EDGE} }} }} }}"""
_WHY = """query($a: String!, $b: String!) { why(from: $a, to: $b, first: 100) { edges { node {
  kind producer firstSeen lastSeen runId current confidence note } } } }"""
_VERSION = """query($ref: String!) { entity(ref: $ref) { urn kind name description ... on ModelVersion {
  version sourceUri contentHash stage { name } aliasNames run { runId state job { name } }
  trainedOn { version dataset { name namespace { name } } }
  transitions(first: 50) { edges { node { fromStage toStage requestedAt comment requestedBy { name } } } } } } }"""
_DIFF = """query($a: String!, $b: String!) { diff(a: $a, b: $b) { identical sections { key title unchanged
  changes { key kind before after delta relative unifiedDiff } } } }"""

SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")


def gql(query: str, **variables: Any) -> Json:
    """The `data` of any GraphQL query; errors are raised (see `headwater.errors`)."""
    return current().gql(query, **variables)


class Lineage:
    """Nodes and edges around one thing. `nodes` and `edges` are dicts as GraphQL names their fields."""

    def __init__(
        self, root: str, nodes: Sequence[Json], edges: Sequence[Json], *, truncated: str | None
    ) -> None:
        self.root = root
        """The id of the node it is about."""
        self.nodes = list(nodes)
        self.edges = list(edges)
        self.truncated = truncated
        """Why there is more than this (MAX_NODES, DEADLINE); None when this is all."""

    def of(self, kind: str) -> list[Json]:
        """The nodes of a kind: dataset, column, job, run, model, model_version."""
        wanted = kind.upper()
        names = {wanted, {"MODEL": "REGISTERED_MODEL"}.get(wanted, wanted)}
        return [n for n in self.nodes if n["kind"] in names]

    def __iter__(self) -> Iterator[Json]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def to_mermaid(self) -> str:
        return mermaid(self.nodes, self.edges)

    def to_dot(self) -> str:
        return dot(self.nodes, self.edges)

    def to_html(self, path: str | None = None) -> str:
        """A page of its own, without anything from elsewhere; written to `path` when one is given."""
        page = html(self.root, self.nodes, self.edges)
        if path:
            with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not imported for it
                file.write(page)
        return page

    def to_pandas(self) -> tuple[Any, Any]:
        """(nodes, edges) as DataFrames."""
        import pandas as pd

        return pd.DataFrame(self.nodes), pd.DataFrame(self.edges)

    def to_networkx(self) -> Any:
        """A MultiDiGraph, nodes by urn."""
        import networkx as nx

        graph = nx.MultiDiGraph()
        urns = {n["id"]: n["urn"] for n in self.nodes}
        for node in self.nodes:
            graph.add_node(node["urn"], **node)
        for edge in self.edges:
            graph.add_edge(urns[edge["source"]], urns[edge["target"]], **edge)
        return graph

    def __str__(self) -> str:
        return text_tree(self.root, self.nodes, self.edges) + ("\n… and more" if self.truncated else "")

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> Json:
        return {"text/html": self.to_html(), "text/mermaid": self.to_mermaid(), "text/plain": str(self)}


def lineage(
    ref: str,
    *,
    up: int = 3,
    down: int = 3,
    columns: bool = False,
    as_of: str | None = None,
    max_nodes: int = 500,
) -> Lineage:
    """What a thing is made of and what is made of it; `#column` in the ref, or `columns`, follows columns.

    Raises:
        NotFound: nothing is called so.

    """
    answer = current().gql(
        _LINEAGE, ref=ref, up=max(1, up), down=max(1, down), withUp=up > 0, withDown=down > 0, asOf=as_of,
        granularity="COLUMN" if columns or "#" in ref else "ENTITY", maxNodes=max_nodes,
    )  # fmt: skip
    found = [graph for graph in (answer.get("up"), answer.get("down")) if graph]
    if not found:
        raise HeadwaterError("nothing to draw: `up` or `down` must be 1 at least.")
    nodes = {n["id"]: n for graph in found for n in graph["nodes"]}
    edges = {tuple(sorted((k, str(v)) for k, v in e.items())): e for graph in found for e in graph["edges"]}
    cut = next((graph["truncatedReason"] for graph in found if graph["truncated"]), None)
    return Lineage(found[0]["root"], list(nodes.values()), list(edges.values()), truncated=cut)


class Impact:
    """What breaks, the worst first."""

    def __init__(self, said: Json) -> None:
        self.change: str = said["change"]
        self.markdown: str = said["markdown"]
        """For a pull request."""
        self.items: list[Json] = [edge["node"] for edge in said["items"]["edges"]]
        self.total: int = said["items"]["totalCount"]
        self.production_models: list[Json] = said["summary"]["productionModels"]
        self.truncated: bool = said["truncated"]

    def top(self, count: int = 10) -> list[Json]:
        return self.items[:count]

    def at_least(self, severity: str) -> list[Json]:
        worst = _rank(severity)
        return [item for item in self.items if _rank(item["severity"]) >= worst]

    def raise_if(self, severity: str = "high") -> None:
        """Raises ImpactTooHigh when something breaks that badly; for CI."""
        found = self.at_least(severity)
        if found:
            names = ", ".join(item["entity"]["name"] for item in found[:5])
            raise ImpactTooHigh(f"{len(found)} things break at {severity.lower()} or worse: {names}.", found)

    def to_pandas(self) -> Any:
        import pandas as pd

        flat = (
            {
                **item["entity"],
                "severity": item["severity"],
                "score": item["score"],
                "distance": item["distance"],
            }
            for item in self.items
        )
        return pd.DataFrame(list(flat))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Json]:
        return iter(self.items)

    def __repr__(self) -> str:
        lines = [
            f"{item['severity']:<8} {item['entity']['name']}  {item['path']['text']}" for item in self.top(20)
        ]
        return "\n".join([f"{self.total} affected by {self.change}", *lines])

    def _repr_markdown_(self) -> str:
        return self.markdown


def impact(
    ref: str,
    *,
    drop: Sequence[str] | None = None,
    rename: Sequence[str] | None = None,
    change_type: Mapping[str, str] | None = None,
    delete: bool = False,
    stale: bool = False,
    as_of: str | None = None,
    first: int = 100,
) -> Impact:
    """What breaks if columns are dropped, renamed or change their type (`{"amount": "TEXT"}`), or the dataset goes,
    or is not refreshed. Without any of them: what a change of its schema reaches.
    """
    given: Json = {"ref": ref, "change": "SCHEMA_CHANGE", "asOf": as_of, "first": first}
    if drop:
        given |= {"change": "COLUMN_DROP", "columns": list(drop)}
    elif rename:
        given |= {"change": "COLUMN_RENAME", "columns": list(rename)}
    elif change_type:
        if len(set(change_type.values())) > 1:
            raise HeadwaterError(
                "columns that change to different types are different changes: ask for each type."
            )
        given |= {
            "change": "COLUMN_TYPE",
            "columns": list(change_type),
            "newType": next(iter(change_type.values())),
        }
    elif delete or stale:
        given["change"] = "DATASET_DELETE" if delete else "DATASET_STALE"
    return Impact(current().gql(_IMPACT, input=given)["impact"])


def path(a: str, b: str, *, limit: int = 10, as_of: str | None = None) -> list[Json]:
    """The ways from one thing to another, the shortest first: `length`, `text`, `nodes`, `edges`."""
    found: list[Json] = current().gql(_PATHS, a=a, b=b, limit=limit, asOf=as_of)["paths"]
    return found


def why(a: str, b: str | None = None) -> Any:
    """Who said that an edge exists (`a`, `b`), or, of a model version alone, what it is and how it came where it is."""
    if b is not None:
        return [edge["node"] for edge in current().gql(_WHY, a=a, b=b)["why"]["edges"]]
    return current().gql(_VERSION, ref=a)["entity"]


class Diff:
    """Two runs or two versions, section by section."""

    def __init__(self, a: str, b: str, said: Json) -> None:
        self.a, self.b = a, b
        self.identical: bool = said["identical"]
        self.sections: list[Json] = said["sections"]

    def __getitem__(self, key: str) -> list[Json]:
        """The changes of a section: params, metrics, code, environment, data."""
        return next((s["changes"] for s in self.sections if s["key"] == key), [])

    def __repr__(self) -> str:
        if self.identical:
            return f"{self.a} and {self.b} are the same."
        lines = []
        for section in self.sections:
            if section["changes"]:
                lines.append(section["title"])
                lines += [f"  {c['key']}: {c['before']} → {c['after']}" for c in section["changes"]]
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        rows = [
            f"| {s['title']} | {c['key']} | {c['before']} | {c['after']} |"
            for s in self.sections
            for c in s["changes"]
        ]
        return "\n".join([f"|  | | {self.a} | {self.b} |", "| --- | --- | --- | --- |", *rows])


def diff(a: str, b: str) -> Diff:
    """What is different between two runs or two model versions."""
    return Diff(a, b, current().gql(_DIFF, a=a, b=b)["diff"])


class Runs(list[Json]):
    """Runs as MLflow's search answers them."""

    def to_pandas(self) -> Any:
        """One row a run: `run_id`, `status`, `params.*`, `metrics.*`, `tags.*`."""
        import pandas as pd

        return pd.DataFrame([_row(run) for run in self])


def runs(
    filter: str = "",  # noqa: A002 - as MLflow calls it
    *,
    experiment: str | None = None,
    order_by: Sequence[str] = (),
    limit: int = 1_000,
) -> Runs:
    """Runs that pass a filter (`metrics.auc > 0.9 and params.lr = '0.1'`), of one experiment or of all."""
    session = current()
    body: Json = {"filter": filter, "order_by": list(order_by), "max_results": min(limit, 50_000)}
    if experiment is None:
        found = session.mlflow("experiments/search", {"max_results": 1_000}).get("experiments", [])
        body["experiment_ids"] = [e["experiment_id"] for e in found]
    else:
        body["experiment_ids"] = [session.experiment(experiment)]
    every = Runs()
    while len(every) < limit:
        answer = session.mlflow("runs/search", body)
        every += answer.get("runs", [])
        token = answer.get("next_page_token")
        if not token:
            break
        body["page_token"] = token
    del every[limit:]
    return every


def sql(script: str, *, dialect: str | None = None) -> Any:
    """Column lineage of a script, without any server. Needs `headwater[server]` for its parser."""
    from importlib import import_module

    try:  # by name: what the client imports itself is the standard library alone
        parsers = import_module("headwater_parsers")
    except ImportError:
        raise HeadwaterError("the parser is not installed. Try: pip install 'headwater[server]'") from None
    return parsers.parse(script, dialect)


def _row(run: Json) -> Json:
    data = run.get("data", {})
    row = {k: run["info"].get(k) for k in ("run_id", "run_name", "status", "start_time", "end_time")}
    for kind in ("params", "metrics", "tags"):
        row.update({f"{kind}.{one['key']}": one["value"] for one in data.get(kind, ())})
    return row


def _rank(severity: str) -> int:
    if severity.upper() not in SEVERITIES:
        raise HeadwaterError(f"{severity!r} is no severity; expected one of {', '.join(SEVERITIES).lower()}.")
    return SEVERITIES.index(severity.upper())

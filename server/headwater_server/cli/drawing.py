"""A lineage answer drawn as a tree, a table, Mermaid or DOT. Pure: values in, text out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from headwater_server.cli.output import table

Json = Mapping[str, Any]

_STYLES = {
    "DATASET": "cyan",
    "COLUMN": "green",
    "JOB": "yellow",
    "RUN": "yellow",
    "REGISTERED_MODEL": "magenta",
    "MODEL_VERSION": "magenta",
}
_SHAPES = {"JOB": ("([", "])"), "MODEL_VERSION": ("{{", "}}"), "REGISTERED_MODEL": ("{{", "}}")}


_SAID = {"SYMLINK": "the same by another name", "TRAINS": "trains", "WHOLE": "as a whole"}
_AS_A_WHOLE: Json = {"kind": "WHOLE"}


def kind_words(kind: str) -> str:
    """`model version` of `MODEL_VERSION`."""
    return {"REGISTERED_MODEL": "model"}.get(kind, kind.lower().replace("_", " "))


def full_name(node: Json) -> str:
    """What to paste as a reference: `<namespace>/<name>`, `models:/churn/3`, `runs:/<id>`."""
    urn = str(node["urn"])
    scheme, _, rest = urn.partition(":")
    kind, _, name = rest.partition(":")
    if scheme != "hw":
        return urn
    if kind == "model" and "@" in name:
        return "models:/" + "/".join(name.rsplit("@", 1))
    return f"runs:/{name}" if kind == "run" else name


def short_name(node: Json, by_id: Mapping[str, Json]) -> str:
    """`customers.email` of a column whose dataset is known, else its own name."""
    if node["kind"] == "COLUMN":
        parent = by_id.get(node.get("parentId") or "")
        table_name = parent["name"] if parent else full_name(node).rpartition("#")[0].rpartition("/")[2]
        return f"{table_name}.{node['name']}"
    return str(node["name"])


def label(node: Json, by_id: Mapping[str, Json], edge: Json | None = None) -> Text:
    """One line: name, what it is and where, how it is doing."""
    text = Text(short_name(node, by_id), style=_STYLES.get(node["kind"], ""))
    about = [kind_words(node["kind"])]
    if node.get("namespace") and node["kind"] != "COLUMN":
        about.append(node["namespace"])
    text.append("  " + " · ".join(about), style="dim")
    if node.get("stage"):
        text.append(f"  [{node['stage']}]", style="bold magenta")
    if node.get("tags"):
        text.append("  " + " ".join(f"#{tag.removesuffix('=true')}" for tag in node["tags"]), style="blue")
    if node.get("status") in {"FAIL", "ABORT"}:
        text.append(f"  {node['status'].lower()}", style="bold red")
    elif node.get("status") in {"RUNNING", "NEW"}:
        text.append(f"  {node['status'].lower()}", style="bold yellow")
    if edge is not None and edge.get("transformation") not in {None, "UNKNOWN"}:
        words = [edge["transformation"].lower(), (edge.get("subtype") or "").lower().replace("_", " ")]
        if edge.get("masking"):
            words.append("masked")
        if edge.get("weight") is not None:
            words.append(f"{edge['weight']:.0%} of the model's importance")
        text.append(f"  ({', '.join(word for word in words if word)})", style="dim")
    if edge is not None and edge["kind"] in _SAID:
        text.append(f"  ({_SAID[edge['kind']]})", style="dim")
    return text


def tree(upstream: Json | None, downstream: Json | None) -> Tree:
    """The root with what it is made of above and what is made of it below, each node drawn once."""
    one = upstream or downstream
    if one is None:
        raise ValueError("neither direction was asked for")
    by_id = {node["id"]: node for graph in (upstream, downstream) if graph for node in graph["nodes"]}
    root = by_id[one["root"]]
    drawn = Tree(label(root, by_id), guide_style="dim")
    for graph, title, ends in (
        (upstream, "made of", ("target", "source", "hiddenUpstream")),
        (downstream, "makes", ("source", "target", "hiddenDownstream")),
    ):
        if graph is not None:
            _branch(drawn.add(Text(title, style="italic")), graph, by_id, ends)
    return drawn


def _branch(top: Tree, graph: Json, by_id: Mapping[str, Json], ends: tuple[str, str, str]) -> None:
    here, there, hidden = ends
    onward: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    for edge in graph["edges"]:
        onward[edge[here]].setdefault(edge[there], edge)
    for node in graph["nodes"]:  # where a job does not tell columns apart, its dataset goes on as a whole
        if node["kind"] == "COLUMN" and onward.get(node["parentId"]):
            onward[node["id"]].setdefault(node["parentId"], _AS_A_WHOLE)
    if not onward[graph["root"]]:
        top.add(Text("nothing known", style="dim"))
        return
    seen = {graph["root"]}
    waiting = [(top, graph["root"])]
    while waiting:  # nearest first, so that a node hangs at its shortest way
        level, waiting = waiting, []
        for branch, at in level:
            for target, edge in sorted(onward[at].items(), key=lambda e: by_id[e[0]]["urn"]):
                line = label(by_id[target], by_id, edge)
                if target in seen:
                    line.append("  ↑ shown above" if onward[target] else "", style="dim")
                    branch.add(line)
                    continue
                seen.add(target)
                more = by_id[target].get(hidden) or 0
                if more and not onward[target]:
                    line.append(f"  … {more} more", style="dim")
                waiting.append((branch.add(line), target))


def remarks(*graphs: Json | None) -> list[str]:
    """What a reader must know about what is not there."""
    found = []
    for graph in graphs:
        if graph and graph["truncated"]:
            why = {"MAX_NODES": "the limit of nodes", "DEADLINE": "the deadline"}.get(
                graph["truncatedReason"], graph["truncatedReason"]
            )
            found.append(
                f"Cut by {why}: {len(graph['nodes'])} of {graph['totalNodes']} nodes are shown. "
                "Ask for fewer levels, or more with --max-nodes."
            )
    return found


def merged(upstream: Json | None, downstream: Json | None) -> tuple[list[Json], list[Json]]:
    """Nodes and edges of both directions, each once; nodes without an edge are left out, but for a root."""
    nodes: dict[str, Json] = {}
    edges: dict[tuple[str, ...], Json] = {}
    for graph in (upstream, downstream):
        for node in graph["nodes"] if graph else ():
            nodes.setdefault(node["id"], node)
        for edge in graph["edges"] if graph else ():
            edges.setdefault((edge["source"], edge["target"], edge["kind"], edge.get("subtype") or ""), edge)
    joined = {end for edge in edges.values() for end in (edge["source"], edge["target"])}
    joined |= {graph["root"] for graph in (upstream, downstream) if graph}
    return [node for node in nodes.values() if node["id"] in joined], list(edges.values())


def rows(nodes: Sequence[Json], edges: Sequence[Json]) -> Any:
    """A table of the edges, in the order of depth."""
    by_id = {node["id"]: node for node in nodes}
    depth = {node["id"]: node["depth"] for node in nodes}
    ordered = sorted(
        edges, key=lambda e: (depth[e["source"]], by_id[e["source"]]["urn"], by_id[e["target"]]["urn"])
    )
    return table(
        ["From", "", "To", "How", "Evidence"],
        [
            [
                Text(full_name(by_id[e["source"]]), style=_STYLES.get(by_id[e["source"]]["kind"], "")),
                "→",
                Text(full_name(by_id[e["target"]]), style=_STYLES.get(by_id[e["target"]]["kind"], "")),
                " ".join(w for w in (e["kind"].lower(), (e.get("subtype") or "").lower()) if w),
                e["evidence"].lower(),
            ]
            for e in ordered
        ],
    )


def mermaid(nodes: Sequence[Json], edges: Sequence[Json]) -> str:
    """A flowchart for Markdown."""
    by_id = {node["id"]: node for node in nodes}
    names = {node["id"]: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        left, right = _SHAPES.get(node["kind"], ("[", "]"))
        text = short_name(node, by_id).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        stage = f" · {node['stage']}" if node.get("stage") else ""
        lines.append(f'  {names[node["id"]]}{left}"{text}{stage}"{right}')
    for edge in edges:
        arrow = "-.->" if edge.get("transformation") == "INDIRECT" else "-->"
        lines.append(f"  {names[edge['source']]} {arrow} {names[edge['target']]}")
    return "\n".join(lines)


def dot(nodes: Sequence[Json], edges: Sequence[Json]) -> str:
    """For Graphviz."""
    by_id = {node["id"]: node for node in nodes}
    names = {node["id"]: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["digraph lineage {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for node in nodes:
        text = short_name(node, by_id).replace("\\", "\\\\").replace('"', '\\"')
        shape = ", shape=ellipse" if node["kind"] == "JOB" else ""
        lines.append(f'  {names[node["id"]]} [label="{text}"{shape}];')
    for edge in edges:
        style = " [style=dashed]" if edge.get("transformation") == "INDIRECT" else ""
        lines.append(f"  {names[edge['source']]} -> {names[edge['target']]}{style};")
    return "\n".join([*lines, "}"])

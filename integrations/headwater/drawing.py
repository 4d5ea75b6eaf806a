"""A graph as text, Mermaid, DOT and a page of its own. Pure."""

import json
from collections import defaultdict
from collections.abc import Sequence
from html import escape
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

MAX_DRAWN = 500
"""Nodes of a picture; of a greater graph the nearest are drawn."""
_COLOURS = {
    "DATASET": "#2b6cb0",
    "COLUMN": "#2f855a",
    "JOB": "#b7791f",
    "RUN": "#b7791f",
    "MODEL_VERSION": "#97266d",
    "REGISTERED_MODEL": "#97266d",
}
_COLUMN, _ROW = 240, 44


def text_tree(root: str, nodes: Sequence[Json], edges: Sequence[Json]) -> str:
    """Upstream above, the thing itself, downstream below; each node once."""
    by_id = {n["id"]: n for n in nodes}
    down, up = _neighbours(edges)
    lines: list[str] = []
    above: list[str] = []
    _branch(root, up, by_id, "", {root}, above)
    lines += above
    lines.append(f"● {label(by_id[root])}" if root in by_id else "●")
    _branch(root, down, by_id, "", {root}, lines)
    return "\n".join(lines)


def label(node: Json) -> str:
    """`orders  dataset · warehouse [Production]`."""
    about = node["kind"].lower().replace("_", " ")
    where = f" · {node['namespace']}" if node.get("namespace") and node["kind"] != "COLUMN" else ""
    stage = f" [{node['stage']}]" if node.get("stage") else ""
    return f"{node['name']}  {about}{where}{stage}"


def _neighbours(edges: Sequence[Json]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    down: dict[str, list[str]] = defaultdict(list)
    up: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        down[edge["source"]].append(edge["target"])
        up[edge["target"]].append(edge["source"])
    return down, up


def _branch(
    at: str, near: dict[str, list[str]], by_id: dict[str, Json], indent: str, seen: set[str], lines: list[str]
) -> None:
    fresh = [one for one in dict.fromkeys(near.get(at, ())) if one in by_id]
    for number, one in enumerate(fresh):
        last = number == len(fresh) - 1
        again = " ↺" if one in seen else ""
        lines.append(f"{indent}{'└' if last else '├'}─ {label(by_id[one])}{again}")
        if one not in seen and len(indent) < 120:
            seen.add(one)
            _branch(one, near, by_id, indent + ("   " if last else "│  "), seen, lines)


def mermaid(nodes: Sequence[Json], edges: Sequence[Json]) -> str:
    names = {n["id"]: f"n{i}" for i, n in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        left, right = {"JOB": ("([", "])"), "MODEL_VERSION": ("{{", "}}")}.get(node["kind"], ("[", "]"))
        text = node["name"].replace('"', "#quot;").replace("\n", " ")
        lines.append(f'  {names[node["id"]]}{left}"{text}"{right}')
    lines += [
        f"  {names[e['source']]} --> {names[e['target']]}"
        for e in edges
        if e["source"] in names and e["target"] in names
    ]
    return "\n".join(lines)


def dot(nodes: Sequence[Json], edges: Sequence[Json]) -> str:
    names = {n["id"]: f"n{i}" for i, n in enumerate(nodes)}
    lines = ["digraph lineage {", "  rankdir=LR; node [shape=box];"]
    lines += [f"  {names[n['id']]} [label={json.dumps(n['name'])}];" for n in nodes]
    lines += [
        f"  {names[e['source']]} -> {names[e['target']]};"
        for e in edges
        if e["source"] in names and e["target"] in names
    ]
    return "\n".join([*lines, "}"])


def html(root: str, nodes: Sequence[Json], edges: Sequence[Json]) -> str:
    """An SVG in layers from left to right; a click on a node shows all that flows into and out of it."""
    drawn = sorted(nodes, key=lambda n: abs(int(n.get("depth") or 0)))[:MAX_DRAWN]
    layer = _layers(drawn, edges)
    rows: dict[int, int] = defaultdict(int)
    at: dict[str, tuple[int, int]] = {}
    for node in drawn:
        column = layer[node["id"]]
        at[node["id"]] = (20 + column * _COLUMN, 20 + rows[column] * _ROW)
        rows[column] += 1
    width = 40 + (max(layer.values(), default=0) + 1) * _COLUMN
    height = 40 + max(rows.values(), default=1) * _ROW
    paths = []
    for edge in edges:
        if edge["source"] in at and edge["target"] in at:
            (x1, y1), (x2, y2) = at[edge["source"]], at[edge["target"]]
            x1, y1, y2 = x1 + 190, y1 + 15, y2 + 15
            bend = (x1 + x2) / 2
            ends = (
                f'data-a="{escape(edge["source"], quote=True)}" data-b="{escape(edge["target"], quote=True)}"'
            )
            paths.append(f'<path {ends} d="M{x1},{y1} C{bend:g},{y1} {bend:g},{y2} {x2},{y2}"/>')
    boxes = []
    for node in drawn:
        x, y = at[node["id"]]
        colour = _COLOURS.get(node["kind"], "#4a5568")
        name = node["name"] if len(node["name"]) <= 26 else node["name"][:12] + "…" + node["name"][-12:]
        strong = ' class="root"' if node["id"] == root else ""
        boxes.append(
            f'<g data-id="{escape(node["id"], quote=True)}"{strong} transform="translate({x},{y})"><title>{escape(label(node))}</title>'
            f'<rect width="190" height="30" rx="5" stroke="{colour}"/><text x="9" y="20">{escape(name)}</text></g>'
        )
    more = f"<p>{len(nodes) - len(drawn)} more nodes are not drawn.</p>" if len(nodes) > len(drawn) else ""
    return _PAGE.format(width=width, height=height, paths="".join(paths), boxes="".join(boxes), more=more)


def _layers(nodes: Sequence[Json], edges: Sequence[Json]) -> dict[str, int]:
    """The column of each node: behind all that flows into it, as far as there is no cycle."""
    known = {n["id"] for n in nodes}
    down, up = _neighbours([e for e in edges if e["source"] in known and e["target"] in known])
    layer = dict.fromkeys((n["id"] for n in nodes), 0)
    waiting = {one: len(set(up[one])) for one in layer}
    ready = [one for one, count in waiting.items() if not count]
    while ready or waiting:
        one = ready.pop() if ready else min(waiting, key=lambda key: (waiting[key], key))  # a cycle is cut
        if waiting.pop(one, None) is None:
            continue
        for other in set(down[one]):
            if other in waiting:
                layer[other] = max(layer[other], layer[one] + 1)
                waiting[other] -= 1
                if not waiting[other]:
                    ready.append(other)
    return layer


_PAGE = """<div class="hw"><style>
.hw{{overflow:auto;font:12px system-ui,sans-serif;background:#fff;color:#1a202c}}
.hw rect{{fill:#fff;stroke-width:1.5}} .hw .root rect{{stroke-width:3}} .hw g{{cursor:pointer}}
.hw path{{fill:none;stroke:#a0aec0;stroke-width:1.2}} .hw .off{{opacity:.12}}
</style><svg width="{width}" height="{height}">{paths}{boxes}</svg>{more}<script>
(()=>{{const d=document.currentScript.parentElement,p=[...d.querySelectorAll("path")],g=[...d.querySelectorAll("g")];
const walk=(s,a,b)=>{{const k=new Set([s]),q=[s];while(q.length){{const n=q.pop();for(const e of p)if(e.dataset[a]===n&&!k.has(e.dataset[b])){{k.add(e.dataset[b]);q.push(e.dataset[b])}}}}return k}};
let on="";g.forEach(n=>n.onclick=()=>{{const s=n.dataset.id;on=on===s?"":s;const k=on?new Set([...walk(s,"a","b"),...walk(s,"b","a")]):null;
g.forEach(x=>x.classList.toggle("off",!!k&&!k.has(x.dataset.id)));p.forEach(x=>x.classList.toggle("off",!!k&&!(k.has(x.dataset.a)&&k.has(x.dataset.b))))}})}})()
</script></div>"""

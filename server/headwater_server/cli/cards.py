"""What `headwater show` prints for each kind of thing. Pure: the answer in, parts of a page out."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from headwater_server.cli.drawing import full_name, kind_words
from headwater_server.cli.output import counted, moment, table

Json = Mapping[str, Any]

STATES = {"COMPLETE": "green", "FAIL": "bold red", "ABORT": "red", "RUNNING": "yellow", "NEW": "yellow"}


def card(entity: Json) -> Iterator[RenderableType]:
    """Head, then what its kind has, then facets."""
    yield Text.assemble(
        (entity["displayName"] or entity["name"], "bold"), (f"  {kind_words(entity['kind'])}", "dim"),
        ("  archived", "bold red") if entity["archivedAt"] else "",
    )  # fmt: skip
    yield Text(full_name(entity), style="dim")
    if entity["description"]:
        yield Text(entity["description"])
    facts = [
        ("owners", ", ".join(o["name"] + (f" ({o['type']})" if o["type"] else "") for o in entity["owners"])),
        ("tags", " ".join(_tag(tag) for tag in entity["tags"])),
        *_FACTS.get(entity["__typename"], lambda _: [])(entity),
        ("feeds from", f"{counted(entity['upstreamCount'], 'neighbour')} upstream"),
        ("feeds", f"{counted(entity['downstreamCount'], 'neighbour')} downstream"),
    ]
    yield table(["", ""], [[Text(name, style="dim"), value] for name, value in facts if value])
    for title, part in _PARTS.get(entity["__typename"], lambda _: [])(entity):
        yield Text()
        yield Text(title, style="bold")
        yield part
    if entity["facets"]:
        yield Text()
        yield Text("facets: " + ", ".join(facet["name"] for facet in entity["facets"]), style="dim")


def _tag(tag: Json) -> str:
    return f"#{tag['key']}" + (f"={tag['value']}" if tag["value"] not in {None, "", "true"} else "")


def _place(thing: Json | None) -> str:
    """`namespace/name` of a dataset or job."""
    if thing is None:
        return ""
    return f"{thing['namespace']['name']}/{thing['name']}" if thing.get("namespace") else str(thing["name"])


def _state(state: str) -> Text:
    return Text(state.lower(), style=STATES.get(state, ""))


def _seconds(milliseconds: int | None) -> str:
    return f"{milliseconds / 1000:,.1f} s" if milliseconds is not None else ""


def _dataset_facts(entity: Json) -> list[tuple[str, str]]:
    version = entity["currentVersion"] or {}
    rows, size = version.get("rowCount"), version.get("bytes")
    return [
        ("also called", ", ".join(entity["symlinks"])),
        ("version", f"{version['version']} of {moment(version['createdAt'])}" if version else ""),
        ("holds", " · ".join(w for w in (f"{rows:,} rows" if rows is not None else "", f"{size:,} bytes" if size is not None else "") if w)),
        ("made by", ", ".join(_place(e["node"]) for e in entity["producers"]["edges"])),
        ("read by", ", ".join(_place(e["node"]) for e in entity["consumers"]["edges"])),
    ]  # fmt: skip


def _dataset_parts(entity: Json) -> Iterator[tuple[str, RenderableType]]:
    rows: list[list[str | Text]] = []

    def add(column: Json, indent: str) -> None:
        tags = Text(" ".join(_tag(tag) for tag in column["tags"]), style="blue")
        rows.append(
            [
                indent + column["name"],
                Text(column["type"] or "", style="dim"),
                tags,
                column["description"] or "",
            ]
        )
        for inner in column.get("fields") or ():
            add(inner, indent + "  ")

    for column in entity["columns"]:
        add(column, "")
    if rows:
        yield "columns", table(["Name", "Type", "Tags", "About"], rows)


def _column_facts(entity: Json) -> list[tuple[str, str]]:
    return [("of", _place(entity["dataset"])), ("type", entity["type"] or "")]


def _column_parts(entity: Json) -> Iterator[tuple[str, RenderableType]]:
    for side, title in (("upstream", "derived from"), ("downstream", "goes into")):
        if entity[side]:
            yield (
                title,
                table(
                    ["Column", "How", "Job"],
                    [
                        [
                            f"{_place(d['column']['dataset'])}#{d['column']['name']}",
                            " ".join(w for w in (d["type"].lower(), (d["subtype"] or "").lower(), "masked" if d["masking"] else "") if w),
                            (d["job"] or {}).get("name", ""),
                        ]
                        for d in entity[side]
                    ],
                ),
            )  # fmt: skip


def _job_facts(entity: Json) -> list[tuple[str, str]]:
    kind = " · ".join(w for w in (entity["integration"], entity["jobType"], entity["processingType"]) if w)
    return [
        ("kind", kind),
        ("part of", _place(entity["parent"])),
        ("code", entity["sourceCodeUrl"] or ""),
        ("reads", ", ".join(_place(d) for d in entity["inputs"])),
        ("writes", ", ".join(_place(d) for d in entity["outputs"])),
    ]


def _job_parts(entity: Json) -> Iterator[tuple[str, RenderableType]]:
    runs = [edge["node"] for edge in entity["runs"]["edges"]]
    if runs:
        yield (
            f"runs ({entity['runs']['totalCount']:,})",
            table(
                ["Run", "State", "Started", "Took", "Error"],
                [
                    [r["runId"], _state(r["state"]), moment(r["startedAt"]), _seconds(r["durationMs"]), (r["error"] or {}).get("message", "").split("\n")[0]]
                    for r in runs
                ],
                right=["Took"],
            ),
        )  # fmt: skip
    if entity["sql"]:
        yield "sql", Text(entity["sql"].strip(), style="dim")


def _run_facts(entity: Json) -> list[tuple[str, str]]:
    error = entity["error"] or {}
    return [
        ("state", entity["state"].lower()),
        ("job", _place(entity["job"])),
        ("part of", f"{entity['parent']['runId']} of {entity['parent']['job']['name']}" if entity["parent"] and entity["parent"]["job"] else ""),
        ("started", moment(entity["startedAt"])),
        ("ended", moment(entity["endedAt"])),
        ("took", _seconds(entity["durationMs"])),
        ("error", error.get("message", "")),
        ("read", ", ".join(_place(v["dataset"]) for v in entity["inputs"])),
        ("wrote", ", ".join(_place(v["dataset"]) for v in entity["outputs"])),
    ]  # fmt: skip


def _model_facts(entity: Json) -> list[tuple[str, str]]:
    aliases = ", ".join(f"@{a['name']} → {a['version']['version']}" for a in entity["aliases"])
    return [("revision", str(entity["revision"])), ("aliases", aliases)]


def _model_parts(entity: Json) -> Iterator[tuple[str, RenderableType]]:
    board: list[list[str | Text]] = [
        [
            Text(stage["name"], "magenta"),
            ", ".join(f"v{v['version']}" for v in stage["currentVersions"]) or "–",
        ]
        for stage in sorted(entity["stages"], key=lambda s: s["order"])
    ]
    yield "stages", table(["", ""], board)
    yield (
        "versions",
        table(
            ["Version", "Made", "Stage", "Aliases", "Run"],
            [
                [v["version"], moment(v["createdAt"]), (v["stage"] or {}).get("name", ""), " ".join(f"@{a}" for a in v["aliasNames"]), (v["run"] or {}).get("runId", "")]
                for v in (edge["node"] for edge in entity["versions"]["edges"])
            ],
        ),
    )  # fmt: skip


def _version_facts(entity: Json) -> list[tuple[str, str]]:
    run = entity["run"] or {}
    return [
        ("stage", (entity["stage"] or {}).get("name", "")),
        ("aliases", " ".join(f"@{a}" for a in entity["aliasNames"])),
        ("made by", f"run {run['runId']} of {_place(run['job'])}" if run else ""),
        ("trained on", ", ".join(_place(v["dataset"]) for v in entity["trainedOn"])),
        ("source", entity["sourceUri"] or ""),
        ("content", entity["contentHash"] or ""),
    ]


def _version_parts(entity: Json) -> Iterator[tuple[str, RenderableType]]:
    moves = [edge["node"] for edge in entity["transitions"]["edges"]]
    if moves:
        yield "moves", moves_table(moves)


def moves_table(moves: list[Json]) -> RenderableType:
    """Stage changes, as they come."""
    return table(
        ["When", "From", "To", "Who", "Why"],
        [
            [
                moment(m["requestedAt"]),
                m["fromStage"] or "–",
                m["toStage"],
                m["requestedBy"]["name"],
                m["comment"] or "",
            ]
            for m in moves
        ],
    )


_FACTS = {
    "Dataset": _dataset_facts,
    "Column": _column_facts,
    "Job": _job_facts,
    "Run": _run_facts,
    "RegisteredModel": _model_facts,
    "ModelVersion": _version_facts,
}
_PARTS = {
    "Dataset": _dataset_parts,
    "Column": _column_parts,
    "Job": _job_parts,
    "RegisteredModel": _model_parts,
    "ModelVersion": _version_parts,
}

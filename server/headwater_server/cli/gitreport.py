"""The impact of a branch in one piece: every question asked, answers merged, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from headwater_server.cli import queries
from headwater_server.cli.drawing import kind_words
from headwater_server.cli.gitdiff import Asked, Plan
from headwater_server.cli.output import Failed, counted, note, say, table
from headwater_server.cli.target import Server, ask

LEVELS = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
_STYLES = {"LOW": "dim", "MEDIUM": "yellow", "HIGH": "red", "CRITICAL": "bold red"}
_PAGE = 200
"""The worst come first: a threshold needs no second page."""


@dataclass(slots=True)
class Report:
    files: int
    changes: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    """One a thing that is affected: as its worst answer has it, with every reason."""
    models: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    unknown: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    truncated: bool = False

    def counts(self) -> dict[str, int]:
        levels = [item["severity"] for item in self.items]
        return {level: levels.count(level) for level in reversed(LEVELS) if level in levels}

    def json(self) -> dict[str, Any]:
        return {
            "files": self.files, "changes": self.changes, "bySeverity": self.counts(), "items": self.items,
            "productionModels": self.models, "owners": self.owners, "unknown": self.unknown,
            "notes": self.notes, "truncated": self.truncated,
        }  # fmt: skip


def report(server: Server, plan: Plan, *, depth: int, min_severity: str) -> Report:
    """Ask about each change. A table that the graph does not know is told, and stops nothing."""
    made = Report(plan.files, notes=list(plan.notes))
    items: dict[str, dict[str, Any]] = {}
    models: dict[str, None] = {}
    stages: dict[str, str] = {}
    owners: dict[str, None] = {}
    for asked in plan.asked:
        one = asked.difference
        answers, missing = _answers(server, asked, depth=depth, min_severity=min_severity)
        said = {
            "file": asked.file,
            "table": asked.ref,
            "change": one.kind,
            "columns": list(one.columns),
            "text": one.text,
        }
        if missing:
            made.unknown.append({**said, "reason": missing})
        if not answers:
            continue
        made.changes.append({**said, "urn": answers[0]["subject"]["urn"]})
        for answer in answers:
            more = answer["items"]["pageInfo"]["hasNextPage"]
            made.truncated = made.truncated or answer["truncated"] or more
            for model in answer["summary"]["productionModels"]:
                stage = (model["stage"] or {}).get("name", "")
                models[f"{model['model']['name']} v{model['version']} ({stage})"] = None
                stages[model["urn"]] = stage
            owners |= {owner["name"]: None for owner in answer["summary"]["owners"]}
            for edge in answer["items"]["edges"]:
                _merge(items, edge["node"], because=f"`{answer['subject']['name']}`: {one.text}")
    for urn, stage in stages.items():
        if urn in items:
            items[urn]["stage"] = stage
    made.items = sorted(items.values(), key=_order)
    made.models, made.owners = list(models), list(owners)
    return made


def _answers(
    server: Server, asked: Asked, *, depth: int, min_severity: str
) -> tuple[list[dict[str, Any]], str]:
    """The reports, and what was not found. Where one column of several is not known, the others are asked alone."""
    one = asked.difference
    given = {
        "ref": asked.ref, "change": one.kind, "columns": list(one.columns) or None, "newType": one.new_type,
        "depth": depth, "minSeverity": min_severity, "first": _PAGE,
    }  # fmt: skip
    try:
        return [ask(server, queries.IMPACT, input=given)["impact"]], ""
    except Failed as error:
        if error.code != "NOT_FOUND":
            raise
        missing = str(error)
    found: list[dict[str, Any]] = []
    if len(one.columns) > 1:
        for column in one.columns:
            try:
                found.append(ask(server, queries.IMPACT, input={**given, "columns": [column]})["impact"])
            except Failed as error:
                if error.code != "NOT_FOUND":
                    raise
                missing = str(error)
    return found, missing


def _merge(items: dict[str, dict[str, Any]], item: dict[str, Any], *, because: str) -> None:
    entity = item["entity"]
    found = {
        "urn": entity["urn"],
        "name": entity["name"],
        "kind": entity["kind"],
        "stage": None,
        "severity": item["severity"],
        "score": item["score"],
        "distance": item["distance"],
        "path": item["path"]["text"],
        "columns": [column["name"] for column in item["columns"]],
        "owners": [owner["name"] for owner in entity.get("owners") or ()],
        "because": [because],
    }
    known = items.get(found["urn"])
    if known is None:
        items[found["urn"]] = found
        return
    because_all = list(dict.fromkeys([*known["because"], because]))
    columns = list(dict.fromkeys([*known["columns"], *found["columns"]]))
    worst = min(known, found, key=_order)
    items[found["urn"]] = {**worst, "because": because_all, "columns": columns}


def _order(item: dict[str, Any]) -> tuple[Any, ...]:
    """Models in production first, then the worst; of equals the likelier and nearer."""
    return (
        item["stage"] is None,
        -LEVELS.index(item["severity"]),
        -item["score"],
        item["distance"],
        item["urn"],
    )


def reaches(found: Report, level: str) -> int:
    """How many things are so bad or worse."""
    return sum(LEVELS.index(item["severity"]) >= LEVELS.index(level.upper()) for item in found.items)


def markdown(found: Report, *, first: int) -> str:
    """One comment for a pull request."""
    lines = ["### Impact of this change", ""]
    if found.items:
        counts = ", ".join(f"{number} {level.lower()}" for level, number in found.counts().items())
        lines.append(f"**{counted(len(found.items), 'thing')} affected** ({counts}).")
        if found.models:
            lines.append(
                f"**Models in production: {', '.join(f'`{_cell(name)}`' for name in found.models)}.**"
            )
        if found.owners:
            lines.append(f"Owners to ask: {', '.join(map(_cell, found.owners))}.")
    elif found.changes:
        lines.append("Nothing that is known depends on what changes.")
    elif found.unknown:
        lines.append("The graph knows none of the tables that change.")
    else:
        lines.append(
            f"{counted(found.files, 'SQL file')} changed, and no table that others may read changes with it."
        )
    if found.changes:
        lines += ["", "| table | what changes | file |", "|---|---|---|"]
        for change in found.changes:
            lines.append(
                f"| `{_cell(change['urn'].removeprefix('hw:dataset:'))}` | {_cell(change['text'])} | {_cell(change['file'])} |"
            )
    if found.items:
        lines += [
            "",
            "| severity | what | kind | hops | because | how it gets there |",
            "|---|---|---|---|---|---|",
        ]
        for item in found.items[:first]:
            lines.append(
                f"| {item['severity']} | {_cell(_named(item))} | {kind_words(item['kind'])} | {item['distance']} "
                f"| {_cell('; '.join(item['because']))} | {_cell(item['path'])} |"
            )
        if len(found.items) > first:
            lines += ["", f"… and {len(found.items) - first} more."]
    if found.unknown:
        lines += ["", "<details><summary>Not in the graph</summary>", ""]
        lines += [
            f"- {_cell(one['file'])}: `{_cell(one['table'])}` {_cell(one['text'])}" for one in found.unknown
        ]
        lines += ["", "</details>"]
    if found.notes:
        lines += ["", "<details><summary>Not worked out</summary>", ""]
        lines += [f"- {_cell(text)}" for text in found.notes]
        lines += ["", "</details>"]
    return "\n".join([*lines, ""])


def _named(item: dict[str, Any]) -> str:
    name, columns = str(item["name"]), ", ".join(item["columns"])
    stage = f" ({item['stage']})" if item["stage"] else ""
    return name + stage + (f" ({columns})" if columns else "")


def _cell(text: str) -> str:
    """Safe inside a table of a comment."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def show(found: Report, *, first: int) -> None:
    for change in found.changes:
        say(
            Text.assemble(
                (change["urn"].removeprefix("hw:dataset:"), "bold"),
                f": {change['text'].replace('`', '')}  ({change['file']})",
            )
        )
    if found.models:
        say(Text(f"Models that serve from it: {', '.join(found.models)}", style="bold magenta"))
    if found.owners:
        say(f"Tell: {', '.join(found.owners)}")
    if not found.items:
        say(Text("Nothing is known to depend on what changes.", style="dim"))
    else:
        say()
        rows: Sequence[Sequence[str | Text]] = [
            [
                Text(i["severity"].lower(), style=_STYLES[i["severity"]]),
                _named(i),
                kind_words(i["kind"]),
                str(i["distance"]),
                "; ".join(i["because"]).replace("`", ""),
            ]
            for i in found.items[:first]
        ]
        say(table(["Severity", "What", "Kind", "Steps", "Because"], rows, right=["Steps"]))
    for one in found.unknown:
        note(f"{one['file']}: {one['table']} is not in the graph ({one['text']})")
    for text in found.notes:
        note(text)
    if found.truncated:
        note("A walk was cut by a limit or the deadline: there may be more.")

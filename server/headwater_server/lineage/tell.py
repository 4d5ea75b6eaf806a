"""An impact report in words: the comment under a pull request. Pure."""

from collections.abc import Sequence

from headwater_server.graph.changes import Node
from headwater_server.lineage.shapes import ChangeKind, ImpactItem, ImpactSummary
from headwater_server.lineage.show import Details, shown_name
from headwater_server.lineage.urns import urn

_ROWS = 20


def markdown_of(
    subject: Node,
    change: ChangeKind,
    items: Sequence[ImpactItem],
    summary: ImpactSummary,
    *,
    columns: Sequence[str],
    new_type: str | None,
    details: Details,
) -> str:
    what = change.value.replace("_", " ").lower()
    of = f" of {', '.join(f'`{column}`' for column in columns)}" if columns else ""
    into = f" to `{new_type}`" if new_type else ""
    lines = [f"### Impact: {what}{of}{into} in `{urn(subject)}`", ""]
    if not items:
        return "\n".join([*lines, "Nothing that is known depends on it.", ""])
    counts = ", ".join(f"{one.count} {one.severity.value.lower()}" for one in summary.by_severity)
    lines.append(f"**{len(items)} affected** ({counts}).")
    if summary.production_models:
        models = ", ".join(f"`{shown_name(node)}`" for node in summary.production_models)
        lines.append(f"**Models in production: {models}.**")
    if summary.owners:
        names = dict.fromkeys(owner.partition("|")[0] for owner in summary.owners)
        lines.append(f"Owners to ask: {', '.join(names)}.")
    lines += ["", "| severity | what | score | hops | how it gets there |", "|---|---|---|---|---|"]
    for item in items[:_ROWS]:
        stage = details.stage_of(item.entity)
        name = f"{shown_name(item.entity)} ({stage})" if stage else shown_name(item.entity)
        lines.append(
            f"| {item.severity.value} | {_cell(name)} | {item.score:.2f} | {item.distance} | {_cell(item.path.text)} |"
        )
    if len(items) > _ROWS:
        lines += ["", f"… and {len(items) - _ROWS} more."]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

"""Names of things for a shell's TAB, asked of the server; a server that does not answer offers none."""

import os

import click
from click.shell_completion import CompletionItem

from headwater_server.cli import queries
from headwater_server.cli.drawing import full_name
from headwater_server.cli.http import Remote
from headwater_server.cli.output import Failed
from headwater_server.cli.target import DEFAULT_URL, ask


def complete_ref(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """References that begin with, or are found by, what stands there."""
    del param
    words = incomplete.rpartition("/")[2] or incomplete
    if len(words) < 2:
        return []
    url = ctx.params.get("url") or os.environ.get("HEADWATER_URL") or DEFAULT_URL
    try:
        found = ask(Remote(url, timeout=2.0), queries.COMPLETE, query=words)["search"]["edges"]
    except Failed:
        return []
    refs = [full_name(edge["node"]) for edge in found]
    return [CompletionItem(ref) for ref in refs if ref.startswith(incomplete)]

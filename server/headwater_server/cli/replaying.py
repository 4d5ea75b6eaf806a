"""While a graph is made from the log: how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from headwater_server.cli.collecting import collect_seldom
from headwater_server.cli.output import console


@contextmanager
def replaying() -> Iterator[Callable[[int, int], None]]:
    """Shows a bar on a terminal; what it gives is to be told the records done and all of them."""
    collect_seldom()
    err = console(stderr=True)
    with Progress(
        TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

"""What a command says: text for people, JSON for programs, one line for an error. Colour on terminals only."""

import json
import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cache
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text


class Exit(IntEnum):
    """What a shell sees."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    THRESHOLD = 3
    CONFLICT = 4


class Failed(Exception):
    """Ends a command with a line on standard error."""

    def __init__(self, message: str, *, code: str = "FAILED", exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = exit_code


@cache
def _console(stderr: bool, stream_id: int) -> Console:
    """One per stream: tests and notebooks swap `sys.stdout`."""
    del stream_id
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else 200)


def console(*, stderr: bool = False) -> Console:
    return _console(stderr, id(sys.stderr if stderr else sys.stdout))


def say(what: RenderableType = "") -> None:
    """To standard output. Text is taken as it is, never as markup; a long line is left to the terminal."""
    if isinstance(what, str):
        what = Text(what)
    console().print(what, soft_wrap=isinstance(what, Text))


def note(text: str) -> None:
    """To standard error: what a program that reads the output must not see."""
    console(stderr=True).print(Text(text, style="dim"), soft_wrap=True)


def write(text: str) -> None:
    """Bare, as a file or a program wants it."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def write_json(value: Any) -> None:
    write(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, right: Iterable[str] = ()
) -> Table:
    """Plain: no frame, a dim head, columns as wide as their content."""
    drawn = Table(
        box=None, show_header=any(columns), header_style="dim", pad_edge=False, padding=(0, 2, 0, 0)
    )
    ranged = set(right)
    for name in columns:
        drawn.add_column(Text(name), justify="right" if name in ranged else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return drawn


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 job`, `2 jobs`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def moment(iso: str | None) -> str:
    """`2026-01-31 12:00:05` of an instant of the API; empty for none."""
    return iso[:19].replace("T", " ") if iso else ""

"""A figure with what it is compared with in the same run, and how figures are shown: a table, JSON, Markdown."""

import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

BEGIN, END = "<!-- figures: written by `make {}` -->", "<!-- end of figures -->"
HEADS = ("what", "figure", "unit", "compared with", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """Lower is better, unless the goal is a `least`."""

    what: str
    value: float
    unit: str
    against: str = ""
    """What it is compared with, measured in the same run."""
    ratio: float | None = None
    most: float | None = None
    """The goal: at most this."""
    least: float | None = None
    """The goal: at least this."""

    @property
    def met(self) -> bool | None:
        if self.most is not None:
            return self.value <= self.most
        return self.value >= self.least if self.least is not None else None

    def cells(self) -> tuple[str, ...]:
        goal = f"≤ {short(self.most)}" if self.most is not None else ""
        goal = f"≥ {short(self.least)}" if self.least is not None else goal
        ratio = "" if self.ratio is None else f"{short(self.ratio)}×"
        met = {True: "met", False: "missed", None: ""}[self.met]
        return self.what, short(self.value), self.unit, self.against, ratio, goal, met


def compared(
    what: str,
    value: float,
    unit: str,
    *,
    with_: str,
    floor: float,
    most: float | None = None,
    least: float | None = None,
) -> Figure:
    """A figure beside another of the same unit."""
    ratio = value / floor if floor else None
    return Figure(what, value, unit, f"{with_}: {short(floor)}", ratio, most, least)


def short(value: float) -> str:
    """Three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """For a terminal."""
    rows = [HEADS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADS))]
    right = {1, 4}
    lines = []
    for row in rows:
        cells = (
            c.rjust(w) if at in right else c.ljust(w)
            for at, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def markdown(figures: Sequence[Figure]) -> str:
    rows = [f"| {' | '.join(figure.cells())} |" for figure in figures]
    return "\n".join(
        [machine(), "", f"| {' | '.join(HEADS)} |", "| --- | ---: | --- | --- | ---: | --- | --- |", *rows]
    )


def machine() -> str:
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} cores ({cpu}), Python {platform.python_version()}; "
        f"load average when it began {os.getloadavg()[0]:.1f}."
    )


def write_into(page: Path, figures: Sequence[Figure], *, by: str) -> None:
    """Replace the table between the two marks of a page; `by` is what is made to write it."""
    begin, end = BEGIN.format(by), END
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{page} has no lines {begin!r} and {end!r}: put them where the table belongs.")
    page.write_text(f"{before}{begin}\n\n{markdown(figures)}\n\n{end}{after}")


def save(path: str, figures: Iterable[Figure]) -> None:
    said = [{**asdict(figure), "met": figure.met} for figure in figures]
    Path(path).write_text(json.dumps({"machine": machine(), "figures": said}, indent=1) + "\n")


def progress(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []

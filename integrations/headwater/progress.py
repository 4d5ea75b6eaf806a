"""A progress bar that costs nothing where nobody looks."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")
_WIDTH = 30
_EVERY = 0.1


def track(items: Iterable[T], *, total: int | None = None, label: str = "") -> Iterator[T]:
    """The items, one by one; how far it is and how long it will take on standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    began, shown, done = time.monotonic(), 0.0, 0
    try:
        for item in items:
            yield item
            done += 1
            now = time.monotonic()
            if now - shown >= _EVERY:
                shown = now
                sys.stderr.write("\r\x1b[K" + line(done, total, now - began, label))
                sys.stderr.flush()
    finally:
        sys.stderr.write("\r\x1b[K" + line(done, total, time.monotonic() - began, label) + "\n")
        sys.stderr.flush()


def line(done: int, total: int | None, seconds: float, label: str = "") -> str:
    """`train ━━━━━━━╺━━━ 3/10 · 2.0/s · 3 s left`."""
    rate = done / seconds if seconds > 0 else 0.0
    head = f"{label} " if label else ""
    if not total:
        return f"{head}{done} · {rate:.1f}/s"
    full = min(_WIDTH, _WIDTH * done // total)
    bar = "━" * full + "─" * (_WIDTH - full)
    left = f" · {max(0, total - done) / rate:.0f} s left" if rate and done < total else f" · {seconds:.1f} s"
    return f"{head}{bar} {done}/{total} · {rate:.1f}/s{left}"

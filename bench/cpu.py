"""What work costs: CPU seconds of this process and of process trees, memory of a process."""

import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_TICK = os.sysconf("SC_CLK_TCK")

T = TypeVar("T")


def of_tree(root: int) -> float:
    """CPU seconds of a process and of all that it has started, those that ended too."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if (name := folder.name).isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue  # it has just ended
            parents[int(name)] = int(fields[1])
            spent[int(name)] = sum(map(int, fields[11:15])) / _TICK
    return sum(seconds for process, seconds in spent.items() if _descends(process, root, parents))


def _descends(process: int, root: int, parents: dict[int, int]) -> bool:
    while process and process != root:
        process = parents.get(process, 0)
    return process == root


def memory(process: int) -> dict[str, float]:
    """MiB that are resident now, and that were at most."""
    found = {}
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in {"VmRSS", "VmHWM"}:
            found[name] = int(value.split()[0]) / 1024
    return {"now": found["VmRSS"], "most": found["VmHWM"]}


def median(work: Callable[[], T], *, times: int = 7) -> tuple[float, T]:
    """Median CPU milliseconds of one call after a first one, and its answer."""
    answer = work()
    spent = []
    for _ in range(times):
        gc.collect()
        before = time.process_time()
        answer = work()
        spent.append(time.process_time() - before)
    return statistics.median(spent) * 1000, answer

"""`make chaos`: every fault, long enough to believe it; writes the table of docs/reliability.md."""

import argparse
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import scenarios
from tests.faults.scenarios import Row

PAGE = Path(__file__).parent.parent.parent / "docs" / "reliability.md"
HEAD = (
    "| fault | how | acked | lost / doubled / wrong | root | 503 | cut | late | ack p50 / p99 ms | |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
LONG: dict[str, Callable[[Path], Row]] = {
    "calm": lambda folder: scenarios.calm(folder, rate=200, seconds=30),
    "kills": lambda folder: scenarios.kills(folder, times=160),
    "pauses": lambda folder: scenarios.pauses(folder, times=3, seconds=8),
    "network": lambda folder: scenarios.network(folder, seconds=8),
    "overload": lambda folder: scenarios.overload(folder, seconds=20),
    "disk": lambda folder: scenarios.disk_full(folder, seconds=8),
    "sync": lambda folder: scenarios.disk_errors(folder, seconds=15, sync_error_every=15),
    "write": lambda folder: scenarios.disk_errors(folder, seconds=15, write_error_every=40),
    "slow": lambda folder: scenarios.disk_errors(folder, seconds=15, sync_delay_us=400_000),
    "clock": lambda folder: scenarios.clock(folder, seconds=5),
}


def main() -> int:
    """Exit code 1 when anything acknowledged is not as it was said."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=", description=__doc__)
    parser.add_argument(
        "faults", nargs="*", choices=[[], *LONG], help="only these; the table is not written then"
    )
    parser.add_argument("--kills", type=int, default=160, help="how often it is killed while it runs")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    given = parser.parse_args()
    chosen = dict(LONG)
    chosen["kills"] = lambda folder: scenarios.kills(folder, times=given.kills, seed=given.seed)
    lines, bad = [HEAD], 0
    _say(f"seed {given.seed}\n{HEAD}")
    for name in given.faults or chosen:
        with tempfile.TemporaryDirectory(prefix=f"headwater-chaos-{name}-") as folder:
            row = chosen[name](Path(folder))
        lines.append(row.markdown())
        _say(lines[-1])
        for what in row.verdict.bad:
            bad += 1
            _say(f"  {what}")
    if not given.faults:
        write("\n".join(lines))
    return 1 if bad else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write(table: str) -> None:
    on = f"Measured on {time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, Python {platform.python_version()}."
    page = PAGE.read_text()
    PAGE.write_text(
        re.sub(
            r"(<!-- chaos -->\n).*(<!-- /chaos -->)",
            lambda found: f"{found[1]}{table}\n\n{on}\n{found[2]}",
            page,
            flags=re.DOTALL,
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())

"""The faults: what is done to a server while producers send, as short in a test as it is long in `make chaos`."""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from tests.faults.checker import Verdict, judge
from tests.faults.clients import Flood, Producers, Sent
from tests.faults.proxy import Proxy, Weather
from tests.faults.server import Server
from tests.faults.shim import Shim


@dataclass(slots=True)
class Row:
    """One line of the table."""

    fault: str
    how: str
    verdict: Verdict
    sent: Sent
    notes: list[str] = field(default_factory=list)

    def waits(self) -> tuple[float, float]:
        """Median and 99th percentile of the acknowledgements, in milliseconds."""
        if len(self.sent.waits) < 2:
            return 0.0, 0.0
        cuts = quantiles(self.sent.waits, n=100)
        return cuts[49] * 1_000, cuts[98] * 1_000

    def markdown(self) -> str:
        p50, p99 = self.waits()
        v = self.verdict
        root = "ok" if v.root_is_right and v.hash_is_equal else "WRONG"
        counts = " / ".join(str(len(x)) for x in (v.lost, v.duplicated, v.wrong_seq + v.wrong_status))
        refused = sum(self.sent.refused.values())
        notes = "; ".join(self.notes)
        return (
            f"| {self.fault} | {self.how} | {v.acked:,} | {counts} | {root} | {refused:,} | {self.sent.cut:,} | "
            f"{self.sent.given_up} | {p50:,.0f} / {p99:,.0f} | {notes} |"
        )


def kills(folder: Path, *, times: int, rate: float = 200.0, seed: int = 1) -> Row:
    """SIGKILL at random moments, in every fourth life while it still starts."""
    dice = random.Random(seed)
    with Server(folder / "data") as server:
        producers = Producers(server.port, rate=rate, seed=seed)
        producers.start()
        for number in range(times):
            time.sleep(dice.uniform(0.05, 1.0))
            server.kill()
            if number % 4 == 3:
                server.start(wait=False)
                time.sleep(dice.uniform(0.1, 1.5))
                server.kill()
            server.start()
        sent = producers.finish()
        server.stop()
    row = Row(f"kill -9 × {times + times // 4}", "SIGKILL at random", judge(folder / "data", sent), sent)
    row.notes.append(f"ready after {max(server.starts):.1f} s at most")
    return row


def pauses(folder: Path, *, times: int, seconds: float) -> Row:
    """SIGSTOP, SIGCONT."""
    with Server(folder / "data") as server:
        producers = Producers(server.port)
        producers.start()
        for _ in range(times):
            time.sleep(1.0)
            server.send(signal.SIGSTOP)
            time.sleep(seconds)
            server.send(signal.SIGCONT)
        time.sleep(1.0)
        sent = producers.finish()
        server.stop()
    return Row(f"pause of {seconds:g} s × {times}", "SIGSTOP, SIGCONT", judge(folder / "data", sent), sent)


STORMS: tuple[tuple[str, Weather], ...] = (
    ("latency 100 ms", Weather(latency=0.1)),
    ("64 kB/s", Weather(rate=64_000)),
    ("reset before the request is whole, 20 %", Weather(cut_before=0.2)),
    ("reset before the reply, 20 %", Weather(cut_after=0.2)),
    ("replies black-holed", Weather(black_hole=True)),
    ("refused", Weather(refused=True)),
)


def network(folder: Path, *, seconds: float) -> Row:
    """Every storm in turn, then fair weather."""
    with Server(folder / "data") as server, Proxy(server.port) as proxy:
        producers = Producers(proxy.port)
        producers.start()
        for _, weather in STORMS:
            proxy.become(weather)
            time.sleep(seconds)
        proxy.become(Weather())
        time.sleep(1.0)
        sent = producers.finish()
        server.stop()
    how = f"TCP proxy, {seconds:g} s each: " + ", ".join(name for name, _ in STORMS)
    return Row("network", how, judge(folder / "data", sent), sent)


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of 24 MB at the folder; False where this process may not mount one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "headwater-faults", folder],
        capture_output=True,
        check=False,
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", folder], check=True)


def disk_full(folder: Path, *, seconds: float) -> Row:
    """A disk that is full for a while and freed without a restart: a tmpfs, else writes that fail with ENOSPC."""
    data = folder / "data"
    with small_disk(data) as mounted:
        shim = None if mounted else Shim(folder, data)
        settings = {"HEADWATER_MIN_FREE_DISK": "0", **(shim.environment if shim else {})}
        filler = data / "filler"
        with Server(data, environment=settings) as server:
            producers = Producers(server.port)
            producers.start()
            time.sleep(1.5)
            if shim:
                shim.set(disk_full=1)
            else:
                _fill(filler)
            time.sleep(seconds)
            before = producers.acknowledged()
            if shim:
                shim.heal()
            else:
                filler.unlink()
            back = _until(lambda: producers.acknowledged() > before + 50)
            time.sleep(1.0)
            sent = producers.finish()
            server.caught_up()
            server.stop()
        if shim:
            shim.close()
        moved = folder / "moved"
        shutil.copytree(data, moved)
        verdict = judge(moved, sent)
    how = "tmpfs filled, then freed, no restart" if mounted else "every write ENOSPC, then healed, no restart"
    return Row("disk full", how, verdict, sent, [f"takes events again after {back:.1f} s"])


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def disk_errors(folder: Path, *, seconds: float, **faults: int) -> Row:
    """Calls of the disk that fail now and then (`shim.c`)."""
    data = folder / "data"
    shim = Shim(folder, data)
    with Server(data, environment=shim.environment) as server:
        producers = Producers(server.port)
        producers.start()
        time.sleep(0.5)
        shim.set(**faults)
        time.sleep(seconds)
        shim.heal()
        time.sleep(1.0)
        sent = producers.finish()
        server.caught_up()
        server.stop()
    (what, value), *_ = faults.items()
    names = {
        "sync_error_every": ("fdatasync EIO", f"1 in {value}, LD_PRELOAD"),
        "write_error_every": ("pwrite ENOSPC", f"1 in {value}, LD_PRELOAD"),
        "sync_delay_us": (f"fdatasync takes {value // 1_000} ms", "LD_PRELOAD"),
    }
    row = Row(*names[what], judge(data, sent), sent, [f"{shim.injected} calls failed"])
    shim.close()
    return row


def clock(folder: Path, *, seconds: float) -> Row:
    """Thirty days on, thirty days back, right again."""
    data = folder / "data"
    shim = Shim(folder, data)
    month = 30 * 24 * 3_600
    with Server(data, environment=shim.environment) as server:
        producers = Producers(server.port)
        producers.start()
        for offset in (0, month, -month, 0):
            shim.set(clock_offset=offset)
            time.sleep(seconds)
        sent = producers.finish()
        server.caught_up()
        server.stop()
    shim.close()
    return Row("clock +30 d, −30 d, right", "LD_PRELOAD", judge(data, sent), sent)


def calm(folder: Path, *, rate: float, seconds: float) -> Row:
    """No fault: what an acknowledgement takes."""
    with Server(folder / "data") as server:
        producers = Producers(server.port, rate=rate)
        producers.start()
        time.sleep(seconds)
        sent = producers.finish()
        server.stop()
    return Row("none", f"{rate:g} events/s", judge(folder / "data", sent), sent)


def overload(folder: Path, *, seconds: float) -> Row:
    """Batches and single events from as many producers as can be, then the usual load: how much memory, how soon calm."""
    with Server(folder / "data") as server:
        usual = Producers(server.port, rate=100.0)
        flood = Flood(server.port)
        before = server.resident()
        usual.start()
        flood.start()
        most = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            most = max(most, server.resident())
            time.sleep(0.1)
        flood.stop()
        before_calm = len(usual.sent.waits)
        began = time.monotonic()
        _until(lambda: _is_calm(usual.sent.waits[before_calm:]))
        calm_after = time.monotonic() - began
        sent = usual.finish()
        server.caught_up(within=600)
        server.stop()
    verdict = judge(folder / "data", sent)
    row = Row(
        "overload",
        f"{flood.events / seconds:,.0f} events/s offered in batches of {flood.SIZE}",
        verdict,
        sent,
    )
    row.notes += [
        f"{flood.taken:,} of them taken",
        f"{flood.refused:,} batches 503",
        f"RSS {before / 2**20:.0f} → {most / 2**20:.0f} MiB",
        f"calm after {calm_after:.1f} s",
    ]
    return row


def _is_calm(waits: list[float]) -> bool:
    """Twenty deliveries in a row that took less than half a second."""
    return len(waits) >= 20 and max(waits[-20:]) < 0.5


def _until(true: Callable[[], bool], within: float = 60.0) -> float:
    """The seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within, "it does not come"
        time.sleep(0.05)
    return time.monotonic() - began

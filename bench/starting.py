"""Cold start and idle memory of `headwater up`, empty and with a long log; and how quickly a log is replayed."""

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import cpu, events, servers
from bench.figures import Figure, compared, progress
from headwater_server.cli.collecting import collect_seldom
from headwater_server.commit.projection import Projection, rebuild
from headwater_server.graph.changes import Changeset
from headwater_server.ingest.receive import drafted
from headwater_server.log.deadletters import DeadLetters
from headwater_server.log.port import Draft
from headwater_server.log.sqlite import SqliteRecordLog
from headwater_server.parts import TRANSLATORS
from headwater_server.redaction.redactor import Redactor
from headwater_server.store.port import Applied
from headwater_server.store.sqlite import SqliteStore

TIMES = 3
MOST_CPU, MOST_MEMORY = 2.0, 150.0
REPEATING = 250


def measure(size: float) -> Iterator[Figure]:
    bare = _bare()
    with tempfile.TemporaryDirectory() as folder:
        yield from _started(Path(folder), "empty", bare)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        yield from _replayed(data, max(1_000, int(10_000 * size)))
        records = max(10_000, int(100_000 * size))
        _lengthen(data, records)
        yield from _started(data, f"a log of {records:,} events", bare)


def _bare() -> tuple[float, float]:
    """CPU seconds and MiB of a Python that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(0.5)
    spent, used = cpu.of_tree(process.pid), cpu.memory(process.pid)["now"]
    process.kill()
    process.wait()
    return max(spent, 0.01), used


def _started(data: Path, what: str, bare: tuple[float, float]) -> Iterator[Figure]:
    spent, idle, most = [], [], []
    for at in range(TIMES + 1):
        with servers.headwater(data) as server:
            connection = server.connect()
            status, _ = connection.get("/readyz")
            if status != 200:
                raise SystemExit(f"/readyz answers {status}")
            if at:  # the first one may compile modules
                spent.append(server.cpu())
            server.warm()
            used = cpu.memory(server.process)
            idle.append(used["now"])
            most.append(used["most"])
            connection.close()
    yield compared(
        f"cold start until /readyz answers, {what}",
        sorted(spent)[len(spent) // 2],
        "CPU s",
        with_="bare python",
        floor=bare[0],
        most=MOST_CPU,
    )
    yield compared(
        f"memory when idle, {what} (at most: {max(most):.0f})",
        max(idle),
        "MiB",
        with_="bare python",
        floor=bare[1],
        most=MOST_MEMORY,
    )


def _replayed(data: Path, records: int) -> Iterator[Figure]:
    """A log of runs that repeat, and the graph made of it anew."""
    progress(f"replaying a log of {records:,} records")
    jobs = events.pipeline(REPEATING, namespace="bench")
    log = SqliteRecordLog(data / "log.db")
    for bodies in _in_thousands(events.turns(jobs, count=records // 2)):
        log.append([drafted(body, Redactor())[0] for body in bodies], at=0)
    mark = time.process_time()
    read, seq = 0, 0
    while some := log.read(seq, limit=1_000):
        read, seq = read + len(some), some[-1].seq
    floor = read / (time.process_time() - mark)
    store = SqliteStore(data / "graph.db")
    collect_seldom()  # as `headwater rebuild` does
    mark = time.process_time()
    letters = DeadLetters(data / "dead-letters.db", graph="sqlite")
    projection = Projection(log, store, TRANSLATORS, letters)
    projection.recognise()
    done = rebuild(projection, log.head())
    spent = time.process_time() - mark
    letters.close()
    store.close()
    log.close()
    yield compared(
        "rebuild of the graph, SQLite", done / spent, "records/CPU s", with_="reading the log", floor=floor
    )


def _lengthen(data: Path, records: int) -> None:
    """More records, as if the graph had them: a start does not look at them."""
    log = SqliteRecordLog(data / "log.db")
    body = b'{"filler": "' + b"x" * 4_700 + b'"}'
    for first in range(log.head(), records, 1_000):
        keys = (hashlib.sha256(str(at).encode()).digest() for at in range(first, min(first + 1_000, records)))
        log.append([Draft("openlineage", body, key, event_time=1) for key in keys], at=0)
    store = SqliteStore(data / "graph.db")
    store.apply(Changeset(), upto=Applied(log.head(), log.instance))
    store.close()
    log.close()


def _in_thousands(bodies: list[bytes]) -> Iterator[list[bytes]]:
    for at in range(0, len(bodies), 1_000):
        yield bodies[at : at + 1_000]

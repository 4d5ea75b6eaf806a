"""What each step of an event's way costs, grouped in batches of 100 on the embedded store."""

import secrets
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from bench import events
from bench.figures import Figure
from headwater_server.commit.committer import Parsed
from headwater_server.ingest.reader import load, refuse_duplicates
from headwater_server.ingest.receive import drafted, translate_record
from headwater_server.log.leaf import leaf_data
from headwater_server.log.sqlite import SqliteRecordLog
from headwater_server.log.tree import Tree, leaf_hash
from headwater_server.openlineage.wire import read
from headwater_server.parts import TRANSLATORS
from headwater_server.project.projector import Projector
from headwater_server.redaction.redactor import Redactor
from headwater_server.store.sqlite import SqliteStore

BATCH = 100
GOAL = 1.0
ROUNDS = 5


def measure(size: float) -> Iterator[Figure]:
    jobs = events.pipeline(100, namespace="bench")
    known = events.turns(jobs, count=100)
    bodies = events.turns(jobs, count=max(100, int(1_000 * size)), first=1)
    redactor = Redactor()
    parsed = [load(body) for body in bodies]
    canonical = [orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in parsed]
    placed = [read(one) for one in parsed]
    drafts = [drafted(body, redactor) for body in bodies]

    def leaf(seq: int, body: bytes) -> bytes:
        return leaf_hash(leaf_data(seq, seq, "", "openlineage", body, secrets.token_bytes(16)))

    steps: dict[str, Callable[[], Iterator[Any]]] = {
        "plain JSON": lambda: map(orjson.loads, bodies),
        "careful reader": lambda: map(_read_carefully, bodies, canonical),
        "redaction": lambda: map(redactor.redact, parsed, canonical),
        "content key": lambda: map(_content_key, parsed),
        "placing": lambda: map(read, parsed),
        "leaf and tree": lambda: iter(Tree().grown(map(leaf, range(len(bodies)), bodies))),
        "translation": lambda: map(translate_record, placed, range(len(placed))),
    }
    spent = {name: _least(step, len(bodies)) for name, step in steps.items()}
    plain = spent.pop("plain JSON")
    spent["append, one fsync a batch"], spent["projection"] = _kept([*known], drafts, redactor)
    spent["projection"] -= spent["translation"]
    spent["append, one fsync a batch"] -= spent["leaf and tree"]
    for name, each in spent.items():
        yield Figure(f"one event, {name}", each, "CPU ms", f"plain JSON: {plain:.3g}", each / plain)
    whole = sum(spent.values())
    yield Figure(
        "one event, all of it, jobs repeat",
        whole,
        "CPU ms",
        f"plain JSON: {plain:.3g}",
        whole / plain,
        most=GOAL,
    )


def _read_carefully(body: bytes, canonical: bytes) -> None:
    load(body)
    refuse_duplicates(body, canonical)


def _content_key(parsed: Any) -> bytes:
    return sha256(orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)).digest()


def _least(work: Callable[[], Iterator[Any]], count: int) -> float:
    """CPU milliseconds for one of `count`, the best of some rounds: what disturbs only adds. Nothing is kept."""
    found = []
    for _ in range(ROUNDS):
        before = time.process_time()
        deque(work(), maxlen=0)
        found.append(time.process_time() - before)
    return 1_000 * min(found) / count


def _kept(known: Sequence[bytes], drafts: Sequence[Any], redactor: Redactor) -> tuple[float, float]:
    """CPU milliseconds of an append and of a projection, for one event, once its job is known."""
    with tempfile.TemporaryDirectory() as folder:
        log = SqliteRecordLog(Path(folder) / "log.db")
        store = SqliteStore(Path(folder) / "graph.db")
        projector = Projector(store, TRANSLATORS, log=log.instance)
        appended, projected = [], []
        before = [drafted(body, redactor) for body in known]
        for at in range(-len(before), len(drafts), BATCH):
            block = before[at : at + BATCH or None] if at < 0 else drafts[at : at + BATCH]
            began = time.process_time()
            receipts = log.append([draft for draft, _ in block], at=time.time_ns() // 1_000)
            logged = time.process_time()
            projector.project(
                [
                    Parsed(receipt.seq, draft.kind, event)
                    for receipt, (draft, event) in zip(receipts, block, strict=True)
                ]
            )
            if at >= 0:
                appended.append((logged - began) / len(block))
                projected.append((time.process_time() - logged) / len(block))
        store.close()
        log.close()
    return 1_000 * sorted(appended)[len(appended) // 4], 1_000 * sorted(projected)[len(projected) // 4]

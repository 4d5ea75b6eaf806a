"""The one judge of every fault: compares each acknowledgement with the log, the graph with a rebuild, the tree with its leaves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import orjson

from headwater_server.commit.projection import Projection, rebuild
from headwater_server.log.deadletters import DeadLetters
from headwater_server.log.leaf import leaf_data
from headwater_server.log.port import RecordLog
from headwater_server.parts import TRANSLATORS, Parts
from headwater_server.project.fingerprint import fingerprint
from headwater_server.settings import Settings
from headwater_server.store.sqlite import SqliteStore
from tests.faults.clients import Sent


@dataclass(slots=True)
class Verdict:
    """Counts of what must not be; the names of some of each."""

    acked: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong_seq: list[str] = field(default_factory=list)
    wrong_status: list[str] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    hash_is_equal: bool = False
    root_is_right: bool = False

    @property
    def bad(self) -> list[str]:
        """Empty: all is well."""
        found = [
            f"{name}: {value[:5]} of {len(value)}"
            for name in ("lost", "duplicated", "wrong_seq", "wrong_status", "gaps")
            if (value := getattr(self, name))
        ]
        if not self.hash_is_equal:
            found.append("the graph is not what a rebuild makes")
        if not self.root_is_right:
            found.append("the tree does not stand on its records")
        return found


def judge(data: Path, sent: Sent, *, settings: Settings | None = None) -> Verdict:
    """Of a data folder whose server has ended, and of what producers were told."""
    parts = Parts(settings or Settings(data=data))
    try:
        parts.start()
        while not parts.committer.settle(patience=5.0):
            assert not parts.committer.unavailable, parts.committer.unavailable
        verdict = Verdict(acked=len(sent.acks))
        _compare(parts.log, sent, verdict)
        verdict.hash_is_equal = parts.fingerprint() == rebuilt(parts.log, data.parent / f"{data.name}-again")
        verdict.root_is_right = _root_is_right(parts.log)
    finally:
        parts.close()
    return verdict


def rebuilt(log: RecordLog, folder: Path) -> str:
    """The hash of a graph that is made from the log alone, in an empty folder."""
    folder.mkdir()
    store = SqliteStore(folder / "graph.db")
    letters = DeadLetters(folder / "dead-letters.db", graph="sqlite")
    projection = Projection(log, store, TRANSLATORS, letters)
    projection.recognise()
    rebuild(projection, log.head())
    found = fingerprint(store)
    letters.close()
    store.close()
    return found


def _compare(log: RecordLog, sent: Sent, verdict: Verdict) -> None:
    there: dict[str, list[int]] = defaultdict(list)
    after = 0
    while records := log.read(after, limit=1_000):
        verdict.gaps += [record.seq for at, record in enumerate(records, after + 1) if record.seq != at]
        for record in records:
            facets = orjson.loads(record.body).get("run", {}).get("facets", {})
            if "delivery" in facets:
                there[facets["delivery"]["name"]].append(record.seq)
        after = records[-1].seq
    verdict.duplicated = [name for name, seqs in there.items() if len(seqs) > 1]
    for name, answers in sent.acks.items():
        if name not in there:
            verdict.lost.append(name)
        elif {seq for _, seq in answers} != set(there[name]):
            verdict.wrong_seq.append(name)
        if [status for status, _ in answers].count(201) > 1:
            verdict.wrong_status.append(name)
    verdict.wrong_status += sent.wrong


def _root_is_right(log: RecordLog) -> bool:
    """Each leaf says what its record says, and the root is RFC 6962's over them."""
    hashes: list[bytes] = []
    while leaves := log.leaves(len(hashes), limit=1_000):
        records = log.read(len(hashes), limit=1_000)
        for leaf, record in zip(leaves, records, strict=True):
            assert leaf.salt is not None
            said = leaf_data(record.seq, record.received, record.actor, record.kind, record.body, leaf.salt)
            if said != leaf.data or sha256(b"\x00" + leaf.data).digest() != leaf.hash:
                return False
        hashes += [leaf.hash for leaf in leaves]
    return log.tree().size == log.head() == len(hashes) and log.tree().root() == _root(hashes)


def _root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written there."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + _root(hashes[:split]) + _root(hashes[split:])).digest()

"""The one connection that writes: what it knows of the file is read from it, so that after an error it is simply made anew."""

import hashlib
import os
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from headwater_server.log.leaf import SALT, leaf_data
from headwater_server.log.port import Draft, Finding, Receipt
from headwater_server.log.sqlite.schema import connect, edition_of, tree_of, write_leaves
from headwater_server.log.sqlite.watch import Watch
from headwater_server.log.tree import Tree, leaf_hash

REMEMBERED_RUNS = 50_000
"""The newest runs whose job is remembered, to tell when another job says the same runId."""
INSERT = "INSERT INTO record VALUES(?,?,?,?,?,?,?,?,?,?,NULL)"
INSERT_CONTENT = "INSERT INTO content VALUES(?,?)"
INSERT_MENTION = "INSERT OR IGNORE INTO mention VALUES(?,?)"
INSERT_BROKEN = "INSERT OR IGNORE INTO broken VALUES(?,?)"
COUNT_FINDING = """
INSERT INTO finding VALUES(?1,?2,?3,1,?4,?4,?5) ON CONFLICT DO UPDATE
SET count = count + 1, last = ?4, text = ?3, example = ?5"""


ERASE = (
    """UPDATE record SET body = x'', event_time = NULL, event_type = '', producer = :nobody, run_id = '', job = '',
       erased = :by WHERE seq IN (SELECT seq FROM gone)""",
    "UPDATE leaf SET salt = NULL WHERE seq IN (SELECT seq FROM gone)",
    "DELETE FROM content WHERE seq IN (SELECT seq FROM gone)",
    "DELETE FROM mention WHERE seq IN (SELECT seq FROM gone)",
    "DELETE FROM broken WHERE seq IN (SELECT seq FROM gone)",
    "UPDATE finding SET text = '(erased)' WHERE example IN (SELECT seq FROM gone)",
)
"""Everything that was said in the record or is a hash of it."""
FORGET_SOURCE = """
DELETE FROM source WHERE id = ?1 AND name <> ''
AND NOT EXISTS (SELECT 1 FROM record WHERE producer = ?1) AND NOT EXISTS (SELECT 1 FROM finding WHERE producer = ?1)"""


class Writer:
    """Of one thread. After an `apsw.Error` it is of no use any more.

    Raises:
        Unavailable: the files are not there.

    """

    def __init__(self, path: str) -> None:
        self.connection = connect(path)
        self.tree = tree_of(self.connection)
        self._latest = int(
            self.connection.execute("SELECT received FROM record ORDER BY seq DESC LIMIT 1").get or 0
        )
        self._sources = self._read_sources()
        self.edition = edition_of(self.connection)
        self._job_of: dict[str, str] = {}
        self.watch = Watch(path)

    def append(self, drafts: Sequence[Draft], at: int) -> list[Receipt]:
        """As `RecordLog.append`.

        Raises:
            Unavailable: the file is no longer at its path.

        """
        self.watch.check()
        with self.connection:
            receipts, state = self._insert(drafts, at)
        self.tree, self._latest, self._sources = state
        self.watch.check()
        return receipts

    def erase(self, seqs: Collection[int], draft: Draft, at: int) -> Receipt:
        """As `RecordLog.erase`. Raises as `append`."""
        self.watch.check()
        self.connection.pragma("secure_delete", 1)
        self.connection.execute("CREATE TEMP TABLE IF NOT EXISTS gone(seq INTEGER PRIMARY KEY)")
        with self.connection:
            [receipt], (tree, latest, _) = self._insert((draft,), at)
            self.connection.execute("DELETE FROM gone")
            self.connection.executemany("INSERT INTO gone VALUES(?)", ((seq,) for seq in seqs))
            spoke = "SELECT DISTINCT producer FROM record WHERE seq IN (SELECT seq FROM gone)"
            sources = [id_ for (id_,) in self.connection.execute(spoke)]
            nobody = self.connection.execute("SELECT id FROM source WHERE name = ''").get
            for statement in ERASE:
                self.connection.execute(statement, {"by": receipt.seq, "nobody": nobody})
            for source in sources:
                self.connection.execute(FORGET_SOURCE, (source,))
        self.tree, self._latest, self._sources = tree, latest, self._read_sources()
        self.edition = edition_of(self.connection)
        self._job_of.clear()
        self.watch.check()
        return receipt

    def scrub(self) -> bool:
        """As `RecordLog.scrub`."""
        busy, _, _ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
        return not busy

    def _insert(
        self, drafts: Sequence[Draft], at: int
    ) -> tuple[list[Receipt], tuple[Tree, int, dict[str, int]]]:
        """Inside a transaction; and what is true when it is committed."""
        received = max(at, self._latest)
        sources = dict(self._sources)
        receipts: list[Receipt] = []
        rows: list[tuple[Any, ...]] = []
        leaves: list[tuple[int, bytes, bytes, bytes]] = []
        contents: dict[bytes, int] = {}
        mentions: list[tuple[int, int]] = []
        salts = os.urandom(SALT * len(drafts))
        next_seq = self.tree.size + 1
        for number, draft in enumerate(drafts):
            known = contents.get(draft.content_key)
            if known is None:
                known = self.connection.execute(
                    "SELECT seq FROM content WHERE key = ?", (draft.content_key,)
                ).get
            if known is not None:
                receipts.append(Receipt(known, duplicate=True))
                continue
            source = sources.get(draft.producer)
            if source is None:
                source = sources[draft.producer] = max(sources.values(), default=0) + 1
                self.connection.execute("INSERT INTO source VALUES(?,?)", (source, draft.producer))
            seq, next_seq = next_seq, next_seq + 1
            contents[draft.content_key] = seq
            rows.append(
                (seq, received, draft.kind, draft.event_time, draft.event_type, source,
                 draft.actor, draft.run_id, draft.job, draft.body)
            )  # fmt: skip
            salt = salts[number * SALT : (number + 1) * SALT]
            data = leaf_data(seq, received, draft.actor, draft.kind, draft.body, salt)
            leaves.append((seq, data, leaf_hash(data), salt))
            mentions.extend((hash_of(key), seq) for key in draft.mentions)
            for found in (*draft.findings, *self._of_another_job(draft)):
                self.connection.execute(INSERT_BROKEN, (seq, found.rule))
                self.connection.execute(COUNT_FINDING, (source, found.rule, found.text, received, seq))
            receipts.append(Receipt(seq, duplicate=False))
        self.connection.executemany(INSERT, rows)
        self.connection.executemany(INSERT_CONTENT, contents.items())
        self.connection.executemany(INSERT_MENTION, sorted(mentions))
        tree = write_leaves(self.connection, self.tree, leaves)
        return receipts, (tree, received, sources)

    def _read_sources(self) -> dict[str, int]:
        return {name: id_ for id_, name in self.connection.execute("SELECT id, name FROM source")}

    def close(self) -> None:
        self.connection.close()

    def _of_another_job(self, draft: Draft) -> list[Finding]:
        """Two jobs that say one runId at about the same time (a producer's fault): both are kept, the second is flagged."""
        if not draft.run_id or not draft.job:
            return []
        first = self._job_of.setdefault(draft.run_id, draft.job)
        if len(self._job_of) > REMEMBERED_RUNS:
            del self._job_of[next(iter(self._job_of))]
        if first == draft.job:
            return []
        text = f"runId {draft.run_id[:80]} is said by {first[:200]} and by {draft.job[:200]}: two runs"
        return [Finding("runId-of-two-jobs", text)]


@lru_cache(maxsize=65_536)
def hash_of(key: str) -> int:
    """63 bits name a node well enough: a collision would show a record too many, never lose one."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True) >> 1

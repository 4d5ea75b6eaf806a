"""The record log as one principal sees it: records about what they see, without the names of what they do not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from headwater_server.auth.policy import Permission
from headwater_server.auth.sight import Sight, names_of
from headwater_server.graph import keys, names
from headwater_server.log.leaf import Leaf
from headwater_server.log.port import ALL, Conformance, Evidence, Record, RecordReader, Which
from headwater_server.log.tree import Tree

_BATCH = 500
_MOST = 100_000
"""Records that are looked at for one count."""
_CURATED = ("registry.", "curation.")


class SeenLog:
    """A view that reads like a log."""

    def __init__(self, log: RecordReader, sight: Sight) -> None:
        self._log = log
        self._sight = sight
        self._audits = sight.principal.everywhere(Permission.AUDIT)
        self.instance = log.instance

    @property
    def edition(self) -> str:
        return self._log.edition

    def head(self) -> int:
        return self._log.head()

    def read(self, after: int, *, limit: int, kinds: Sequence[str] = ()) -> list[Record]:
        found: list[Record] = []
        while len(found) < limit:
            records = self._log.read(after, limit=_BATCH, kinds=kinds)
            found += self._shown(records)
            if len(records) < _BATCH:
                break
            after = records[-1].seq
        return found[:limit]

    def get(self, seq: int) -> Record | None:
        record = self._log.get(seq)
        return next(iter(self._shown([record] if record else [])), None)

    def recent(self, which: Which = ALL, *, limit: int) -> list[Record]:
        if which.about is not None and not self._sight.key(which.about):
            return []
        found: list[Record] = []
        for records in self._newest(which):
            found += self._shown(records)
            if len(found) >= limit:
                break
        return found[:limit]

    def about(self, keys: Sequence[str]) -> list[int]:
        return self._log.about([key for key in keys if self._sight.key(key)])

    def count(self, which: Which = ALL) -> int:
        """Of the newest 100,000 records, unless all are seen."""
        if which.about is not None and not self._sight.key(which.about):
            return 0
        if self._sight.all and self._audits:
            return self._log.count(which)
        total = looked = 0
        for records in self._newest(which):
            total += sum(self._sees(record) for record in records)
            looked += len(records)
            if looked >= _MOST:
                break
        return total

    def mutations(self) -> list[str]:
        return self._log.mutations()

    def first_at(self, moment: int) -> int:
        return self._log.first_at(moment)

    def findings_of(self, seq: int) -> list[str]:
        return self._log.findings_of(seq) if self.get(seq) is not None else []

    def conformance(
        self, *, producer: str | None = None, after: tuple[str, str] | None = None, limit: int
    ) -> list[Conformance]:
        """Their texts name things: for those alone who see everything."""
        return self._log.conformance(producer=producer, after=after, limit=limit) if self._sight.all else []

    def producers(self) -> Iterator[str]:
        return self._log.producers() if self._sight.all else iter(())

    def tree(self) -> Tree:
        return self._log.tree()

    def leaves(self, after: int, *, limit: int) -> list[Leaf]:
        """Their hashes; what was hashed is for auditors."""
        leaves = self._log.leaves(after, limit=limit)
        return leaves if self._audits else [replace(leaf, data=b"", salt=None) for leaf in leaves]

    def tiles(self, first: int, end: int) -> list[bytes]:
        return self._log.tiles(first, end)

    def extent(self) -> tuple[int, int]:
        return self._log.extent()

    def evidence(self, first: int, end: int) -> list[Evidence]:
        """For auditors who see everything."""
        return self._log.evidence(first, end) if self._audits and self._sight.all_sensitive else []

    def close(self) -> None:
        """The log is another's to close."""

    def _newest(self, which: Which) -> Iterator[list[Record]]:
        while True:
            records = self._log.recent(which, limit=_BATCH)
            yield records
            if len(records) < _BATCH:
                return
            which = replace(which, before=records[-1].seq)

    def _shown(self, records: Sequence[Record]) -> list[Record]:
        return [self._veiled(record) for record in records if self._sees(record)]

    def _sees(self, record: Record) -> bool:
        if record.kind == "openlineage" or record.kind.startswith(_CURATED):
            if self._sight.all:
                return True
            if record.job:
                return self._sight.key(record.job)
            said = _about(record)
            return bool(said) and all(self._sight.key(key) for key in said)
        return self._audits

    def _veiled(self, record: Record) -> Record:
        if self._sight.all_sensitive or not record.body:
            return record
        sensitive = bool(record.job) and self._sight.sensitive(record.job)
        if self._sight.all and sensitive:
            return record
        body = self._sight.json(orjson.loads(record.body), sensitive=sensitive)
        return replace(record, body=orjson.dumps(body))


def _about(record: Record) -> list[str]:
    """Keys of what a record without a job is about."""
    body: Any = orjson.loads(record.body) if record.body else {}
    if record.kind == "openlineage":
        dataset = body.get("dataset") or {}
        return [keys.dataset(*names.normal(str(dataset.get("namespace")), str(dataset.get("name"))))]
    return names_of(body)

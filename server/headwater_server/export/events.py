"""The closed set of OpenLineage events behind a node: ingesting it elsewhere gives the same graph of it.

Closed upstream and downstream: all records of every job in the node's flow, now and in the past, of the runs
above them, and every record without a job that speaks of one of the datasets.
"""

from collections.abc import Iterator

from headwater_server.graph import keys
from headwater_server.graph.words import COLUMN_FLOW, PAST, TABLE_FLOW, EdgeKind, Kind
from headwater_server.log.port import RecordReader
from headwater_server.store.port import Direction, GraphStore

_FLOW = TABLE_FLOW | COLUMN_FLOW | {EdgeKind.FEEDS_WHOLE} | set(PAST.values())
_ALL = 1_000_000


def events_behind(key: str, *, store: GraphStore, log: RecordReader) -> Iterator[bytes]:
    """Bodies as they were accepted, one line each, in the order in which they were."""
    wanted = _flow(key, store)
    jobs = {k for k in wanted if keys.kind_of(k) is Kind.JOB}
    datasets = {k for k in wanted if keys.kind_of(k) is Kind.DATASET}
    by_job = set(log.about(sorted(jobs)))
    seqs = by_job | set(log.about(sorted(datasets)))
    for seq in sorted(seqs):
        record = log.get(seq)
        if record is None or record.kind != "openlineage" or record.erased is not None:
            continue
        if seq in by_job or not record.job:
            # A line break in JSON is white space (RFC 8259), here it would end the event.
            yield record.body.replace(b"\n", b" ").replace(b"\r", b" ")


def _flow(key: str, store: GraphStore) -> set[str]:
    start = {key}
    kind = keys.kind_of(key)
    if kind is Kind.COLUMN:
        start.add(keys.dataset_of(key))
    elif kind is Kind.RUN:
        start = {keys.job_of(key)}
    found = set(start)
    for one in start:
        if keys.kind_of(one) is Kind.JOB:
            steps = store.expand([one], Direction.UPSTREAM, [EdgeKind.STEP_OF])
            found |= {e.source for e in steps}
    for direction in Direction:
        found |= store.reach(found, direction, _FLOW, max_depth=1_000, limit=_ALL).keys()
    walked = [k for k in found if keys.kind_of(k) is Kind.STEP]
    found |= {e.target for e in store.expand(walked, Direction.DOWNSTREAM, [EdgeKind.STEP_OF])}
    jobs = {k for k in found if keys.kind_of(k) is Kind.JOB}
    while jobs:  # what a job belongs to: an application, a DAG
        above = store.expand(jobs, Direction.DOWNSTREAM, [EdgeKind.CHILD_OF])
        jobs = {e.target for e in above} - found
        found |= jobs
    return found

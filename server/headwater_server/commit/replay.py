"""The graph made again from the log, by nobody but the process that has both."""

from collections.abc import Callable, Mapping

from headwater_server.log.port import RecordLog
from headwater_server.project.projector import Parsed, Projector, Translate
from headwater_server.store.port import GraphStore

_AT_ONCE = 1_000


def rebuild(
    log: RecordLog,
    store: GraphStore,
    translators: Mapping[str, Translate],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Empty the graph and replay the log into it; the number of records."""
    store.reset()
    projector = Projector(store, translators, log=log.edition)
    seq = 0
    while records := log.read(seq, limit=_AT_ONCE):
        projector.project([Parsed.of(record) for record in records])
        seq = records[-1].seq
        progress(seq)
    return seq

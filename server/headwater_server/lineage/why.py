"""Who said that an edge exists: every piece of evidence, oldest first."""

from collections.abc import Callable

from headwater_server.lineage.shapes import Evidence
from headwater_server.store.port import GraphStore


def why(
    ref: str,
    store: GraphStore,
    *,
    to: str,
    run_records: Callable[[list[str]], dict[str, tuple[int, int]]] | None = None,
) -> tuple[Evidence, ...]:
    """`run_records` tells the first and the last record of each run, by the run's key."""
    raise NotImplementedError

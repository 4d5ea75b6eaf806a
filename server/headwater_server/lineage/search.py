"""Finding things by words, narrowed by `tag:`, `namespace:`, `owner:` terms, with counts beside."""

from collections.abc import Sequence

from headwater_server.lineage.shapes import EntityKind, LineageFilter, SearchConnection
from headwater_server.store.port import GraphStore


def search(
    query: str,
    store: GraphStore,
    *,
    kinds: Sequence[EntityKind] = (),
    only: LineageFilter | None = None,
    first: int = 20,
    after: str | None = None,
) -> SearchConnection:
    raise NotImplementedError

"""A moment as people write it: an instant, a while ago, or when a version was made."""

from headwater_server.store.port import GraphStore


def moment(text: str, store: GraphStore, *, now: int) -> int:
    """Microseconds of an ISO instant, of `P7D` before `now`, or of a version's creation.

    Raises:
        Invalid: none of these.

    """
    raise NotImplementedError

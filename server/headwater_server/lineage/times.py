"""A moment as people write it: an instant, a while ago, or when a version was made."""

import re

from headwater_server.errors import Invalid, NotFound
from headwater_server.graph import times
from headwater_server.graph.words import Kind
from headwater_server.lineage.refs import resolve
from headwater_server.store.port import GraphStore

_DATED = frozenset({Kind.DATASET_VERSION, Kind.MODEL_VERSION, Kind.JOB_VERSION})
_LOOKS_LIKE_A_DATE = re.compile(r"\d{4}-\d\d")


def moment(text: str, store: GraphStore, *, now: int) -> int:
    """Microseconds of an ISO instant, of `P7D` before `now`, or of a version's creation.

    Raises:
        Invalid: none of these.

    """
    text = text.strip()
    if (back := times.period(text)) is not None:
        return now - back
    try:
        return times.parse(text)
    except ValueError as bad:
        if _LOOKS_LIKE_A_DATE.match(text):
            raise Invalid(f"{bad}. Write a moment as 2026-01-31T12:00:00Z, P7D or a version's id.") from bad
    try:
        node = resolve(text, store)
    except NotFound as missing:
        raise Invalid(
            f"{text!r} is no moment. Write 2026-01-31T12:00:00Z, P7D or a version's id.",
            **missing.details,
        ) from missing
    created = node.props.get("created")
    if node.kind not in _DATED or not isinstance(created, int):
        raise Invalid(f"{text!r} is a {node.kind}, which has no moment of its own. Give a version's id.")
    return created

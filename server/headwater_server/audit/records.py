"""What audit commands write down: erasures, purges, changes of keys. They say nothing of the graph. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from headwater_server.audit.keys import ROTATION
from headwater_server.graph.facts import Facts
from headwater_server.project.projector import ERASED

ERASE: Final = "audit.erase"
PURGE: Final = "audit.purge"


def nothing(body: Any, seq: int) -> Mapping[str, Facts]:
    del body, seq
    return {}


TRANSLATORS = {ERASE: nothing, PURGE: nothing, ROTATION: nothing, ERASED: nothing}


def ranges(seqs: Iterable[int]) -> list[list[int]]:
    """`[[first, last], …]` in order."""
    found: list[list[int]] = []
    for seq in sorted(set(seqs)):
        if found and found[-1][1] == seq - 1:
            found[-1][1] = seq
        else:
            found.append([seq, seq])
    return found


def names(body: Mapping[str, Any], seq: int) -> bool:
    """Does an erasure's record name this one?"""
    return any(first <= seq <= last for first, last in body.get("records", ()))

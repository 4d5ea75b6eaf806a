"""Runs that say they are running and cannot be: nobody will ever tell us how they ended."""

from collections.abc import Iterable, Sequence
from statistics import median

from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.lineage.shapes import RunState
from headwater_server.store.port import GraphStore

_DAY = 86_400_000_000
_TIMES_USUAL = 10
_RECENT = 10
_UNENDING = frozenset({"STREAMING", "SERVICE"})
_STATES = {
    "START": RunState.RUNNING,
    "RUNNING": RunState.RUNNING,
    "COMPLETE": RunState.COMPLETE,
    "ABORT": RunState.ABORT,
    "FAIL": RunState.FAIL,
    "NEW": RunState.NEW,
}
_ENDED = frozenset({"C", "T", "F"})


def told_state(run: Node) -> RunState:
    """What its events said; NEW: it is only named by others."""
    state = _STATES.get(str(run.props.get("state")))
    return state or (RunState.RUNNING if run.mark == "R" else RunState.NEW)


def states(runs: Sequence[Node], store: GraphStore, *, now: int) -> dict[str, RunState]:
    """The state of each run at this moment.

    A run is LOST when its parent or root has ended, or when it is a batch that runs for more than a day and
    for more than ten times what its job usually takes.
    """
    found = {run.key: told_state(run) for run in runs}
    running = [run for run in runs if found[run.key] is RunState.RUNNING]
    if not running:
        return found
    above = {str(key) for run in running for name in ("parent", "root") if (key := run.props.get(name))}
    known = store.get({*above, *(run.group for run in running)})
    usual: dict[str, int] = {}
    for run in running:
        ended = (known.get(str(run.props.get(name))) for name in ("parent", "root"))
        if any(other is not None and other.mark in _ENDED and other.key != run.key for other in ended):
            if not _unending(run, known.get(run.group)):
                found[run.key] = RunState.LOST
            continue
        if _age(run, now) <= _DAY or _unending(run, known.get(run.group)):
            continue
        if run.group not in usual:
            recent = store.page(Kind.RUN, marks=("C", "T"), group=run.group, reverse=True, limit=_RECENT)
            usual[run.group] = _usual(recent)
        if _age(run, now) > _TIMES_USUAL * usual[run.group]:
            found[run.key] = RunState.LOST
    return found


def _usual(recent: Iterable[Node]) -> int:
    took = [
        ended - started
        for run in recent
        if isinstance(started := run.props.get("started"), int)
        and isinstance(ended := run.props.get("ended"), int)
    ]
    return int(median(took)) if took else 0


def _age(run: Node, now: int) -> int:
    began = run.props.get("started") or run.props.get("first")
    return now - began if isinstance(began, int) else 0


def _unending(run: Node, job: Node | None) -> bool:
    told = run.props.get("processingType") or (job.props.get("processingType") if job else None)
    return str(told).upper() in _UNENDING

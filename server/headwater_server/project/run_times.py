"""When a run began, when and how it ended. Pure."""

from dataclasses import dataclass

from headwater_server.graph.facts import Facts
from headwater_server.project.tracked import STATES, is_tracked, status_of

TERMINAL = ("FAIL", "ABORT", "COMPLETE")


@dataclass(frozen=True, slots=True)
class RunTimes:
    """When a run began, ended and how: see `run_times`."""

    state: str
    begin: int
    started: int | None
    ended: int | None


def run_times(facts: Facts) -> RunTimes:
    """FAIL > ABORT > COMPLETE whatever their times (Spark sends FAIL, then COMPLETE 20 ms later); only a
    later START opens a new attempt. A START of the same time as a terminal is not later.
    """
    begin = facts.first.get("begin", facts.first.get("named", 0))
    if is_tracked(facts):  # its client says how it stands, and may open it again
        status, ended_at = status_of(facts)
        end = ended_at * 1_000 if ended_at is not None else None
        return RunTimes(STATES[status], begin, begin, end)
    started = facts.first.get("at|START")
    attempt = facts.last.get("at|START", -(2**62))
    for state in TERMINAL:
        ended = facts.last.get(f"at|{state}")
        if ended is not None and ended >= attempt:
            return RunTimes(state, begin, started, ended)
    if "begin" not in facts.first:
        return RunTimes("NEW", begin, None, None)
    return RunTimes("RUNNING", begin, started, None)

"""What a job does now: its newest complete run's flow, what newer runs in flight add, or the next best word. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from headwater_server.project.flow import Step, step_edges, step_nodes
from headwater_server.project.said import Derived
from headwater_server.project.timeline import Place

MAX_FLIGHTS = 16
"""Runs in flight that count: the newest. A job that only ever starts would have no end of them."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A run (or a declaration) with the flow it tells."""

    run: str
    begin: int
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class JobView:
    """The runs that make up a job's present; the cost of it does not grow with the job's runs."""

    latest: Place | None = None
    """The newest complete run that says something."""
    opener: Place | None = None
    """The turn that opened the flow of `latest`."""
    flights: tuple[tuple[str, str], ...] = ()
    """(sort, key) of the newest runs in flight behind `latest`, in order; silent ones too, so that what is
    cut off depends on the runs alone and not on when somebody looked."""
    failed: tuple[str, str] | None = None
    """The newest failed run; of interest only while nothing completed."""


def derive_current(
    complete: Speaker | None,
    flights: Sequence[Speaker],
    failed: Speaker | None,
    declared: Speaker | None,
) -> Derived:
    """`complete.begin` is the begin of the run that opened the flow, `complete.run` that run."""
    told: dict[str, tuple[Step, int, str]] = {}
    base: list[Step] = []
    if complete is not None:
        base = list(complete.steps)
        told = {s.key: (s, complete.begin, complete.run) for s in base}
    elif failed is not None and failed.steps:
        told = {s.key: (s, failed.begin, failed.run) for s in failed.steps}
    for flight in flights:
        for step in flight.steps:
            if step.key not in told and not any(b.covers(step) for b in base):
                told[step.key] = step, flight.begin, flight.run
    if not told and declared is not None:
        told = {s.key: (s, declared.begin, "") for s in declared.steps}
    derived = Derived([], [])
    for step, since, run in told.values():
        derived.nodes += step_nodes(step)
        derived.edges += step_edges(step, since=since, run=run)
    return derived

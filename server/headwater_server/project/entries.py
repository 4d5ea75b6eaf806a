"""What the projector knows of an entity and of a job's present; all of it can be read again from the store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from headwater_server.graph.facts import Facts
from headwater_server.project.batch import NOTHING, Batch, Picture
from headwater_server.project.current import JobView
from headwater_server.project.history import Flow
from headwater_server.project.timeline import Place, Turn

STRAIGHT = Turn(turns=False)
SILENT = Flow()
NO_RUNS = JobView()


@dataclass(slots=True)
class Entry:
    """What is known of one entity: its facts and what they were derived to."""

    facts: Facts
    picture: Picture = NOTHING
    flow: Flow = SILENT
    place: Place | None = None
    turn: Turn = STRAIGHT

    def again(self, facts: Facts | None = None) -> "Entry":
        return Entry(facts or self.facts, self.picture, self.flow, self.place, self.turn)


@dataclass(slots=True)
class JobEntry:
    """A job's present: which runs make it up and what they were derived to."""

    view: JobView = NO_RUNS
    picture: Picture = NOTHING
    said: tuple[object, ...] = ()
    """What the picture depends on: equal, then the picture is too."""


@dataclass(slots=True)
class Work:
    """Everything a batch touches; it becomes the cache when the store has taken it."""

    batch: Batch
    entries: dict[str, Entry] = field(default_factory=dict)
    jobs: dict[str, JobEntry] = field(default_factory=dict)


Sight: TypeAlias = Callable[[str], Entry | None]
"""Looks an entity up: as it is committed, or as the batch at hand makes it. To derive what *was*, only the
committed will do: a schema of this batch was not known then."""

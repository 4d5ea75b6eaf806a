"""What the registry tells: stages, aliases, transitions, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transition:
    """A version's move between stages. `at` in microseconds UTC; `from_stage` None: it was in none."""

    id: str
    version_key: str
    from_stage: str | None
    to_stage: str
    at: int
    by: str
    comment: str | None
    revision: int
    archived: tuple[str, ...]
    """Versions that left the stage for it."""


@dataclass(frozen=True, slots=True)
class AliasChange:
    model_key: str
    alias: str
    version_key: str | None
    previous_key: str | None
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class StageView:
    key: str
    name: str
    order: int
    exclusive: bool
    current: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AliasView:
    name: str
    version_key: str
    set_at: int
    set_by: str

"""What every execution is given, and the services it speaks to, as it sees them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from headwater_server.artifacts.port import ArtifactStore
from headwater_server.audit.service import Audit
from headwater_server.auth.policy import Principal
from headwater_server.commit.news import News
from headwater_server.log.port import RecordReader
from headwater_server.series.port import SeriesStore
from headwater_server.settings import Settings
from headwater_server.store.port import GraphStore
from headwater_server.tracking.service import Tracking


class TransitionView(Protocol):
    """A change of stage that has happened."""

    @property
    def id(self) -> str: ...
    @property
    def version_key(self) -> str: ...
    @property
    def from_stage(self) -> str | None: ...
    @property
    def to_stage(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def by(self) -> str: ...
    @property
    def comment(self) -> str | None: ...
    @property
    def revision(self) -> int: ...
    @property
    def archived(self) -> tuple[str, ...]: ...


class AliasChange(Protocol):
    @property
    def model_key(self) -> str: ...
    @property
    def alias(self) -> str: ...
    @property
    def version_key(self) -> str | None: ...
    @property
    def previous_key(self) -> str | None: ...
    @property
    def at(self) -> int: ...
    @property
    def by(self) -> str: ...


class StageView(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def exclusive(self) -> bool: ...
    @property
    def current(self) -> tuple[str, ...]: ...


class AliasView(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def version_key(self) -> str: ...
    @property
    def set_at(self) -> int: ...
    @property
    def set_by(self) -> str: ...


class FacetView(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def producer(self) -> str: ...
    @property
    def schema_url(self) -> str: ...
    @property
    def value(self) -> Any: ...
    @property
    def run_id(self) -> str | None: ...
    @property
    def observed_at(self) -> int: ...
    @property
    def deleted(self) -> bool: ...
    @property
    def restricted(self) -> bool: ...


class Registry(Protocol):
    """Every method raises errors of `headwater_server.errors` and returns when the graph shows the change."""

    def register_model(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] = {},
        stages: Sequence[tuple[str, bool]] | None = None,
        actor: str,
    ) -> str: ...

    def create_version(
        self,
        model: str,
        *,
        run_id: str | None = None,
        source_uri: str | None = None,
        content_hash: str | None = None,
        signature: Any = None,
        description: str | None = None,
        tags: Mapping[str, str | None] = {},
        trained_on: Sequence[str] = (),
        idempotency_key: str | None = None,
        actor: str,
    ) -> str: ...

    def transition(
        self,
        *,
        ref: str | None = None,
        model: str | None = None,
        version: str | None = None,
        to_stage: str,
        expected_revision: int | None = None,
        comment: str | None = None,
        archive_existing: bool | None = None,
        idempotency_key: str | None = None,
        actor: str,
    ) -> TransitionView: ...

    def set_alias(
        self, model: str, alias: str, *, version: str | None, expected_version: str | None, actor: str
    ) -> AliasChange: ...

    def stages(self, model_key: str) -> Sequence[StageView]: ...

    def aliases(self, model_key: str) -> Sequence[AliasView]: ...

    def history(self, version_key: str) -> Sequence[TransitionView]: ...

    def in_stage(
        self,
        stage_name: str,
        *,
        model_key: str | None = None,
        at: int | None = None,
        after: str | None = None,
        limit: int,
    ) -> list[str]: ...

    def trained_on(self, version_key: str) -> list[str]: ...

    def revision(self, model_key: str) -> int: ...


class Curation(Protocol):
    def tag(self, ref: str, *, set: Mapping[str, str | None], remove: Sequence[str], actor: str) -> str: ...  # noqa: A002

    def update(
        self,
        ref: str,
        *,
        description: str | None = None,
        owners: Sequence[str] | None = None,
        display_name: str | None = None,
        expected_updated_at: int | None = None,
        actor: str,
    ) -> str: ...

    def annotate(self, ref: str, *, body: str, actor: str) -> str: ...

    def archive(self, ref: str, *, reason: str | None = None, restore: bool = False, actor: str) -> str: ...

    def manual_edge(
        self,
        from_ref: str,
        to_ref: str,
        *,
        kind: str,
        note: str | None = None,
        remove: bool = False,
        actor: str,
    ) -> str: ...


def _no_script(run: str) -> str | None:
    del run
    return None


def _no_records(keys: list[str]) -> dict[str, tuple[int, int]]:
    del keys
    return {}


@dataclass(frozen=True, slots=True)
class Context:
    """One execution's: made anew for each request."""

    store: GraphStore
    log: RecordReader
    registry: Registry
    curation: Curation
    tracking: Tracking
    series: SeriesStore
    artifacts: ArtifactStore
    news: News
    facets: Callable[[str], Sequence[FacetView]]
    """The facets of a node, by its key."""
    updated: Callable[[str], int]
    """Newest event time of a node, by its key."""
    now: Callable[[], int]
    """Microseconds since 1970."""
    actor: str
    principal: Principal
    settings: Settings
    audit: Audit
    run_records: Callable[[list[str]], dict[str, tuple[int, int]]] = _no_records
    """First and last record of runs, by their keys."""
    script_of: Callable[[str], str | None] = _no_script
    """The script that a run ran, by its key."""
    office: Any = None
    """`commit.deadletters.DeadLetterOffice`."""
    commit: Any = None

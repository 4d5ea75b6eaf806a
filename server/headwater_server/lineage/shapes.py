"""The shapes of the answers: frozen values whose names are the API's, in snake case.

Times are microseconds since 1970 UTC. An `id` is `refs.encode_id(key)`. `entity`, `subject` and
`model_version` are nodes of the graph, for the caller to show as it likes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from headwater_server.graph.changes import Node


class LineageDirection(StrEnum):
    UPSTREAM = "UPSTREAM"
    DOWNSTREAM = "DOWNSTREAM"
    BOTH = "BOTH"


class Granularity(StrEnum):
    ENTITY = "ENTITY"
    DATASET = "DATASET"
    COLUMN = "COLUMN"
    VERSION = "VERSION"
    GROUP = "GROUP"


class GroupBy(StrEnum):
    NAMESPACE = "NAMESPACE"
    SCHEMA = "SCHEMA"
    PLATFORM = "PLATFORM"
    OWNER = "OWNER"
    TAG = "TAG"
    JOB_PARENT = "JOB_PARENT"


class EntityKind(StrEnum):
    DATASET = "DATASET"
    DATASET_VERSION = "DATASET_VERSION"
    COLUMN = "COLUMN"
    JOB = "JOB"
    JOB_VERSION = "JOB_VERSION"
    RUN = "RUN"
    EXPERIMENT = "EXPERIMENT"
    ARTIFACT = "ARTIFACT"
    REGISTERED_MODEL = "REGISTERED_MODEL"
    MODEL_VERSION = "MODEL_VERSION"
    DEPLOYMENT = "DEPLOYMENT"
    FEATURE = "FEATURE"
    DASHBOARD = "DASHBOARD"
    EXTERNAL = "EXTERNAL"


class RunState(StrEnum):
    NEW = "NEW"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    FAIL = "FAIL"
    LOST = "LOST"


class TransformationType(StrEnum):
    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"
    UNKNOWN = "UNKNOWN"


class EvidenceKind(StrEnum):
    EXPLICIT = "EXPLICIT"
    COLUMN = "COLUMN"
    CARTESIAN = "CARTESIAN"
    SQL = "SQL"
    DECLARED = "DECLARED"
    SYMLINK = "SYMLINK"
    MANUAL = "MANUAL"
    MLFLOW = "MLFLOW"


class ShownEdgeKind(StrEnum):
    """The API's EdgeKind; `graph.words.EdgeKind` is the store's."""

    READS = "READS"
    WRITES = "WRITES"
    DERIVES = "DERIVES"
    TRAINS = "TRAINS"
    REGISTERS = "REGISTERS"
    EVALUATES = "EVALUATES"
    DEPLOYS = "DEPLOYS"
    PARENT = "PARENT"
    SYMLINK = "SYMLINK"


class EdgeOrigin(StrEnum):
    EVENT = "EVENT"
    SQL_PARSED = "SQL_PARSED"
    MANUAL = "MANUAL"
    INFERRED = "INFERRED"


class ChangeKind(StrEnum):
    SCHEMA_CHANGE = "SCHEMA_CHANGE"
    COLUMN_DROP = "COLUMN_DROP"
    COLUMN_RENAME = "COLUMN_RENAME"
    COLUMN_TYPE = "COLUMN_TYPE"
    DATASET_DELETE = "DATASET_DELETE"
    DATASET_STALE = "DATASET_STALE"
    JOB_CHANGE = "JOB_CHANGE"
    JOB_FAIL = "JOB_FAIL"
    MODEL_RETIRE = "MODEL_RETIRE"
    QUALITY_FAIL = "QUALITY_FAIL"


class Severity(StrEnum):
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True)
class LineageFilter:
    """What of the graph to show; an empty list asks for nothing in particular."""

    kinds: tuple[EntityKind, ...] = ()
    namespaces: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    transformation: TransformationType | None = None
    seen_after: int | None = None
    include_archived: bool = False
    stop_at: tuple[str, ...] = ()
    """Refs: shown, but not walked through."""


# Rows are tuples, as nodes and edges of the graph are: an answer makes tens of thousands.
class LineageNode(NamedTuple):
    id: str
    urn: str
    kind: EntityKind
    name: str
    namespace: str | None
    platform: str | None
    depth: int
    """Shown hops from the root, in whichever direction: never negative."""
    upstream_count: int
    downstream_count: int
    hidden_upstream: int
    hidden_downstream: int
    parent_id: str | None
    group_id: str | None
    status: RunState | None
    stage: str | None
    tags: tuple[str, ...]
    column_count: int | None
    archived: bool
    updated_at: int | None
    key: str
    """The graph's own key, to load the full object by."""
    restricted: bool = False
    """There, but who asks may not know what it is."""


class LineageEdge(NamedTuple):
    source: str
    target: str
    kind: ShownEdgeKind
    evidence: EvidenceKind
    transformation: TransformationType | None
    subtype: str | None
    masking: bool
    via: str | None
    confidence: float
    origin: EdgeOrigin
    first_seen: int
    last_seen: int
    count: int  # type: ignore[assignment]  # of a tuple it would be a method; this one is a row
    weight: float | None = None
    """The share of the model's importance that the column carries; None: not known, or no feature."""


@dataclass(frozen=True, slots=True)
class LineageGroup:
    id: str
    label: str
    parent_id: str | None
    node_count: int
    kinds: tuple[EntityKind, ...]


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """Flat: a node appears once. Where it is rolled up, each group also stands as a node of its id."""

    root: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    groups: tuple[LineageGroup, ...]
    as_of: int
    granularity: Granularity
    total_nodes: int
    total_edges: int
    truncated: bool
    truncated_reason: str | None
    """MAX_NODES or DEADLINE. Depth does not truncate: `frontier` says where it ended."""
    frontier: tuple[str, ...]
    """Ids of shown nodes that have neighbours which are not shown."""


@dataclass(frozen=True, slots=True)
class LineagePath:
    length: int
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    text: str


@dataclass(frozen=True, slots=True)
class LineageDiff:
    from_: int
    to: int
    graph: LineageGraph
    """As it is at `to`."""
    added_nodes: tuple[str, ...]
    removed_nodes: tuple[str, ...]
    added_edges: tuple[int, ...]
    """Indices into `graph.edges`."""
    removed_edges: tuple[LineageEdge, ...]


@dataclass(frozen=True, slots=True)
class ImpactReason:
    code: str
    text: str
    evidence: tuple[str, ...]
    """Ids."""


@dataclass(frozen=True, slots=True)
class ImpactItem:
    entity: Node
    severity: Severity
    score: float
    distance: int
    reasons: tuple[ImpactReason, ...]
    path: LineagePath
    alternative_paths: int
    """How many other shown neighbours the change arrives through; whole paths are not counted."""
    columns: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class KindCount:
    kind: EntityKind
    count: int


@dataclass(frozen=True, slots=True)
class SeverityCount:
    severity: Severity
    count: int


@dataclass(frozen=True, slots=True)
class ImpactSummary:
    by_kind: tuple[KindCount, ...]
    by_severity: tuple[SeverityCount, ...]
    production_models: tuple[Node, ...]
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImpactReport:
    subject: Node
    change: ChangeKind
    as_of: int
    items: tuple[ImpactItem, ...]
    """All of them, worst first; the caller pages."""
    summary: ImpactSummary
    truncated: bool
    markdown: str


@dataclass(frozen=True, slots=True)
class AffectedModel:
    model_version: Node
    stage_name: str | None
    distance: int
    columns: tuple[Node, ...]
    path: LineagePath


@dataclass(frozen=True, slots=True)
class AffectedModels:
    items: tuple[AffectedModel, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class SqlSpan:
    """A piece of a script; lines and columns count from one."""

    text: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason to believe an edge."""

    kind: EvidenceKind
    producer: str | None
    first_seq: int
    last_seq: int
    first_seen: int
    last_seen: int
    run_id: str | None
    current: bool
    confidence: float
    note: str | None
    job: str | None
    """Key of the job whose run said it."""
    run: str | None
    """Key of the run that opened the interval."""
    sql: SqlSpan | None = None
    """Where the script says it."""


@dataclass(frozen=True, slots=True)
class SearchMatch:
    field: str
    snippet: str
    ranges: tuple[int, ...]
    """Start and end of each match in the snippet, one after the other."""


@dataclass(frozen=True, slots=True)
class SearchEdge:
    cursor: str
    node: Node
    score: float
    matched: tuple[SearchMatch, ...]


@dataclass(frozen=True, slots=True)
class SearchFacetValue:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchFacet:
    field: str
    values: tuple[SearchFacetValue, ...]


@dataclass(frozen=True, slots=True)
class SearchConnection:
    edges: tuple[SearchEdge, ...]
    has_next_page: bool
    has_previous_page: bool
    total_count: int
    facets: tuple[SearchFacet, ...]
    did_you_mean: str | None

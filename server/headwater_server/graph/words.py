"""The words of the graph: kinds of node, kinds of edge, which of them carry flow, and which properties each may have."""

from enum import StrEnum


class Kind(StrEnum):
    """What a node is. The value is the label in Neo4j and the first part of a key."""

    NAMESPACE = "Namespace"
    DATASET = "Dataset"
    DATASET_VERSION = "DatasetVersion"
    COLUMN = "Column"
    JOB = "Job"
    JOB_VERSION = "JobVersion"
    RUN = "Run"
    STEP = "Step"
    STATEMENT = "Statement"
    MODEL = "Model"
    MODEL_VERSION = "ModelVersion"
    STAGE = "Stage"
    ALIAS = "Alias"
    ANNOTATION = "Annotation"
    EXPERIMENT = "Experiment"
    PARAM_KEY = "ParamKey"
    METRIC_KEY = "MetricKey"
    LOGGED_MODEL = "LoggedModel"
    CODE_VERSION = "CodeVersion"
    PACKAGE = "Package"


class EdgeKind(StrEnum):
    """How nodes are joined. Flow edges point the way data flows: downstream is along the arrows."""

    # Flow now: what a walk of the present follows.
    INPUT_OF = "INPUT_OF"  # Dataset | Model | Stage | Alias | Job -> Step
    OUTPUTS = "OUTPUTS"  # Step -> Dataset | Model | ModelVersion
    FEEDS_WHOLE = "FEEDS_WHOLE"  # Dataset -> Step that does not say which column goes where
    DERIVES = "DERIVES"  # Column -> Column, DIRECT
    AFFECTS = "AFFECTS"  # Column -> Column | Dataset, INDIRECT
    FEATURE_OF = "FEATURE_OF"  # Column -> ModelVersion
    NOW_IN = "NOW_IN"  # ModelVersion -> Stage
    NOW_AT = "NOW_AT"  # ModelVersion -> Alias
    SERVES = "SERVES"  # Stage -> Model: what stands in a stage is what the model's name serves
    SYMLINK = "SYMLINK"  # Dataset -> Dataset, always in both directions: two names of one thing
    # The same flow in the past: [since, until) by event time.
    WAS_INPUT_OF = "WAS_INPUT_OF"
    DID_OUTPUT = "DID_OUTPUT"
    DID_FEED_WHOLE = "DID_FEED_WHOLE"
    DID_DERIVE = "DID_DERIVE"
    DID_AFFECT = "DID_AFFECT"
    IN_STAGE = "IN_STAGE"  # ModelVersion -> Stage, every interval, the open one too
    POINTED_TO = "POINTED_TO"  # ModelVersion -> Alias, every interval, the open one too
    # Structure and evidence: never walked by the current view.
    STEP_OF = "STEP_OF"  # Step -> Job
    HAS_COLUMN = "HAS_COLUMN"  # Dataset -> Column, Column -> Column (nested)
    VERSION_OF = "VERSION_OF"  # DatasetVersion -> Dataset, JobVersion -> Job, ModelVersion -> Model
    STAGE_OF = "STAGE_OF"  # Stage | Alias -> Model
    RUN_OF = "RUN_OF"  # Run -> JobVersion | Job
    CHILD_OF = "CHILD_OF"  # Run -> Run, Job -> Job
    PRECEDES = "PRECEDES"  # Job -> Job: schedule (jobDependencies), not data
    READ = "READ"  # Run -> DatasetVersion when the producer names it, else -> Dataset
    WROTE = "WROTE"  # Run -> DatasetVersion
    PRODUCED = "PRODUCED"  # Run -> ModelVersion
    TRAINED_ON = "TRAINED_ON"  # ModelVersion -> DatasetVersion | Dataset
    ANNOTATES = "ANNOTATES"  # Annotation -> any
    HAS_RUN = "HAS_RUN"  # Experiment -> Run
    HAS_PARAM = "HAS_PARAM"  # Run -> ParamKey: its value
    HAS_METRIC = "HAS_METRIC"  # Run -> MetricKey: what all its points come to
    RAN_CODE = "RAN_CODE"  # Run -> CodeVersion
    LOGGED = "LOGGED"  # Run -> LoggedModel it made
    USED_MODEL = "USED_MODEL"  # Run -> LoggedModel
    OF_MODEL = "OF_MODEL"  # ModelVersion -> LoggedModel
    NEEDS = "NEEDS"  # LoggedModel -> Package, with what it says of its version
    EVALUATED_ON = "EVALUATED_ON"  # LoggedModel -> Dataset, as it was then: a metric's value there


PAST: dict[EdgeKind, EdgeKind] = {
    EdgeKind.INPUT_OF: EdgeKind.WAS_INPUT_OF,
    EdgeKind.OUTPUTS: EdgeKind.DID_OUTPUT,
    EdgeKind.FEEDS_WHOLE: EdgeKind.DID_FEED_WHOLE,
    EdgeKind.DERIVES: EdgeKind.DID_DERIVE,
    EdgeKind.AFFECTS: EdgeKind.DID_AFFECT,
}
"""Where a flow edge goes when it ends."""

TABLE_FLOW = frozenset(
    {
        EdgeKind.INPUT_OF,
        EdgeKind.OUTPUTS,
        EdgeKind.SYMLINK,
        EdgeKind.NOW_IN,
        EdgeKind.NOW_AT,
        EdgeKind.SERVES,
    }
)
"""What a walk of whole tables and models follows now."""

COLUMN_FLOW = frozenset({EdgeKind.DERIVES, EdgeKind.AFFECTS, EdgeKind.FEATURE_OF})
"""What a walk follows from a column node now (see `lineage.walk` for where columns end)."""


def at_any_time(kinds: frozenset[EdgeKind]) -> frozenset[EdgeKind]:
    """The same flow with its past: to be read with an `at`, which picks the edges of that moment.

    NOW_IN and NOW_AT are left for their interval twins, which hold the present too.
    """
    past = {PAST[k] for k in kinds if k in PAST}
    if EdgeKind.NOW_IN in kinds:
        past |= {EdgeKind.IN_STAGE, EdgeKind.POINTED_TO}
    return frozenset((kinds - {EdgeKind.NOW_IN, EdgeKind.NOW_AT}) | past)


PROPS: dict[Kind, tuple[str, ...]] = {
    Kind.NAMESPACE: ("name",),
    Kind.DATASET: (
        "namespace", "name", "description", "owners", "tags", "type", "lifecycle", "uri", "source",
        "created", "facets", "symlinks", "primary", "archived", "displayName",
    ),
    Kind.DATASET_VERSION: (
        "dataset", "version", "created", "schemaHash", "run", "rows", "bytes", "lifecycle",
    ),
    Kind.COLUMN: (
        "namespace", "dataset", "name", "type", "ordinal", "description", "tags", "parent", "first",
        "retired", "owners", "archived", "displayName", "masked",
    ),
    Kind.JOB: (
        "namespace", "name", "description", "owners", "tags", "jobType", "integration",
        "processingType", "parent", "sourceCodeUrl", "created", "facets", "archived",
        "displayName", "unit", "declared",
    ),
    Kind.JOB_VERSION: ("job", "version", "created", "gitCommit", "codeHash", "flow", "inputs", "outputs"),
    Kind.RUN: (
        "runId", "job", "state", "started", "ended", "nominalStart", "nominalEnd", "error",
        "errorLanguage", "parent", "root", "facets", "flow", "producer", "description", "tags",
        "owners", "archived", "displayName", "first", "processingType", "until",
        "experiment", "status", "user", "artifacts", "unlinked", "traces", "lastTrace",
    ),
    Kind.STEP: ("job", "owner", "evidence", "producer"),
    Kind.STATEMENT: (),
    Kind.MODEL: (
        "name", "description", "owners", "tags", "created", "archived", "displayName", "revision",
    ),
    Kind.MODEL_VERSION: (
        "model", "number", "description", "owners", "tags", "created", "archived", "displayName",
        "sourceUri", "contentHash", "signature", "run", "by", "stage", "aliases", "loggedModel",
    ),
    Kind.STAGE: ("model", "name", "order", "exclusive"),
    Kind.ALIAS: ("model", "name"),
    Kind.ANNOTATION: ("subject", "body", "author", "created"),
    Kind.EXPERIMENT: (
        "name", "job", "description", "owners", "tags", "created", "archived", "displayName", "artifacts",
        "traces", "lastTrace",
    ),
    Kind.PARAM_KEY: ("experiment", "name"),
    Kind.METRIC_KEY: ("experiment", "name"),
    Kind.LOGGED_MODEL: (
        "experiment", "name", "run", "modelType", "status", "description", "owners", "tags", "created",
        "archived", "displayName", "artifacts", "flavors", "mlflowVersion", "python", "bytes", "features",
        "targets", "unread", "traces", "lastTrace",
    ),
    Kind.CODE_VERSION: ("commit", "repo"),
    Kind.PACKAGE: ("name",),
}
"""Every property a node of a kind may have (an adapter names them one by one)."""

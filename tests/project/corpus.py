"""Made-up events of a few jobs on a few tables, drawn so that they meet, contradict and repeat each other."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

from tests.openlineage import said
from tests.openlineage.said import JOBS, NS, Json, facet, source

T = TypeVar("T")
TABLES = ("a", "b", "c")
JOB_NAMES = ("load", "merge")
RUNS = tuple(f"run {n}" for n in range(6))
MINUTES = st.integers(0, 7)
CHANGES = ("CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE", "OVERWRITE")
TYPES = (*["START"] * 3, "RUNNING", *["COMPLETE"] * 5, "FAIL", "ABORT", "OTHER")


def _some(name: str, what: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Mostly absent: a facet now and then."""
    return st.one_of(st.just({}), st.just({}), what.map(lambda value: {name: value}))


def _together(*parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.tuples(*parts).map(lambda some: {k: v for one in some for k, v in one.items()})


def _identity(name: str) -> Json:
    return {"namespace": NS, "name": name}


TABLE = st.sampled_from(TABLES)
INDIRECT: Json = {"type": "INDIRECT", "subtype": "JOIN"}
COLUMN = st.sampled_from(
    [source("a.x"), source("b.y", **INDIRECT), source("a.x", type="DIRECT", masking=True), source("c.z")]
)
COLUMN_LINEAGE = st.fixed_dictionaries(
    {
        "fields": st.dictionaries(
            st.sampled_from("xyz"), st.fixed_dictionaries({"inputFields": st.lists(COLUMN, max_size=2)})
        ),
        "dataset": st.lists(st.just(source("b.y", **INDIRECT)), max_size=1),
    }
).map(lambda given: facet(**given))
LIFECYCLE = st.tuples(st.sampled_from(CHANGES), TABLE).map(
    lambda drawn: facet(lifecycleStateChange=drawn[0], previousIdentifier=_identity(drawn[1]))
)
ENDS = st.one_of(
    TABLE.map(lambda name: {"type": "DATASET", **_identity(name)}),
    st.just({"type": "JOB"}),
    st.just({"type": "JOB", "namespace": JOBS, "name": "merge"}),
)
LINEAGE = st.lists(
    st.tuples(ENDS, st.lists(ENDS, max_size=2)).map(lambda drawn: {**drawn[0], "inputs": drawn[1]}),
    max_size=2,
).map(lambda entries: facet(entries=entries))
DATASET_FACETS = _together(
    _some(
        "schema", st.lists(st.sampled_from("xyz"), min_size=1, unique=True).map(lambda f: said.columns(*f))
    ),
    _some("columnLineage", COLUMN_LINEAGE),
    _some("lifecycleStateChange", LIFECYCLE),
    _some("symlinks", TABLE.map(lambda name: facet(identifiers=[{**_identity(name), "type": "TABLE"}]))),
    _some("version", st.sampled_from("12").map(lambda v: facet(datasetVersion=v))),
    _some("documentation", st.sampled_from([facet(description="one"), facet(_deleted=True)])),
    _some("tags", st.sampled_from("pq").map(lambda k: facet(tags=[{"key": k, "value": "1"}]))),
    _some(
        "lineage",
        st.lists(TABLE, max_size=2).map(lambda names: facet(inputs=[_identity(name) for name in names])),
    ),
)
USED = st.tuples(
    TABLE,
    DATASET_FACETS,
    _some("outputStatistics", st.integers(0, 2).map(lambda rows: facet(rowCount=rows))),
).map(lambda drawn: said.table(drawn[0], use=drawn[2], **drawn[1]))
USES = st.lists(USED, max_size=2)
SNAPSHOTS = facet(processingType="STREAMING", emissionPattern={"eventContentMode": "COMPLETE_SNAPSHOT"})
SCRIPTS = (
    "INSERT INTO c SELECT * FROM a",
    "CREATE TABLE b AS WITH o AS (SELECT * FROM a) SELECT o.x, c.y FROM o JOIN c ON o.z = c.z",
    "SELECT x, y FROM a, b WHERE z > 1",
    "UPDATE a SET x = 1",
    "ALTER TABLE b RENAME TO c",
    "nothing that parses (",
)
JOB_FACETS = _together(
    _some("lineage", LINEAGE),
    _some("sourceCodeLocation", st.sampled_from("12").map(lambda v: facet(url="git", version=v))),
    _some("jobType", st.just(SNAPSHOTS)),
    _some("sql", st.sampled_from(SCRIPTS).map(lambda script: facet(query=script))),
)
RUN_FACETS = _together(
    _some("parent", st.sampled_from(RUNS).map(lambda r: said.parent("merge", r, root=("dag", "run 0")))),
    _some(
        "jobDependencies",
        st.just(facet(upstream=[{"job": {"namespace": JOBS, "name": "load"}}])),
    ),
    _some("errorMessage", st.just(facet(message="no", programmingLanguage="PYTHON"))),
)


@st.composite
def run_events(draw: st.DrawFn) -> Json:
    return said.run(
        draw(st.sampled_from(TYPES)),
        draw(st.sampled_from(JOB_NAMES)),
        draw(st.sampled_from(RUNS)),
        draw(MINUTES),
        reads=draw(USES),
        writes=draw(USES),
        run_facets=draw(RUN_FACETS),
        job_facets=draw(JOB_FACETS),
    )


@st.composite
def plain_runs(draw: st.DrawFn) -> Json:
    """Runs of one job that say inputs and outputs only: where time and order are all."""
    return said.run(
        draw(st.sampled_from(TYPES)),
        "load",
        draw(st.sampled_from(RUNS)),
        draw(MINUTES),
        reads=draw(st.lists(TABLE, max_size=1)),
        writes=draw(st.lists(TABLE, max_size=1)),
    )


@st.composite
def declarations(draw: st.DrawFn) -> Json:
    """JobEvents and DatasetEvents."""
    if draw(st.booleans()):
        name, facets = draw(TABLE), draw(DATASET_FACETS)
        return said.dataset_event(name, draw(MINUTES), **facets)
    return said.job_event(
        draw(st.sampled_from(JOB_NAMES)),
        draw(MINUTES),
        reads=draw(st.lists(TABLE, max_size=2)),
        writes=draw(st.lists(TABLE, max_size=2)),
        job_facets=draw(JOB_FACETS),
    )


EVENTS: st.SearchStrategy[Json] = st.one_of(run_events(), plain_runs(), plain_runs(), declarations())
CORPORA = st.lists(EVENTS, min_size=1, max_size=14)


@st.composite
def deliveries(draw: st.DrawFn, events: Sequence[T]) -> list[list[T]]:
    """Those events in any order, some of them several times, in batches of any size."""
    again = draw(st.lists(st.sampled_from(events), max_size=len(events)))
    order = draw(st.permutations([*events, *again]))
    return _cut(order, draw(st.lists(st.integers(1, 6), max_size=len(order))))


def _cut(events: list[T], sizes: list[int]) -> list[list[T]]:
    batches: list[list[T]] = []
    for size in sizes:
        if not events:
            break
        batches.append(events[:size])
        events = events[size:]
    return [*batches, events] if events else batches

"""Three weeks of nights in the demo shop: what ran, what failed, what changed. Pure, the same events every time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from headwater_server.demo.jobs import (
    AIRFLOW,
    DAG,
    DASHBOARD,
    DBT,
    FEATURES,
    LOAD_CONTACTS,
    LOADS,
    MODELS,
    RETENTION,
    SCORE,
    STG_CUSTOMERS,
    STG_CUSTOMERS_FROM_CRM,
    TRAIN,
    Work,
)
from headwater_server.demo.tables import TABLES
from headwater_server.demo.wire import (
    PRODUCERS,
    Json,
    dataset,
    event,
    facet,
    job,
    output,
    parent,
    run_id,
    when,
)

FIRST_NIGHT = datetime(2026, 1, 5, 2, tzinfo=UTC)
NIGHTS = 21
RETRIED_NIGHT = 6
"""The payment provider's database did not answer at first."""
CRM_UNTIL = 10
"""From this night on customers come from the shop itself, no longer from the old CRM."""
FAILED_NIGHT = 13
"""The customers mart failed; nothing that is made of it ran that night."""
LAST_NIGHT = NIGHTS - 1
"""Scoring is still under way."""
TRAINING_NIGHTS = (0, 7, 14)
FIRST_SCORING = 2
"""Before it no model stood in Production."""

_DBT_RUN = "dbt-run-shop"


def events() -> Iterator[Json]:
    """Every event of the three weeks, in the order of their times."""
    found = [*_declared(), *(e for night in range(NIGHTS) for e in _night(night))]
    return iter(sorted(found, key=lambda e: str(e["eventTime"])))


def moment(night: int, minute: int = 0, second: int = 0) -> datetime:
    return FIRST_NIGHT + timedelta(days=night, minutes=minute, seconds=second)


def run_of(work: Work, night: int, attempt: int = 1) -> str:
    return run_id(work.namespace, work.name, night, attempt)


def _declared() -> Iterator[Json]:
    """What is said without a run: a dashboard by its design, a source table by its owner."""
    producer = PRODUCERS[DASHBOARD.namespace]
    yield event(
        "JobEvent", moment(0, -120), producer, job=job(DASHBOARD),
        inputs=[dataset(TABLES[name], producer, full=False) for name in DASHBOARD.reads],
        outputs=[dataset(TABLES[name], producer, full=True) for name in DASHBOARD.writes],
    )  # fmt: skip
    for name in ("shop.orders", "shop.customers", "shop.payments", "shop.sessions", "crm.contacts"):
        owner = PRODUCERS[AIRFLOW]
        yield event("DatasetEvent", moment(0, -90), owner, dataset=dataset(TABLES[name], owner, full=True))


def _night(night: int) -> Iterator[Json]:
    dag = (run_id(AIRFLOW, DAG, night), AIRFLOW, DAG)
    failed, last = night == FAILED_NIGHT, night == LAST_NIGHT
    yield _control("START", night, 0, dag, None, dag)
    for load in (*LOADS, *((LOAD_CONTACTS,) if night < CRM_UNTIL else ())):
        attempt = 1
        if night == RETRIED_NIGHT and load.name.endswith("payments"):
            yield from _failing(load, night, dag, "could not connect to server: timeout expired", dag)
            attempt = 2
        yield from _load(load, night, dag, attempt)
    yield from _dbt(night, dag)
    if not failed:
        yield from _task(FEATURES, night, dag)
        if night in TRAINING_NIGHTS:
            yield from _task(TRAIN, night, dag)
        if night >= FIRST_SCORING:
            yield from _task(SCORE, night, dag, ended=not last)
        if night >= FIRST_SCORING and not last:
            yield from _task(RETENTION, night, dag)
    if not last:
        yield _control("FAIL" if failed else "COMPLETE", night, 32 if failed else 78, dag, None, dag)


def _load(work: Work, night: int, dag: tuple[str, str, str], attempt: int) -> Iterator[Json]:
    """A task of Airflow with the noise that it makes: a run for every query that its operator sends."""
    late = 30 if attempt > 1 else 0
    own = (run_of(work, night, attempt), work.namespace, work.name)
    yield from _run(work, night, up=dag, root=dag, attempt=attempt, late=late)
    query = (run_id(work.name, "query", night, attempt), AIRFLOW, f"{work.name}.query.1")
    yield _control("START", night, work.minute + late, query, own, dag, second=20)
    yield _control("COMPLETE", night, work.minute + late, query, own, dag, second=50)


def _failing(
    work: Work, night: int, up: tuple[str, str, str], message: str, root: tuple[str, str, str]
) -> Iterator[Json]:
    start, end = list(_run(work, night, up=up, root=root))
    producer = PRODUCERS[work.namespace]
    error = facet("ErrorMessageRunFacet", "1-0-1", producer, message=message, programmingLanguage="PYTHON")
    yield start
    yield {
        **end, "eventType": "FAIL", "outputs": [],
        "run": {**end["run"], "facets": {**end["run"]["facets"], "errorMessage": error}},
    }  # fmt: skip


def _dbt(night: int, dag: tuple[str, str, str]) -> Iterator[Json]:
    """An Airflow task, the dbt command that it starts, and a run for every model and its tests."""
    task = (run_id(AIRFLOW, "dbt_run", night), AIRFLOW, f"{DAG}.dbt_run")
    command = (run_id(DBT, _DBT_RUN, night), DBT, _DBT_RUN)
    failed = night == FAILED_NIGHT
    yield _control("START", night, 19, task, dag, dag)
    yield _control("START", night, 19, command, task, dag, second=5)
    customers = STG_CUSTOMERS_FROM_CRM if night < CRM_UNTIL else STG_CUSTOMERS
    for model in (*MODELS, customers):
        if failed and model.name == "shop.marts.customers":
            yield from _failing(model, night, command, "division by zero in marts/customers.sql, line 5", dag)
        elif not (failed and model.name == "shop.marts.revenue_daily"):
            yield from _run(model, night, up=command, root=dag)
    yield from _tests(night, command, dag)
    yield _control("FAIL" if failed else "COMPLETE", night, 31, command, task, dag)
    yield _control("FAIL" if failed else "COMPLETE", night, 31, task, dag, dag, second=5)


def _tests(night: int, command: tuple[str, str, str], dag: tuple[str, str, str]) -> Iterator[Json]:
    """What dbt asserts of the orders mart; late currencies break one on a night."""
    producer = PRODUCERS[DBT]
    held = night != FAILED_NIGHT
    assertions = [
        {"assertion": "not_null", "success": True, "column": "order_id", "severity": "error"},
        {"assertion": "unique", "success": True, "column": "order_id", "severity": "error"},
        {"assertion": "not_null", "success": held, "column": "amount_eur", "severity": "warn",
         "expected": "0", "actual": "0" if held else "17"},
    ]  # fmt: skip
    read = dataset(TABLES["marts.orders"], producer, full=False)
    read["inputFacets"] = {
        "dataQualityAssertions": facet(
            "DataQualityAssertionsDatasetFacet", "1-1-0", producer, assertions=assertions
        )
    }
    run = {
        "runId": run_id(DBT, "tests", night),
        "facets": {"parent": parent(producer, command, dag)},
    }
    named = {"namespace": DBT, "name": "shop.marts.orders.test"}
    for kind, second in (("START", 0), ("COMPLETE", 12)):
        inputs = [read] if kind == "COMPLETE" else []
        yield event(kind, moment(night, 27, second), producer, run=run, job=named, inputs=inputs, outputs=[])


def _task(work: Work, night: int, dag: tuple[str, str, str], *, ended: bool = True) -> Iterator[Json]:
    """A task of Airflow that starts a job of another system."""
    task = (run_id(AIRFLOW, work.task, night), AIRFLOW, f"{DAG}.{work.task}")
    yield _control("START", night, work.minute, task, dag, dag)
    yield from _run(work, night, up=task, root=dag, ended=ended)
    if ended:
        yield _control("COMPLETE", night, work.minute, task, dag, dag, second=work.takes + 15)


def _run(
    work: Work, night: int, *, up: tuple[str, str, str], root: tuple[str, str, str],
    attempt: int = 1, late: int = 0, ended: bool = True,
) -> Iterator[Json]:  # fmt: skip
    producer = PRODUCERS[work.namespace]
    nominal = moment(night)
    facets = {
        "parent": parent(producer, up, root),
        "nominalTime": facet(
            "NominalTimeRunFacet", "1-0-1", producer,
            nominalStartTime=when(nominal), nominalEndTime=when(nominal + timedelta(days=1)),
        ),
    }  # fmt: skip
    if work.namespace == DBT:
        facets["processing_engine"] = facet(
            "ProcessingEngineRunFacet",
            "1-1-1",
            producer,
            name="dbt",
            version="1.11.2",
            openlineageAdapterVersion="1.54.0",
        )
    run = {"runId": run_of(work, night, attempt), "facets": facets}
    began = moment(night, work.minute + late, 10)
    yield event(
        "START", began, producer, run=run, job=job(work),
        inputs=[dataset(TABLES[name], producer, full=False) for name in work.reads],
        outputs=[dataset(TABLES[name], producer, full=False) for name in work.writes],
    )  # fmt: skip
    if not ended:
        return
    yield event(
        "COMPLETE", began + timedelta(seconds=work.takes), producer, run=run, job=job(work),
        inputs=[dataset(TABLES[name], producer, full=False) for name in work.reads],
        outputs=[output(TABLES[name], work, producer, night=night) for name in work.writes],
    )  # fmt: skip


def _control(
    kind: str, night: int, minute: int, own: tuple[str, str, str], up: tuple[str, str, str] | None,
    root: tuple[str, str, str], *, second: int = 0,
) -> Json:  # fmt: skip
    """An event of a run that moves no data itself."""
    run, namespace, name = own
    producer = PRODUCERS[namespace]
    facets = {"parent": parent(producer, up, root)} if up else {}
    kind_of_job = facet(
        "JobTypeJobFacet", "2-0-4", producer, processingType="BATCH",
        integration="DBT" if namespace == DBT else "AIRFLOW",
        jobType="JOB" if namespace == DBT else "DAG" if name == DAG else "TASK",
    )  # fmt: skip
    return event(
        kind, moment(night, minute, second), producer, run={"runId": run, "facets": facets},
        job={"namespace": namespace, "name": name, "facets": {"jobType": kind_of_job}}, inputs=[], outputs=[],
    )  # fmt: skip

"""dbt artifacts as OpenLineage events: the same datasets and jobs that dbt's own events name. Pure."""

from collections.abc import Iterable, Iterator

from headwater_server.imports.dbt_artifacts import Artifacts
from headwater_server.imports.dbt_nodes import dataset_facets, job_facets, joined, relation
from headwater_server.imports.dbt_tests import checked, checks
from headwater_server.imports.events import (
    Json,
    dataset_event,
    documentation,
    facet,
    job_event,
    named,
    own_facet,
    ownership,
    run_event,
    run_id,
    tags,
)

BUILT = ("model", "snapshot", "seed")
_FAILED = {"error", "fail", "runtime error", "partial success"}
_SKIPPED = {"skipped", "no-op"}


def dbt_events(artifacts: Artifacts, *, warehouse: str, jobs: str) -> list[Json]:
    """Every event of a project, in the order in which things happened.

    `warehouse` is the namespace of the tables, `jobs` that of the jobs. What run_results tells of is runs with
    their times; the rest of the project is told as it is designed. Importing the same artifacts again makes
    the same events.
    """
    return list(_Telling(artifacts, warehouse, jobs).events())


class _Telling:
    def __init__(self, artifacts: Artifacts, warehouse: str, jobs: str) -> None:
        self.artifacts = artifacts
        self.warehouse = warehouse
        self.jobs = jobs
        self.results: dict[str, Json] = {r["unique_id"]: r for r in artifacts.results.get("results") or ()}
        metadata = artifacts.results.get("metadata") or {}
        self.invocation = str(metadata.get("invocation_id") or metadata.get("generated_at") or "")
        self.ended = str(metadata.get("generated_at") or artifacts.generated)
        self.began = min((t for t in map(_began, self.results.values()) if t), default=self.ended)
        self.tests = checks(artifacts, self.results)

    def events(self) -> Iterator[Json]:
        nodes = self.artifacts.manifest["nodes"].values()
        for source in (self.artifacts.manifest.get("sources") or {}).values():
            yield dataset_event(self.artifacts.generated, self._dataset(source))
        built = [node for node in nodes if node["resource_type"] in BUILT and not is_ephemeral(node)]
        ran = sorted((n for n in built if self._ran(n)), key=lambda n: _began(self.results[n["unique_id"]]))
        for node in built:
            if not self._ran(node):
                yield job_event(
                    self.artifacts.generated,
                    self._job(node),
                    inputs=self._inputs(node),
                    outputs=[self._dataset(node)],
                )
        if self.results:
            yield self._invocation("START", self.began)
            for node in ran:
                yield from self._run(node)
            yield from checked(self.tests, self._check_job, self._table, self._parent(), self.invocation)
            failed = any(r["status"] in _FAILED for r in self.results.values())
            yield self._invocation("FAIL" if failed else "COMPLETE", self.ended)
        for exposure in (self.artifacts.manifest.get("exposures") or {}).values():
            yield self._exposure(exposure)

    # -- what was built ----------------------------------------------------------------------------------

    def _ran(self, node: Json) -> bool:
        result = self.results.get(node["unique_id"])
        return result is not None and result["status"] not in _SKIPPED and bool(_began(result))

    def _run(self, node: Json) -> Iterator[Json]:
        result = self.results[node["unique_id"]]
        run = run_id(self.invocation, node["unique_id"])
        facets = {**self._parent(), **self._about_dbt()}
        job, inputs, output = self._job(node), self._inputs(node), self._dataset(node)
        yield run_event("START", _began(result), run, job, inputs=inputs, outputs=[output], facets=facets)
        if result["status"] in _FAILED:
            message = str(result.get("message") or result["status"])
            error = facet("ErrorMessageRunFacet", message=message, programmingLanguage="SQL")
            yield run_event(
                "FAIL", _ended(result), run, job, inputs=inputs, facets={**facets, "errorMessage": error}
            )
            return
        rows = (result.get("adapter_response") or {}).get("rows_affected")
        if isinstance(rows, int) and rows > 0:
            output = {
                **output,
                "outputFacets": {
                    "outputStatistics": facet("OutputStatisticsOutputDatasetFacet", rowCount=rows)
                },
            }
        yield run_event("COMPLETE", _ended(result), run, job, inputs=inputs, outputs=[output], facets=facets)

    def _job(self, node: Json) -> Json:
        kind = node["resource_type"]
        unique = node["unique_id"].removeprefix(f"{kind}.")
        name = joined(node.get("database"), node.get("schema"), unique)
        return named(
            self.jobs,
            name + (".snapshot" if kind == "snapshot" else ""),
            job_facets(node, kind.upper(), self.artifacts),
        )

    def _check_job(self, name: str, node: Json) -> Json:
        return named(self.jobs, name, job_facets(node, "TEST", self.artifacts))

    def _inputs(self, node: Json) -> list[Json]:
        return [self._dataset(one) for one in self._parents(node)]

    def _parents(self, node: Json) -> list[Json]:
        """What a node reads; an ephemeral model is no table, so what it reads stands for it."""
        found: dict[str, Json] = {}
        waiting = list((node.get("depends_on") or {}).get("nodes") or ())
        seen: set[str] = set()
        while waiting:
            unique_id = waiting.pop(0)
            parent = self.artifacts.node(unique_id)
            if parent is None or unique_id in seen:
                continue
            seen.add(unique_id)
            if is_ephemeral(parent):
                waiting += (parent.get("depends_on") or {}).get("nodes") or ()
            elif parent["resource_type"] in (*BUILT, "source"):
                found[unique_id] = parent
        return list(found.values())

    def _dataset(self, node: Json) -> Json:
        return named(self.warehouse, relation(node), dataset_facets(node, self.artifacts, self.warehouse))

    def _table(self, node: Json) -> Json:
        return named(self.warehouse, relation(node))

    # -- the whole ---------------------------------------------------------------------------------------

    def _invocation(self, kind: str, at: str) -> Json:
        job_type = facet("JobTypeJobFacet", processingType="BATCH", integration="DBT", jobType="JOB")
        job = named(self.jobs, self._command(), {"jobType": job_type})
        return run_event(kind, at, run_id(self.invocation), job, facets=self._about_dbt())

    def _command(self) -> str:
        return f"dbt-run-{self.artifacts.project}"

    def _parent(self) -> dict[str, Json]:
        job = {"namespace": self.jobs, "name": self._command()}
        run = {"runId": run_id(self.invocation)}
        return {"parent": facet("ParentRunFacet", job=job, run=run, root={"job": job, "run": run})}

    def _about_dbt(self) -> dict[str, Json]:
        metadata = self.artifacts.manifest["metadata"]
        return {
            "dbt_version": own_facet("dbt_version", version=metadata.get("dbt_version")),
            "dbt_run": own_facet(
                "dbt_run", invocation_id=self.invocation, project_name=self.artifacts.project
            ),
        }

    def _exposure(self, exposure: Json) -> Json:
        """A dashboard, a notebook, an application: it reads its refs and is itself a thing to be affected."""
        project = exposure["package_name"]
        owner = exposure.get("owner") or {}
        owners = [(str(owner.get("name") or owner.get("email") or ""), "OWNER")]
        described = exposure.get("description") or exposure.get("label")
        known = {k: exposure.get(k) for k in ("unique_id", "type", "label", "maturity", "url")}
        facets = {
            "datasetType": facet(
                "DatasetTypeDatasetFacet", datasetType=str(exposure.get("type") or "").upper()
            ),
            "dbt_exposure": own_facet("dbt_exposure", **{k: v for k, v in known.items() if v}),
            **documentation(described),
            **ownership(owners),
            **tags(((tag, "") for tag in exposure.get("tags") or ()), "DBT"),
        }
        job = {
            "jobType": facet(
                "JobTypeJobFacet", processingType="BATCH", integration="DBT", jobType="EXPOSURE"
            ),
            **documentation(described, "Job"),
            **ownership(owners, "Job"),
        }
        return job_event(
            self.artifacts.generated,
            named(self.jobs, exposure["unique_id"], job),
            inputs=[self._table(one) for one in self._parents(exposure)],
            outputs=[named(f"dbt://{project}", exposure["name"], facets)],
        )


def is_ephemeral(node: Json) -> bool:
    return (node.get("config") or {}).get("materialized") == "ephemeral"


def _phase(result: Json) -> Json:
    phases: Iterable[Json] = result.get("timing") or ()
    return max(phases, key=lambda phase: phase.get("completed_at") or "", default={})


def _began(result: Json) -> str:
    return min((p["started_at"] for p in result.get("timing") or () if p.get("started_at")), default="")


def _ended(result: Json) -> str:
    return str(_phase(result).get("completed_at") or _began(result))

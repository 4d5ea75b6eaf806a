"""dbt tests as data quality assertions on the tables that they check. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from headwater_server.imports.dbt_artifacts import Artifacts
from headwater_server.imports.dbt_nodes import joined
from headwater_server.imports.events import Json, facet, own_facet, run_event, run_id


@dataclass(frozen=True, slots=True)
class Check:
    """One test of one invocation."""

    test: Json
    result: Json
    tables: tuple[Json, ...]
    """Nodes; a test of a relationship reads two, and speaks of the first."""

    @property
    def is_singular(self) -> bool:
        return not self.test.get("test_metadata")

    @property
    def passed(self) -> bool:
        return self.result["status"] in ("pass", "success")

    @property
    def stops(self) -> bool:
        return not self.passed and self.result["status"] != "warn"

    def assertion(self) -> Json:
        metadata = self.test.get("test_metadata") or {}
        severity = str((self.test.get("config") or {}).get("severity") or "error").lower()
        said = {
            "assertion": metadata.get("name") or self.test["name"],
            "success": self.passed,
            "severity": severity,
            "column": self.test.get("column_name"),
            "name": self.test["unique_id"],
        }
        return {key: value for key, value in said.items() if value is not None}


def checks(artifacts: Artifacts, results: Mapping[str, Json]) -> list[Check]:
    """Those that ran, with the tables that they read."""
    found: list[Check] = []
    for unique_id, result in results.items():
        test = artifacts.node(unique_id)
        if test is None or test["resource_type"] != "test" or not result.get("timing"):
            continue
        ids = dict.fromkeys((test.get("attached_node"), *((test.get("depends_on") or {}).get("nodes") or ())))
        tables = [node for one in ids if one and (node := artifacts.node(one)) is not None]
        if tables:
            found.append(Check(test, result, tuple(tables)))
    return found


def checked(
    found: list[Check],
    job: Callable[[str, Json], Json],
    table: Callable[[Json], Json],
    parent: Mapping[str, Json],
    invocation: str,
) -> Iterator[Json]:
    """Runs: generic tests together by table (`….test`), a singular test by itself, as dbt's own events do."""
    by_table: dict[str, list[Check]] = {}
    for one in found:
        name = one.test["unique_id"] if one.is_singular else one.tables[0]["unique_id"]
        by_table.setdefault(name, []).append(one)
    for name, together in by_table.items():
        first = together[0]
        if first.is_singular:
            about, called = first.test, name
            read = first.tables
        else:
            about, read = first.tables[0], first.tables[:1]
            unique = name.removeprefix("model.")
            called = joined(about.get("database"), about.get("schema"), unique) + ".test"
        facets = dict(parent)
        if first.is_singular:
            facets["test"] = own_facet("test", tests=[{"name": name, "status": first.result["status"]}])
        said = facet("DataQualityAssertionsDatasetFacet", assertions=[c.assertion() for c in together])
        inputs = [{**table(node), "inputFacets": {"dataQualityAssertions": said}} for node in read]
        begins = min(p["started_at"] for c in together for p in c.result["timing"])
        ends = max(p["completed_at"] for c in together for p in c.result["timing"])
        run = run_id(invocation, called)
        end = "FAIL" if any(c.stops for c in together) else "COMPLETE"
        yield run_event("START", begins, run, job(called, about), inputs=inputs, facets=facets)
        if end == "FAIL":
            bad = "; ".join(str(c.result.get("message") or c.test["name"]) for c in together if c.stops)
            facets["errorMessage"] = facet("ErrorMessageRunFacet", message=bad, programmingLanguage="SQL")
        yield run_event(end, ends, run, job(called, about), inputs=inputs, facets=facets)

"""What dbt leaves in target/: manifest.json (v10 on), catalog.json, run_results.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwater_server.errors import Invalid
from headwater_server.imports.events import Json
from headwater_server.imports.files import read_json

OLDEST = 7
"""Of manifests: `compiled_code` came with it."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """As dbt wrote them; the catalog and the results may be missing."""

    manifest: Json
    catalog: Json = field(default_factory=dict)
    results: Json = field(default_factory=dict)
    compiled: Mapping[str, str] = field(default_factory=dict)
    """unique id -> compiled SQL that the manifest does not carry."""

    @property
    def adapter(self) -> str:
        return str(self.manifest["metadata"].get("adapter_type") or "")

    @property
    def project(self) -> str:
        named = self.manifest["metadata"].get("project_name")
        return str(named) if named else next((i.split(".")[1] for i in self.manifest["nodes"]), "dbt")

    @property
    def generated(self) -> str:
        return str(self.manifest["metadata"]["generated_at"])

    def node(self, unique_id: str) -> Json | None:
        found = self.manifest["nodes"].get(unique_id) or self.manifest.get("sources", {}).get(unique_id)
        return found if isinstance(found, dict) else None

    def catalogued(self, unique_id: str) -> Json:
        for part in ("nodes", "sources"):
            found = (self.catalog.get(part) or {}).get(unique_id)
            if isinstance(found, dict):
                return found
        return {}

    def sql(self, node: Json) -> str:
        """Empty: not compiled (or a seed)."""
        return str(node.get("compiled_code") or self.compiled.get(node["unique_id"]) or "")


def read_artifacts(target: Path) -> Artifacts:
    """Of a target folder, or of a project that has one.

    Raises:
        NotFound: there is no manifest.
        Invalid: it is none, or too old.

    """
    if not (target / "manifest.json").exists() and (target / "target" / "manifest.json").exists():
        target = target / "target"
    manifest = read_json(target / "manifest.json")
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(manifest.get("nodes"), dict):
        raise Invalid(f"{target / 'manifest.json'} is no dbt manifest: it has no metadata and nodes.")
    version = str(metadata.get("dbt_schema_version") or "").rpartition("/v")[2].partition(".")[0]
    if version.isdigit() and int(version) < OLDEST:
        raise Invalid(
            f"The manifest is of version {version}; {OLDEST} (dbt 1.3) and newer are read. Upgrade dbt."
        )
    found = {name: _optional(target / f"{name}.json") for name in ("catalog", "run_results")}
    return Artifacts(manifest, found["catalog"], found["run_results"], _compiled(manifest["nodes"], target))


def _optional(path: Path) -> Json:
    return read_json(path) if path.exists() else {}


def _compiled(nodes: Mapping[str, Any], target: Path) -> dict[str, str]:
    """`dbt parse` empties the manifest of what an earlier `dbt compile` left in compiled/."""
    found: dict[str, str] = {}
    for unique_id, node in nodes.items():
        if node.get("resource_type") != "model" or node.get("compiled_code"):
            continue
        path = str(node.get("compiled_path") or "").removeprefix("target/")
        file = target / (path or f"compiled/{node['package_name']}/{node['original_file_path']}")
        if file.is_file():
            found[unique_id] = file.read_text(encoding="utf-8")
    return found

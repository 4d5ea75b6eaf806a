"""What dbt says of one node, in facets: columns, docs, owners, tags, SQL. Pure."""

from headwater_server.imports.dbt_artifacts import Artifacts
from headwater_server.imports.events import Json, documentation, facet, own_facet, ownership, tags


def joined(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)


def relation(node: Json) -> str:
    """`database.schema.alias`; a source goes by its name in the project, as in dbt's own events."""
    table = node["name"] if node["resource_type"] == "source" else node.get("alias") or node["name"]
    return joined(node.get("database"), node.get("schema"), table)


def dataset_facets(node: Json, artifacts: Artifacts, warehouse: str) -> dict[str, Json]:
    """Types from the catalog, descriptions from the project."""
    documented = {name.casefold(): column for name, column in (node.get("columns") or {}).items()}
    catalog = artifacts.catalogued(node["unique_id"])
    told = catalog.get("columns") or {}
    fields: list[Json] = []
    for column in sorted(told.values(), key=lambda c: c.get("index") or 0) or documented.values():
        known = documented.get(column["name"].casefold(), {})
        field = {
            "name": column["name"],
            "type": column.get("type") or known.get("data_type"),
            "description": known.get("description") or column.get("comment"),
        }
        fields.append({key: value for key, value in field.items() if value})
    marks = [(tag, "") for tag in node.get("tags") or ()]
    for column in (node.get("columns") or {}).values():
        marks += [(tag, column["name"]) for tag in column.get("tags") or ()]
    found = {
        "dataSource": facet("DatasourceDatasetFacet", name=warehouse, uri=warehouse),
        **documentation(node.get("description") or (catalog.get("metadata") or {}).get("comment")),
        **ownership(owners(node, artifacts)),
        **tags(marks, "DBT"),
    }
    if fields:
        found["schema"] = facet("SchemaDatasetFacet", fields=fields)
    if kind := _type(node, catalog):
        found["datasetType"] = facet("DatasetTypeDatasetFacet", datasetType=kind)
    stored = node.get("identifier")
    if node["resource_type"] == "source" and stored and stored != node["name"]:
        real = joined(node.get("database"), node.get("schema"), stored)
        identifier = {"namespace": warehouse, "name": real, "type": "TABLE"}
        found["symlinks"] = facet("SymlinksDatasetFacet", identifiers=[identifier])
    return found


def _type(node: Json, catalog: Json) -> str:
    materialized = str((node.get("config") or {}).get("materialized") or "")
    said = str((catalog.get("metadata") or {}).get("type") or "").upper()
    if "VIEW" in said or materialized == "view":
        return "VIEW"
    return "TABLE" if said or materialized in ("table", "incremental", "snapshot", "seed") else ""


def owners(node: Json, artifacts: Artifacts) -> list[tuple[str, str]]:
    """`meta.owner` (a name or a list of them), then the owner of the node's group."""
    meta = {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}
    said = meta.get("owner")
    found = [(str(name), "") for name in (said if isinstance(said, list) else [said]) if name]
    group = node.get("group")
    for one in (artifacts.manifest.get("groups") or {}).values():
        if group and one.get("name") == group:
            owner = one.get("owner") or {}
            found.append((str(owner.get("name") or owner.get("email") or ""), "GROUP"))
    return found


def job_facets(node: Json, kind: str, artifacts: Artifacts) -> dict[str, Json]:
    """`dbt_node` is as in dbt's own events: it tells one node under several job names."""
    found = {
        "jobType": facet("JobTypeJobFacet", processingType="BATCH", integration="DBT", jobType=kind),
        "dbt_node": own_facet(
            "dbt_node",
            **{
                key: node[key]
                for key in ("original_file_path", "database", "schema", "alias", "unique_id")
                if node.get(key)
            },
        ),
        **documentation(node.get("description"), "Job"),
        **ownership(owners(node, artifacts), "Job"),
        **tags(((tag, "") for tag in node.get("tags") or ()), "DBT", "Job"),
    }
    sql = artifacts.sql(node)
    if sql and kind != "TEST" and node.get("language", "sql") == "sql":
        found["sql"] = facet("SQLJobFacet", query=sql, dialect=artifacts.adapter)
    return found

"""The small values that things are described with."""

import strawberry

from headwater_server.api.graphql.enums import ActorKind
from headwater_server.api.graphql.scalars import JSON, DateTime
from headwater_server.graph import names

_LABELS = {
    "abfss": "Azure Data Lake",
    "bigquery": "BigQuery",
    "dbfs": "Databricks",
    "file": "Files",
    "gs": "Google Cloud Storage",
    "hdfs": "HDFS",
    "mysql": "MySQL",
    "postgres": "PostgreSQL",
    "s3": "Amazon S3",
    "sqlserver": "SQL Server",
    "sqlite": "SQLite",
}


@strawberry.interface(description="Anything with an id")
class Node:
    id: strawberry.ID


@strawberry.type
class Platform:
    name: str
    label: str
    icon: str

    @classmethod
    def of(cls, namespace: str) -> "Platform":
        name = names.platform(namespace)
        return cls(name=name, label=_LABELS.get(name, name.capitalize()), icon=name)


@strawberry.type
class Owner:
    name: str
    type: str | None

    @classmethod
    def of(cls, text: str) -> "Owner":
        """From `name` or `name|type`."""
        name, _, type_ = text.partition("|")
        return cls(name=name, type=type_ or None)


@strawberry.type
class Tag:
    key: str
    value: str | None

    @classmethod
    def of(cls, text: str) -> "Tag":
        """From `key` or `key=value`."""
        key, equals, value = text.partition("=")
        return cls(key=key, value=value if equals else None)


@strawberry.type
class Actor:
    name: str
    kind: ActorKind

    @classmethod
    def of(cls, name: str | None) -> "Actor":
        if not name or name == "system":
            return cls(name=name or "system", kind=ActorKind.SYSTEM)
        return cls(name=name, kind=ActorKind.SERVICE if name.startswith("service:") else ActorKind.USER)


@strawberry.type
class Facet:
    name: str
    producer: str
    schema_url: str = strawberry.field(name="schemaURL")
    value: JSON | None
    run_id: strawberry.ID | None
    observed_at: DateTime
    deleted: bool
    restricted: bool = strawberry.field(
        description="Its value is there, but not for who asks: it needs facet:read_sensitive"
    )

"""What a run read, as its client describes it, made into an OpenLineage input. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater_server.errors import Invalid
from headwater_server.tracking import limits
from headwater_server.tracking.datasets import identity, schema_facet, unlinked


@dataclass(frozen=True, slots=True)
class Input:
    """MLflow's DatasetInput: `source` and `schema` are JSON in a text."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises Invalid for what is empty or too long."""
        for value, most, what in (
            (self.name, limits.MAX_DATASET_NAME, "name"),
            (self.digest, limits.MAX_DIGEST, "digest"),
            (self.source, limits.MAX_SOURCE, "source"),
            (self.schema or "", limits.MAX_SCHEMA, "schema"),
            (self.profile or "", limits.MAX_PROFILE, "profile"),
        ):
            limits.within(value, most, what)
        for what in ("name", "digest", "source_type", "source"):
            if not getattr(self, what):
                raise Invalid(f"Missing value for required parameter 'datasets[].dataset.{what}'.")


def described(one: Input, job: str) -> dict[str, Any]:
    """As a record keeps it: the OpenLineage input, and what its client said."""
    place = identity(one.source_type, one.source)
    namespace, name = place or unlinked(job, one.name)
    said = {
        "name": one.name,
        "digest": one.digest,
        "source_type": one.source_type,
        "source": one.source,
        "schema": one.schema,
        "profile": one.profile,
    }
    return {
        "namespace": namespace,
        "name": name,
        "facets": dict(schema_facet(one.schema or "")),
        "linked": place is not None,
        "said": {k: v for k, v in said.items() if v is not None},
        "tags": dict(one.tags),
    }

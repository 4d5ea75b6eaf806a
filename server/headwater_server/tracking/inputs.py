"""What a run read, as its client describes it, made into an OpenLineage input. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headwater_server.errors import Invalid
from headwater_server.tracking import limits
from headwater_server.tracking.datasets import (
    OURS,
    identity,
    reference,
    schema_facet,
    taken_apart,
    unlinked,
)


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
        for key, tag in self.tags.items():
            limits.within(key, limits.MAX_INPUT_KEY, "key")
            limits.within(tag, limits.MAX_INPUT_VALUE, "value")
        for what in ("name", "digest", "source_type", "source"):
            if not getattr(self, what):
                raise Invalid(f"Missing value for required parameter 'datasets[].dataset.{what}'.")


def place_of(one: Input, dataset: Callable[[str], tuple[str, str] | None]) -> tuple[str, str] | None:
    """(namespace, name) of the dataset that is meant. Headwater's own client names it as people do: `dataset` looks
    it up, so that it is the one that its pipelines write; of what nobody has spoken yet, the name is taken apart.
    """
    ref = reference(one.source) if one.source_type == OURS else None
    if not ref:
        return identity(one.source_type, one.source)
    return dataset(ref) or taken_apart(ref)


def described(
    inputs: Sequence[Input], places: Sequence[tuple[str, str] | None], job: str, told: set[str]
) -> list[dict[str, Any]]:
    """As a record keeps them. `again`: the run has an input of this name and digest already (`told`)."""
    said = []
    for one, place in zip(inputs, places, strict=True):
        name = f"{one.name}|{one.digest}"
        said.append({**_described(one, job, place), "again": name in told})
        told.add(name)
    return said


def _described(one: Input, job: str, place: tuple[str, str] | None) -> dict[str, Any]:
    """The OpenLineage input, and what its client said."""
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

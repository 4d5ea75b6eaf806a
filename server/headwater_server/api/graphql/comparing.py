"""Two runs, or two versions of a thing, side by side."""

from typing import Annotated, TypeAlias, cast

import strawberry

from headwater_server.api.graphql.cost import Cost
from headwater_server.api.graphql.datasets import DatasetVersion
from headwater_server.api.graphql.enums import DiffKind
from headwater_server.api.graphql.jobs import JobVersion
from headwater_server.api.graphql.loading import Loader
from headwater_server.api.graphql.models import ModelVersion
from headwater_server.api.graphql.runs import Run
from headwater_server.errors import Invalid
from headwater_server.lineage import compare, resolve
from headwater_server.lineage.sides import Sides

DiffSubject: TypeAlias = Annotated[
    Run | DatasetVersion | JobVersion | ModelVersion, strawberry.union("DiffSubject")
]
_TOLD_ABOVE = [Cost(weight=0, multipliers=[])]


@strawberry.type
class DiffChange:
    key: str
    kind: DiffKind
    before: str | None
    after: str | None
    delta: float | None = strawberry.field(description="Of two finite numbers: after - before")
    relative: float | None = strawberry.field(
        description="The delta in parts of what was before; null when that is 0"
    )
    unified_diff: str | None = strawberry.field(description="Of texts of several lines, 2,000 at most")


@strawberry.type
class DiffSection:
    key: str
    title: str
    changes: list[DiffChange] = strawberry.field(description="By key", directives=_TOLD_ABOVE)
    unchanged: int


@strawberry.type
class Diff:
    a: DiffSubject
    b: DiffSubject
    sections: list[DiffSection] = strawberry.field(
        description="Of which at least one side has something", directives=_TOLD_ABOVE
    )

    @strawberry.field(description="No section has a change")
    def identical(self) -> bool:
        return not any(section.changes for section in self.sections)


def diff_between(loader: Loader, a: str, b: str) -> Diff:
    """Raises NotFound; Invalid when they are not two of one kind that is compared."""
    one, other = resolve(a, loader.store), resolve(b, loader.store)
    context = loader.context
    sides = Sides(loader.store, facets=context.facets, script_of=context.script_of)
    before, after = sides.of(one), sides.of(other)
    if one.kind is not other.kind:
        raise Invalid(f"A {one.kind} and a {other.kind} cannot be compared: give two of one kind.")
    shown = loader.show([one, other])
    return Diff(a=shown[0], b=shown[1], sections=cast("list[DiffSection]", compare.compare(before, after)))

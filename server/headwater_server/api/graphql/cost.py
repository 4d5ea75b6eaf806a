"""The schema's own mark of what a field costs."""

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description="Its weight, and the arguments that multiply what is selected below",
)
class Cost:
    weight: int = 1
    multipliers: list[str] | None = strawberry.UNSET

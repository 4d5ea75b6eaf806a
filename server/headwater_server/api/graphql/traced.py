"""What the traces of a thing come to: how many there are, and when the last one began."""

from collections.abc import Mapping
from typing import Self

import strawberry

from headwater_server.api.graphql.entity import maybe_moment, whole
from headwater_server.api.graphql.scalars import DateTime
from headwater_server.graph import changes


@strawberry.type(description="What traces of applications (GenAI) come to")
class Traced:
    count: int
    last_at: DateTime = strawberry.field(
        description="When the newest began that there ever was, deleted ones too"
    )

    @classmethod
    def of(cls, props: Mapping[str, changes.Value]) -> Self | None:
        count, last = whole(props, "traces"), maybe_moment(props, "lastTrace")
        return None if count is None or last is None else cls(count=count, last_at=last)

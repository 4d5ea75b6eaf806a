"""What goes wrong, as types that carry the data of the answer."""

from collections.abc import Mapping
from typing import Any


class HeadwaterError(Exception):
    """The base of all. `details` is what the server said beside its message."""

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = dict(details or {})


class Away(HeadwaterError):
    """The server does not answer. What a run logged meanwhile waits on disk."""


class Refused(HeadwaterError):
    """The server read the request and says no: the request itself is at fault."""

    status: int | None = None
    """Of HTTP; None when it came in a GraphQL answer."""


class NotFound(Refused):
    """Nothing is called so. `did_you_mean` lists names that are close."""

    @property
    def did_you_mean(self) -> list[str]:
        return list(self.details.get("didYouMean") or ())


class Invalid(Refused):
    """A value is not what was expected."""


class Conflict(Refused):
    """Somebody changed it first: look again, then decide."""


class Forbidden(Refused):
    """Not without another token."""


class GateFailed(Refused):
    """A stage's gates hold the version back; `details` has each with its reason."""


class ApprovalRequired(Refused):
    """Somebody has to approve it; `details` has the request that was opened."""


class ImpactTooHigh(HeadwaterError):
    """What `Impact.raise_if` raises; `items` are the things that break."""

    def __init__(self, message: str, items: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.items = items


_BY_CODE: Mapping[str, type[Refused]] = {
    "NOT_FOUND": NotFound,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "INVALID": Invalid,
    "INVALID_PARAMETER_VALUE": Invalid,
    "CONFLICT": Conflict,
    "ALREADY_EXISTS": Conflict,
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "RESOURCE_CONFLICT": Conflict,
    "FORBIDDEN": Forbidden,
    "PERMISSION_DENIED": Forbidden,
    "UNAUTHENTICATED": Forbidden,
    "GATES_FAILED": GateFailed,
    "APPROVAL_REQUIRED": ApprovalRequired,
}


def refusal(code: str, message: str, details: Mapping[str, Any] | None = None) -> Refused:
    """The exception of an error code of GraphQL or MLflow."""
    return _BY_CODE.get(code, Refused)(message, details)

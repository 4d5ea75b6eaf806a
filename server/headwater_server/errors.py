"""
Everything the server can refuse, and the HTTP status it becomes.

* HeadwaterError
  + Invalid              400  the request makes no sense as it stands
    - Unreadable         400  not JSON, not UTF-8, not gzip
    - Unplaceable        422  an event that has no place in the graph (pointer, expected, got)
    - TooLarge           413
    - TooSlow            408  the body did not come in time
    - Unsupported        415  content type or encoding
  + Unauthenticated      401  nobody knows who asks
  + Forbidden            403  the caller may not
  + NotFound             404
  + Misdirected          421  it was sent to another name than this server's
  + Conflict             409  somebody else changed it first
    - AlreadyExists      409
  + Unavailable          503  the store or the log cannot answer now; try again
"""

from typing import Any, ClassVar


class HeadwaterError(Exception):
    """Base of every error that a caller may expect and handle. Its text says what was wrong, what was expected, what to do."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details
        """Facts for machines, shown beside the message."""

    @property
    def code(self) -> str:
        """A stable name for machines: `NotFound`."""
        return type(self).__name__


class Invalid(HeadwaterError):
    status = 400


class Unreadable(Invalid):
    pass


class Unplaceable(Invalid):
    status = 422

    def __init__(self, message: str, *, pointer: str, expected: str, got: str) -> None:
        super().__init__(message, pointer=pointer, expected=expected, got=got)


class TooLarge(Invalid):
    status = 413


class TooSlow(Invalid):
    status = 408


class Unsupported(Invalid):
    status = 415


class Unauthenticated(HeadwaterError):
    status = 401


class Forbidden(HeadwaterError):
    """Details may hold `needs`."""

    status = 403


class NotFound(HeadwaterError):
    """Details: `ref`, `didYouMean`."""

    status = 404


class Misdirected(HeadwaterError):
    status = 421


class Conflict(HeadwaterError):
    """Details may hold `expected` and `actual`."""

    status = 409


class AlreadyExists(Conflict):
    """Details: `key` of what is there."""


class Unavailable(HeadwaterError):
    status = 503

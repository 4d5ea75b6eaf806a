"""What a route or a root field of GraphQL needs, declared on the function that answers it.

A server does not start with a route that declares nothing, nor answers GraphQL with such a root field:

    @router.get("/api/2.0/mlflow/runs/get")
    @needs(Permission.READ)
    async def get_run(request: Request) -> Response: ...
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from headwater_server.auth.policy import Permission, Principal
from headwater_server.errors import Forbidden

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Open(StrEnum):
    """What needs no permission."""

    PUBLIC = "public"
    """Anybody, without a token: it shows nothing of the data."""
    KNOWN = "known"
    """Anybody who has logged in, whatever they may do."""


Need: TypeAlias = Permission | Open


class Undeclared(TypeError):
    """A route or a root field without a declared need: a bug of ours, found when the server starts."""


def needs(need: Need) -> Callable[[_Function], _Function]:
    """Declare what the function needs. Its decorator is the one nearest to the function."""

    def declare(function: _Function) -> _Function:
        known = need_of(function)
        if known not in (None, need):
            raise Undeclared(f"{function.__qualname__} needs {known} already, it cannot need {need} too.")
        function.__needs__ = need  # type: ignore[attr-defined]
        return function

    return declare


def public(function: _Function) -> _Function:
    return needs(Open.PUBLIC)(function)


def known(function: _Function) -> _Function:
    return needs(Open.KNOWN)(function)


def need_of(function: object) -> Need | None:
    """What it declares; None: nothing."""
    found = getattr(function, "__needs__", None)
    return found if isinstance(found, Permission | Open) else None


def check(principal: Principal, need: Need) -> None:
    """Raises Forbidden with what is missing."""
    if isinstance(need, Permission) and not principal.may(need):
        raise Forbidden(f"{principal.name} may not do this: it needs {need}.", needs=str(need))

"""What a resolver may ask of the execution that it is part of, and types that come later."""

import operator
from typing import Annotated, Any, TypeAlias

import strawberry

from headwater_server.api.graphql.context import Context
from headwater_server.api.graphql.loading import Loader

Info: TypeAlias = strawberry.Info[Loader, None]
"""The context value of an execution is its loader."""


def loader_of(info: Info) -> Loader:
    return info.context


def context_of(info: Info) -> Context:
    return info.context.context


def later(name: str, module: str) -> Any:
    """A type of a module that itself needs the one that asks: GraphQL's types point at each other, modules must not."""
    return operator.getitem(Annotated, (name, strawberry.lazy(f"headwater_server.api.graphql.{module}")))


def several(name: str, module: str) -> Any:
    """A list of a type that comes later."""
    a_list: Any = list
    return a_list[later(name, module)]

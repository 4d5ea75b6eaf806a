"""What each root field of the schema needs, and what of it an operation asks for."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from headwater_server.api.needs import Need, Open, Undeclared, need_of

Roots: TypeAlias = Mapping[OperationType, Mapping[str, Need]]


def declared_roots(schema: GraphQLSchema) -> dict[OperationType, dict[str, Need]]:
    """By kind of operation and name of field.

    Raises:
        Undeclared: names each root field that declares nothing.

    """
    found: dict[OperationType, dict[str, Need]] = {}
    missing: list[str] = []
    for operation in OperationType:
        root = schema.get_root_type(operation)
        if root is None:
            continue
        # introspection says nothing of the data, but all of the API: to those who logged in
        found[operation] = {"__schema": Open.KNOWN, "__type": Open.KNOWN, "__typename": Open.KNOWN}
        for name, field in root.fields.items():
            need = need_of(_function(field))
            if need is None:
                missing.append(f"{root.name}.{name}")
            else:
                found[operation][name] = need
    if missing:
        raise Undeclared(
            f"These root fields do not say what they need: {', '.join(missing)}. "
            "Put @needs(Permission…) on what resolves them (see api/needs.py)."
        )
    return found


def asked(document: DocumentNode, operation: OperationDefinitionNode) -> set[str]:
    """Names of the root fields that a valid operation asks for, whatever `@skip` says."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    return set(_names(operation.selection_set, fragments, set()))


def _names(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[str]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in seen:
                seen.add(name)
                yield from _names(fragments[name].selection_set, fragments, seen)
        elif isinstance(node, InlineFragmentNode):
            yield from _names(node.selection_set, fragments, seen)


def _function(field: GraphQLField) -> object:
    definition = field.extensions.get("strawberry-definition")
    resolver = getattr(definition, "base_resolver", None)
    return getattr(resolver, "wrapped_func", None)

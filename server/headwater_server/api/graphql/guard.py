"""What a document costs, found without spreading its fragments: every selection set is weighed once.

A fragment that doubles itself thirty times is thirty small sums here, while validating or executing it
would take for ever. So this runs before validation, on documents that may be nonsense: what it does not
know it leaves to validation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)
from strawberry import UNSET

from headwater_server.api.graphql import limits
from headwater_server.api.graphql.cost import Cost

_ASSUMED = 10
"""How long a list is taken to be that cannot be told to be shorter."""


class TooMuch(GraphQLError):
    """The request was refused before anything was done for it."""

    def __init__(self, what: str, got: int, limit: int, hint: str) -> None:
        super().__init__(
            f"{what}: {got} is over the limit of {limit}. {hint}",
            extensions={"code": "LIMIT_EXCEEDED", "limit": limit, "actual": min(got, 2**53)},
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a selection set with all its fragments spread."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0


def check_shape(document: DocumentNode) -> None:
    """Refuse what is too deep or too wide, whatever its variables.

    Raises:
        TooMuch: says which limit.

    """
    measure = _Measure(document)
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) > limits.MAX_OPERATIONS:
        raise TooMuch("Operations in one document", len(operations), limits.MAX_OPERATIONS, "Send fewer.")
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            continue
        shape = measure.shape(definition.selection_set)
        for what, got, limit, hint in (
            ("Depth", shape.depth, limits.MAX_DEPTH, "Ask in two queries."),
            ("Fields", shape.fields, limits.MAX_FIELDS, "Select fewer; fragments count each time."),
            ("Aliases and repeated fields", shape.aliases, limits.MAX_ALIASES, "Use `nodes(ids:)`."),
            ("Directives", shape.directives, limits.MAX_DIRECTIVES, "Leave some out."),
        ):
            if got > limit:
                raise TooMuch(what, got, limit, hint)


class _Measure:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self.known: dict[int, Shape] = {}

    def shape(self, selections: SelectionSetNode) -> Shape:
        known = self.known.get(id(selections))
        if known is not None:
            return known
        self.known[id(selections)] = Shape()  # a fragment within itself: validation names it
        depth = fields = aliases = directives = 0
        seen: set[str] = set()
        for node in selections.selections:
            directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                fields += 1
                name = node.alias.value if node.alias else node.name.value
                aliases += name in seen or node.alias is not None
                seen.add(name)
                # `__schema` nests deeper than data may: MaxIntrospectionDepthRule bounds it
                deeper = node.selection_set is not None and not node.name.value.startswith("__")
                inner = self.shape(node.selection_set) if deeper and node.selection_set else Shape()
                inner = Shape(inner.depth + 1, inner.fields, inner.aliases, inner.directives)
            elif isinstance(node, InlineFragmentNode):
                inner = self.shape(node.selection_set)
            else:
                fragment = (
                    self.fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else None
                )
                inner = self.shape(fragment.selection_set) if fragment else Shape()
            depth = max(depth, inner.depth)
            fields += inner.fields
            aliases += inner.aliases
            directives += inner.directives
        found = Shape(depth, fields, aliases, directives)
        self.known[id(selections)] = found
        return found


def cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> int:
    """Σ weight × product of the page sizes around it, with these variables. The document is valid."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    return _Sum(schema, document, operation, variables).of(operation.selection_set, root)


class _Sum:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.schema = schema
        self.variables = variables
        self.defaults = {d.variable.name.value: d.default_value for d in operation.variable_definitions or ()}
        self.fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self.known: dict[tuple[int, str], int] = {}

    def of(self, selections: SelectionSetNode, parent: GraphQLNamedType) -> int:
        key = (id(selections), parent.name)
        known = self.known.get(key)
        if known is not None:
            return known
        self.known[key] = total = 0
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        for node in selections.selections:
            if isinstance(node, FieldNode):
                field = fields.get(node.name.value)
                total += 0 if field is None else self.field(node, field)
                continue
            fragment = self.fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else node
            if isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode):
                on = fragment.type_condition
                total += self.of(
                    fragment.selection_set, self.schema.type_map[on.name.value] if on else parent
                )
        self.known[key] = total
        return total

    def field(self, node: FieldNode, field: GraphQLField) -> int:
        told = _told(field)
        named = get_named_type(field.type)
        weight = told.weight if told is not None else int(_is_thing(named))
        if node.selection_set is None:
            return weight
        return weight + self.times(node, field, told) * self.of(node.selection_set, named)

    def times(self, node: FieldNode, field: GraphQLField, told: Cost | None) -> int:
        names = told.multipliers if told is not None and told.multipliers is not UNSET else None
        if names is None:
            names = [name for name in ("first", "limit") if name in field.args]
            if not names and _is_list(field) and not _is_page_part(get_named_type(field.type).name):
                return _ASSUMED
        product = 1
        for name in names:
            product *= self.size(node, field, name)
        return product

    def size(self, node: FieldNode, field: GraphQLField, name: str) -> int:
        """Of one argument; `input.first` is a field of an input object."""
        name, _, inner = name.partition(".")
        arg = field.args.get(name)
        given: Any = arg.default_value if arg is not None else None
        for argument in node.arguments or ():
            if argument.name.value == name:
                given = self.value(argument.value)
        if not inner:
            return _size(given)
        default = None
        named = get_named_type(arg.type) if arg is not None else None
        if isinstance(named, GraphQLInputObjectType) and inner in named.fields:
            default = named.fields[inner].default_value
        return _size(given.get(inner, default) if isinstance(given, dict) else default)

    def value(self, node: ValueNode) -> Any:
        if isinstance(node, VariableNode):
            name = node.name.value
            default = self.defaults.get(name)
            if name not in self.variables and default is not None:
                return self.value(default)
            return self.variables.get(name)
        if isinstance(node, IntValueNode):
            return int(node.value) if len(node.value) < 20 else 10**20
        if isinstance(node, ListValueNode):
            return [None] * len(node.values)
        if isinstance(node, ObjectValueNode):
            return {f.name.value: self.value(f.value) for f in node.fields}
        return None


def _told(field: GraphQLField) -> Cost | None:
    definition = (field.extensions or {}).get("strawberry-definition")
    for directive in getattr(definition, "directives", ()):
        if isinstance(directive, Cost):
            return directive
    return None


def _size(value: Any) -> int:
    if isinstance(value, list | tuple):
        return max(len(value), 1)
    if isinstance(value, int) and not isinstance(value, bool):
        return max(value, 1)
    return 1


def _is_thing(type_: GraphQLNamedType) -> bool:
    """Something that may have to be fetched; small values come with what they describe."""
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return type_.name == "Node" or any(i.name == "Node" for i in type_.interfaces)
    return isinstance(type_, GraphQLUnionType)


def _is_page_part(name: str) -> bool:
    return name.endswith(("Edge", "PageInfo", "Connection"))


def _is_list(field: GraphQLField) -> bool:
    type_ = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(type_, GraphQLList)

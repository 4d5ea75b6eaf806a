"""An executor that completes lists of plain rows with one compiled function per selection.

Completing a list field by field costs some 6 µs a leaf in graphql-core. Where every selected field of the
rows is a plain attribute, the selection is compiled to a Python function that reads the attributes and
builds the dict. Anything unusual (arguments, resolvers, a wrong type, a null where none may be) makes the
whole list go the ordinary way, which tells errors and paths exactly. `HEADWATER_FAST_GRAPHQL=0` turns it off.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as StockExecutor

__all__ = ["FastExecutor", "StockExecutor", "fast_executor"]

_LOG = logging.getLogger("headwater.graphql")

Row = Callable[[Any], dict[str, Any]]

_FEWEST = 8
"""Shorter lists are not worth a compilation."""
_DEEPEST = 6
_REMEMBERED = 512
_CONDITIONS = frozenset({"skip", "include"})  # answered already when fields are collected


class _Unusual(Exception):
    """This list goes the ordinary way."""


class Rows:
    """The compiled functions of one schema, by their source: requests that select alike share them."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._compiled: dict[str, Row] = {}
        self._lock = threading.Lock()

    def row(self, source: str, names: dict[str, Any]) -> Row:
        found = self._compiled.get(source)
        if found is None:
            scope = dict(names)
            exec(source, scope)  # noqa: S102 - the source holds nothing but the schema's own names, quoted
            found = scope["row"]
            with self._lock:
                if len(self._compiled) >= _REMEMBERED:
                    self._compiled.clear()
                self._compiled[source] = found
        return found


class FastExecutor(StockExecutor):
    """The stock executor with a short cut through `complete_iterable_value`."""

    rows: Rows
    """Of this schema; set by `fast_executor`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._row_of: dict[tuple[str, int], tuple[FieldDetailsList, Row | None]] = {}

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        if items.__class__ in {list, tuple} and len(items) >= _FEWEST and not self.middleware_manager:
            try:
                return self._complete_rows(item_type, field_details_list, items)
            except (_Unusual, GraphQLError):
                pass  # the ordinary way below tells what is wrong, with its path
            except Exception:  # noqa: BLE001 - the answer does not depend on it
                _LOG.exception("the short cut failed at %s; the list goes the ordinary way", path.as_list())
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    def _complete_rows(
        self, item_type: GraphQLOutputType, details: FieldDetailsList, items: Iterable[Any]
    ) -> list[Any]:
        if is_leaf_type(get_named_type(item_type)):
            return self._leaves(item_type, items)
        if isinstance(item_type, GraphQLNonNull):
            item_type = item_type.of_type
        if isinstance(item_type, GraphQLObjectType) and item_type.is_type_of is None:
            row = self._row(item_type, details)
            return [row(item) for item in items]
        if not isinstance(item_type, GraphQLObjectType) and not is_abstract_type(item_type):
            raise _Unusual
        of_class: dict[type, Row] = {}
        done = []
        for item in items:
            cls = item.__class__
            known = of_class.get(cls)
            if known is None:
                known = of_class[cls] = self._row(self._type_of(cls, item_type), details)
            done.append(known(item))
        return done

    def _leaves(self, item_type: GraphQLOutputType, items: Iterable[Any]) -> list[Any]:
        """A column: numbers, texts, or lists of them."""
        writer = _Writer(self)
        expression = writer.value(item_type, "v", [], 0)
        source = f"def row(items):\n return [{expression} for v in items]"
        done: Any = self.rows.row(source, writer.names)(items)
        return list(done)

    def _type_of(self, cls: type, wanted: GraphQLNamedType) -> GraphQLObjectType:
        definition = cls.__dict__.get("__strawberry_definition__")
        found = self.schema.type_map.get(definition.name) if definition is not None else None
        if not isinstance(found, GraphQLObjectType):
            raise _Unusual
        if found is not wanted and not (is_abstract_type(wanted) and self.schema.is_sub_type(wanted, found)):
            raise _Unusual
        return found

    def _row(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Row:
        key = (type_.name, id(details))
        known = self._row_of.get(key)
        if known is None:
            writer = _Writer(self)
            try:
                writer.function("row", type_, details, 0)
                known = (details, self.rows.row("\n".join(writer.lines), writer.names))
            except _Unusual:
                known = (details, None)
            self._row_of[key] = known  # `details` is kept alive, so its id stays its own
        if known[1] is None:
            raise _Unusual
        return known[1]


class _Writer:
    """Writes the source of a row function and of the ones it calls."""

    def __init__(self, executor: FastExecutor) -> None:
        self.executor = executor
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"unusual": _unusual}
        self.functions = 0

    def function(self, name: str, type_: GraphQLObjectType, details: FieldDetailsList, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Unusual
        selected = self.executor.collect_subfields(type_, details)
        if selected.new_defer_usages:
            raise _Unusual
        body, pairs = [f"def {name}(o):"], []
        for i, (answer_name, field_details) in enumerate(selected.grouped_field_set.items()):
            node = field_details[0].node
            if node.name.value == "__typename":
                pairs.append(f"{answer_name!r}: {type_.name!r}")
                continue
            field = type_.fields.get(node.name.value)
            attribute = _plain_attribute(field, node)
            assert field is not None  # noqa: S101 - `_plain_attribute` refuses None
            expression = self.value(field.type, f"v{i}", field_details, depth)
            body.append(f" v{i} = o.{attribute}")
            pairs.append(f"{answer_name!r}: {expression}")
        body.append(f" return {{{', '.join(pairs)}}}")
        self.lines += body

    def value(self, type_: GraphQLOutputType, v: str, details: FieldDetailsList, depth: int) -> str:
        """An expression of the completed value; it raises whenever the stock executor would."""
        required = isinstance(type_, GraphQLNonNull)
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if is_leaf_type(type_):
            expression = self.leaf(type_, v)
        elif isinstance(type_, GraphQLList):
            item = self.value(type_.of_type, f"{v}_", details, depth)
            expression = (
                f"[{item} for {v}_ in {v}] if {v}.__class__ is tuple or {v}.__class__ is list else unusual()"
            )
        elif isinstance(type_, GraphQLObjectType):
            self.functions += 1
            name = f"r{self.functions}"
            self.function(name, type_, details, depth + 1)
            expression = f"{name}({v})"
            if type_.is_type_of is not None:
                self.names["type_name"] = _type_name
                expression = f"{expression} if type_name({v}) == {type_.name!r} else unusual()"
        else:
            raise _Unusual
        if required:
            return f"({expression})" if expression.startswith("[") or " if " in expression else expression
        return f"(None if {v} is None else ({expression}))"

    def leaf(self, type_: GraphQLLeafType, v: str) -> str:
        """The commonest classes pass as they are; all others are coerced by the type itself."""
        coerce = f"coerce_{type_.name}"
        self.names[coerce] = _coercion(type_)
        if type_.name in {"String", "ID"}:
            return f"({v} if {v}.__class__ is str else {coerce}({v}))"
        if type_.name == "Int":
            return f"({v} if {v}.__class__ is int and -2147483648 <= {v} <= 2147483647 else {coerce}({v}))"
        if type_.name == "Float":
            return f"({v} if {v}.__class__ is float and {v} - {v} == 0.0 else {coerce}({v}))"
        if type_.name == "Boolean":
            return f"({v} if {v}.__class__ is bool else {coerce}({v}))"
        members = _members(type_)
        if members is not None:
            self.names[f"enum_{type_.name}"] = members
            return f"({v}._name_ if {v}.__class__ is enum_{type_.name} else {coerce}({v}))"
        return f"{coerce}({v})"


def _plain_attribute(field: GraphQLField | None, node: FieldNode) -> str:
    if field is None or field.args or not getattr(field.resolve, "_is_default", False):
        raise _Unusual
    if any(directive.name.value not in _CONDITIONS for directive in node.directives or ()):
        raise _Unusual
    name = getattr(field.extensions.get("strawberry-definition"), "python_name", None)
    if not isinstance(name, str) or not name.isidentifier():
        raise _Unusual
    return name


def _members(type_: GraphQLLeafType) -> type[Enum] | None:
    """The Python enum whose members are called as their GraphQL values are."""
    definition = (type_.extensions or {}).get("strawberry-definition")
    cls = getattr(definition, "wrapped_cls", None)
    if not isinstance(type_, GraphQLEnumType) or not isinstance(cls, type) or not issubclass(cls, Enum):
        return None
    if all(type_.coerce_output_value(member) == member.name for member in cls):
        return cls
    return None


def _coercion(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    def coerce(value: Any) -> Any:
        if value is None or isinstance(value, Exception):
            raise _Unusual
        coerced = type_.coerce_output_value(value)
        if coerced is None or coerced is Undefined:
            raise _Unusual
        return coerced

    return coerce


def _type_name(value: Any) -> str | None:
    definition = value.__class__.__dict__.get("__strawberry_definition__")
    return None if definition is None else definition.name


def _unusual() -> Any:
    raise _Unusual


def fast_executor(schema: GraphQLSchema) -> type[FastExecutor]:
    """The executor class of a schema."""
    return type("FastExecutor", (FastExecutor,), {"rows": Rows(schema)})

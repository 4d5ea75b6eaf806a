"""Reduces a sqlglot expression to the columns it depends on, and how."""

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from headwater_parsers.ast.functions import (
    AGGREGATES,
    DICTIONARIES,
    IF_NAMES,
    MASKING,
    OF_ONE_ROW,
    PSEUDO,
)
from headwater_parsers.ast.names import at_of, join_at, name_of, variable_of
from headwater_parsers.ast.shapes import date_part, is_query, makes_struct, unordered
from headwater_parsers.dialects import Traits
from headwater_parsers.tree import (
    AGGREGATION,
    CONDITIONAL,
    IDENTITY,
    NOWHERE,
    TRANSFORMATION,
    WINDOW,
    Expr,
    Join,
    Leaf,
    Masked,
    Nested,
    Projection,
    Query,
    Select,
    Table,
)

_PLAIN = (exp.Paren, exp.Alias, exp.PropertyEQ, exp.Kwarg, exp.Ordered, exp.Collate)
_BARE = (
    exp.Literal, exp.Null, exp.Boolean, exp.Var, exp.DataType, exp.JSONPath,
    exp.Identifier, exp.Star, exp.Interval,
)  # fmt: skip

_SHOWN: Masked = False

Functions = Mapping[str, tuple[tuple[str, ...], Expr]]


def deeper(use: int) -> int:
    """Return the use of a value that is no longer handed on as it is."""
    return TRANSFORMATION if use == IDENTITY else use


class Expressions:
    """Reads expressions in one dialect; `query` reads the subqueries inside them."""

    def __init__(
        self,
        traits: Traits,
        query: Callable[[exp.Expr], Query],
        functions: Functions,
        masking: frozenset[str],
    ) -> None:
        self.traits = traits
        self.functions = functions
        self.windows: list[dict[str, exp.Expr]] = []
        self.used: list[set[str]] = []  # of the windows that WINDOW names
        self._masking = MASKING | masking
        self._query = query
        self._bound: list[frozenset[str]] = []

    def read(self, node: exp.Expr | None) -> Expr:
        out = Expr()
        if node is not None:
            self._walk(node, IDENTITY, _SHOWN, out)
            out.fields = self._fields(node)
            out.query_alone = len(out.nested) == 1 and not out.leaves and is_query(node)
            if out.at == NOWHERE:
                out.at = at_of(node)
        return out

    def read_all(self, nodes: Iterable[exp.Expr]) -> Expr:
        out = Expr()
        for node in nodes:
            self._walk(node, IDENTITY, _SHOWN, out)
        return out

    def column(self, node: exp.Column, use: int = IDENTITY, *, masked: Masked = False) -> Leaf:
        at = NOWHERE
        parts = []
        for part in node.parts:
            at = join_at(at, at_of(part))
            parts.append(name_of(part, self.traits))
        return Leaf(tuple(parts), use, masked, at)

    def _fields(self, node: exp.Expr) -> dict[str, Expr] | None:
        while isinstance(node, exp.Paren | exp.Alias):
            node = node.this
        if isinstance(node, exp.Array) and len(node.expressions) == 1:
            return self._fields(node.expressions[0])
        if isinstance(node, exp.ArrayAgg | exp.AnyValue) and isinstance(node.this, exp.Expr):
            inner = self._fields(unordered(node.this)) or {}
            for expr in inner.values():
                for leaf in expr.leaves:
                    leaf.use = max(leaf.use, AGGREGATION)
            return inner or None
        if not isinstance(node, exp.Struct):
            return None
        made: dict[str, Expr] = {}
        for item in node.expressions:
            value = item.expression if isinstance(item, exp.PropertyEQ) else item
            label = item.this if isinstance(item, exp.PropertyEQ) else item
            name = name_of(label, self.traits) if label.name else item.alias_or_name
            if name:
                made[name.lower()] = self.read(value)
        return made or None

    # -- the walk ---------------------------------------------------------------------------

    def _walk(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        kind = type(node)
        if isinstance(node, exp.Column):
            self._column(node, use, masked, out)
        elif isinstance(node, _BARE):
            if isinstance(node, exp.Interval) and isinstance(node.this, exp.Expr):
                self._walk(node.this, deeper(use), masked, out)
        elif isinstance(node, _PLAIN):
            inner = node.expression if isinstance(node, exp.PropertyEQ | exp.Kwarg) else node.this
            if isinstance(inner, exp.Expr):
                self._walk(inner, use, masked, out)
        else:
            handler = self._HANDLERS.get(kind)
            if handler is not None:
                handler(self, node, use, masked, out)
            elif isinstance(node, exp.Binary) and isinstance(node.left, exp.Binary):
                self._chain(node, deeper(use), masked, out)
            elif isinstance(node, exp.Func):
                self._call(node, use, masked, out)
            elif isinstance(node, exp.Query):
                self._nested(node, use, masked, out)
            else:
                self._children(node, deeper(use), masked, out)

    def _chain(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        """Read `a || b || c ...`: such chains lean to the left and may be thousands long."""
        right: list[exp.Expr] = []
        while isinstance(node, exp.Binary) and type(node) not in self._HANDLERS:
            right.append(node.right)
            node = node.left
        self._walk(node, use, masked, out)
        for value in reversed(right):
            self._walk(value, use, masked, out)

    def _children(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        for child in node.iter_expressions():
            self._walk(child, use, masked, out)

    def _each(self, nodes: object, use: int, masked: Masked, out: Expr) -> None:
        if isinstance(nodes, exp.Expr):
            self._walk(nodes, use, masked, out)
        elif isinstance(nodes, list):
            for node in nodes:
                self._each(node, use, masked, out)

    def _column(self, node: exp.Column, use: int, masked: Masked, out: Expr) -> None:
        this = node.this
        if isinstance(this, exp.Star):
            qualifier = [name_of(p, self.traits) for p in node.parts[:-1]]
            out.leaves.append(Leaf((*qualifier, "*"), use, masked))
            return
        leaf = self.column(node, use, masked=masked)
        if self._bound and any(leaf.parts[0].lower() in names for names in self._bound):
            return
        pseudo = self.traits.name == "oracle" and leaf.parts[0].lower() in PSEUDO
        if pseudo and len(leaf.parts) == 1:
            return
        out.leaves.append(leaf)
        out.at = join_at(out.at, leaf.at)

    def _dot(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        before = len(out.leaves)
        nested = len(out.nested)
        tail = node.expression
        if isinstance(tail, exp.Identifier) and isinstance(node.this, exp.Struct | exp.Paren):
            field = (self._fields(node.this) or {}).get(tail.name.lower())
            if field is not None:  # a field of a struct that is built on the spot
                for leaf in field.leaves:
                    leaf.use = use if use in (CONDITIONAL, WINDOW) else max(use, leaf.use)
                out.leaves += field.leaves
                out.nested += field.nested
                return
        self._walk(node.this, use, masked, out)
        if isinstance(tail, exp.Identifier):
            if len(out.nested) == nested + 1 and len(out.leaves) == before:
                out.nested[-1].path += (name_of(tail, self.traits),)
            if len(out.leaves) == before + 1:
                out.leaves[-1].path += (name_of(tail, self.traits),)
                at = at_of(tail)
                out.at = join_at(out.at, at)
        elif isinstance(tail, exp.Func):
            for leaf in out.leaves[before:]:
                leaf.use = deeper(leaf.use)
            self._call(tail, use, masked, out)

    def _bracket(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._walk(node.this, use, masked, out)
        for index in node.expressions:
            self._walk(index, deeper(use), masked, out)

    def _cast(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._walk(node.this, deeper(use), masked, out)

    def _parameter(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        out.leaves.append(Leaf((variable_of(node),), use, masked, at_of(node)))

    def _placeholder(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        if node.name:
            out.leaves.append(Leaf((f":{node.name}",), use, masked))

    def _case(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._condition(node.this, use, masked, out)
        for branch in node.args.get("ifs") or ():
            self._condition(branch.this, use, masked, out)
            self._each(branch.args.get("true"), deeper(use), masked, out)
        self._each(node.args.get("default"), deeper(use), masked, out)

    def _if(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._condition(node.this, use, masked, out)
        self._each(node.args.get("true"), deeper(use), masked, out)
        self._each(node.args.get("false"), deeper(use), masked, out)

    def _decode(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        tested, *rest = node.expressions
        self._condition(tested, use, masked, out)
        while len(rest) > 1:
            self._condition(rest[0], use, masked, out)
            self._walk(rest[1], deeper(use), masked, out)
            rest = rest[2:]
        for default in rest:
            self._walk(default, deeper(use), masked, out)

    def _coalesce(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        for value in (node.this, *node.expressions):
            self._walk(value, deeper(use), masked, out)
            self._condition(value, use, masked, out)

    def _nullif(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._walk(node.this, deeper(use), masked, out)
        self._condition(node.this, use, masked, out)
        self._condition(node.expression, use, masked, out)

    def _condition(self, node: object, use: int, masked: Masked, out: Expr) -> None:
        indirect = use if use in (CONDITIONAL, WINDOW) else CONDITIONAL
        self._each(node, indirect, masked, out)

    def _window(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._walk(node.this, deeper(use), masked, out)
        indirect = use if use in (CONDITIONAL, WINDOW) else WINDOW
        self._each(node.args.get("partition_by"), indirect, masked, out)
        order = node.args.get("order")
        if isinstance(order, exp.Expr):
            self._each(order.expressions, indirect, masked, out)
        named = node.args.get("alias")
        if isinstance(named, exp.Expr):
            self._use_window(named.name.lower())

    def _use_window(self, name: str) -> None:
        if self.windows and name in self.windows[-1] and name not in self.used[-1]:
            self.used[-1].add(name)
            base = self.windows[-1][name].args.get("alias")
            if isinstance(base, exp.Expr):
                self._use_window(base.name.lower())

    def window_keys(self) -> list[Expr]:
        """Return the keys of the named windows that the query uses.

        They stand in a clause of the query, as those of GROUP BY do; the keys that OVER (...)
        holds itself belong to its column. Trino reports lineage in the same way.
        """
        made = []
        for name in sorted(self.used[-1]):
            node = self.windows[-1][name]
            order = node.args.get("order")
            keys = list(node.args.get("partition_by") or ())
            keys += order.expressions if isinstance(order, exp.Expr) else []
            made.append(self.read_all(keys))
        return made

    def _filter(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._walk(node.this, use, masked, out)
        self._condition(node.expression.this, use, masked, out)

    def _within(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._walk(node.this, use, masked, out)
        kind = deeper(use) if use in (CONDITIONAL, WINDOW) else AGGREGATION
        self._each(node.expression.expressions, kind, masked, out)

    def _exists(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        if isinstance(node.this, exp.Query):
            out.nested.append(Nested(self._query(node.this), None, masked))
        else:
            self._children(node, deeper(use), masked, out)

    def _nested(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        out.nested.append(Nested(self._query(node), use, masked, struct=makes_struct(node)))

    def _in(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        use = deeper(use)
        self._walk(node.this, use, masked, out)
        for key in ("query", "unnest", "field", "expressions"):
            self._each(node.args.get(key), use, masked, out)

    def _lambda(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        self._bound.append(frozenset(p.name.lower() for p in node.expressions))
        self._walk(node.this, deeper(use), masked, out)
        self._bound.pop()

    def _call(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        anonymous = isinstance(node, exp.Anonymous | exp.AnonymousAggFunc)
        name = (node.name if anonymous else type(node).key).lower()
        plain = name.rpartition(".")[2]
        if plain in self._masking:
            masked = True
        if use not in (CONDITIONAL, WINDOW):
            aggregate = isinstance(node, exp.AggFunc) or plain in AGGREGATES
            if aggregate and plain not in OF_ONE_ROW:
                use = AGGREGATION
        if anonymous and plain in self.functions:
            self._inline(plain, node, use, masked, out)
            return
        if anonymous and plain in IF_NAMES and len(node.expressions) > 1:
            self._condition(node.expressions[0], use, masked, out)
            self._each(node.expressions[1:], deeper(use), masked, out)
            return
        if plain.startswith(DICTIONARIES) and self._dictionary(node, use, masked, out):
            return
        if anonymous:
            out.functions.append(node.name)
        use = deeper(use)
        skip = date_part(plain, node) if anonymous else None
        for child in node.iter_expressions():
            if child is not skip:
                self._walk(child, use, masked, out)

    def _dictionary(self, node: exp.Expr, use: int, masked: Masked, out: Expr) -> bool:
        """Read ClickHouse's dictGet('d', 'attribute', key): the value is the dictionary's."""
        args = node.expressions or list(node.iter_expressions())
        if len(args) < 3 or not isinstance(args[1], exp.Literal):
            return False
        name = args[0].name.split(".") if isinstance(args[0], exp.Literal) else None
        parts = tuple(name or (name_of(p, self.traits) for p in getattr(args[0], "parts", ())))
        if not parts:
            return False
        attribute = Expr(leaves=[Leaf((args[1].name,), IDENTITY, masked=False)])
        query = Select([Projection(args[1].name, attribute)], [Join(Table(parts))])
        out.nested.append(Nested(query, deeper(use), masked))
        for key in args[2:]:
            self._walk(key, deeper(use), masked, out)
        return True

    def _inline(self, name: str, node: exp.Expr, use: int, masked: Masked, out: Expr) -> None:
        """Replace a call of a function whose body is known by that body."""
        params, body = self.functions[name]
        given = dict(zip((p.lower() for p in params), node.expressions, strict=False))
        out.functions.append(node.name)
        for leaf in body.leaves:
            value = given.get(leaf.parts[0].lower())
            if value is not None:
                inner = leaf.use if use == IDENTITY or leaf.use > use else use
                self._walk(value, inner, masked or leaf.masked, out)
            elif len(params) == 0 or len(leaf.parts) > 1:
                out.leaves.append(leaf)
        for nested in body.nested:
            out.nested.append(Nested(nested.query, use, masked or nested.masked))

    _HANDLERS: Mapping[type, Callable[..., None]] = {
        exp.Dot: _dot,
        exp.Bracket: _bracket,
        exp.Cast: _cast,
        exp.TryCast: _cast,
        exp.Parameter: _parameter,
        exp.SessionParameter: _parameter,
        exp.Placeholder: _placeholder,
        exp.Case: _case,
        exp.If: _if,
        exp.Nvl2: _if,
        exp.DecodeCase: _decode,
        exp.Coalesce: _coalesce,
        exp.Nullif: _nullif,
        exp.Window: _window,
        exp.Filter: _filter,
        exp.WithinGroup: _within,
        exp.Exists: _exists,
        exp.In: _in,
        exp.Lambda: _lambda,
        exp.Select: _nested,
        exp.Subquery: _nested,
    }

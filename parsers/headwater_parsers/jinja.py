"""Renders the Jinja of dbt models without dbt: names become tables, the rest a stand-in. Pure."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_TAG = re.compile(r"\{\{-?(.*?)-?\}\}|\{%-?(.*?)-?%\}|\{#.*?#\}", re.DOTALL)
_WORD = re.compile(r"\w+")
_LIMIT = 2_000_000  # characters that loops may make


@dataclass(slots=True)
class Rendered:
    """SQL without Jinja, where its pieces come from, and what was not understood."""

    text: str
    moves: list[tuple[int, int]] = field(default_factory=list)  # offsets: rendered, given
    unknown: list[tuple[str, int]] = field(default_factory=list)  # a macro, and where it stands


class Unknown(Exception):
    """An expression that only dbt itself can evaluate."""


@dataclass(slots=True)
class _Piece:
    kind: str  # text, expr, or the first word of a block
    body: str
    at: int
    inner: "list[_Piece]" = field(default_factory=list)
    otherwise: "list[_Piece]" = field(default_factory=list)


def has_jinja(sql: str) -> bool:
    return "{{" in sql or "{%" in sql or "{#" in sql


def render(sql: str, variables: Mapping[str, object] | None = None) -> Rendered:
    """Return SQL that a parser can read.

    `ref`, `source` and `this` become names. `is_incremental()` is false, as in a first run. A
    condition that cannot be decided takes its first branch; an unknown macro becomes a call
    without arguments, and is listed in `unknown`.
    """
    pieces = list(_pieces(sql))
    top, _ = _nest(pieces, 0, ())
    out = _Output(dict(variables or {}))
    out.write(top, {})
    return Rendered("".join(out.made), out.moves, out.unknown)


def _pieces(sql: str) -> Iterator[_Piece]:
    at = 0
    for match in _TAG.finditer(sql):
        if match.start() > at:
            yield _Piece("text", sql[at : match.start()], at)
        if match.group(1) is not None:
            yield _Piece("expr", match.group(1).strip(), match.start())
        elif match.group(2) is not None:
            body = match.group(2).strip()
            word = _WORD.match(body)
            yield _Piece(word.group(0) if word else "?", body, match.start())
        at = match.end()
    if at < len(sql):
        yield _Piece("text", sql[at:], at)


_OPENS = {
    "if": "endif", "for": "endfor", "macro": "endmacro", "call": "endcall", "raw": "endraw",
    "test": "endtest", "snapshot": "endsnapshot", "filter": "endfilter", "block": "endblock",
    "materialization": "endmaterialization", "docs": "enddocs",
}  # fmt: skip


def _nest(pieces: Sequence[_Piece], i: int, until: tuple[str, ...]) -> tuple[list[_Piece], int]:
    """Build the tree of blocks; stop at a word of `until`."""
    made: list[_Piece] = []
    while i < len(pieces):
        piece = pieces[i]
        if piece.kind in until:
            return made, i
        i += 1
        closing = _OPENS.get(piece.kind)
        if piece.kind == "set" and "=" not in piece.body:
            closing = "endset"
        if closing is None:
            made.append(piece)
            continue
        stops = (closing, "elif", "else") if piece.kind in ("if", "for") else (closing,)
        piece.inner, i = _nest(pieces, i, stops)
        made.append(piece)
        while i < len(pieces) and pieces[i].kind in ("elif", "else"):
            branch = pieces[i]
            inner, i = _nest(pieces, i + 1, stops)
            if branch.kind == "elif":
                nested = _Piece("if", branch.body[2:], branch.at, inner)
                piece.otherwise = [nested]
                piece = nested
            else:
                piece.otherwise = inner
        i += 1
    return made, i


Env = dict[str, object]


class _Output:
    def __init__(self, variables: dict[str, object]) -> None:
        self.made: list[str] = []
        self.moves: list[tuple[int, int]] = []
        self.unknown: list[tuple[str, int]] = []
        self._variables = variables
        self._length = 0

    def write(self, pieces: Sequence[_Piece], env: Env) -> None:
        for piece in pieces:
            if self._length > _LIMIT:
                return
            if piece.kind in ("text", "raw"):
                self._emit(piece.body if piece.kind == "text" else "", piece.at)
                self.write(piece.inner, env)
            elif piece.kind == "expr":
                self._emit(self._shown(piece, env), piece.at)
            elif piece.kind == "if":
                self.write(piece.inner if self._holds(piece, env) else piece.otherwise, env)
            elif piece.kind == "for":
                self._loop(piece, env)
            elif piece.kind == "set":
                self._set(piece, env)
            elif piece.kind == "snapshot":
                self.write(piece.inner, env)

    def _emit(self, text: str, at: int) -> None:
        if text:
            self.moves.append((self._length, at))
            self.made.append(text)
            self._length += len(text)

    def _holds(self, piece: _Piece, env: Env) -> bool:
        try:
            return bool(self._value(piece.body[2:].strip(), env))
        except Unknown:
            return True

    def _loop(self, piece: _Piece, env: Env) -> None:
        match = re.match(r"for\s+(.+?)\s+in\s+(.+)", piece.body, re.DOTALL)
        if match is None:
            return
        names = [n.strip() for n in match.group(1).split(",")]
        try:
            found = self._value(match.group(2), env)
        except Unknown:
            found = None
        if not isinstance(found, list | tuple | dict):
            found = [_Name(names[0])]  # once, under its own name
        items = list(found.items()) if isinstance(found, dict) else list(found)
        for i, item in enumerate(items):
            several = len(names) > 1 and isinstance(item, list | tuple)
            values = list(item) if several else [item] * len(names)
            inner = {**env, **dict(zip(names, values, strict=False))}
            inner["loop"] = {
                "first": i == 0,
                "last": i == len(items) - 1,
                "index": i + 1,
                "index0": i,
                "length": len(items),
            }
            self.write(piece.inner, inner)

    def _set(self, piece: _Piece, env: Env) -> None:
        name, found, value = piece.body[3:].partition("=")
        if not found:
            inner = _Output(self._variables)
            inner.write(piece.inner, env)
            env[name.strip()] = _Raw("".join(inner.made))
            return
        try:
            env[name.strip()] = self._value(value.strip(), env)
        except Unknown:
            env.pop(name.strip(), None)

    def _shown(self, piece: _Piece, env: Env) -> str:
        try:
            value = self._value(piece.body, env)
        except Unknown as unknown:
            self.unknown.append((str(unknown), piece.at))
            name = "_".join(_WORD.findall(str(unknown))) or "macro"
            return f"{name}()"
        if value is None:
            return ""
        return value if isinstance(value, str) else str(value)

    def _value(self, text: str, env: Env) -> object:
        source = re.sub(r"\btrue\b", "True", re.sub(r"\bfalse\b", "False", text.strip()))
        source = re.sub(r"\bnone\b", "None", source).replace("~", "+")
        source = re.sub(r"\bis\s+(not\s+)?(defined|none|None)\b", r" is \1None", source)
        try:
            tree = ast.parse(source, mode="eval").body
        except (SyntaxError, ValueError) as error:
            raise Unknown(text.partition("(")[0].strip()) from error
        return _Evaluation(env, self._variables).of(tree)


class _Name(str):
    """A name that stands for itself."""

    __slots__ = ()


class _Raw(str):
    """Rendered text held by a variable."""

    __slots__ = ()


class _Evaluation:
    """Evaluates the harmless part of Jinja's expressions: no attribute of a real object."""

    def __init__(self, env: Env, variables: dict[str, object]) -> None:
        self._env = env
        self._variables = variables

    def of(self, node: ast.expr) -> object:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.List | ast.Tuple):
            return [self.of(e) for e in node.elts]
        if isinstance(node, ast.Dict):
            keys = [self.of(k) for k in node.keys if k is not None]
            return dict(zip(keys, (self.of(v) for v in node.values), strict=False))
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not self.of(node.operand)
        if isinstance(node, ast.BoolOp):
            values = [bool(self.of(v)) for v in node.values]
            return all(values) if isinstance(node.op, ast.And) else any(values)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compare(node)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise Unknown(ast.unparse(node))

    def _name(self, name: str) -> object:
        if name in self._env:
            return self._env[name]
        return _Name(name)

    def _attribute(self, node: ast.Attribute) -> object:
        inner = self.of(node.value)
        if isinstance(inner, dict) and node.attr in inner:
            return inner[node.attr]
        if isinstance(inner, _Name):
            if inner == "this":
                return _Name(node.attr if node.attr != "identifier" else "this")
            return _Name(f"{inner}_{node.attr}")
        raise Unknown(ast.unparse(node))

    def _subscript(self, node: ast.Subscript) -> object:
        inner, index = self.of(node.value), self.of(node.slice)
        if isinstance(inner, dict) and index in inner:
            return inner[index]
        if isinstance(inner, list) and isinstance(index, int) and -len(inner) <= index < len(inner):
            return inner[index]
        raise Unknown(ast.unparse(node))

    def _compare(self, node: ast.Compare) -> bool:
        left, right = self.of(node.left), self.of(node.comparators[0])
        if isinstance(left, _Name) or isinstance(right, _Name):
            if not isinstance(node.ops[0], ast.Is | ast.IsNot):
                raise Unknown(ast.unparse(node))
            left = None if isinstance(left, _Name) else left
        op = node.ops[0]
        if isinstance(op, ast.Eq):
            return left == right
        if isinstance(op, ast.NotEq):
            return left != right
        if isinstance(op, ast.Is):
            return left is None
        if isinstance(op, ast.IsNot):
            return left is not None
        if isinstance(op, ast.In | ast.NotIn) and isinstance(right, list | dict | str):
            within = left in right
            return within if isinstance(op, ast.In) else not within
        if isinstance(left, int | float) and isinstance(right, int | float):
            smaller = left < right if isinstance(op, ast.Lt | ast.GtE) else left > right
            return smaller if isinstance(op, ast.Lt | ast.Gt) else not smaller
        raise Unknown(ast.unparse(node))

    def _operation(self, node: ast.BinOp) -> object:
        if isinstance(node.op, ast.BitOr):
            return self._filter(self.of(node.left), node.right)
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Add):
            if isinstance(left, list) and isinstance(right, list):
                return left + right
            if isinstance(left, int | float) and isinstance(right, int | float):
                return left + right
            return f"{left}{right}"
        raise Unknown(ast.unparse(node))

    def _filter(self, value: object, node: ast.expr) -> object:
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if isinstance(node, ast.Name):
            name = node.id
        if name == "upper":
            return str(value).upper()
        if name == "lower":
            return str(value).lower()
        if name == "join" and isinstance(value, list):
            glue = self.of(node.args[0]) if isinstance(node, ast.Call) and node.args else ""
            return str(glue).join(str(v) for v in value)
        if name == "length" and isinstance(value, list | str | dict):
            return len(value)
        return value

    def _call(self, node: ast.Call) -> object:
        name = ast.unparse(node.func)
        args = node.args
        if name in ("ref", "builtins.ref") and args:
            return _identifier(str(self.of(args[-1])))
        if name in ("source", "builtins.source") and len(args) == 2:
            return ".".join(_identifier(str(self.of(a))) for a in args)
        if name in ("var", "env_var") and args:
            key = str(self.of(args[0]))
            if key in self._variables:
                return self._variables[key]
            return self.of(args[1]) if len(args) > 1 else _Name(_identifier(key))
        if name in ("is_incremental", "should_full_refresh", "flags.FULL_REFRESH"):
            return False
        if name in ("config", "log", "print", "return", "exceptions.warn", "run_query"):
            return None
        if name in ("adapter.quote", "as_text", "as_native", "tojson"):
            return self.of(args[0]) if args else None
        return self._packaged(name, node)

    def _packaged(self, name: str, node: ast.Call) -> object:
        """Stand in for the macros of dbt's own packages that carry lineage."""
        last = name.rpartition(".")[2]
        given = list(node.args) + [k.value for k in node.keywords if k.arg in ("from", "relations")]
        if last in ("generate_surrogate_key", "surrogate_key") and given:
            columns = self.of(given[0])
            listed = columns if isinstance(columns, list) else [columns]
            return "md5(concat(" + ", ".join(str(c) for c in listed) + "))"
        if last == "star":
            return "*"
        if last == "union_relations" and given:
            tables = self.of(given[0])
            if isinstance(tables, list) and tables:
                every = " union all ".join(f"select * from {t}" for t in tables)  # noqa: S608
                return f"({every})"
        raise Unknown(name)


def _identifier(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else f'"{name}"'

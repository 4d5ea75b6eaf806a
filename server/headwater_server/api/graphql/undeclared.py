"""Root fields that do not say what they need, read from the source: at the start nothing of GraphQL is imported yet."""

import ast
from collections.abc import Iterator
from pathlib import Path

from headwater_server.api.needs import Undeclared

ROOTS = (("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription"))
"""Module and class of each."""
_HERE = Path(__file__).parent
_PACKAGE = __package__ or ""
_DECLARES = frozenset({"needs", "known", "public"})
_MAKES_A_FIELD = frozenset({"field", "mutation", "subscription"})


def check_root_fields(folder: Path = _HERE, roots: tuple[tuple[str, str], ...] = ROOTS) -> list[str]:
    """The names of all root fields.

    Raises:
        Undeclared: names each root field that declares nothing, and each class that cannot be read.

    """
    found = [field for module, name in roots for field in _fields(folder, module, name)]
    missing = [f"{owner}.{name}" for owner, name, declared in found if not declared]
    if missing:
        raise Undeclared(
            f"These root fields do not say what they need: {', '.join(missing)}. "
            "Put @needs(Permission…) on what resolves them (see api/needs.py)."
        )
    return [name for _, name, _ in found]


def _fields(folder: Path, module: str, name: str) -> Iterator[tuple[str, str, bool]]:
    """(class, field, whether it declares), those of the classes that it is made of first."""
    tree = ast.parse((folder / f"{module}.py").read_bytes())
    made_in = {
        alias.asname or alias.name: (node.module.removeprefix(f"{_PACKAGE}."), alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith(_PACKAGE)
        for alias in node.names
    }
    own = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    if own is None:
        yield name, "(not found)", False
        return
    for base in own.bases:
        at = made_in.get(base.id) if isinstance(base, ast.Name) else None
        if at is None:
            yield name, f"({ast.unparse(base)})", False
        else:
            yield from _fields(folder, *at)
    for node in own.body:
        yield from ((name, field, declared) for field, declared in _of_statement(node))


def _of_statement(node: ast.stmt) -> Iterator[tuple[str, bool]]:
    if isinstance(node, ast.AnnAssign):
        if "Private" not in ast.unparse(node.annotation):
            yield ast.unparse(node.target), False
    elif isinstance(node, ast.Assign):
        yield from ((ast.unparse(target), False) for target in node.targets)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        names = {_last(decorator) for decorator in node.decorator_list}
        if names & _MAKES_A_FIELD:
            yield node.name, bool(names & _DECLARES)


def _last(decorator: ast.expr) -> str:
    """`field` of `@strawberry.field(description=…)`."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")

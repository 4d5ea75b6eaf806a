"""Nodes loaded together are asked about together.

Things that one call of the store brought are a cohort. When a field of one of them needs the store, it is
answered for the whole cohort at once, and the others find their answer there: a level of a query costs one
call, however many things stand on it, and nothing looks ahead at the selection.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from headwater_server.api.graphql.context import Context
from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind

T = TypeVar("T")


class Shown(Protocol):
    """A class that shows nodes of one kind."""

    @classmethod
    def of(cls, node: Node, cohort: "Cohort") -> Any: ...


class Loader:
    """One execution's view of the graph."""

    def __init__(
        self,
        context: Context,
        shown: Mapping[Kind, type[Shown]],
        anew: Callable[[], Context] | None = None,
    ) -> None:
        """`anew`: the context as it is later, of an execution that goes on."""
        self.context = context
        self.anew = anew or (lambda: context)
        self.store = context.store
        self._shown = shown
        self._memo: dict[str, Any] = {}
        self._expected: list[Iterable[str]] = []
        self._met: dict[str, Any] = {}

    def again(self) -> "Loader":
        """Another, which sees what there is now. Raises Unauthenticated when who asks is not let in any more."""
        return Loader(self.anew(), self._shown, self.anew)

    def show(self, nodes: Iterable[Node]) -> list[Any]:
        """These nodes as the API's things, as one cohort. A kind that is not shown is left out."""
        found = [node for node in nodes if node.kind in self._shown]
        cohort = Cohort(self, found)
        return [self._shown[node.kind].of(node, cohort) for node in found]

    def load(self, keys: Iterable[str]) -> dict[str, Any]:
        """Those that exist, by key, as one cohort."""
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return {}
        nodes = list(self.store.get(wanted).values())
        return {thing.node.key: thing for thing in self.show(nodes)}

    def expect(self, keys: Iterable[str]) -> None:
        """These may be met one by one: the first of them brings all."""
        self._expected.append(keys)

    def meet(self, key: str) -> Any:
        """One of the expected; None when it is gone."""
        if key not in self._met:
            wanted = [key, *(k for keys in self._expected for k in keys)]
            self._expected.clear()
            self._met |= dict.fromkeys(wanted)
            self._met |= self.load(wanted)
        return self._met[key]

    def forget(self) -> None:
        """Something was changed: what was read before is no longer true."""
        self._memo.clear()
        self._met.clear()

    def once(self, name: str, ask: Callable[[], T]) -> T:
        """Asked once in an execution."""
        if name not in self._memo:
            self._memo[name] = ask()
        found: T = self._memo[name]
        return found


class Cohort:
    """Nodes that came together."""

    __slots__ = ("_memo", "loader", "nodes")

    def __init__(self, loader: Loader, nodes: Sequence[Node]) -> None:
        self.loader = loader
        self.nodes = nodes
        self._memo: dict[tuple[object, ...], Any] = {}

    def keys(self, kind: Kind) -> list[str]:
        return [node.key for node in self.nodes if node.kind is kind]

    def of(self, kind: Kind) -> list[Node]:
        return [node for node in self.nodes if node.kind is kind]

    def once(self, ask: Callable[..., T], *args: object) -> T:
        """`ask(cohort, *args)`, for the first that needs it."""
        name = (ask, *args)
        if name not in self._memo:
            self._memo[name] = ask(self, *args)
        found: T = self._memo[name]
        return found

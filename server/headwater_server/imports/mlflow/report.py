"""What came of an import: how much was copied, how much was there already, what was refused and why."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from headwater_server.imports.mlflow.port import Refused

KINDS: Final = ("experiments", "runs", "logged models", "files", "registered models", "model versions")
LISTED = 1_000
"""Of what was refused, and of what was kept: so many are named, all are counted."""


@dataclass(slots=True)
class Tally:
    copied: int = 0
    grown: int = 0
    """There already, and something was added."""
    present: int = 0
    """There already, as it is."""

    @property
    def all(self) -> int:
        return self.copied + self.grown + self.present


@dataclass(slots=True)
class Named:
    """Things with a reason."""

    count: int = 0
    listed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, what: str, why: str) -> None:
        self.count += 1
        if len(self.listed) < LISTED:
            self.listed.append((what, why))


class Report:
    """`watch` is called after every change."""

    def __init__(self, watch: Callable[["Report"], None] = lambda _: None) -> None:
        self.tallies: Mapping[str, Tally] = {kind: Tally() for kind in KINDS}
        self.points = 0
        self.bytes = 0
        self.refused = Named()
        self.kept = Named()
        """What is another here, and newer: it stays."""
        self.doing = ""
        self._watch = watch

    def begin(self, what: str) -> None:
        self.doing = what
        self._watch(self)

    @contextmanager
    def item(self, what: str) -> Iterator[None]:
        """One of many: what is refused within is told, and the next one goes on."""
        self.begin(what)
        try:
            yield
        except Refused as error:
            self.refuse(what, error)

    def done(self, kind: str, *, new: bool, changed: bool) -> None:
        tally = self.tallies[kind]
        if new:
            tally.copied += 1
        elif changed:
            tally.grown += 1
        else:
            tally.present += 1
        self._watch(self)

    def refuse(self, what: str, why: object) -> None:
        self.refused.add(what, str(why))
        self._watch(self)

    def keep(self, what: str, why: str) -> None:
        self.kept.add(what, why)

    def as_json(self) -> dict[str, Any]:
        counts = {
            _camel(kind): {"copied": one.copied, "grown": one.grown, "present": one.present}
            for kind, one in self.tallies.items()
        }
        return {
            **counts,
            "points": self.points,
            "bytes": self.bytes,
            **{
                name: {"count": said.count, "listed": [{"what": a, "why": b} for a, b in said.listed]}
                for name, said in (("refused", self.refused), ("kept", self.kept))
            },
        }


def _camel(kind: str) -> str:
    first, *rest = kind.split()
    return first + "".join(word.title() for word in rest)

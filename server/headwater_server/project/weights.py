"""How much of what a model learnt from each feature: which of several tables tells it, and which names it means. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from headwater_server.graph.changes import Edge, Value
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind

METHODS = ("SHAP", "PERMUTATION", "GAIN", "COVER", "SPLIT", "WEIGHT", "COEFFICIENT", "IMPORTANCE")
"""How a table came to its numbers, the more telling first. The last: it does not say."""
_CUT = re.compile("[_=]")


class Weight(NamedTuple):
    share: float
    """Of the importance of all features of its table together, from 0 to 1: the shares of a table come to 1."""
    method: str
    table: str
    """The path of the file."""

    @property
    def text(self) -> str:
        return f"{self.share:.1%} of the model's importance ({self.method}, {self.table})"


def weights_of(model: Facts, run: Facts, features: Sequence[str]) -> Mapping[str, Weight]:
    """By feature, in lower case. Of the tables that name one: those beside the model before those of its run, then by
    method, then by path.
    """
    names = [name.casefold() for name in features]
    for path, said in [*_tables(model), *_tables(run)]:
        shares = dict.fromkeys(names, 0.0)
        known = False
        for name, share in _named(said, names):
            feature = _feature(name, shares)
            if feature is not None:
                shares[feature] += share
                known = True
        if known:
            return {name: Weight(round(share, 6), said["method"], path) for name, share in shares.items()}
    return {}


def weighted(edge: Edge, weights: Mapping[str, Weight]) -> Edge:
    """An edge of a column that is a feature, with what is known of its weight."""
    weight = weights.get(edge.source) if edge.kind is EdgeKind.FEATURE_OF else None
    if weight is None:
        return edge
    how: dict[str, Value] = {"weight": weight.share, "method": weight.method, "table": weight.table}
    return edge._replace(props={**edge.props, **how})


def weight_on(edge: Edge) -> Weight | None:
    share = edge.props.get("weight")
    if not isinstance(share, float):
        return None
    return Weight(share, str(edge.props.get("method")), str(edge.props.get("table")))


def _tables(facts: Facts) -> list[tuple[str, Any]]:
    found = [(path, said) for path, said in facts.named("file|") if "method" in said]
    return sorted(found, key=lambda one: (METHODS.index(one[1]["method"]), one[0]))


def _named(said: Any, names: Sequence[str]) -> Iterator[tuple[str, float]]:
    """A table without names is in the order of the signature."""
    if "shares" in said:
        yield from ((name, share) for name, share in said["shares"])
    elif len(said["ordered"]) == len(names):
        yield from zip(names, said["ordered"], strict=True)


def _feature(name: str, features: Mapping[str, float]) -> str | None:
    """The feature that a name in a table means: by itself, behind the step that a pipeline puts before it
    (`scale__price`), or as one of the values it was spread out to (`country_FR`, `country=FR`): the longest that fits.
    """
    name = name.casefold()
    for said in (name, name.rpartition("__")[2]):
        if said in features:
            return said
        for cut in reversed(list(_CUT.finditer(said))):
            if said[: cut.start()] in features:
                return said[: cut.start()]
    return None

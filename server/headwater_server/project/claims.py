"""One column's claim on another: who says that a column depends on it, and how."""

from collections.abc import Mapping
from typing import NamedTuple

from headwater_server.project.weights import Weight


class Claim(NamedTuple):
    source: str
    """A column's key."""
    target: str
    """A column's key, or a whole node's (all its rows); while it is a statement's: a column path, or ``."""
    direct: bool
    subtype: str
    masking: bool
    description: str
    span: str = ""
    """Where in the script: `line:column-line:column`; only of claims read from SQL."""
    confidence: float = 1.0


class Used(NamedTuple):
    """What a model version takes of what its run read."""

    claims: frozenset[Claim]
    unmatched: tuple[str, ...]
    """Features whose name no column has."""
    weights: Mapping[str, Weight]
    """By column."""

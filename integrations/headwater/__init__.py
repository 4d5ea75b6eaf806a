"""What pipelines and training code import. The standard library alone; everything is loaded when it is used.

import headwater as hw

with hw.run("train-churn", experiment="churn") as run:
    run.params(lr=0.1, depth=6)
    run.input(frame, "warehouse/core.orders")
    for epoch in hw.track(range(100)):
        run.log(loss=loss)
    version = run.register(model, "churn")
version.promote("Staging", comment="first try")
"""

TYPE_CHECKING = False  # `typing` alone takes as long as Python itself

if TYPE_CHECKING:
    from headwater import aio, errors
    from headwater.connection import connect, current
    from headwater.errors import (
        ApprovalRequired,
        Away,
        Conflict,
        Forbidden,
        GateFailed,
        HeadwaterError,
        ImpactTooHigh,
        Invalid,
        NotFound,
        Refused,
    )
    from headwater.graphs import Diff, Impact, Lineage, diff, gql, impact, lineage, path, runs, sql, why
    from headwater.progress import track
    from headwater.recording import Run, active, run
    from headwater.registry import Model, ModelVersion, models, version
    from headwater.session import Session

__version__ = "0.1.0"

_WHERE = {
    "errors": ("ApprovalRequired", "Away", "Conflict", "Forbidden", "GateFailed", "HeadwaterError", "ImpactTooHigh", "Invalid", "NotFound", "Refused"),
    "graphs": ("Diff", "Impact", "Lineage", "diff", "gql", "impact", "lineage", "path", "runs", "sql", "why"),
    "progress": ("track",),
    "registry": ("Model", "ModelVersion", "models", "version"),
    "recording": ("Run", "active", "run"),
    "connection": ("connect", "current"),
    "session": ("Session",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "ApprovalRequired",
    "Away",
    "Conflict",
    "Diff",
    "Forbidden",
    "GateFailed",
    "HeadwaterError",
    "Impact",
    "ImpactTooHigh",
    "Invalid",
    "Lineage",
    "Model",
    "ModelVersion",
    "NotFound",
    "Refused",
    "Run",
    "Session",
    "__version__",
    "active",
    "aio",
    "connect",
    "current",
    "diff",
    "errors",
    "gql",
    "impact",
    "lineage",
    "models",
    "path",
    "run",
    "runs",
    "sql",
    "track",
    "version",
    "why",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in ("aio", "errors"):
        return import_module(f"headwater.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'headwater' has no attribute {name!r}")
    found = getattr(import_module(f"headwater.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)

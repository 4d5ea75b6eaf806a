"""One step of a run to the server: what is sent together, what is sent again, what is passed over."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from headwater.errors import Away, Conflict, Forbidden, HeadwaterError, NotFound, Refused
from headwater.session import Session

Step: TypeAlias = dict[str, Any]
"""`{"route", "body"}` for one of MLflow's routes; `{"upload", "run_id", "file"}` for an artifact, whose file goes
when it has arrived if it is `kept` for that alone.
"""

MAX_METRICS, MAX_PARAMS, MAX_TAGS = 1_000, 100, 100
"""Of one log-batch (MLflow's limits)."""
_KINDS = ("metrics", "params", "tags")
_OURS_TO_MEND = frozenset({400, 409, 413, 414, 422})

logger = logging.getLogger("headwater")


def merged(steps: Iterable[Step]) -> Iterator[Step]:
    """Neighbouring log-batches of one run as few as the limits allow."""
    open_: Step | None = None
    for step in steps:
        if open_ is not None and step.get("route") == "runs/log-batch" and _fits(open_["body"], step["body"]):
            for kind in _KINDS:
                open_["body"][kind].extend(step["body"].get(kind, ()))
            continue
        if open_ is not None:
            yield open_
            open_ = None
        if step.get("route") == "runs/log-batch":
            body = step["body"]
            lists = {kind: list(body.get(kind, ())) for kind in _KINDS}
            open_ = {"route": step["route"], "body": {**body, **lists}}
        else:
            yield step
    if open_ is not None:
        yield open_


def _fits(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    metrics, params, tags = (len(one.get(n, ())) + len(other.get(n, ())) for n in _KINDS)
    return (
        one["run_id"] == other["run_id"]
        and params <= MAX_PARAMS
        and tags <= MAX_TAGS
        and metrics + params + tags <= MAX_METRICS
    )


def deliver(session: Session, step: Step, refused: Callable[[Step, Exception], None]) -> None:
    """Send it. What the server will never take is handed to `refused`, and that alone: of a batch, the one value.

    Raises:
        Away: send it again later. A token that is not taken, or a stranger at the address, is no reason to lose it.

    """
    try:
        _send(session, step)
    except Away:
        raise
    except Forbidden as error:
        logger.warning("%s wants another token (%s): what is logged waits.", session.url, error)
        raise Away(str(error)) from error
    except Refused as error:
        if not error.details and error.status not in _OURS_TO_MEND:
            raise Away(f"{session.url} answers, but not as Headwater does: {error}") from error
        parts = () if isinstance(error, NotFound) else _halves(step)
        for part in parts:
            deliver(session, part, refused)
        if not parts:
            refused(step, error)
    except FileNotFoundError as error:
        if not step.get("kept"):  # else it was delivered before
            refused(step, error)
    except (HeadwaterError, OSError, ValueError, TypeError, KeyError) as error:
        refused(step, error)


def _send(session: Session, step: Step) -> None:
    if "upload" in step:
        path = Path(step["file"])
        with path.open("rb") as file:
            where = session.artifacts_of(step["run_id"])
            session.upload(f"{where}/{step['upload']}", file, path.stat().st_size)
        if step.get("kept"):
            path.unlink(missing_ok=True)
        return
    body = dict(step["body"])
    if "experiment_name" in body:
        body["experiment_id"] = experiment_id(session, body.pop("experiment_name"))
    session.mlflow(step["route"], body)


def _halves(step: Step) -> tuple[Step, ...]:
    """A batch in two; empty when there is nothing to part."""
    if step.get("route") != "runs/log-batch":
        return ()
    items = [(kind, item) for kind in _KINDS for item in step["body"].get(kind, ())]
    if len(items) < 2:
        return ()
    found = []
    for part in (items[: len(items) // 2], items[len(items) // 2 :]):
        lists = {kind: [item for k, item in part if k == kind] for kind in _KINDS}
        found.append({"route": step["route"], "body": {**step["body"], **lists}})
    return tuple(found)


def experiment_id(session: Session, name: str) -> str:
    """The experiment's id; made when there is none of that name."""
    try:
        return session.experiment(name)
    except NotFound:
        with contextlib.suppress(Conflict):  # somebody else made it meanwhile
            return str(session.mlflow("experiments/create", {"name": name})["experiment_id"])
        return session.experiment(name)

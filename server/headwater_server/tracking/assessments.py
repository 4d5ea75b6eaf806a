"""What people, judges and code think of traces: feedback, expectations, issues; one may override another."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from headwater_server.errors import Invalid, NotFound
from headwater_server.traces.port import Assessments as Held
from headwater_server.traces.port import Trace, TraceStore
from headwater_server.tracking import limits
from headwater_server.tracking.traces import missing
from headwater_server.tracking.turn import Turn

KINDS = ("feedback", "expectation", "issue")
SOURCES = ("SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE", "CODE")
MAX_OF_TRACE = 1_000
MAX_BYTES = 256 * 1024
"""Of one, as JSON."""
UPDATED = ("assessment_name", *KINDS, "rationale", "metadata", "valid")
"""What an update may name; source and span stay as they were."""


class Assessments:
    """Bodies are as MLflow's protos name their fields, times in milliseconds."""

    def __init__(self, turn: Turn, store: TraceStore, *, now: Callable[[], int]) -> None:
        self._turn = turn
        self._store = store
        self._now = now

    def of(self, traces: Sequence[Trace]) -> dict[str, list[Mapping[str, Any]]]:
        """By trace, in the order in which they came."""
        found = self._store.assessments([one.id for one in traces])
        return {name: list(held.values()) for name, held in found.items()}

    def get(self, trace_id: str, name: str) -> Mapping[str, Any]:
        """Raises NotFound."""
        found = self._store.assessments([trace_id]).get(trace_id, {}).get(name)
        if found is None:
            if not self._store.get([trace_id]):
                raise missing(trace_id)
            raise _missing(trace_id, name)
        return found

    def create(self, trace_id: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """With an id of its own. The one it overrides is not valid from now on.

        Raises:
            NotFound: the trace, or the one it overrides.
            Invalid: it says nothing, or too much; a source that there is not.

        """
        return self.create_many(trace_id, [said])[0]

    def create_many(self, trace_id: str, every: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """All or none. One that is there already, id and all, is not made again."""
        now = self._now() // 1_000
        made = [self._checked(trace_id, said, now) for said in every]

        def edit(trace: Trace | None, held: Held) -> Held:
            if trace is None:
                raise missing(trace_id)
            found = dict(held)
            for one in made:
                _replace_valid(found, trace_id, one.get("overrides"), valid=False)
                found.setdefault(one["assessment_id"], one)
            if len(found) > MAX_OF_TRACE:
                raise Invalid(
                    f"A trace has at most {MAX_OF_TRACE} assessments. Delete some of {trace_id} first."
                )
            return found

        held = self._store.assess(trace_id, edit)
        return [held[one["assessment_id"]] for one in made]

    def update(
        self, trace_id: str, name: str, said: Mapping[str, Any], fields: Sequence[str]
    ) -> Mapping[str, Any]:
        """`fields` of it are as `said`; metadata is joined with what is there.

        Raises:
            NotFound: the trace or the assessment.
            Invalid: a field that cannot be changed, or another kind of assessment.

        """
        for field in fields:
            if field not in UPDATED:
                raise Invalid(
                    f"Invalid value {field!r} for parameter 'update_mask' supplied: one of {', '.join(UPDATED)}."
                )

        def edit(trace: Trace | None, held: Held) -> Held:
            if trace is None:
                raise missing(trace_id)
            if name not in held:
                raise _missing(trace_id, name)
            known = dict(held[name])
            for field in fields:
                if field in KINDS and field not in known:
                    kind = next(kind for kind in KINDS if kind in known)
                    raise Invalid(f"Cannot update the {field} of an assessment that is a {kind}.")
                if field == "metadata":
                    known[field] = {**known.get(field, {}), **said.get(field, {})}
                elif field in said:
                    known[field] = said[field]
            known["last_update_time"] = self._now() // 1_000
            return {**held, name: self._clean(known)}

        return self._store.assess(trace_id, edit)[name]

    def delete(self, trace_id: str, name: str) -> None:
        """What it overrode is valid again. Nothing happens when there is none. Raises NotFound: the trace."""

        def edit(trace: Trace | None, held: Held) -> Held:
            if trace is None:
                raise missing(trace_id)
            found = dict(held)
            gone = found.pop(name, {})
            if gone.get("overrides") in found:
                _replace_valid(found, trace_id, gone["overrides"], valid=True)
            return found

        self._store.assess(trace_id, edit)

    # ---------------------------------------------------------------------------------------------

    def _checked(self, trace_id: str, said: Mapping[str, Any], now: int) -> dict[str, Any]:
        if sum(kind in said for kind in KINDS) != 1:
            raise Invalid(f"Exactly one of {', '.join(KINDS)} is to be specified.")
        source = said.get("source", {}).get("source_type", SOURCES[0])
        if source not in SOURCES:
            raise Invalid(
                f"Invalid value {source!r} for parameter 'source_type' supplied: one of {', '.join(SOURCES)}."
            )
        name = said.get("assessment_id") or _name(trace_id, said)
        limits.checked_run_id(name, "assessment")
        made = {
            **said,
            "assessment_id": name,
            "trace_id": trace_id,
            "create_time": said.get("create_time", now),
            "last_update_time": said.get("last_update_time", now),
            "valid": said.get("valid", True),
        }
        return self._clean(made)

    def _clean(self, one: dict[str, Any]) -> dict[str, Any]:
        """Checked, and without secrets."""
        limits.within(one.get("assessment_name", ""), limits.MAX_KEY, "assessment_name")
        body = orjson.dumps(one)
        if len(body) > MAX_BYTES:
            raise Invalid(f"An assessment has at most {MAX_BYTES} bytes, this one has {len(body)}.")
        clean: dict[str, Any] = self._turn.redactor.redact(one, body)[0]
        return clean


def _name(trace_id: str, said: Mapping[str, Any]) -> str:
    """Of its content when the client says when it made it: sent again it is the same one."""
    if "create_time" not in said:
        return f"a-{secrets.token_hex(16)}"
    content = orjson.dumps([trace_id, said], option=orjson.OPT_SORT_KEYS)
    return f"a-{hashlib.blake2b(content, digest_size=16).hexdigest()}"


def _replace_valid(
    found: dict[str, Mapping[str, Any]], trace_id: str, name: str | None, *, valid: bool
) -> None:
    if not name:
        return
    if name not in found:
        raise _missing(trace_id, name)
    found[name] = {**found[name], "valid": valid}


def _missing(trace_id: str, name: str) -> NotFound:
    return NotFound(f"Assessment with ID '{name}' not found for trace '{trace_id}'", ref=name, didYouMean=[])

"""Traces: told of by their client, grown by spans, tagged, linked to runs, deleted. Durable on return.

Their words lie in the store of traces alone, where deleting deletes; a record in the log tells what they come to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from headwater_server.artifacts.port import ArtifactStore
from headwater_server.errors import Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.traces.port import Edit, Span, Tally, Trace, TraceStore
from headwater_server.tracking import limits, records
from headwater_server.tracking.drafting import Decided, decided
from headwater_server.tracking.experiments import Experiments
from headwater_server.tracking.known import Known
from headwater_server.tracking.places import SCHEME, place_of
from headwater_server.tracking.spans import WHERE, Said, grown, said, spans_in
from headwater_server.tracking.turn import Turn
from headwater_server.tracking.views import Experiment

STATES = ("STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS")
RUN, MODEL = "mlflow.sourceRun", "mlflow.modelId"
FILES = "mlflow.artifactLocation"
OURS = frozenset({FILES, WHERE})
"""Tags that the server sets: clients find spans and files by them."""
SIZES = "mlflow.trace.sizeStats"
MAX_LINKED = 100
MAX_SPANS = 10_000
MAX_PREVIEW = 100_000
PIECE = 500
"""Traces that are deleted at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """A trace as its client tells of it. Times in milliseconds."""

    id: str
    experiment: str
    start: int
    duration: int | None
    state: str
    client_id: str
    request: str
    response: str
    metadata: Mapping[str, str]
    tags: Mapping[str, str]

    def check(self) -> None:
        limits.checked_run_id(self.id, "trace")
        if self.state not in STATES:
            raise Invalid(
                f"Invalid value {self.state!r} for parameter 'state' supplied: one of {', '.join(STATES)}."
            )
        limits.within(self.client_id, limits.MAX_TAG, "client_request_id")
        limits.within(self.request, MAX_PREVIEW, "request_preview")
        limits.within(self.response, MAX_PREVIEW, "response_preview")
        for what, pairs in (("tags", self.tags), ("trace_metadata", self.metadata)):
            _few(pairs, what)
            for name, value in pairs.items():
                limits.within(name, limits.MAX_KEY, f"{what} key")
                limits.within(value, limits.MAX_TAG, f"{what} value")


class Traces:
    def __init__(
        self,
        turn: Turn,
        known: Known,
        experiments: Experiments,
        store: TraceStore,
        files: ArtifactStore,
        *,
        now: Callable[[], int],
    ) -> None:
        self._turn = turn
        self._known = known
        self._experiments = experiments
        self._store = store
        self._files = files
        self._now = now

    # -- reads ------------------------------------------------------------------------------------

    def get(self, trace_id: str) -> Trace:
        """Raises NotFound."""
        found = self._store.get([trace_id])
        if not found:
            raise missing(trace_id)
        return found[0]

    def some(self, ids: Sequence[str], experiments: Sequence[str] | None = None) -> list[Trace]:
        """Those that there are, of these experiments if any are named."""
        found = self._store.get(ids)
        return found if experiments is None else [one for one in found if one.experiment in experiments]

    def spans(self, traces: Sequence[Trace], *, partial: bool = False) -> dict[str, list[Span]]:
        """By id; without the traces that have not all their spans yet, unless `partial`."""
        found = self._store.spans([one.id for one in traces])
        return {
            one.id: found.get(one.id, [])
            for one in traces
            if partial or len(found.get(one.id, ())) >= _expected(one)
        }

    # -- writes -----------------------------------------------------------------------------------

    def tell(self, told: Told, *, actor: str) -> Trace:
        """A trace as a whole; spans that came before stay with it. Said again it is the same trace.

        Raises:
            NotFound: the experiment.
            Invalid: it is deleted; an id, a state or a text that is not allowed.

        """
        told.check()
        home = self._active(told.experiment)
        told = replace(told, **self._clean({name: getattr(told, name) for name in _WORDS}))
        owners = [keys.experiment(home.id), *self._owners(told.metadata)]

        def edit(known: Trace | None) -> Trace:
            before = known or Trace(told.id, home.id, told.start)
            tags = {**before.tags, **told.tags, **_tags_of(home, told.id)}
            if WHERE not in before.tags:
                tags.pop(WHERE, None)
            return replace(
                before,
                experiment=home.id,
                start=told.start,
                duration=told.duration,
                state=told.state,
                finished=True,
                client_id=told.client_id,
                request=told.request or before.request,
                response=told.response or before.response,
                metadata={**before.metadata, **told.metadata},
                tags=tags,
                owners=_joined(before, owners),
            )

        return self._change({told.id: edit}, actor=actor)[told.id]

    def take(
        self, experiment: str, request: Mapping[str, Any], *, run_id: str | None = None, actor: str
    ) -> None:
        """Spans as OpenTelemetry sends them, all or none; traces that nobody told of begin with them.

        Raises:
            NotFound: the experiment or the run.
            Invalid: it is deleted; a span without ids; more than MAX_SPANS.

        """
        home = self._active(experiment)
        run = self._run(run_id) if run_id else None
        by_trace: dict[str, list[Said]] = {}
        for number, (span, resource) in enumerate(spans_in(request)):
            if number == MAX_SPANS:
                raise Invalid(f"At most {MAX_SPANS} spans a request. Please split up the request.")
            one = said(self._clean(span), self._clean(resource))
            by_trace.setdefault(one.trace, []).append(one)
        owners = [keys.experiment(home.id), *([run] if run else ())]

        def begun(trace_id: str, spans: list[Said]) -> Edit:
            def edit(known: Trace | None) -> Trace:
                before = known or Trace(
                    trace_id,
                    home.id,
                    min(one.span.start for one in spans) // 1_000_000,
                    tags=_tags_of(home, trace_id),
                )
                if run_id and run_id not in before.runs:
                    before = replace(before, runs=(*before.runs, run_id))
                mine = owners if known is None else owners[1:]
                return replace(grown(before, spans), owners=_joined(before, mine))

            return edit

        self._change(
            {trace_id: begun(trace_id, spans) for trace_id, spans in by_trace.items()},
            {trace_id: [one.span for one in spans] for trace_id, spans in by_trace.items()},
            actor=actor,
        )

    def tag(self, trace_id: str, name: str, value: str, *, actor: str) -> None:
        limits.checked_key(name, "key")
        limits.within(value, limits.MAX_TAG, "value")
        _refuse_ours(name)
        said = self._clean({name: value})

        def edit(known: Trace) -> Trace:
            return replace(known, tags=_few({**known.tags, **said}, "tags"))

        self._edit(trace_id, edit, actor=actor)

    def remove_tag(self, trace_id: str, name: str, *, actor: str) -> None:
        _refuse_ours(name)

        def edit(known: Trace) -> Trace:
            if name not in known.tags:
                raise NotFound(
                    f"No trace tag with key '{name}' for trace with ID '{trace_id}'", ref=name, didYouMean=[]
                )
            return replace(known, tags={key: value for key, value in known.tags.items() if key != name})

        self._edit(trace_id, edit, actor=actor)

    def link(self, ids: Sequence[str], run_id: str, *, actor: str) -> None:
        """All or none. Raises NotFound: the run or a trace."""
        if len(ids) > MAX_LINKED:
            raise Invalid(
                f"Cannot link more than {MAX_LINKED} traces to a run in a single request. Provided {len(ids)} traces."
            )
        run = self._run(run_id)

        def edit_of(trace_id: str) -> Edit:
            def edit(known: Trace | None) -> Trace:
                if known is None:
                    raise missing(trace_id)
                runs = known.runs if run_id in known.runs else (*known.runs, run_id)
                return replace(known, runs=runs, owners=_joined(known, [run]))

            return edit

        self._change({trace_id: edit_of(trace_id) for trace_id in ids}, actor=actor)

    def delete(
        self,
        experiment: str,
        *,
        ids: Sequence[str] = (),
        until: int | None = None,
        most: int | None = None,
        actor: str,
    ) -> int:
        """For good, with spans, assessments and files, the oldest first; how many went.

        Either `ids`, or those begun until a moment (`most` of them). In pieces, each durable: an error leaves the rest.

        Raises:
            NotFound: the experiment.
            Invalid: neither or both are told; `most` is not positive, or told beside `ids`.

        """
        if bool(ids) is (until is not None):
            raise Invalid("Either `max_timestamp_millis` or `request_ids` must be specified, but not both.")
        if ids and most is not None:
            raise Invalid("`max_traces` can't be specified if `request_ids` is specified.")
        if most is not None and most <= 0:
            raise Invalid(f"`max_traces` must be a positive integer, received {most}.")
        self._experiments.get(experiment)
        count, left = 0, len(ids) or most
        while left is None or count < left:
            piece = PIECE if left is None else min(PIECE, left - count)
            gone = self._store.delete(experiment, ids=ids or None, until=until, most=piece)
            self._record(gone.tallies, deleted=list(gone.traces), actor=actor)
            for trace in gone.traces.values():
                if trace.tags.get(FILES, "").startswith(f"{SCHEME}:"):
                    self._files.delete(place_of(trace.tags[FILES]))
            count += len(gone.traces)
            if len(gone.traces) < piece:
                break
        return count

    # ---------------------------------------------------------------------------------------------

    def _active(self, experiment: str) -> Experiment:
        self._experiments.get(experiment)
        return self._experiments.active_now(experiment)

    def _run(self, run_id: str) -> str:
        key = self._known.run_key(run_id) if limits.is_run_id(run_id) else None
        if key is None:
            raise NotFound(f"Run with id={run_id} not found", ref=run_id, didYouMean=[])
        return key

    def _owners(self, metadata: Mapping[str, str]) -> list[str]:
        """What counts the trace beside its experiment: the run it came from, the model it asked. Ids of others stay words."""
        found = []
        if limits.is_run_id(run_id := metadata.get(RUN, "")) and (run := self._known.run_key(run_id)):
            found.append(run)
        if limits.is_run_id(model_id := metadata.get(MODEL, "")):
            model = keys.logged_model(model_id)
            if self._known.of(model).get("made") is not None:
                found.append(model)
        return found

    def _clean(self, document: Any) -> Any:
        """Without secrets."""
        return self._turn.redactor.redact(document, orjson.dumps(document))[0]

    def _edit(self, trace_id: str, edit: Callable[[Trace], Trace], *, actor: str) -> None:
        def found(known: Trace | None) -> Trace:
            if known is None:
                raise missing(trace_id)
            return edit(known)

        self._change({trace_id: found}, actor=actor)

    def _change(
        self,
        edits: Mapping[str, Edit],
        spans: Mapping[str, Sequence[Span]] | None = None,
        *,
        actor: str,
    ) -> Mapping[str, Trace]:
        changed = self._store.change(edits, spans)
        self._record(changed.tallies, actor=actor)
        return changed.traces

    def _record(self, tallies: Mapping[str, Tally], *, deleted: Sequence[str] = (), actor: str) -> None:
        if not tallies:
            return

        def decide() -> list[Decided]:
            body: dict[str, Any] = {"of": {key: list(tally) for key, tally in tallies.items()}}
            if deleted:
                body["deleted"] = list(deleted)
            one = decided(records.TRACES, {**body, "at": self._now(), "by": actor}, self._turn.redactor)
            self._known.decided(one.facts)
            homes = [keys.parts_of(key)[0] for key in tallies if key.startswith("experiment|")]
            return [*(said for home in homes for said in self._experiments.unsaid_now(home)), one]

        self._turn.decide(decide)


_WORDS = ("client_id", "request", "response", "metadata", "tags")


def missing(trace_id: str) -> NotFound:
    return NotFound(f"Trace with ID {trace_id} is not found.", ref=trace_id, didYouMean=[])


def _few(pairs: Mapping[str, str], what: str) -> Mapping[str, str]:
    if len(pairs) > limits.MAX_TRACE_PAIRS:
        raise Invalid(f"A trace has at most {limits.MAX_TRACE_PAIRS} {what}, these are {len(pairs)}.")
    return pairs


def _tags_of(home: Experiment, trace_id: str) -> dict[str, str]:
    return {FILES: f"{home.artifacts}/traces/{trace_id}/artifacts"}


def _joined(before: Trace, owners: Iterable[str]) -> tuple[str, ...]:
    """One experiment owns it, the one told last."""
    owners = list(owners)
    moved = any(one.startswith("experiment|") for one in owners)
    kept = [one for one in before.owners if not (moved and one.startswith("experiment|"))]
    return tuple(dict.fromkeys((*kept, *owners)))


def _refuse_ours(name: str) -> None:
    if name in OURS:
        raise Invalid(f"Tag '{name}' is immutable and cannot be changed on a trace: the server sets it.")


def _expected(trace: Trace) -> int:
    """How many spans its client says that it has; a trace has one at least."""
    try:
        return max(1, int(orjson.loads(trace.metadata.get(SIZES, "{}"))["num_spans"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return 1

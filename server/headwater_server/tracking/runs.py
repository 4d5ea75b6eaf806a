"""Runs: begun, ended, deleted, restored; what they log. Each is decided in its turn and durable on return."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from headwater_server.errors import AlreadyExists, Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.project.tracked import STATES, is_tracked
from headwater_server.series.port import Point, SeriesStore
from headwater_server.tracking import limits, records
from headwater_server.tracking.batches import check_batch, check_known, check_tags, checked_time, cut
from headwater_server.tracking.drafting import Decided, decided, moment
from headwater_server.tracking.evaluations import Evaluated, evaluations
from headwater_server.tracking.experiments import Experiments
from headwater_server.tracking.inputs import Input, described, place_of
from headwater_server.tracking.known import Known
from headwater_server.tracking.logged_models import told_anew
from headwater_server.tracking.measured import Measured
from headwater_server.tracking.run_names import run_name
from headwater_server.tracking.summaries import grown
from headwater_server.tracking.turn import Turn
from headwater_server.tracking.views import Run, listed, tags_in

PARENT, NAME = "mlflow.parentRunId", "mlflow.runName"
COMMIT, REPO = "mlflow.source.git.commit", "mlflow.source.git.repoURL"
MODEL_HISTORY = "mlflow.log-model.history"

_OF_A_CLIENT = re.compile("[0-9a-f]{32}")

Change = Callable[[Facts], dict[str, Any]]
"""What is to be said of a run, out of what is known of it; raises what refuses it."""


class Runs:
    def __init__(
        self,
        turn: Turn,
        known: Known,
        experiments: Experiments,
        series: SeriesStore,
        *,
        dataset: Callable[[str], tuple[str, str] | None],
        now: Callable[[], int],
    ) -> None:
        self._turn = turn
        self._known = known
        self._experiments = experiments
        self._series = series
        self._dataset = dataset
        self._now = now

    # -- reads ------------------------------------------------------------------------------------

    def get(self, run_id: str) -> Run:
        """Raises NotFound."""
        key = self.key(run_id)
        facts = self._known.of(key)
        return Run.of(key, facts, deleted=self._is_deleted(facts))

    def key(self, run_id: str) -> str:
        """Raises NotFound."""
        return _found(run_id, self._known.run_key(run_id))

    def find(self, run_id: str) -> str | None:
        """Its key, once the graph shows it; None: there is no such run."""
        key = self._known.run_key(run_id) if limits.is_run_id(run_id) else None
        if key is not None:
            self._known.settled()
        return key

    def contents(self, names: Sequence[str]) -> dict[str, Any]:
        """What inputs say of their sources, schemas and profiles, by the name of the content."""
        wanted = {keys.key(Kind.STATEMENT, name): name for name in names}
        found = self._known.of_many(list(wanted))
        return {wanted[key]: facts.get("content") or {} for key, facts in found.items()}

    def history(self, run_id: str, metric: str, *, limit: int | None, after: Point | None) -> list[Point]:
        """A metric's points, in order. Raises NotFound when there is no such run."""
        return self._series.read(self.key(run_id), metric, max_points=limit, after=after)

    def curve(self, run_id: str, metric: str, most: int, *, steps: tuple[int, int] | None) -> list[Point]:
        """At most that many points which look like all of a metric, of these steps alone when they are given.
        One: the last. Raises NotFound when there is no such run.
        """
        found, _ = self._series.sample(self.key(run_id), metric, max(most, 2), steps=steps)
        return found if most > 1 else found[-1:]

    # -- writes -----------------------------------------------------------------------------------

    def create(
        self,
        experiment: str,
        *,
        name: str | None = None,
        start: int | None = None,
        user: str = "",
        tags: Mapping[str, str] | None = None,
        run_id: str = "",
        actor: str,
        at: int | None = None,
    ) -> Run:
        """A run that is running. Without a name it gets one. A client that may have to ask twice gives the `run_id`
        (32 hexadecimal characters): said again, it is the run that is there, as it is. `at`, in microseconds here and
        below, is when that happened which happened elsewhere.

        Raises:
            NotFound: the experiment.
            Invalid: the experiment is deleted; a tag, the name or the id is not allowed.
            AlreadyExists: another experiment has a run of this id.

        """
        if run_id and not _OF_A_CLIENT.fullmatch(run_id):
            raise Invalid(
                f"Invalid run ID: '{run_id[:300]}'. One that a client gives is 32 hexadecimal characters."
            )
        tags = dict(tags or {})
        if name and tags.get(NAME, name) != name:
            raise Invalid(
                f"Both 'run_name' argument and '{NAME}' tag are specified, but with different values "
                f"(run_name='{name}', {NAME}='{tags[NAME]}')."
            )
        tags[NAME] = name or tags.get(NAME) or run_name()
        tags = dict(cut(tags.items(), limits.MAX_TAG, self._turn.redactor.text))
        check_tags(tags)
        self._experiments.get(experiment)
        given, run_id = run_id, run_id or secrets.token_hex(16)
        begin = checked_time(start, "start_time") if start is not None else self._now() // 1_000

        def decide() -> list[Decided]:
            known = self._known.run_key_now(given) if given else None
            if known is not None:
                self._must_be_of(known, experiment)
                return []
            home = self._experiments.active_now(experiment)
            job = keys.job(records.NAMESPACE, home.job)
            key = keys.run(run_id, job)
            body = {
                "run": key,
                "experiment": experiment,
                "start": begin,
                "user": user,
                "artifacts": f"{home.artifacts}/{run_id}/artifacts",
                "tags": tags,
                **self._meant(key, tags, {}),
                "at": self._now() if at is None else at,
                "by": actor,
            }
            said = self._say(records.RUN, body, key, new=True)
            return [*self._experiments.unsaid_now(experiment), *said]

        bodies = self._turn.decide(decide)
        key = bodies[-1]["run"] if bodies else self.key(run_id)
        return Run.of(key, self._known.of(key))

    def update(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end: int | None = None,
        name: str | None = None,
        actor: str,
    ) -> Run:
        """How it stands and what it is called.

        Raises:
            NotFound: the run.
            Invalid: it is deleted, or the status is none that MLflow knows.

        """
        if status is not None and status not in STATES:
            raise Invalid(f"Invalid value {status!r} for parameter 'status': one of {', '.join(STATES)}.")
        end = checked_time(end, "end_time") if end is not None else None

        def change(facts: Facts) -> dict[str, Any]:
            said: dict[str, Any] = {}
            if status is not None or end is not None:
                was = facts.get("status") or ["RUNNING", None]
                now = status or was[0]
                said |= {"status": now, "end": end if end is not None or now == "RUNNING" else was[1]}
            if name:
                said["tags"] = {NAME: name}
            return said

        self._change(run_id, records.UPDATE, change, actor=actor)
        return self.get(run_id)

    def delete(self, run_id: str, *, actor: str) -> None:
        """It keeps all that was logged, and refuses more. Of one that is deleted already nothing is said."""
        self._live(run_id, deleted=True, actor=actor)

    def restore(self, run_id: str, *, actor: str) -> None:
        self._live(run_id, deleted=False, actor=actor)

    def _live(self, run_id: str, *, deleted: bool, actor: str) -> None:
        def change(facts: Facts) -> dict[str, Any]:
            return {} if bool(facts.get("deleted")) is deleted else {"deleted": deleted}

        self._change(run_id, records.UPDATE, change, actor=actor, deleted=True)

    def log(
        self,
        run_id: str,
        *,
        metrics: Sequence[tuple[str, Point]] = (),
        params: Sequence[tuple[str, str]] = (),
        tags: Sequence[tuple[str, str]] = (),
        evaluated: Sequence[Evaluated] = (),
        single: bool = False,
        actor: str,
    ) -> None:
        """A batch: all of it or nothing. Points first, then one record with what they come to. Values of params and
        tags that are longer than the limit are cut to it. `single` tells how refusals name what is wrong.

        Raises:
            NotFound: the run.
            Invalid: it is deleted; a name or value is not allowed; a param has another value already.

        """
        redact = self._turn.redactor.text
        params = cut(params, limits.MAX_PARAM, redact)
        tags = cut(tags, limits.MAX_TAG, redact)
        measured = Measured.of(metrics)
        check_batch(measured, params, tags, single=single)
        key = self.key(run_id)
        self._check(key, self._known.of(key), params, single=single)
        summaries = self._series.append(key, measured.series()) if measured else {}

        def change(facts: Facts) -> dict[str, Any]:
            self._check(key, facts, params, single=single)
            new = {name: value for name, value in params if facts.get(f"param|{name}") is None}
            set_tags = dict(tags)
            said: dict[str, Any] = {
                "metrics": grown(summaries, facts),
                "params": new,
                "tags": set_tags,
                **self._meant(
                    key, set_tags, tags_in(facts) if COMMIT in set_tags or REPO in set_tags else {}
                ),
            }
            if evaluated:
                said["models"] = evaluations(evaluated, facts, key, self._known.now)
            return {name: value for name, value in said.items() if value}

        self._change(run_id, records.LOG, change, actor=actor)

    def describe(self, run_id: str, path: str, said: Mapping[str, Any], *, actor: str) -> None:
        """Keep what one of its files tells (see `importances`). Empty: nothing, any more."""
        self._change(run_id, records.LOG, lambda facts: told_anew(facts, path, said), actor=actor)

    def note_model(self, run_id: str, said: dict[str, Any], *, actor: str) -> None:
        """That a client before MLflow 3 logged a model: its description, in a tag with those logged before."""

        def change(facts: Facts) -> dict[str, Any]:
            kept = {k: v for k, v in said.items() if k not in ("signature", "saved_input_example_info")}
            history = [*listed(tags_in(facts).get(MODEL_HISTORY, "")), kept]
            return {"tags": {MODEL_HISTORY: orjson.dumps(history).decode()}, "model": said}

        self._change(run_id, records.LOG, change, actor=actor)

    def remove_tag(self, run_id: str, name: str, *, actor: str) -> None:
        def change(facts: Facts) -> dict[str, Any]:
            if name not in tags_in(facts):
                raise NotFound(f"No tag with name: {name} in run with id {run_id}", ref=name, didYouMean=[])
            return {"removed": [name]}

        self._change(run_id, records.LOG, change, actor=actor)

    def read_by(
        self,
        run_id: str,
        inputs: Sequence[Input],
        *,
        models: Sequence[str] = (),
        actor: str,
        at: int | None = None,
    ) -> None:
        """That the run read these datasets and used these logged models. An input that it has already, by name and
        digest, stays as it was said first; the dataset is one that the run read all the same.

        Raises:
            NotFound: the run or a model.
            Invalid: it is deleted; a text is too long.

        """
        if len(inputs) > limits.MAX_DATASETS:
            raise Invalid(f"at most {limits.MAX_DATASETS} datasets a call, these are {len(inputs)}.")
        for one in inputs:
            one.check()
        places = [place_of(one, self._dataset) for one in inputs]

        def change(facts: Facts) -> dict[str, Any]:
            home = self._experiments.get_now(str(facts.get("experiment")))
            self._models_now(models)
            said = described(inputs, places, home.job, {name for name, _ in facts.named("input|")})
            return {"inputs": said, "models": list(models)} if said or models else {}

        self._change(run_id, records.INPUTS, change, actor=actor, at=at)

    def made_models(
        self, run_id: str, models: Sequence[tuple[str, int]], *, actor: str, at: int | None = None
    ) -> None:
        """That the run made these logged models, at these steps."""

        def change(_: Facts) -> dict[str, Any]:
            self._models_now([model for model, _ in models])
            return {"models": [list(one) for one in models]} if models else {}

        self._change(run_id, records.OUTPUTS, change, actor=actor, at=at)

    # ---------------------------------------------------------------------------------------------

    def _change(
        self,
        run_id: str,
        kind: str,
        change: Change,
        *,
        actor: str,
        at: int | None = None,
        deleted: bool = False,
    ) -> None:
        limits.checked_run_id(run_id)

        def decide() -> list[Decided]:
            key = _found(run_id, self._known.run_key_now(run_id))
            facts = self._known.now(key)
            if not deleted:
                self._must_be_active(run_id, facts)
            said = change(facts)
            if not said:
                return []
            body = {"run": key, **said, "at": moment(facts, self._now() if at is None else at), "by": actor}
            return self._say(kind, body, key)

        self._turn.decide(decide)

    def _say(self, kind: str, body: dict[str, Any], key: str, *, new: bool = False) -> list[Decided]:
        said = decided(kind, body, self._turn.redactor, run=key)
        self._known.decided(said.facts, new=key if new else "")
        return [said]

    def _must_be_of(self, key: str, experiment: str) -> None:
        home = self._known.now(key).get("experiment")
        if home != experiment:
            raise AlreadyExists(f"Run {keys.parts_of(key)[0]} is there already, in experiment {home}.")

    def _check(self, key: str, facts: Facts, params: Sequence[tuple[str, str]], *, single: bool) -> None:
        run_id = keys.parts_of(key)[0]
        self._must_be_active(run_id, facts)
        check_known(facts, params, run_id, single=single)

    def _is_deleted(self, facts: Facts) -> bool:
        """Those of a deleted experiment are, too."""
        return bool(facts.get("deleted")) or self._experiments.is_deleted(str(facts.get("experiment")))

    def _must_be_active(self, run_id: str, facts: Facts) -> None:
        if not is_tracked(facts):
            raise NotFound(f"Run with id={run_id} not found", ref=run_id, didYouMean=[])
        if self._is_deleted(facts):
            raise Invalid(
                f"The run {run_id} must be in the 'active' state. Current state is deleted. Restore it first."
            )

    def _meant(self, key: str, tags: Mapping[str, str], known: Mapping[str, str]) -> dict[str, Any]:
        """What tags say of other nodes: the run above, the code. Looked up now, so that a replay need not."""
        found: dict[str, Any] = {}
        above = tags.get(PARENT)
        if above and limits.is_run_id(above):
            parent = self._known.run_key_now(above)
            if parent is not None and parent != key:
                found["parent"] = parent
        if COMMIT in tags or REPO in tags:
            every = {**known, **tags}
            if every.get(COMMIT):
                found |= {"commit": every[COMMIT], "repo": every.get(REPO, "")}
        return found

    def _models_now(self, models: Sequence[str]) -> None:
        for model in models:
            if self._known.now(keys.logged_model(model)).get("made") is None:
                raise NotFound(f"Logged model with ID '{model}' not found.", ref=model, didYouMean=[])


def _found(run_id: str, key: str | None) -> str:
    if key is None:
        raise NotFound(f"Run with id={run_id} not found", ref=run_id, didYouMean=[])
    return key

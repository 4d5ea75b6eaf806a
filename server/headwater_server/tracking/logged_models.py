"""Logged models: what `log_model` makes in a run, before anything is registered."""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from headwater_server.errors import Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.store.port import GraphStore
from headwater_server.tracking import limits, records
from headwater_server.tracking.drafting import Decided, decided, moment
from headwater_server.tracking.experiments import Experiments
from headwater_server.tracking.known import Known
from headwater_server.tracking.run_names import run_name
from headwater_server.tracking.turn import Turn
from headwater_server.tracking.views import LoggedModel, tags_in

_ID = re.compile("m-[0-9a-f]{32}")
STATUSES = ("PENDING", "READY", "UPLOAD_FAILED")
MAX_PARAM = 6_000
PAGE = 500


class LoggedModels:
    def __init__(
        self,
        turn: Turn,
        store: GraphStore,
        known: Known,
        experiments: Experiments,
        *,
        now: Callable[[], int],
    ) -> None:
        self._turn = turn
        self._store = store
        self._known = known
        self._experiments = experiments
        self._now = now

    # -- reads ------------------------------------------------------------------------------------

    def get(self, model_id: str, *, deleted: bool = False) -> LoggedModel:
        """Raises NotFound, of a deleted one too unless they are wanted."""
        facts = self._known.of(keys.logged_model(model_id))
        if facts.get("made") is None or (facts.get("deleted") and not deleted):
            raise _missing(model_id)
        return LoggedModel.of(model_id, facts)

    def of_experiment(self, number: str) -> list[LoggedModel]:
        """Those that are not deleted, oldest first."""
        self._known.settled()
        found: list[LoggedModel] = []
        after: tuple[str, str] | None = None
        group = keys.experiment(number)
        while page := self._store.page(Kind.LOGGED_MODEL, marks=[""], group=group, after=after, limit=PAGE):
            known = self._known.of_many([node.key for node in page])
            found += [
                LoggedModel.of(model_id, known[node.key])
                for node in page
                if (model_id := keys.logged_model_id(node.key)) and not known[node.key].get("deleted")
            ]
            after = page[-1].sort, page[-1].key
        return found

    # -- writes -----------------------------------------------------------------------------------

    def create(
        self,
        experiment: str,
        *,
        name: str | None = None,
        kind: str | None = None,
        run_id: str | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        model_id: str = "",
        actor: str,
        at: int | None = None,
    ) -> LoggedModel:
        """A model whose files are on their way (PENDING). `model_id` and `at` (microseconds) are those that it had
        elsewhere; the same id again is the model that is there.

        Raises:
            NotFound: the experiment or the run.
            Invalid: a name, param or tag; the experiment is deleted.

        """
        name = checked_name(name) if name else run_name()
        params, tags = _checked(params or {}, MAX_PARAM), _checked(tags or {}, limits.MAX_TAG)
        self._experiments.get(experiment)
        given, model_id = model_id, model_id or f"m-{secrets.token_hex(16)}"
        if not _ID.fullmatch(model_id):
            raise Invalid(
                f"Invalid model ID: {limits.shown(model_id)}. It is `m-` and 32 hexadecimal characters."
            )

        def decide() -> list[Decided]:
            if given and self._known.now(keys.logged_model(given)).get("made") is not None:
                return []
            home = self._experiments.active_now(experiment)
            run = self._known.run_key_now(run_id) if run_id else ""
            if run is None:
                raise NotFound(f"Run with id={run_id} not found", ref=run_id, didYouMean=[])
            when = self._now() if at is None else at
            body = {
                "id": model_id,
                "experiment": experiment,
                "name": name,
                "type": kind or "",
                "run": run,
                "artifacts": f"{home.artifacts}/models/{model_id}/artifacts",
                "params": dict(params),
                "tags": dict(tags),
                "at": when if not run or at is not None else moment(self._known.now(run), when),
                "by": actor,
            }
            said = self._say(records.MODEL, body, new=True)
            return [*self._experiments.unsaid_now(experiment), *said]

        self._turn.decide(decide)
        return self.get(model_id)

    def finish(self, model_id: str, status: str, *, actor: str) -> LoggedModel:
        if status not in STATUSES:
            raise Invalid(f"Invalid value {status!r} for parameter 'status': one of {', '.join(STATUSES)}.")
        self._change(model_id, lambda _: {"status": status}, actor=actor)
        return self.get(model_id)

    def delete(self, model_id: str, *, actor: str) -> None:
        """Of one that is deleted already nothing is said."""
        if not self.get(model_id, deleted=True).deleted:
            self._change(model_id, lambda _: {"deleted": True}, actor=actor)

    def tag(self, model_id: str, tags: Mapping[str, str], *, actor: str) -> LoggedModel:
        tags = _checked(tags, limits.MAX_TAG)
        self._change(model_id, lambda _: {"tags": dict(tags)}, actor=actor)
        return self.get(model_id)

    def remove_tag(self, model_id: str, name: str, *, actor: str) -> None:
        def change(facts: Facts) -> dict[str, Any]:
            if name not in tags_in(facts):
                raise NotFound(
                    f"No tag with key {name!r} found for model with ID {model_id!r}.", ref=name, didYouMean=[]
                )
            return {"removed": [name]}

        self._change(model_id, change, actor=actor)

    def describe(self, model_id: str, path: str, said: Mapping[str, Any], *, actor: str) -> None:
        """Keep what one of its files tells (see `model_files`, `importances`). Empty: nothing, any more."""
        self._change(model_id, lambda facts: told_anew(facts, path, said), actor=actor)

    def describe_in_run(
        self, run_id: str, folder: str, name: str, said: Mapping[str, Any], *, actor: str
    ) -> None:
        """Keep what a file tells of the model that lies in a folder among its run's files: there is one as soon as there
        is an `MLmodel`. What that file itself told, a client's copy of it without a hash does not replace.

        Raises:
            NotFound: the run.

        """

        def decide() -> list[Decided]:
            run = self._known.run_key_now(run_id)
            if run is None:
                raise NotFound(f"Run with id={run_id} not found", ref=run_id, didYouMean=[])
            home, facts = self._known.now(run), self._known.now(keys.logged_model(run_id, folder))
            if "sha256" not in said and facts.get(f"file|{name}") is not None:
                return []
            body = {
                "id": run_id,
                "path": folder,
                "files": {name: dict(said)},
                "at": max(moment(facts, self._now()), moment(home, 0)),
                "by": actor,
            }
            if name != "MLmodel" or facts.get("made") is not None:
                return self._say(records.MODEL_UPDATE, body, new=not facts.first and not facts.last)
            body |= {
                "experiment": home.get("experiment"),
                "name": folder.rpartition("/")[2],
                "type": "",
                "run": run,
                "artifacts": f"{home.get('artifacts')}/{folder}",
                "status": "READY",
            }
            return self._say(records.MODEL, body, new=not facts.first and not facts.last)

        self._turn.decide(decide)

    def add_params(self, model_id: str, params: Mapping[str, str], *, actor: str) -> None:
        """Raises Invalid when one has another value already."""
        params = _checked(params, MAX_PARAM)

        def change(facts: Facts) -> dict[str, Any]:
            for name, value in params.items():
                known = facts.get(f"param|{name}")
                if known not in (None, value):
                    raise Invalid(
                        f"Changing param values is not allowed. Param with key='{name}' was already logged with "
                        f"value='{known}' for model '{model_id}'. Attempted logging new value '{value}'."
                    )
            return {"params": dict(params)}

        self._change(model_id, change, actor=actor)

    # ---------------------------------------------------------------------------------------------

    def _change(self, model_id: str, change: Callable[[Facts], dict[str, Any]], *, actor: str) -> None:
        def decide() -> list[Decided]:
            facts = self._known.now(keys.logged_model(model_id))
            if facts.get("made") is None or facts.get("deleted"):
                raise _missing(model_id)
            said = change(facts)
            if not said:
                return []
            body = {"id": model_id, **said, "at": moment(facts, self._now()), "by": actor}
            return self._say(records.MODEL_UPDATE, body)

        self._turn.decide(decide)

    def _say(self, kind: str, body: dict[str, Any], *, new: bool = False) -> list[Decided]:
        said = decided(kind, body, self._turn.redactor)
        self._known.decided(said.facts, new=records.key_of(body) if new else "")
        return [said]


def told_anew(facts: Facts, path: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be written of a file: nothing, where nothing was known of it and nothing is."""
    return {"files": {path: dict(said)}} if said or facts.get(f"file|{path}") else {}


def checked_name(name: str) -> str:
    limits.within(name, 500, "name")
    if any(c in name for c in "/:.%\"'"):
        raise Invalid(
            f"Invalid model name ({name[: limits.SHOWN]!r}) provided. Model name must be a non-empty string and cannot "
            "contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
        )
    return name


def _checked(pairs: Mapping[str, str], most: int) -> Mapping[str, str]:
    for name, value in pairs.items():
        limits.checked_key(name, "key")
        limits.within(value, most, "value")
    return pairs


def _missing(model_id: str) -> NotFound:
    return NotFound(f"Logged model with ID '{model_id}' not found.", ref=model_id, didYouMean=[])

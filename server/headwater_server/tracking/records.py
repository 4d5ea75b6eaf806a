"""What tracking decided, as facts. Pure; replayed as it was decided, never decided again.

A record's metrics are summaries after the batch, in absolute values, ordered by their number of points: they join in
any order. The points themselves are in the series store.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import Kind
from headwater_server.openlineage import wire
from headwater_server.openlineage.facets import digest_of
from headwater_server.openlineage.meaning import repository
from headwater_server.openlineage.translate import translate

EXPERIMENT: Final = "tracking.experiment"
EXPERIMENT_UPDATE: Final = "tracking.experiment_update"
RUN: Final = "tracking.run"
UPDATE: Final = "tracking.run_update"
LOG: Final = "tracking.log"
INPUTS: Final = "tracking.inputs"
OUTPUTS: Final = "tracking.outputs"
MODEL: Final = "tracking.model"
MODEL_UPDATE: Final = "tracking.model_update"

NAMESPACE: Final = keys.TRACKED
"""Of the jobs that experiments are."""
PRODUCER: Final = "mlflow"


def translate_experiment(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    one, at = facts[keys.experiment(body["id"])], body["at"]
    one.since("created", at)
    one.until("moved", at)
    one.say("name", at, body["name"])
    one.say("job", 0, body["job"])
    one.say("artifacts", 0, body["artifacts"])
    _tags(one, body)
    job = facts[keys.job(NAMESPACE, body["job"])]
    job.span("seen", at)
    if body["name"] != body["job"]:
        job.say("displayName", at, body["name"])
    return facts


def translate_experiment_update(body: Any, seq: int) -> Mapping[str, Facts]:
    """A rename, a deletion, a restoration, tags."""
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    one, at = facts[keys.experiment(body["id"])], body["at"]
    one.until("moved", at)
    if "name" in body:
        one.say("name", at, body["name"])
        job = facts[keys.job(NAMESPACE, body["job"])]
        job.say("displayName", at, body["name"])
    if "deleted" in body:
        one.say("deleted", at, body["deleted"])
    _tags(one, body)
    return facts


def translate_run(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    run, at = facts[body["run"]], body["at"]
    begin = body["start"] * 1_000
    run.since("begin", begin)
    run.until("moved", at)
    run.until("heard", at)
    run.span("seq", seq)
    run.say("producer", at, PRODUCER)
    run.say("experiment", 0, body["experiment"])
    run.say("artifacts", 0, body["artifacts"])
    run.say("status", at, ["RUNNING", None])
    if body.get("user"):
        run.say("user", 0, body["user"])
    _run_tags(facts, run, body, at)
    facts[keys.job_of(body["run"])].span("seen", begin)
    return facts


def translate_update(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    run, at = facts[body["run"]], body["at"]
    _heard(run, at, seq)
    if "status" in body:
        run.say("status", at, [body["status"], body["end"]])
    if "deleted" in body:
        run.say("deleted", at, body["deleted"])
    _run_tags(facts, run, body, at)
    return facts


def translate_log(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    run, at = facts[body["run"]], body["at"]
    _heard(run, at, seq)
    for name, (points, *said) in (body.get("metrics") or {}).items():
        run.say(f"metric|{name}", points, said)
    for name, value in (body.get("params") or {}).items():
        run.say(f"param|{name}", at, value)
    _run_tags(facts, run, body, at)
    for model, metrics in (body.get("models") or {}).items():
        _model_metrics(facts[keys.logged_model(model)], metrics, at)
    return facts


def translate_inputs(body: Any, seq: int) -> Mapping[str, Facts]:
    """Datasets as inputs of an OpenLineage event: the run read them, its flow has them."""
    at, run_key = body["at"], body["run"]
    inputs = tuple(_said(one, place) for place, one in enumerate(body["inputs"]))
    job, run_id = keys.job_of(run_key), keys.parts_of(run_key)[0]
    event = wire.Event(
        wire.Form.RUN, at, "OTHER", PRODUCER, job, run_key, run_id, {}, {}, inputs, ()
    )  # fmt: skip
    facts: dict[str, Facts] = defaultdict(Facts, translate(event, seq=seq, evidence="MLFLOW"))
    run = facts[run_key]
    _heard(run, at, seq)
    for said, one in zip(inputs, body["inputs"], strict=True):
        content = {
            k: one["said"][k] for k in ("source_type", "source", "schema", "profile") if k in one["said"]
        }
        name = digest_of(content)
        facts[keys.key(Kind.STATEMENT, name)].set("content", 0, name, content)
        note = {
            "dataset": said.key,
            "name": one["said"]["name"],
            "digest": one["said"]["digest"],
            "tags": one["tags"],
            "context": one["tags"].get("mlflow.data.context", ""),
            "linked": one["linked"],
            "content": name,
        }
        run.say(f"input|{note['name']}|{note['digest']}", at, note)
        if not one["linked"]:
            facts[said.key].since("unlinked", at)
    for model in body["models"]:
        run.since(f"used|{keys.logged_model(model)}", at)
        facts[keys.logged_model(model)].until("moved", 0)
    return facts


def translate_outputs(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    run, at = facts[body["run"]], body["at"]
    _heard(run, at, seq)
    for model, step in body["models"]:
        run.say(f"logged|{keys.logged_model(model)}", at, step)
        facts[keys.logged_model(model)].until("moved", 0)
    return facts


def translate_model(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    model, at = facts[keys.logged_model(body["id"])], body["at"]
    made = {k: body[k] for k in ("experiment", "name", "type", "run", "artifacts", "at")}
    model.say("made", 0, made)
    model.say("status", at, "PENDING")
    _model(model, body, at)
    if body["run"]:
        _heard(facts[body["run"]], at, seq)
        facts[body["run"]].say(f"logged|{keys.logged_model(body['id'])}", 0, 0)
    return facts


def translate_model_update(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    model, at = Facts(), body["at"]
    if "status" in body:
        model.say("status", at, body["status"])
    if "deleted" in body:
        model.say("deleted", at, body["deleted"])
    _model(model, body, at)
    return {keys.logged_model(body["id"]): model}


def _model(model: Facts, body: Any, at: int) -> None:
    model.until("moved", at)
    for name, said in (body.get("files") or {}).items():
        model.say(f"file|{name}", at, said)
    for name, value in (body.get("params") or {}).items():
        model.say(f"param|{name}", at, value)
    _tags(model, body)


def _model_metrics(model: Facts, metrics: Any, at: int) -> None:
    """Each is the newest of its (key, dataset, digest) as it was decided."""
    model.until("moved", at)
    for said in metrics:
        model.say(f"metric|{said['key']}|{said['name']}|{said['digest']}", at, said)


def _heard(run: Facts, at: int, seq: int) -> None:
    run.until("moved", at)
    run.until("heard", at)
    run.span("seq", seq)


def _run_tags(facts: dict[str, Facts], run: Facts, body: Any, at: int) -> None:
    """Tags, and what clients say by tags of their own: the run above this one, the code."""
    _tags(run, body)
    if body.get("parent"):
        run.say("parent", at, {"parent": body["parent"]})
    if commit := body.get("commit"):
        repo = repository(body.get("repo") or "")
        code = facts[keys.code_version(commit, repo)]
        code.first["repo|" + repo] = 0


def _tags(one: Facts, body: Any) -> None:
    one.say_tags(body.get("tags") or {}, body.get("removed") or (), body["at"])


def _said(one: Any, place: int) -> wire.DatasetSaid:
    namespace, name = one["namespace"], one["name"]
    key = wire.node_key(namespace, name)
    return wire.DatasetSaid(key, namespace, name, one["facets"], {}, f"/inputs/{place}")


TRANSLATORS = {
    EXPERIMENT: translate_experiment,
    EXPERIMENT_UPDATE: translate_experiment_update,
    RUN: translate_run,
    UPDATE: translate_update,
    LOG: translate_log,
    INPUTS: translate_inputs,
    OUTPUTS: translate_outputs,
    MODEL: translate_model,
    MODEL_UPDATE: translate_model_update,
}

"""What tracking decided, as facts. Pure; replayed as it was decided, never decided again.

A record's metrics are summaries after the batch, in absolute values, ordered by their number of points: they join in
any order. The points themselves are in the series store.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts, mention
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
TRACES: Final = "tracking.traces"

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
    run, at = _heard(facts, body, seq), body["at"]
    begin = body["start"] * 1_000
    run.since("begin", begin)
    mention(facts, keys.experiment(body["experiment"]))
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
    run, at = _heard(facts, body, seq), body["at"]
    if "status" in body:
        run.say("status", at, [body["status"], body["end"]])
    if "deleted" in body:
        run.say("deleted", at, body["deleted"])
    _run_tags(facts, run, body, at)
    return facts


def translate_log(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    run, at = _heard(facts, body, seq), body["at"]
    for name, (points, *said) in (body.get("metrics") or {}).items():
        run.say(f"metric|{name}", points, said)
    for name, value in (body.get("params") or {}).items():
        run.say(f"param|{name}", at, value)
    _run_tags(facts, run, body, at)
    _files(run, body)
    for model, metrics in (body.get("models") or {}).items():
        _model_metrics(facts[keys.logged_model(model)], run, metrics, at)
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
    run = _heard(facts, body, seq)
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
        if not one.get("again"):
            run.say(f"input|{note['name']}|{note['digest']}", at, note)
        if not one["linked"]:
            facts[said.key].since("unlinked", at)
    for model in body["models"]:
        run.since(f"used|{keys.logged_model(model)}", at)
        mention(facts, keys.logged_model(model))
    return facts


def translate_outputs(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    run, at = _heard(facts, body, seq), body["at"]
    for model, step in body["models"]:
        run.say(f"logged|{keys.logged_model(model)}", at, step)
        mention(facts, keys.logged_model(model))
    return facts


def translate_model(body: Any, seq: int) -> Mapping[str, Facts]:
    facts: dict[str, Facts] = defaultdict(Facts)
    key, at = key_of(body), body["at"]
    model = facts[key]
    made = {k: body[k] for k in ("experiment", "name", "type", "run", "artifacts", "at")}
    model.say("made", 0, made)
    model.say("status", at, body.get("status", "PENDING"))
    _model(model, body, at)
    mention(facts, keys.experiment(body["experiment"]))
    if body["run"]:
        _heard(facts, body, seq).say(f"logged|{key}", 0, 0)
    return facts


def translate_model_update(body: Any, seq: int) -> Mapping[str, Facts]:
    del seq
    model, at = Facts(), body["at"]
    if "status" in body:
        model.say("status", at, body["status"])
    if "deleted" in body:
        model.say("deleted", at, body["deleted"])
    _model(model, body, at)
    return {key_of(body): model}


def key_of(body: Any) -> str:
    return keys.logged_model(body["id"], body.get("path", ""))


def translate_traces(body: Any, seq: int) -> Mapping[str, Facts]:
    """What the traces of experiments, runs and logged models come to, in absolute values: the most often changed holds."""
    del seq
    facts: dict[str, Facts] = defaultdict(Facts)
    for key, (changes, count, last) in body["of"].items():
        facts[key].say("traces", changes, [count, last])
    return facts


def _model(model: Facts, body: Any, at: int) -> None:
    model.until("moved", at)
    _files(model, body)
    for name, value in (body.get("params") or {}).items():
        model.say(f"param|{name}", at, value)
    _tags(model, body)


def _files(one: Facts, body: Any) -> None:
    for path, said in (body.get("files") or {}).items():
        one.say(f"file|{path}", body["at"], said)


def _model_metrics(model: Facts, run: Facts, metrics: Any, at: int) -> None:
    """The newest of each key, dataset and digest, as it was decided: of the run's, and of all runs'. Which dataset it is
    the run knows, or will know.
    """
    model.until("moved", at)
    for said in metrics:
        on = f"{said['key']}|{said['name']}|{said['digest']}"
        if said["name"]:
            run.say(f"evaluated|{said['model']}|{on}", at, said)
        if said["newest"]:
            model.say(f"metric|{on}", at, said)


def _heard(facts: dict[str, Facts], body: Any, seq: int) -> Facts:
    """The run's, to be added to."""
    run = mention(facts, body["run"])
    run.until("moved", body["at"])
    run.until("heard", body["at"])
    run.span("seq", seq)
    return run


def _run_tags(facts: dict[str, Facts], run: Facts, body: Any, at: int) -> None:
    """Tags, and what clients say by tags of their own: the run above this one, the code."""
    _tags(run, body)
    if body.get("parent"):
        run.say("parent", at, {"parent": body["parent"]})
        mention(facts, body["parent"]).since("named", at)
    if commit := body.get("commit"):
        repo = repository(body.get("repo") or "")
        run.say("ran", at, [commit, repo])
        mention(facts, keys.code_version(commit, repo)).since("repo|" + repo, 0)


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
    TRACES: translate_traces,
}

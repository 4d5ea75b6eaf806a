"""Keys: one string names a node, begins with its kind and can be taken apart again."""

import re

from headwater_server.graph.words import Kind

_PREFIX: dict[Kind, str] = {
    Kind.NAMESPACE: "namespace",
    Kind.DATASET: "dataset",
    Kind.DATASET_VERSION: "dataset_version",
    Kind.COLUMN: "column",
    Kind.JOB: "job",
    Kind.JOB_VERSION: "job_version",
    Kind.RUN: "run",
    Kind.STEP: "step",
    Kind.STATEMENT: "statement",
    Kind.MODEL: "model",
    Kind.MODEL_VERSION: "model_version",
    Kind.STAGE: "stage",
    Kind.ALIAS: "alias",
    Kind.ANNOTATION: "annotation",
    Kind.EXPERIMENT: "experiment",
    Kind.PARAM_KEY: "param_key",
    Kind.METRIC_KEY: "metric_key",
    Kind.LOGGED_MODEL: "logged_model",
    Kind.CODE_VERSION: "code_version",
    Kind.PACKAGE: "package",
}
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_KIND = {prefix: kind for kind, prefix in _PREFIX.items()}

TRACKED = "mlflow"
"""The namespace of the jobs that experiments are."""


def key(kind: Kind, *parts: str) -> str:
    """`dataset|postgres://db|shop.orders`. A `|` or `\\` inside a part is escaped with `\\`."""
    plain = "|".join((_PREFIX[kind], *parts))
    if "\\" not in plain and plain.count("|") == len(parts):  # most names have nothing to escape
        return plain
    return "|".join((_PREFIX[kind], *(_escape(part) for part in parts)))


def kind_of(node_key: str) -> Kind:
    return _KIND[node_key.partition("|")[0]]


def is_key(text: str) -> bool:
    """Whether it could be one: it begins with a kind."""
    prefix, bar, rest = text.partition("|")
    if not (bar and rest):
        return False
    try:
        kind_of(prefix)
    except KeyError:
        return False
    return True


def parts_of(node_key: str) -> list[str]:
    """The parts behind the kind, as they were given to `key`."""
    if "\\" not in node_key:
        return node_key.split("|")[1:]
    found, part, escaped = [], "", False
    for char in node_key:
        if escaped:
            part, escaped = part + char, False
        elif char == "\\":
            escaped = True
        elif char == "|":
            found.append(part)
            part = ""
        else:
            part += char
    return [*found[1:], part]


def _escape(part: str) -> str:
    if "|" in part or "\\" in part:
        part = part.replace("\\", "\\\\").replace("|", "\\|")
    return part


def dataset(namespace: str, name: str) -> str:
    return key(Kind.DATASET, namespace, name)


def column(dataset_key: str, path: str) -> str:
    """A column of a dataset; `path` is dotted for nested fields. Case does not tell columns apart."""
    return f"column{dataset_key[len('dataset') :]}|{_escape(path.casefold())}"


def dataset_of(column_key: str) -> str:
    """The dataset that a column key belongs to, without a look-up."""
    if "\\" not in column_key:
        return f"dataset{column_key[len('column') : column_key.rindex('|')]}"
    namespace, name, _ = parts_of(column_key)
    return dataset(namespace, name)


def place_of(column_key: str) -> tuple[str, str]:
    """The dataset that a column key belongs to, and the column's path in it."""
    if "\\" not in column_key:
        owner, _, path = column_key.rpartition("|")
        return f"dataset{owner[len('column') :]}", path
    namespace, name, path = parts_of(column_key)
    return dataset(namespace, name), path


def job(namespace: str, name: str) -> str:
    return key(Kind.JOB, namespace, name)


def run(run_id: str, job_key: str) -> str:
    """A run belongs to its job: the same runId under two jobs is two runs (producers do that)."""
    return key(Kind.RUN, run_id) + job_key[len("job") :]


def job_of(run_key: str) -> str:
    _, namespace, name = parts_of(run_key)
    return job(namespace, name)


def model(name: str) -> str:
    return key(Kind.MODEL, name)


def model_version(name: str, number: int | str) -> str:
    return key(Kind.MODEL_VERSION, name, str(number))


def stage(model_name: str, name: str) -> str:
    return key(Kind.STAGE, model_name, name)


def alias(model_name: str, name: str) -> str:
    return key(Kind.ALIAS, model_name, name)


def owner_of(node_key: str) -> str | None:
    """What a thing is not there without: a run's job, a model of what is registered under its name."""
    match kind_of(node_key):
        case Kind.RUN:
            return job_of(node_key)
        case Kind.MODEL_VERSION | Kind.STAGE | Kind.ALIAS:
            return model(parts_of(node_key)[0])
    return None


def experiment(number: str) -> str:
    return key(Kind.EXPERIMENT, number)


def number_of(version_key: str) -> int:
    """Of a model's version; 0: it is called as no version of a registry is, whose numbers have nine digits at most."""
    number = parts_of(version_key)[1]
    return int(number) if number.isdecimal() and len(number) < 10 else 0


def logged_model(model_id: str, path: str = "") -> str:
    """By its id; a model that lies among its run's files (MLflow 2) by the run's id and the path there."""
    return key(Kind.LOGGED_MODEL, model_id, path) if path else key(Kind.LOGGED_MODEL, model_id)


def logged_model_id(node_key: str) -> str | None:
    """None: it lies among its run's files, and has none."""
    found, *path = parts_of(node_key)
    return None if path else found


def code_version(commit: str, repo: str) -> str:
    """A whole commit hash is one in all the world, whoever says where it lies; anything shorter (a tag, a number)
    only in its repository.
    """
    if _SHA.fullmatch(commit):
        return key(Kind.CODE_VERSION, commit)
    return key(Kind.CODE_VERSION, commit, repo)

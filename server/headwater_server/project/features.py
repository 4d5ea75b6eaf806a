"""Which columns a model version takes: its signature's names, found in what its run read. Pure but for look-ups."""

from collections.abc import Iterable, Mapping, Sequence

from headwater_server.graph import keys
from headwater_server.graph.facts import Facts
from headwater_server.graph.words import EdgeKind
from headwater_server.project.claims import Claim, Used
from headwater_server.project.entries import Entry, Sight
from headwater_server.project.flow import Step
from headwater_server.project.weights import Weight, weights_of
from headwater_server.store.port import Direction, GraphStore

AMBIGUOUS = 0.5
"""How sure a feature's column is when several tables that the run read have one of its name."""
_TRAINING = frozenset({"train", "training"})


def used_columns(run: Facts, steps: Sequence[Step], sight: Sight) -> Mapping[str, Used]:
    """By model version that the run produced and whose signature names columns."""
    found: dict[str, Used] = {}
    for version, _ in run.firsts("produced|"):
        entry = sight(version)
        model = (entry.facts.get("made") or {}).get("loggedModel") if entry else None
        described = sight(model) if model else None
        said = described.facts.get("file|MLmodel") if described else None
        if described and said and said.get("features"):
            weights = weights_of(described.facts, run, [name for name, _ in said["features"]])
            found[version] = _used(version, said, _read_by(run, steps), weights, sight)
    return found


def _used(
    version: str,
    said: Mapping[str, Sequence[Sequence[str]]],
    read: Mapping[str, bool],
    weights: Mapping[str, Weight],
    sight: Sight,
) -> Used:
    columns = {dataset: _columns(dataset, sight) for dataset in read}
    claims: set[Claim] = set()
    unmatched: list[str] = []
    heavy: dict[str, Weight] = {}
    features = {name.casefold() for name, _ in said["features"]}
    targets = [name for name, _ in said.get("targets", ()) if name.casefold() not in features]
    for name, role in [
        *((name, "FEATURE") for name, _ in said["features"]),
        *((t, "TARGET") for t in targets),
    ]:
        having = [dataset for dataset in read if name.casefold() in columns[dataset]]
        training = [dataset for dataset in having if read[dataset]]
        chosen = training or having
        sure = 1.0 if len(chosen) == 1 else AMBIGUOUS
        for dataset in chosen:
            source = keys.column(dataset, name)
            claims.add(Claim(source, version, True, role, False, "", confidence=sure))  # noqa: FBT003 - a row
            if weight := weights.get(name.casefold()):
                heavy[source] = weight
        if not chosen and role == "FEATURE":
            unmatched.append(name)
    return Used(frozenset(claims), tuple(sorted(unmatched)), heavy)


def _read_by(run: Facts, steps: Sequence[Step]) -> Mapping[str, bool]:
    """The datasets that it read, and whether to train."""
    training = {said["dataset"] for _, said in run.named("input|") if said["context"].lower() in _TRAINING}
    read = sorted({k for step in steps for k in step.inputs if k.startswith("dataset|")})
    return {dataset: dataset in training for dataset in read}


def _columns(dataset: str, sight: Sight) -> frozenset[str]:
    """Whatever anybody told of, by any schema or column lineage."""
    entry = sight(dataset)
    return frozenset(_told(entry.facts)) if entry else frozenset()


def _told(facts: Facts) -> Iterable[str]:
    yield from (path.casefold() for _, fields in facts.named("schema|") for path, *_ in fields)
    yield from (path.casefold() for path, _ in facts.firsts("col|"))


def learners(touched: Mapping[str, tuple[Entry | None, Entry]], store: GraphStore) -> set[str]:
    """Runs of whose models' columns more is known now: a file beside a model came, columns of what they read, or
    what a version was made of.
    """
    models, datasets, versions = [], [], set()
    for key, (old, new) in touched.items():
        if old is None:
            continue  # what is new is read by nobody, nor registered, but by runs that are touched themselves
        if key.startswith("logged_model|"):
            if old.facts.named("file|") != new.facts.named("file|"):
                models.append(key)
        elif key.startswith("model_version|"):
            if old.facts.get("made") != new.facts.get("made"):
                versions.add(key)
        elif key.startswith("dataset|") and _names(old.facts) != _names(new.facts):
            datasets.append(key)
    if models:
        versions |= {e.source for e in store.expand(models, Direction.UPSTREAM, (EdgeKind.OF_MODEL,))}
    if datasets:
        steps = {e.target for e in store.expand(datasets, Direction.DOWNSTREAM, (EdgeKind.INPUT_OF,))}
        made = store.expand(steps, Direction.DOWNSTREAM, (EdgeKind.OUTPUTS,)) if steps else ()
        versions |= {e.target for e in made if e.target.startswith("model_version|")}
    produced = store.expand(versions, Direction.UPSTREAM, (EdgeKind.PRODUCED,)) if versions else ()
    return {e.source for e in produced}


def _names(facts: Facts) -> list[str]:
    return sorted(
        [n for n in facts.values if n.startswith("schema|")]
        + [n for n in facts.first if n.startswith("col|")]
    )

"""Searches in MLflow's words: runs, experiments, logged models, by filter, in order, page by page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from headwater_server.errors import Invalid, NotFound
from headwater_server.graph import keys
from headwater_server.tracking.experiments import Experiments
from headwater_server.tracking.language import parse_filter, parse_orders
from headwater_server.tracking.logged_models import LoggedModels
from headwater_server.tracking.matching import LISTED, NULLABLE, NUMERIC, TEXT, Field, Language
from headwater_server.tracking.paging import Clause, Page, page_of
from headwater_server.tracking.records import NAMESPACE
from headwater_server.tracking.table import Row, RunTables
from headwater_server.tracking.views import Experiment, LoggedModel, number

R = TypeVar("R")
OnDataset: TypeAlias = tuple[str, str]
"""A dataset that metrics are on: its name and its digest, either `` for any."""
MAX_RUNS, MAX_EXPERIMENTS, MAX_MODELS = 50_000, 50_000, 1_000


class View(StrEnum):
    """Which of two lives."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"

    def shows(self, *, deleted: bool) -> bool:
        return self is View.ALL or deleted is (self is View.DELETED_ONLY)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was asked."""

    filter: str = ""
    order_by: Sequence[str] = ()
    size: int = 1_000
    token: str | None = None

    def ordered(self, orders: Sequence[str]) -> "Asked":
        return replace(self, order_by=orders)

    def checked(self, most: int) -> "Asked":
        if not 0 < self.size <= most:
            rule = f"at most {most}" if self.size > 0 else "a positive integer"
            raise Invalid(
                f"Invalid value {self.size} for parameter 'max_results' supplied. It must be {rule}."
            )
        return self


class Search:
    def __init__(self, experiments: Experiments, models: LoggedModels, tables: RunTables) -> None:
        self._experiments = experiments
        self._models = models
        self._tables = tables

    def runs(
        self,
        experiments: Sequence[str],
        asked: Asked,
        view: View = View.ACTIVE_ONLY,
        *,
        narrowed: Callable[[list[Row]], list[Row]] = lambda rows: rows,
        by: str = "",
    ) -> Page[Row]:
        """Runs of these experiments (of no other: none is every one of none). Unless told: newest first.

        `narrowed` leaves rows out before the filter looks at them; `by` is its name: a token is good for one.

        Raises:
            Invalid: the filter, the order, the size or the token.

        """
        asked.checked(MAX_RUNS)
        rows = narrowed(self.rows(experiments, view))
        default = [Clause[Row](lambda row: row.run.start, ascending=False)]
        scope = ",".join((*sorted(experiments), view, by))
        return search(rows, RUNS, asked, lambda row: row.run.id, default, scope=scope, always=default)

    def rows(self, experiments: Sequence[str], view: View = View.ACTIVE_ONLY) -> list[Row]:
        """All runs of these experiments, in no order."""
        rows: list[Row] = []
        for name in dict.fromkeys(experiments):
            try:
                home = self._experiments.get(name)
            except NotFound:
                continue  # as MLflow does: it has no runs
            found = self._tables.rows(home.id, keys.job(NAMESPACE, home.job))
            rows += [Row(replace(row.run, deleted=True)) for row in found] if home.deleted else found
        return [row for row in rows if view.shows(deleted=row.run.deleted)]

    def datasets(
        self,
        experiments: Sequence[str],
        most: int,
        *,
        narrowed: Callable[[list[Row]], list[Row]] = lambda rows: rows,
    ) -> list[tuple[str, str, str, str]]:
        """(experiment, name, digest, context) of what runs of these experiments read, each once, in this order;
        deleted runs count too. `narrowed` as of `runs`.
        """
        found = {
            (row.run.experiment, said["name"], said["digest"], said["context"])
            for row in narrowed(self.rows(experiments, View.ALL))
            for said in row.run.inputs
        }
        return sorted(found)[:most]

    def experiments(self, asked: Asked, view: View = View.ACTIVE_ONLY) -> Page[Experiment]:
        asked.checked(MAX_EXPERIMENTS)
        rows = [one for one in self._experiments.all() if view.shows(deleted=one.deleted)]
        default = [Clause[Experiment](lambda one: one.created, ascending=False)]
        return search(rows, EXPERIMENTS, asked, lambda one: one.id.zfill(20), default, scope=view)

    def models(
        self,
        experiments: Sequence[str],
        asked: Asked,
        *,
        datasets: Sequence[OnDataset] = (),
        ordered_on: Sequence[OnDataset | None] = (),
    ) -> Page[LoggedModel]:
        """`datasets`: models with a metric on one of these; metrics in the filter are those. `ordered_on`: by which
        dataset's metric each clause of the order goes; None: by the newest, whatever it is on.
        """
        asked.checked(MAX_MODELS)
        rows = [
            model
            for name in dict.fromkeys(experiments)
            for model in self._models.of_experiment(name)
            if not datasets or any(_is_of(said, datasets) for said in model.metrics)
        ]
        default = [Clause[LoggedModel](lambda one: one.created, ascending=False)]
        scope = ",".join((*sorted(experiments), *map(repr, datasets), *map(repr, ordered_on)))
        on = [models_language([one] if one else []) for one in ordered_on]
        return search(
            rows,
            models_language(datasets),
            asked,
            lambda one: one.id,
            default,
            scope=scope,
            always=default,
            orders_by=on or None,
        )


def search(
    rows: Sequence[R],
    language: Language[R],
    asked: Asked,
    identity: Callable[[R], str],
    default: Sequence[Clause[R]],
    *,
    scope: str = "",
    always: Sequence[Clause[R]] = (),
    orders_by: Sequence[Language[R]] | None = None,
) -> Page[R]:
    """`default` is the order where none is asked; `always` decides among equals, before the identity. `orders_by` are
    the languages of the clauses of the order, where that is not the filter's.
    """
    matches = language.predicate(parse_filter(asked.filter))
    orders = parse_orders(asked.order_by)
    spoken = orders_by or [language] * len(orders)
    clauses = [
        Clause(language.order(one), one.ascending) for language, one in zip(spoken, orders, strict=True)
    ] or list(default)
    if orders:
        clauses += always
    about = "\n".join((scope, asked.filter, *asked.order_by))
    return page_of(
        [row for row in rows if matches(row)],
        clauses,
        identity=identity,
        size=asked.size,
        token=asked.token,
        about=about,
    )


def plain(what: str, operators: frozenset[str], read: Callable[[R], Any]) -> Field[R]:
    """A field whose key is its name."""
    return Field(what, operators, lambda _: read)


def _metric(key: str) -> Callable[[Row], Any]:
    def read(row: Row) -> float | None:
        point = row.run.metrics.get(key)
        return None if point is None else point.value

    return read


def _dataset(name: str) -> Field[Row]:
    return Field("text", LISTED, lambda _: lambda row: [said[name] for said in row.run.inputs], many=True)


_RUN_METRIC: Field[Row] = Field("number", NUMERIC, _metric)
_RUN_PARAM: Field[Row] = Field("param", NULLABLE, lambda key: lambda row: row.run.params.get(key))
_RUN_TAG: Field[Row] = Field("text", NULLABLE, lambda key: lambda row: row.run.tags.get(key))
_RUN_INPUTS: Mapping[str, Field[Row]] = {n: _dataset(n) for n in ("name", "digest", "context")}

RUNS: Language[Row] = Language(
    attributes={
        "run_id": plain("text", LISTED, lambda row: row.run.id),
        "run_name": plain("text", TEXT, lambda row: row.run.name),
        "status": plain("text", TEXT, lambda row: row.run.status),
        "artifact_uri": plain("text", TEXT, lambda row: row.run.artifacts),
        "user_id": plain("text", TEXT, lambda row: row.run.user),
        "experiment_id": plain("text", LISTED, lambda row: row.run.experiment),
        "start_time": plain("number", NUMERIC, lambda row: row.run.start),
        "end_time": plain("number", NUMERIC, lambda row: row.run.end),
    },
    entities={
        **dict.fromkeys(("metric", "metrics"), _RUN_METRIC),
        **dict.fromkeys(("param", "params", "parameter", "parameters"), _RUN_PARAM),
        **dict.fromkeys(("tag", "tags"), _RUN_TAG),
    },
    parts=dict.fromkeys(("dataset", "datasets"), _RUN_INPUTS),
    spelled={"created": "start_time", "run name": "run_name", "run id": "run_id"},
)

_EXPERIMENT_TAG: Field[Experiment] = Field("text", NULLABLE, lambda key: lambda one: one.tags.get(key))
EXPERIMENTS: Language[Experiment] = Language(
    attributes={
        "name": plain("text", LISTED, lambda one: one.name),
        "experiment_id": plain("text", LISTED, lambda one: one.id),
        "creation_time": plain("number", NUMERIC, lambda one: one.created),
        "last_update_time": plain("number", NUMERIC, lambda one: one.updated),
    },
    entities=dict.fromkeys(("tag", "tags"), _EXPERIMENT_TAG),
)


def models_language(datasets: Sequence[OnDataset]) -> Language[LoggedModel]:
    """A filter asks for any of a model's metrics of a name, an order goes by the newest."""

    def told(model: LoggedModel, key: str) -> list[Mapping[str, Any]]:
        return [said for said in model.metrics if said["key"] == key and _is_of(said, datasets)]

    def any_of(key: str) -> Callable[[LoggedModel], Any]:
        return lambda model: [number(said["value"]) for said in told(model, key)]

    def newest(key: str) -> Callable[[LoggedModel], Any]:
        def read(model: LoggedModel) -> float | None:
            last = max(told(model, key), key=lambda said: (said["ts"], said["step"]), default=None)
            return None if last is None else number(last["value"])

        return read

    metrics: Field[LoggedModel] = Field("number", NUMERIC, any_of, many=True, rank=newest)
    params: Field[LoggedModel] = Field("param", NULLABLE, lambda key: lambda one: one.params.get(key))
    tags: Field[LoggedModel] = Field("text", NULLABLE, lambda key: lambda one: one.tags.get(key))
    return Language(
        attributes={
            "name": plain("text", LISTED, lambda one: one.name),
            "model_id": plain("text", LISTED, lambda one: one.id),
            "model_type": plain("text", LISTED, lambda one: one.type),
            "status": plain("text", LISTED, lambda one: one.status),
            "source_run_id": plain("text", LISTED, lambda one: one.run or None),
            "experiment_id": plain("text", LISTED, lambda one: one.experiment),
            "artifact_location": plain("text", TEXT, lambda one: one.artifacts),
            "creation_timestamp": plain("number", NUMERIC, lambda one: one.created),
            "last_updated_timestamp": plain("number", NUMERIC, lambda one: one.updated),
        },
        entities={
            **dict.fromkeys(("metric", "metrics"), metrics),
            **dict.fromkeys(("param", "params", "parameter", "parameters"), params),
            **dict.fromkeys(("tag", "tags"), tags),
        },
        spelled={"creation_time": "creation_timestamp", "last_updated_time": "last_updated_timestamp"},
    )


def _is_of(said: Mapping[str, object], datasets: Sequence[OnDataset]) -> bool:
    return not datasets or any(
        (not name or said["name"] == name) and (not digest or said["digest"] == digest)
        for name, digest in datasets
    )

"""What a model learned from, as Feast tells it: the tables behind features, as inputs of a run. Feast is not imported.

headwater.feast.inputs(run, store.get_feature_service("churn_v2"), store=store)
headwater.feast.inputs(run, ["customer_stats:orders_7d"], store=store)
"""

from collections.abc import Iterator, Sequence
from typing import Any

from headwater.errors import HeadwaterError
from headwater.recording import Run

_SQL = ("snowflake", "bigquery", "redshift", "postgres", "trino", "athena", "spark", "mssql", "clickhouse")


def inputs(
    run: Run, features: Any, *, store: Any = None, namespaces: dict[str, str] | None = None
) -> list[str]:
    """A feature view, a feature service, or names of features (`view:feature`; these need the `store`).

    The run then reads the table or file behind each view, with the columns of its features, its join keys and its
    timestamp. A table is named as its source names it; `namespaces` (`{"snowflake": "snowflake://org-account"}`) says
    where it stands, else it is found by its name alone. Answers the names. A request's own data has no table.
    """
    found: dict[str, dict[str, str]] = {}
    services: list[str] = []
    if hasattr(features, "feature_view_projections"):
        services.append(str(features.name))
    for view, wanted in _views(features, store):
        for source, columns in _tables(view, wanted, store):
            name = _name(source, namespaces or {})
            found.setdefault(name, {}).update(columns)
    for name, columns in found.items():
        run.input(None, name, columns=[{"name": n, "type": t} for n, t in columns.items()])
    if services:
        run.tags({"feast.feature_service": services[0]})
    return list(found)


def _views(features: Any, store: Any) -> Iterator[tuple[Any, dict[str, str] | None]]:
    """Each view, or projection of one, with the features that are wanted of it."""
    if isinstance(features, str) or (
        isinstance(features, Sequence) and all(isinstance(f, str) for f in features)
    ):
        by_view: dict[str, list[str]] = {}
        for one in [features] if isinstance(features, str) else features:
            view, _, feature = one.partition(":")
            by_view.setdefault(view, []).append(feature)
        for name, wanted in by_view.items():
            view = _of_store(name, store)
            yield view, {n: t for n, t in _fields(view).items() if n in wanted or "" in wanted}
    elif hasattr(features, "feature_view_projections"):
        for projection in features.feature_view_projections:
            yield projection, _fields(projection)
    elif isinstance(features, Sequence):
        for one in features:
            yield from _views(one, store)
    else:
        yield features, None


def _tables(view: Any, wanted: dict[str, str] | None, store: Any) -> Iterator[tuple[Any, dict[str, str]]]:
    """Each source of a view with the columns that are read. What is computed on demand is made of other views."""
    if getattr(view, "batch_source", None) is None and store is not None and not _is_on_demand(view):
        view = _of_store(str(view.name), store)
    if _is_on_demand(view):
        for projection in view.source_feature_view_projections.values():
            yield from _tables(projection, _fields(projection), store)
        return
    source = getattr(view, "batch_source", None) or getattr(view, "source", None)
    if source is None:
        raise HeadwaterError(f"feature view {view.name!r} does not say its source; give the `store`.")
    back = {new: old for old, new in (getattr(source, "field_mapping", None) or {}).items()}
    keys = [str(k) for k in getattr(view, "join_keys", None) or _join_keys(view)]
    columns = dict(_fields(view) if wanted is None else wanted)
    columns.update((k, "") for k in keys if k not in columns)
    if moment := getattr(source, "timestamp_field", ""):
        columns.setdefault(str(moment), "TIMESTAMP")
    yield source, {back.get(n, n): t for n, t in columns.items()}


def _of_store(name: str, store: Any) -> Any:
    if store is None:
        raise HeadwaterError(f"feature view {name!r} is known to the store alone; give the `store`.")
    failed: Exception | None = None
    for get in ("get_feature_view", "get_on_demand_feature_view", "get_stream_feature_view"):
        try:
            return getattr(store, get)(name)
        except Exception as error:  # noqa: BLE001 - Feast's own NotFound, which is not imported
            failed = error
    raise HeadwaterError(f"the store has no feature view {name!r}: {failed}")


def _is_on_demand(view: Any) -> bool:
    return hasattr(view, "source_feature_view_projections")


def _fields(view: Any) -> dict[str, str]:
    fields = getattr(view, "features", None) or getattr(view, "schema", None) or ()
    return {str(f.name): str(getattr(f, "dtype", "") or "") for f in fields}


def _join_keys(view: Any) -> list[str]:
    return [str(column.name) for column in getattr(view, "entity_columns", None) or ()]


def _name(source: Any, namespaces: dict[str, str]) -> str:
    path = getattr(source, "path", None) or getattr(getattr(source, "file_options", None), "uri", None)
    if path:
        path = str(path)
        return path if "://" in path or path.startswith("/") else _absolute(path)
    kind = next((k for k in _SQL if k in type(source).__name__.lower()), "")
    parts = [getattr(source, p, None) for p in ("database", "schema")]
    table = getattr(source, "table", None) or getattr(source, "table_ref", None)
    if not table:
        return f"feast/{source.name}"  # a query: Feast knows it by a name alone
    name = ".".join(str(p) for p in (*parts, table) if p)
    return f"{namespaces[kind]}/{name}" if kind in namespaces else name


def _absolute(path: str) -> str:
    import os

    return os.path.abspath(path)  # noqa: PTH100 - of text, and kept as text

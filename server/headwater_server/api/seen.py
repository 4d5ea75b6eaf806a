"""A context as its principal sees it: everything that answers passes here, so nothing else has to ask who asks."""

from dataclasses import replace
from typing import Any

from headwater_server.api.graphql.context import Context, FacetView
from headwater_server.api.permitted import PermittedCuration, PermittedRegistry
from headwater_server.auth.policy import Permission
from headwater_server.auth.sight import SENSITIVE, Sight
from headwater_server.log.seen import SeenLog
from headwater_server.project import reading
from headwater_server.store.seen import SeenStore

_CHANGES = (Permission.REGISTER, Permission.REQUEST_TRANSITION, Permission.CURATE)


def as_seen(context: Context) -> Context:
    """The same context when the principal sees and may change everything; else one that shows and does less."""
    principal = context.principal
    sight = Sight(principal)
    if not all(principal.everywhere(p) or not principal.may(p) for p in _CHANGES) or not sight.all:
        store = context.store if sight.all else SeenStore(context.store, sight)
        context = replace(
            context,
            store=store,
            registry=PermittedRegistry(context.registry, store, principal),
            curation=PermittedCuration(context.curation, store, principal),
            updated=lambda key: reading.updated(key, store) or 0,
            run_records=lambda found: reading.run_records(found, store),
            script_of=lambda run: reading.script_of(run, store),
        )
    if sight.all_sensitive and principal.everywhere(Permission.AUDIT):
        return context
    facets, script_of = context.facets, context.script_of

    def seen_facets(key: str) -> list[FacetView]:
        return [_seen(view, key, sight) for view in facets(key)] if sight.key(key) else []

    def seen_script(run: str) -> str | None:
        return script_of(run) if sight.sensitive(run) else None

    return replace(context, log=SeenLog(context.log, sight), facets=seen_facets, script_of=seen_script)


def _seen(view: FacetView, key: str, sight: Sight) -> FacetView:
    sensitive = sight.sensitive(key)
    if view.name in SENSITIVE and not sensitive:
        return _told(view, None, restricted=True)
    return view if sight.all and sensitive else _told(view, sight.json(view.value, sensitive=sensitive))


def _told(view: FacetView, value: Any, *, restricted: bool = False) -> FacetView:
    return reading.FacetView(
        view.name,
        view.producer,
        view.schema_url,
        value,
        view.run_id,
        view.observed_at,
        view.deleted,
        restricted,
    )

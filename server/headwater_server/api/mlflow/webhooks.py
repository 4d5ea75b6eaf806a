"""MLflow's calls about webhooks, and one of ours: what became of their events.

An event of ours stands in `more_events`, beside MLflow's in `events`: its clients choke on an entity they do not know.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from headwater_server.api.mlflow import shapes
from headwater_server.api.mlflow.ask import Ask
from headwater_server.errors import Invalid
from headwater_server.tracking.paging import Clause, page_of
from headwater_server.webhooks.book import Webhook
from headwater_server.webhooks.events import OF_MLFLOW, OF_OURS
from headwater_server.webhooks.message import delivery_id
from headwater_server.webhooks.service import Said

PAGE, MAX_PAGE = 100, 1_000
_STATUS = {"ACTIVE": True, "DISABLED": False}


def create(ask: Ask) -> dict[str, Any]:
    return _shown(ask.webhooks.create(_said(ask, ()), actor=ask.actor))


def get(ask: Ask) -> dict[str, Any]:
    return _shown(ask.webhooks.get(ask.text("webhook_id")))


def search(ask: Ask) -> dict[str, Any]:
    """Newest first."""
    newest = Clause[Webhook](lambda one: one.created, ascending=False)
    page = page_of(
        ask.webhooks.all(),
        [newest],
        identity=lambda one: one.id,
        size=_size(ask),
        token=ask.text("page_token") or None,
        about="webhooks",
    )
    return shapes.filled({"webhooks": [_webhook(one) for one in page.rows], "next_page_token": page.token})


def update(ask: Ask) -> dict[str, Any]:
    id_ = ask.text("webhook_id")
    known = ask.webhooks.get(id_).events
    return _shown(ask.webhooks.update(id_, _said(ask, known), actor=ask.actor))


def delete(ask: Ask) -> dict[str, Any]:
    ask.webhooks.delete(ask.text("webhook_id"), actor=ask.actor)
    return {}


def test(ask: Ask) -> dict[str, Any]:
    event = ask.maybe("event")
    answer = ask.webhooks.test(ask.text("webhook_id"), _event(event) if event else None)
    said = {
        "response_status": answer.status,
        "response_body": answer.text,
        "error_message": answer.error and f"Failed to test webhook: {answer.error}",
    }
    return {"result": {"success": answer.taken, **{name: value for name, value in said.items() if value}}}


def deliveries(ask: Ask) -> dict[str, Any]:
    """Newest first."""
    id_, size = ask.text("webhook_id"), _size(ask)
    found = ask.webhooks.deliveries(id_, before=_before(ask.text("page_token")), limit=size + 1)
    more = len(found) > size
    shown = [
        {
            "delivery_id": delivery_id(id_, one.seq, one.nth),
            "event": one.event,
            "record": one.seq,
            "outcome": one.outcome,
            "tries": one.tries,
            "first_try": one.first // 1_000,
            "last_try": one.last // 1_000,
            "response_status": one.status or None,
            "error_message": one.error,
        }
        for one in found[:size]
    ]
    token = f"{found[size - 1].seq}.{found[size - 1].nth}" if more else None
    return shapes.filled({"deliveries": [shapes.filled(one) for one in shown], "next_page_token": token})


def _said(ask: Ask, known: Iterable[str]) -> Said:
    """What is not said of the two lists of events stays as it is known."""
    status = ask.text("status")
    if status and status not in _STATUS:
        raise Invalid(
            f"Invalid value {status!r} for parameter 'status' supplied: one of {', '.join(_STATUS)}."
        )
    named = [_event(one) for one in ask.maybe("events") or ()]
    more: list[str] | None = ask.maybe("more_events")
    for name in more or ():
        if name not in OF_OURS:
            raise Invalid(f"Invalid value {name!r} for parameter 'more_events': one of {', '.join(OF_OURS)}.")
    for name in named:
        if name in OF_OURS:
            raise Invalid(f"{name} is no event of MLflow: name it in 'more_events'.")
    events = [
        *(named or (name for name in known if name in OF_MLFLOW)),
        *((name for name in known if name in OF_OURS) if more is None else more),
    ]
    if "events" in ask.said and not named:
        raise Invalid(
            "Webhook events must be a non-empty list of events of MLflow; ours stand in 'more_events'."
        )
    return Said(
        ask.text("name") or None,
        ask.text("url") or None,
        events,
        ask.maybe("description"),
        ask.maybe("secret"),
        _STATUS[status] if status else None,
    )


def _event(said: Mapping[str, str]) -> str:
    """Clients say MODEL_VERSION_TAG, SET."""
    return f"{said['entity'].lower()}.{said['action'].lower()}"


def _size(ask: Ask) -> int:
    size = ask.maybe("max_results") or PAGE
    if not 1 <= size <= MAX_PAGE:
        raise Invalid(f"max_results must be between 1 and {MAX_PAGE}.")
    return int(size)


def _before(token: str) -> tuple[int, int] | None:
    if not token:
        return None
    seq, _, nth = token.partition(".")
    if not (seq.isdecimal() and nth.isdecimal() and len(token) < 30):
        raise Invalid(f"Invalid page token {token[:80]!r}: give one that this list answered.")
    return int(seq), int(nth)


def _shown(one: Webhook) -> dict[str, Any]:
    return {"webhook": _webhook(one)}


def _webhook(one: Webhook) -> dict[str, Any]:
    """The secret is told to nobody."""
    pairs = (name.upper().split(".") for name in one.events if name in OF_MLFLOW)
    return shapes.filled(
        {
            "webhook_id": one.id,
            "name": one.name,
            "description": one.description,
            "url": one.url,
            "events": [{"entity": entity, "action": action} for entity, action in pairs],
            "more_events": [name for name in one.events if name in OF_OURS],
            "status": "ACTIVE" if one.active else "DISABLED",
            "creation_timestamp": one.created // 1_000,
            "last_updated_timestamp": one.updated // 1_000,
        }
    )

"""What happens in the registry is told to those who asked for it, at least once, whatever happens in between."""

import logging
import threading
from pathlib import Path

import pytest

from headwater_server.backup import back_up, restore
from headwater_server.errors import Invalid, NotFound
from headwater_server.log.port import Which
from headwater_server.webhooks.book import Delivery, Outcome, Webhook
from headwater_server.webhooks.courier import Patience
from headwater_server.webhooks.service import MOST, Said, Webhooks
from tests.app import Headwater, settings
from tests.webhooks.conftest import Opening
from tests.webhooks.receiver import SOON, Receiver

ALL = (
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_stage.updated",
)


def asking(webhooks: Webhooks, receiver: Receiver, *events: str, secret: str = "") -> Webhook:
    said = Said("hook", receiver.url, events or ALL, None, secret)
    return webhooks.create(said, actor="ada")


def over(webhooks: Webhooks, webhook: Webhook, count: int, waiting: Outcome | None = None) -> list[Delivery]:
    """The deliveries, oldest first, once so many are over, or wait for another try."""
    tick = threading.Event()
    found: list[Delivery] = []
    for _ in range(int(SOON * 50)):
        found = webhooks.deliveries(webhook.id, before=None, limit=1_000)
        if sum(one.outcome in (waiting, Outcome.DELIVERED, Outcome.GIVEN_UP) for one in found) >= count:
            return found[::-1]
        tick.wait(0.02)
    raise AssertionError(f"only {found} after {SOON} seconds")


def test_what_was_asked_for_is_told_in_its_order(
    headwater: Headwater, webhooks: Webhooks, receiver: Receiver
) -> None:
    headwater.registry.register_model("before", actor="ada")
    webhook = asking(webhooks, receiver, secret="s3cr3t")
    registry = headwater.registry
    registry.register_model("churn", description="who leaves", tags={"team": "crm"}, actor="ada")
    registry.create_version("churn", source_uri="s3://models/1", actor="ada")
    registry.create_version("churn", actor="ada")
    registry.edit("churn", "1", tags={"a": "1", "b": "2"}, removed=["c"], actor="ada")
    registry.set_alias("churn", "champion", version="1", actor="ada")
    registry.transition(model="churn", version="1", to_stage="Production", comment="go", actor="ada")
    registry.transition(model="churn", version="2", to_stage="Production", archive_existing=True, actor="bob")
    registry.delete_version("churn", "2", actor="bob")
    came = receiver.next_ones(9)
    assert [(one.event, one.said["data"]) for one in came] == [
        ("registered_model.created",
         {"name": "churn", "tags": {"team": "crm"}, "description": "who leaves"}),
        ("model_version.created",
         {"name": "churn", "version": "1", "source": "s3://models/1", "run_id": None, "tags": {}, "description": None}),
        ("model_version.created",
         {"name": "churn", "version": "2", "source": "", "run_id": None, "tags": {}, "description": None}),
        ("model_version_tag.set", {"name": "churn", "version": "1", "key": "a", "value": "1"}),
        ("model_version_tag.set", {"name": "churn", "version": "1", "key": "b", "value": "2"}),
        ("model_version_stage.updated",
         {"name": "churn", "version": "1", "from_stage": "None", "to_stage": "Production", "user_id": "ada", "comment": "go"}),
        ("model_version_stage.updated",
         {"name": "churn", "version": "2", "from_stage": "None", "to_stage": "Production", "user_id": "bob", "comment": None}),
        ("model_version_stage.updated",
         {"name": "churn", "version": "1", "from_stage": "Production", "to_stage": "Archived", "user_id": "bob", "comment": None}),
        ("model_version_stage.updated",
         {"name": "churn", "version": "2", "from_stage": "Production", "to_stage": "None", "user_id": "bob", "comment": "deleted"}),
    ]  # fmt: skip
    assert all(one.is_signed_by("s3cr3t") for one in came)
    assert len({one.id for one in came}) == 9
    told = over(webhooks, webhook, 9)
    assert {(one.outcome, one.tries, one.status, one.error) for one in told} == {
        (Outcome.DELIVERED, 1, 200, "")
    }


def test_what_is_refused_for_now_is_sent_again_as_the_same_delivery(
    headwater: Headwater, webhooks: Webhooks, receiver: Receiver
) -> None:
    webhook = asking(webhooks, receiver)
    receiver.will_answer(500, 503)
    receiver.will_answer(429, headers={"Retry-After": "3600"})  # no longer than our own patience
    headwater.registry.register_model("a", actor="ada")
    headwater.registry.register_model("b", actor="ada")
    came = receiver.next_ones(5)
    assert [one.said["data"]["name"] for one in came] == ["a", "a", "a", "a", "b"]
    assert len({(one.id, one.body) for one in came}) == 2
    assert [(one.tries, one.outcome) for one in over(webhooks, webhook, 2)] == [
        (4, Outcome.DELIVERED),
        (1, Outcome.DELIVERED),
    ]


@pytest.mark.parametrize("status", [400, 401, 404, 410, 302])
def test_what_will_not_be_taken_is_given_up_and_the_next_is_told(
    embedded: Headwater, opening: Opening, receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    webhooks = opening(embedded)
    webhook = asking(webhooks, receiver)
    receiver.will_answer(status, headers={"Location": receiver.url + "/elsewhere"})
    with caplog.at_level(logging.WARNING, "headwater"):
        embedded.registry.register_model("a", actor="ada")
        embedded.registry.register_model("b", actor="ada")
        assert [one.path for one in receiver.next_ones(2)] == ["/hook", "/hook"]
        first, second = over(webhooks, webhook, 2)
    assert (first.outcome, first.status, first.tries) == (Outcome.GIVEN_UP, status, 1)
    assert first.error == f"HTTP status {status}"
    assert second.outcome is Outcome.DELIVERED
    assert f"of record {first.seq} was given up" in caplog.text


def test_an_event_that_is_too_old_is_given_up(
    embedded: Headwater, opening: Opening, receiver: Receiver
) -> None:
    webhooks = opening(embedded, Patience(first=0.01, whole=0.0))
    webhook = asking(webhooks, receiver)
    receiver.will_answer(500)
    embedded.registry.register_model("a", actor="ada")
    (told,) = over(webhooks, webhook, 1)
    assert (told.outcome, told.status, told.tries) == (Outcome.GIVEN_UP, 500, 1)


def test_nobody_waits_for_a_receiver_that_does_not_answer(
    headwater: Headwater, webhooks: Webhooks, receiver: Receiver
) -> None:
    webhook = asking(webhooks, receiver)
    receiver.open.clear()
    for number in range(20):
        headwater.registry.register_model(f"model {number}", actor="ada")
    assert receiver.next().said["data"]["name"] == "model 0"
    assert receiver.came.empty()
    assert webhooks.deliveries(webhook.id, before=None, limit=10) == []
    receiver.open.set()
    assert [one.said["data"]["name"] for one in receiver.next_ones(19)] == [
        f"model {number}" for number in range(1, 20)
    ]


def test_what_was_not_told_is_told_after_the_next_start(
    headwater: Headwater, opening: Opening, receiver: Receiver
) -> None:
    first = opening(headwater)
    webhook = asking(first, receiver)
    headwater.registry.register_model("told", actor="ada")
    assert receiver.next().said["data"]["name"] == "told"
    over(first, webhook, 1)
    receiver.will_answer(503)
    headwater.registry.register_model("refused", actor="ada")
    id_ = receiver.next().id
    first.stop()
    headwater.registry.register_model("while nobody told", actor="ada")
    opening(headwater)
    came = receiver.next_ones(2)
    assert [one.said["data"]["name"] for one in came] == ["refused", "while nobody told"]
    assert came[0].id == id_
    assert receiver.came.empty()


def test_a_disabled_webhook_is_told_nothing_of_that_time(
    embedded: Headwater, opening: Opening, receiver: Receiver
) -> None:
    webhooks = opening(embedded)
    webhook = asking(webhooks, receiver)
    webhooks.update(webhook.id, Said(active=False), actor="ada")
    embedded.registry.register_model("meanwhile", actor="ada")
    webhooks.update(webhook.id, Said(active=True), actor="ada")
    embedded.registry.register_model("after", actor="ada")
    assert receiver.next().said["data"]["name"] == "after"


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_passed_over_is_not_told_to_who_asks_for_it_later(
    embedded: Headwater, opening: Opening, receiver: Receiver, restarted: bool
) -> None:
    webhooks = opening(embedded)
    webhook = asking(webhooks, receiver, "model_version.created")
    embedded.registry.register_model("passed over", actor="ada")
    embedded.registry.create_version("passed over", actor="ada")
    embedded.registry.register_model("passed over too", actor="ada")
    embedded.registry.create_version("passed over", actor="ada")
    assert [one.event for one in receiver.next_ones(2)] == ["model_version.created"] * 2
    over(webhooks, webhook, 2)
    if restarted:
        webhooks.stop()
        webhooks = opening(embedded)
    webhooks.update(webhook.id, Said(events=ALL), actor="ada")
    embedded.registry.register_model("new", actor="ada")
    assert receiver.next().said["data"]["name"] == "new"


@pytest.mark.parametrize("under_way", [False, True])
def test_a_change_of_the_address_ends_the_wait_for_the_next_try(
    embedded: Headwater, opening: Opening, receiver: Receiver, under_way: bool
) -> None:
    webhooks = opening(embedded, Patience(first=3_600.0, most=3_600.0))
    webhook = asking(webhooks, receiver)
    receiver.will_answer(503)
    receiver.open.clear()
    embedded.registry.register_model("a", actor="ada")
    first = receiver.next()
    if not under_way:
        receiver.open.set()
        over(webhooks, webhook, 1, waiting=Outcome.RETRYING)
    webhooks.update(webhook.id, Said(url=receiver.url + "/better", secret="new"), actor="ada")
    receiver.open.set()
    again = receiver.next()
    assert (again.path, again.id, again.is_signed_by("new")) == ("/hook/better", first.id, True)


def test_each_webhook_is_told_what_it_asked_for_whatever_the_others_do(
    embedded: Headwater, opening: Opening, receiver: Receiver
) -> None:
    webhooks = opening(embedded, Patience(first=3_600.0, most=3_600.0))
    stuck = webhooks.create(Said("stuck", "http://127.0.0.1:1/", ALL), actor="ada")
    versions = asking(webhooks, receiver, "model_version.created")
    embedded.registry.register_model("churn", actor="ada")
    embedded.registry.create_version("churn", actor="ada")
    assert receiver.next().event == "model_version.created"
    assert len(over(webhooks, versions, 1)) == 1
    webhooks.delete(stuck.id, actor="ada")
    with pytest.raises(NotFound):
        webhooks.get(stuck.id)


def test_a_secret_is_in_no_other_file_and_goes_with_its_webhook(
    embedded: Headwater, opening: Opening, receiver: Receiver
) -> None:
    webhooks = opening(embedded)
    secret, path = "correct-horse-battery", "T0KEN-in-a-path"
    said = Said("hook", f"{receiver.url}/{path}", ALL, None, secret)
    webhook = webhooks.create(said, actor="ada")
    embedded.registry.register_model("a", actor="ada")
    over(webhooks, webhook, 1)
    assert secret not in repr(webhooks.get(webhook.id))
    data = embedded.settings.data
    assert {file.name for file in holding(data, secret, path)} <= {"webhooks.db", "webhooks.db-wal"}
    assert holding(data, secret)
    assert {file.stat().st_mode & 0o777 for file in data.glob("webhooks.db*")} == {0o600}
    webhooks.update(webhook.id, Said(secret="another"), actor="ada")
    assert holding(data, secret) == []
    webhooks.delete(webhook.id, actor="ada")
    assert holding(data, "another", path) == []


def holding(folder: Path, *texts: str) -> list[Path]:
    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and any(text.encode() in file.read_bytes() for text in texts)
    ]


def test_who_did_what_to_a_webhook_is_in_the_log(
    headwater: Headwater, webhooks: Webhooks, receiver: Receiver
) -> None:
    before = headwater.fingerprint()
    webhook = asking(webhooks, receiver, secret="s3cr3t")
    webhooks.update(webhook.id, Said(active=False), actor="bob")
    webhooks.delete(webhook.id, actor="eve")
    kinds = [kind for kind in headwater.log.mutations() if kind.startswith("webhook.")]
    records = [r for kind in kinds for r in headwater.log.recent(Which(kind=kind), limit=9)]
    assert {(r.kind, r.actor) for r in records} == {
        ("webhook.create", "ada"),
        ("webhook.update", "bob"),
        ("webhook.delete", "eve"),
    }
    assert all(webhook.id.encode() in r.body and b"/hook" not in r.body for r in records)
    headwater.parts.rebuild(lambda _, __: None)
    assert headwater.fingerprint() == before


def test_what_an_older_log_says_anew_is_told_anew(
    embedded: Headwater, opening: Opening, receiver: Receiver
) -> None:
    """A backup was put back under webhooks that are further."""
    first = opening(embedded)
    webhook = asking(first, receiver)
    first._book.move(webhook.id, 1_000_000, 0)
    first.stop()
    opening(embedded)
    embedded.registry.register_model("again", actor="ada")
    assert receiver.next().said["data"]["name"] == "again"


def test_a_backup_takes_webhooks_along(
    embedded: Headwater, opening: Opening, receiver: Receiver, tmp_path: Path
) -> None:
    first = opening(embedded)
    webhook = asking(first, receiver, secret="s3cr3t")
    embedded.registry.register_model("told", actor="ada")
    assert receiver.next().said["data"]["name"] == "told"
    over(first, webhook, 1)
    first.stop()
    embedded.registry.register_model("not yet told", actor="ada")
    back_up(embedded.settings, tmp_path / "kept")
    restore(tmp_path / "kept", settings(tmp_path / "back"))
    assert (tmp_path / "back" / "webhooks.db").stat().st_mode & 0o777 == 0o600
    back = Headwater(settings(tmp_path / "back"))
    second = opening(back)
    assert receiver.next().said["data"]["name"] == "not yet told"
    second.stop()
    back.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said("no spaces", "https://203.0.113.9/", ALL), "Webhook name"),
        (Said("hook", "ftp://127.0.0.1/", ALL), "scheme"),
        (Said("hook", "https://127.0.0.1/", ()), "at least one event"),
        (Said("hook", "https://127.0.0.1/", ("model_version.deleted",)), r"Valid actions are: \['created'\]"),
        (Said("hook", "https://127.0.0.1/", ("model.created",)), "no webhook event 'model.created'"),
        (Said("hook", "https://127.0.0.1/", ALL, "d" * 1_001), "description has at most 1000"),
        (Said("hook", "https://127.0.0.1/", ALL, None, "s" * 1_001), "secret has at most 1000"),
    ],
)
def test_what_makes_no_sense_is_refused(embedded: Headwater, opening: Opening, said: Said, why: str) -> None:
    webhooks = opening(embedded, started=False)
    with pytest.raises(Invalid, match=why):
        webhooks.create(said, actor="ada")
    assert webhooks.all() == []
    assert not (embedded.settings.data / "webhooks.db").exists()


def test_there_is_an_end_to_webhooks(embedded: Headwater, opening: Opening) -> None:
    webhooks = opening(embedded, started=False)
    for number in range(MOST):
        webhooks.create(Said(f"hook{number}", "https://127.0.0.1/", ALL), actor="ada")
    with pytest.raises(Invalid, match="already, which is the most"):
        webhooks.create(Said("more", "https://127.0.0.1/", ALL), actor="ada")

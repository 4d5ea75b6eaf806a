"""Webhooks through MLflow's unmodified client, told to a receiver that knows MLflow's payloads alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities.webhook import Webhook, WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException
from mlflow.webhooks.types import EVENT_TO_PAYLOAD_CLASS

from headwater_server.settings import Settings
from headwater_server.webhooks.events import EXAMPLES, OF_MLFLOW
from tests.mlflow.served import client, serving
from tests.webhooks.receiver import Came, Receiver, receiving

CALLS = "/api/2.0/mlflow/webhooks"
FIELDS = {
    f"{entity}.{action}": kind.__annotations__ for (entity, action), kind in EVENT_TO_PAYLOAD_CLASS.items()
}
"""Of what MLflow tells of each of its events."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("headwater")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(Settings(data=folder, webhook_hosts=("127.0.0.1",))) as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def mlflow_client(address: str) -> Iterator[MlflowClient]:
    """Without webhooks at the beginning and at the end."""
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    found = client(address)
    yield found
    for one in found.list_webhooks():
        found.delete_webhook(one.webhook_id)


def asking(of: MlflowClient, receiver: Receiver, *events: str, **more: Any) -> Webhook:
    named = events or tuple(OF_MLFLOW)
    return of.create_webhook("hook", receiver.url, [WebhookEvent.from_str(e) for e in named], **more)  # type: ignore[arg-type]


def checked(came: Came) -> Any:
    """What MLflow says of such an event: its fields, in its order."""
    assert list(came.said) == ["entity", "action", "timestamp", "data"]
    assert list(came.said["data"]) == list(FIELDS[came.event])
    return came.said["data"]


@pytest.mark.parametrize("event", list(OF_MLFLOW))
def test_an_example_has_the_fields_of_mlflow(event: str) -> None:
    assert list(EXAMPLES[event]) == list(FIELDS[event])


def test_every_event_of_mlflow_may_be_asked_for() -> None:
    assert set(OF_MLFLOW) == set(FIELDS)


def test_a_webhook_is_made_found_changed_and_deleted(mlflow_client: MlflowClient, receiver: Receiver) -> None:
    made = asking(mlflow_client, receiver, "model_version.created", description="to chat", secret="s3cr3t")
    found = mlflow_client.get_webhook(made.webhook_id)
    assert (found.name, found.url, found.description) == ("hook", receiver.url, "to chat")
    assert [str(e) for e in found.events] == ["model_version.created"]
    assert (found.status, found.secret) == (WebhookStatus.ACTIVE, None)
    assert found.creation_timestamp == found.last_updated_timestamp > 1_700_000_000_000
    changed = mlflow_client.update_webhook(
        made.webhook_id,
        name="other",
        description="",
        events=[WebhookEvent.from_str("prompt.created"), WebhookEvent.from_str("prompt_tag.set")],
        status=WebhookStatus.DISABLED,
    )
    assert (changed.name, changed.description, changed.url) == ("other", None, receiver.url)
    assert [str(e) for e in changed.events] == ["prompt.created", "prompt_tag.set"]
    assert changed.status is WebhookStatus.DISABLED
    assert changed.last_updated_timestamp >= changed.creation_timestamp
    more = [asking(mlflow_client, receiver) for _ in range(4)]
    pages, token = [], None
    while True:
        page = mlflow_client.list_webhooks(max_results=2, page_token=token)
        pages.append([one.webhook_id for one in page])
        token = page.token
        if not token:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {id_ for page in pages for id_ in page} == {made.webhook_id, *(one.webhook_id for one in more)}
    assert pages[-1] == [made.webhook_id]  # newest first
    mlflow_client.delete_webhook(made.webhook_id)
    for call in (mlflow_client.get_webhook, mlflow_client.delete_webhook, mlflow_client.test_webhook):
        with pytest.raises(MlflowException, match="not found") as gone:
            call(made.webhook_id)
        assert gone.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_models_are_told_of_as_mlflow_tells_of_them(mlflow_client: MlflowClient, receiver: Receiver) -> None:
    asking(mlflow_client, receiver, secret="s3cr3t")
    run_id = mlflow_client.create_run("0").info.run_id
    mlflow_client.create_registered_model("churn", tags={"team": "crm"}, description="who leaves")
    mlflow_client.set_registered_model_tag("churn", "not", "told")
    mlflow_client.create_model_version("churn", "s3://models/1", run_id, tags={"a": "1"}, description="first")
    mlflow_client.set_model_version_tag("churn", "1", "checked", "yes")
    mlflow_client.delete_model_version_tag("churn", "1", "checked")
    mlflow_client.set_registered_model_alias("churn", "champion", "1")
    mlflow_client.delete_registered_model_alias("churn", "champion")
    came = receiver.next_ones(6)
    assert all(one.is_signed_by("s3cr3t") for one in came)
    assert all(one.headers["Content-Type"] == "application/json" for one in came)
    assert [(one.event, checked(one)) for one in came] == [
        ("registered_model.created", {"name": "churn", "tags": {"team": "crm"}, "description": "who leaves"}),
        (
            "model_version.created",
            {
                "name": "churn",
                "version": "1",
                "source": "s3://models/1",
                "run_id": run_id,
                "tags": {"a": "1"},
                "description": "first",
            },
        ),
        ("model_version_tag.set", {"name": "churn", "version": "1", "key": "checked", "value": "yes"}),
        ("model_version_tag.deleted", {"name": "churn", "version": "1", "key": "checked"}),
        ("model_version_alias.created", {"name": "churn", "alias": "champion", "version": "1"}),
        ("model_version_alias.deleted", {"name": "churn", "alias": "champion"}),
    ]


def test_prompts_are_told_of_as_prompts(mlflow_client: MlflowClient, receiver: Receiver) -> None:
    asking(mlflow_client, receiver)
    mlflow_client.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"tone": "warm"})
    mlflow_client.set_prompt_tag("greeting", "team", "crm")
    mlflow_client.delete_prompt_tag("greeting", "team")
    mlflow_client.set_prompt_version_tag("greeting", "1", "checked", "yes")
    mlflow_client.delete_prompt_version_tag("greeting", "1", "checked")
    mlflow_client.set_prompt_alias("greeting", "live", 1)
    mlflow_client.delete_prompt_alias("greeting", "live")
    said: dict[str, Any] = {}
    while "prompt_alias.deleted" not in said:
        came = receiver.next()
        said.setdefault(came.event, []).append(checked(came))
    assert set(said) == {event for event in OF_MLFLOW if event.startswith("prompt")}
    (version,) = said["prompt_version.created"]
    assert (version["template"], version["description"]) == ("Hello {{name}}", "first")
    assert version["tags"]["tone"] == "warm"
    assert not [key for key in version["tags"] if key in ("mlflow.prompt.is_prompt", "mlflow.prompt.text")]
    assert {"name": "greeting", "key": "team", "value": "crm"} in said["prompt_tag.set"]
    assert {"name": "greeting", "key": "team"} in said["prompt_tag.deleted"]
    assert {"name": "greeting", "version": "1", "key": "checked", "value": "yes"} in said[
        "prompt_version_tag.set"
    ]
    assert said["prompt_alias.created"] == [{"name": "greeting", "alias": "live", "version": "1"}]


def test_a_webhook_is_tested_with_an_example(mlflow_client: MlflowClient, receiver: Receiver) -> None:
    made = asking(mlflow_client, receiver, "model_version_alias.created", "prompt.created", secret="s3cr3t")
    result = mlflow_client.test_webhook(made.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "thanks")
    came = receiver.next()
    assert came.event == "model_version_alias.created"
    assert came.is_signed_by("s3cr3t")
    checked(came)
    receiver.will_answer(404, body=b"who?")
    refused = mlflow_client.test_webhook(made.webhook_id, WebhookEvent.from_str("prompt.created"))
    assert (refused.success, refused.response_status, refused.response_body) == (False, 404, "who?")
    assert receiver.next().event == "prompt.created"
    mlflow_client.update_webhook(made.webhook_id, url="http://127.0.0.1:1/")
    nobody = mlflow_client.test_webhook(made.webhook_id)
    assert (nobody.success, nobody.response_status) == (False, None)
    assert "127.0.0.1 gave no answer" in str(nobody.error_message)


@pytest.mark.parametrize(
    "url", ["http://hooks.example/", "https://10.0.0.1/", "https://169.254.169.254/latest", "nonsense"]
)
def test_an_address_that_is_not_to_be_reached_is_refused(mlflow_client: MlflowClient, url: str) -> None:
    with pytest.raises(MlflowException, match=r"[Ww]ebhook URL") as refused:
        mlflow_client.create_webhook("hook", url, ["model_version.created"])
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert mlflow_client.list_webhooks() == []


def test_stages_are_told_of_to_those_who_ask_in_our_own_words(
    address: str, mlflow_client: MlflowClient, receiver: Receiver
) -> None:
    """MLflow's clients choke on events that they do not know: ours stand beside theirs."""
    said = {
        "name": "stages",
        "url": receiver.url,
        "events": [{"entity": "PROMPT", "action": "CREATED"}],
        "more_events": ["model_version_stage.updated"],
    }
    made = httpx.post(address + CALLS, json=said).json()["webhook"]
    assert made["more_events"] == ["model_version_stage.updated"]
    (listed,) = mlflow_client.list_webhooks()
    assert [str(e) for e in listed.events] == ["prompt.created"]
    changed = mlflow_client.update_webhook(made["webhook_id"], name="moves")
    assert changed.name == "moves"
    mlflow_client.create_registered_model("staged")
    mlflow_client.create_model_version("staged", "s3://models/2")
    with pytest.warns(FutureWarning):
        mlflow_client.transition_model_version_stage("staged", "1", "Production")
    assert receiver.next().said["data"] == {
        "name": "staged",
        "version": "1",
        "from_stage": "None",
        "to_stage": "Production",
        "user_id": "anonymous",
        "comment": None,
    }
    one = address + CALLS + "/" + made["webhook_id"]
    assert "more_events" not in httpx.patch(one, json={"more_events": []}).json()["webhook"]
    for bad, why in (
        ({"more_events": ["model.eaten"]}, "more_events"),
        ({"events": [{"entity": "MODEL_VERSION_STAGE", "action": "UPDATED"}]}, "more_events"),
        ({"events": [{"entity": "MODEL_VERSION"}]}, "action"),
        ({"events": [{"entity": "MODEL_VERSION", "action": "DELETED"}]}, "Valid actions are: ['created']"),
        ({"events": []}, "non-empty"),
        ({"status": "SLEEPY"}, "ACTIVE, DISABLED"),
    ):
        answer = httpx.patch(one, json=bad)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert why in answer.json()["message"]


def test_what_became_of_the_events_of_a_webhook_is_listed(
    address: str, mlflow_client: MlflowClient, receiver: Receiver
) -> None:
    made = asking(mlflow_client, receiver, "registered_model.created")
    receiver.will_answer(404)
    for number in range(3):
        mlflow_client.create_registered_model(f"told {number}")
    came = receiver.next_ones(3)
    path = f"{address}{CALLS}/{made.webhook_id}/deliveries"
    first = httpx.get(path, params={"max_results": 2}).json()
    while len(first.get("deliveries", ())) < 2:  # the last answer is on its way into the list
        first = httpx.get(path, params={"max_results": 2}).json()
    rest = httpx.get(path, params={"page_token": first.get("next_page_token") or "9999.0"}).json()
    listed = {one["delivery_id"]: one for one in (*first["deliveries"], *rest["deliveries"])}
    refused = listed[came[0].id]
    assert (refused["outcome"], refused["tries"], refused["response_status"]) == ("GIVEN_UP", 1, 404)
    assert (refused["event"], refused["error_message"]) == ("registered_model.created", "HTTP status 404")
    assert listed[came[1].id]["outcome"] == "DELIVERED"
    assert httpx.get(path, params={"page_token": "x"}).status_code == 400
    assert httpx.get(f"{address}{CALLS}/none/deliveries").status_code == 404


def test_a_secret_is_shown_to_nobody(
    address: str, mlflow_client: MlflowClient, receiver: Receiver, folder: Path
) -> None:
    made = asking(mlflow_client, receiver, secret="correct-horse")
    answers = [
        httpx.get(f"{address}{CALLS}/{made.webhook_id}").text,
        httpx.get(address + CALLS).text,
        httpx.patch(f"{address}{CALLS}/{made.webhook_id}", json={"name": "a"}).text,
        httpx.post(
            address + "/graphql",
            json={"query": "{ auditLog(first: 50) { edges { node { action after } } } }"},
        ).text,
    ]
    assert "webhook.update" in answers[-1]
    assert not [text for text in answers if "correct-horse" in text]
    assert b"correct-horse" not in (folder / "log.db").read_bytes() + (folder / "log.db-wal").read_bytes()

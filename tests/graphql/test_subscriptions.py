"""Subscriptions as server-sent events, over a real socket."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from headwater_server.app import create_app
from headwater_server.commit.news import MAX_WAITING, News, Told
from headwater_server.graph.changes import Changeset, Edge
from headwater_server.graph.words import EdgeKind
from headwater_server.settings import Settings

RUNS = "subscription ($e: ID, $n: Int) { runUpdated(experimentId: $e, intervalMs: $n) { run { runId displayName } state metrics { key step value } } }"


class Served:
    """A server and whoever listens to it."""

    def __init__(self, url: str, retire: Callable[[], None]) -> None:
        self.retire = retire
        self.client = httpx.Client(base_url=url, timeout=30)

    def mlflow(self, call: str, **body: Any) -> Any:
        answer = self.client.post(f"/api/2.0/mlflow/{call}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def experiment(self, name: str = "churn") -> str:
        return str(self.mlflow("experiments/create", name=name)["experiment_id"])

    def run(self, experiment: str, name: str) -> str:
        return str(
            self.mlflow("runs/create", experiment_id=experiment, run_name=name)["run"]["info"]["run_id"]
        )

    def ask(self, query: str) -> Any:
        return self.client.post("/graphql", json={"query": query}).json()

    def listeners(self) -> int:
        lines = self.client.get("/metrics").text.splitlines()
        return int(float(next(line for line in lines if line.startswith("headwater_listeners ")).split()[1]))

    def wait_for(self, it_is_so: Callable[[], bool]) -> None:
        for _ in range(1_000):
            if it_is_so():
                return
            time.sleep(0.02)
        pytest.fail("it never came to be so")

    @contextmanager
    def listening(
        self, query: str, *, listens: bool = True, **variables: Any
    ) -> Iterator[Iterator[tuple[str, Any]]]:
        """Events as they come: (event, data). `listens`: what changes from now on is told."""
        body = {"query": query, "variables": variables}
        before = self.listeners()
        with self.client.stream(
            "POST", "/graphql", json=body, headers={"Accept": "text/event-stream"}
        ) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(lines) == ":"
            if listens:
                self.wait_for(lambda: self.listeners() > before)
            yield events_in(lines)


def events_in(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            yield name, json.loads(data) if data else None


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as found:
        yield found


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Served]:
    app = create_app(Settings(data=folder, **settings))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, ws="websockets-sansio", log_level="error", timeout_graceful_shutdown=5)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        found = Served(f"http://127.0.0.1:{listening.getsockname()[1]}", app.state.retire)
        found.ask("{ server { version } }")
        try:
            yield found
        finally:
            found.client.close()
            server.should_exit = True
            thread.join()


def test_whoever_listens_hears_of_runs_as_they_are_then(served: Served) -> None:
    experiment, other = served.experiment(), served.experiment("other")
    with served.listening(RUNS, e=experiment, n=100) as events:
        served.run(other, "elsewhere")
        run = served.run(experiment, "here")
        name, said = next(events)
        assert name == "next"
        assert said["data"]["runUpdated"]["run"] == {"runId": run, "displayName": "here"}
        assert said["data"]["runUpdated"]["state"] == "RUNNING"
        served.mlflow(
            "runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=1_700_000_000_000, step=3
        )
        _, said = next(events)
        assert said["data"]["runUpdated"]["metrics"] == [{"key": "loss", "step": 3, "value": 0.5}]
        served.mlflow("runs/update", run_id=run, status="FINISHED", end_time=1_700_000_001_000)
        _, said = next(events)
        assert said["data"]["runUpdated"]["state"] == "COMPLETE"
        assert said["extensions"]["cost"] > 0


def test_what_changes_often_is_told_once_an_interval(served: Served) -> None:
    experiment = served.experiment()
    run = served.run(experiment, "busy")
    served.ask("{ runs { totalCount } }")
    with served.listening(RUNS, e=experiment, n=1_500) as events:
        served.mlflow("runs/log-metric", run_id=run, key="loss", value=0, timestamp=1, step=0)
        next(events)
        for step in range(1, 30):
            served.mlflow("runs/log-metric", run_id=run, key="loss", value=step, timestamp=1, step=step)
            served.ask("{ runs { totalCount } }")  # the graph shows each
        _, said = next(events)
        assert said["data"]["runUpdated"]["metrics"] == [{"key": "loss", "step": 29, "value": 29}]


def test_a_stage_that_changes_is_told(served: Served) -> None:
    created = """mutation { registerModel(input: {name: "churn"}) { __typename }
        a: createModelVersion(input: {model: "churn"}) { __typename } }"""
    served.ask(created)
    with served.listening(
        'subscription { stageChanged(model: "churn") { fromStage toStage modelVersion { version } } }'
    ) as events:
        served.ask(
            'mutation { transitionStage(input: {model: "churn", version: "1", toStage: "Production"}) { __typename } }'
        )
        _, said = next(events)
        assert said["data"]["stageChanged"] == {
            "fromStage": None, "toStage": "Production", "modelVersion": {"version": "1"},
        }  # fmt: skip
        served.ask(
            'mutation { transitionStage(input: {model: "churn", version: "1", toStage: "Archived"}) { __typename } }'
        )
        _, said = next(events)
        assert said["data"]["stageChanged"]["fromStage"] == "Production"


def test_what_is_refused_is_one_answer_and_the_end(served: Served) -> None:
    for query, code in (
        ("subscription { nothing }", "INVALID"),
        ("subscription { runUpdated(intervalMs: 1) { state } }", "INVALID"),
        ('subscription { runUpdated(runId: "none") { state } }', "NOT_FOUND"),
        ("subscription {", "INVALID"),
    ):
        with served.listening(query, listens=False) as events:
            (name, said), (end, _) = list(events)
            assert (name, end) == ("next", "complete")
            assert said["errors"][0]["extensions"]["code"] == code, query
    with served.listening("{ server { version } }", listens=False) as events:
        assert [name for name, _ in events] == ["next", "complete"]
    plain = served.ask("subscription { runUpdated { state } }")
    assert "text/event-stream" in plain["errors"][0]["message"]


def test_a_server_that_ends_says_so(served: Served) -> None:
    with served.listening("subscription { runUpdated { state } }") as events:
        served.retire()
        assert list(events) == [("complete", None)]


def test_more_than_may_listen_are_told_to_come_back(tmp_path: Path) -> None:
    with serving(tmp_path, max_streams=1) as served:
        body, headers = {"query": "subscription { runUpdated { state } }"}, {"Accept": "text/event-stream"}
        with served.listening(body["query"]):
            refused = served.client.post("/graphql", json=body, headers=headers)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert served.ask("{ server { version } }")["data"]  # who asks is let in
        for _ in range(100):  # who left is noticed a moment later
            with served.client.stream("POST", "/graphql", json=body, headers=headers) as answer:
                if answer.status_code == 200:
                    return
            time.sleep(0.05)
        pytest.fail("nobody was let in after the only listener had left")


def test_a_listener_who_takes_nothing_holds_no_more_than_its_share() -> None:
    news, rings = News(), []

    def runs(told: Told) -> list[str]:
        return [key for key in told.entities if key.startswith("run|")]

    with news.listen(runs, lambda: rings.append(1)) as mailbox:
        news.tell(["job|a"], Changeset())
        assert rings == []
        for _ in range(3):
            news.tell(["run|often"], Changeset())
        news.tell([f"run|{n}" for n in range(MAX_WAITING + 10)], Changeset())
        assert mailbox.take() == [f"run|{n}" for n in range(10, MAX_WAITING + 10)]
        assert mailbox.take() == []
        assert news.listeners == 1
    assert news.listeners == 0
    news.close()
    with news.listen(lambda _: (), lambda: rings.append(1)) as mailbox:
        assert mailbox.closed


def test_where_the_flow_changed_is_told_by_the_ends_of_its_edges_that_came_and_went() -> None:
    reads = Edge("dataset|a", EdgeKind.INPUT_OF, "step|1")
    gone = Edge("step|2", EdgeKind.OUTPUTS, "dataset|b").key
    seen = Edge("run|1", EdgeKind.READ, "dataset_version|a|1")
    news = News()
    with news.listen(lambda told: told.flow, lambda: None) as mailbox:
        news.tell(["run|1"], Changeset(edges=(reads, seen), drop=(gone,)))
        assert sorted(mailbox.take()) == ["dataset|a", "dataset|b", "step|1", "step|2"]

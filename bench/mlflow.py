"""Headwater beside MLflow's own server: CPU of the server for the calls that scripts make, space of a point, races."""

import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from bench import servers, stock
from bench.client import Connection
from bench.figures import Figure, progress, short

API = "/api/2.0/mlflow"
AT = 1_700_000_000_000
KEYS = 5
CONCURRENT, BATCHES, POINTS = 100, 5, 100


@dataclass(frozen=True, slots=True)
class Side:
    name: str
    server: servers.Server
    data: Path
    settles: bool

    def spent(self, count: int, work: Callable[["Caller"], None]) -> float:
        """CPU milliseconds of one of so many calls; all that they cause is done."""
        caller = Caller(self.server.connect())
        before = self.server.cpu()
        work(caller)
        if self.settles:
            self.server.settle()
        after = self.server.cpu()
        caller.close()
        return (after - before) * 1000 / count


class Caller:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def post(self, path: str, /, **said: Any) -> Any:
        return self._told(path, *self._connection.post(f"{API}/{path}", json.dumps(said).encode()))

    def get(self, path: str, /, **said: Any) -> Any:
        query = "&".join(f"{name}={quote(str(value))}" for name, value in said.items())
        return self._told(path, *self._connection.get(f"{API}/{path}?{query}"))

    def close(self) -> None:
        self._connection.close()

    def begin(self, **more: Any) -> str:
        tags = [{"key": f"mlflow.{name}", "value": "x"} for name in ("user", "source.name", "source.type")]
        made = self.post("runs/create", experiment_id="0", start_time=AT, tags=tags, **more)
        return str(made["run"]["info"]["run_id"])

    @staticmethod
    def _told(path: str, status: int, body: bytes) -> Any:
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:200]!r}")
        return json.loads(body)


class Cost(NamedTuple):
    what: str
    least: float
    """The goal: so many times less than the stock server."""
    of: Callable[[Side, float], float]


def measure(size: float) -> Iterator[Figure]:
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        ours = stack.enter_context(servers.headwater(folders[0]))
        theirs = stack.enter_context(stock.stock(folders[1]))
        sides = Side("Headwater", ours, folders[0], True), Side("mlflow", theirs, folders[1], False)  # noqa: FBT003
        for side in sides:
            _register(side)
        for cost in COSTS:
            mine, other = (cost.of(side, size) for side in sides)
            progress(f"{cost.what}: {mine:.2f} ms, mlflow {other:.1f} ms")
            yield Figure(
                cost.what,
                other / mine,
                "× less CPU",
                f"{short(mine)} ms CPU a call, mlflow {short(other)}",
                least=cost.least,
            )
        for side in sides:
            yield _many_at_once(side)
        points, bytes_ = _space(max(20_000, int(100_000 * size)))
        yield Figure(f"a sealed point of {points:,}", bytes_, "bytes", most=10)


def _register(side: Side) -> None:
    """A model with ten versions, one of them in Production."""
    caller = Caller(side.server.connect())
    run = caller.begin()
    home = caller.get("runs/get", run_id=run)["run"]["info"]["artifact_uri"]
    caller.post("registered-models/create", name="churn", tags=[{"key": "owner", "value": "ada"}])
    for _ in range(10):
        caller.post("model-versions/create", name="churn", source=f"{home}/model", run_id=run)
    caller.post(
        "model-versions/transition-stage",
        name="churn",
        version="7",
        stage="Production",
        archive_existing_versions=False,
    )
    caller.close()


def _times(count: int, size: float) -> int:
    return max(count // 10, int(count * size), 1)


def _create(side: Side, size: float) -> float:
    count = _times(500, size)
    return side.spent(count, lambda caller: _repeat(count, lambda _: caller.begin()))


def _log_metric(side: Side, size: float) -> float:
    count = _times(1_000, size)

    def work(caller: Caller) -> None:
        run = caller.begin()
        for step in range(count):
            caller.post(
                "runs/log-metric",
                run_id=run,
                key="loss",
                value=1 / (step + 1),
                timestamp=AT + step,
                step=step,
            )

    return side.spent(count, work)


def _get_model(side: Side, size: float) -> float:
    count = _times(1_000, size)
    return side.spent(
        count, lambda caller: _repeat(count, lambda _: caller.get("registered-models/get", name="churn"))
    )


def _get_version(side: Side, size: float) -> float:
    count = _times(1_000, size)
    work = {"name": "churn", "version": "7"}
    return side.spent(
        count, lambda caller: _repeat(count, lambda _: caller.get("model-versions/get", **work))
    )


def _repeat(count: int, work: Callable[[int], Any]) -> None:
    for number in range(count):
        work(number)


def _batch(first: int, keys: Sequence[str], each: int) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": 1 / (step + 1) + at / 7, "timestamp": AT + step * 1_000, "step": step}
        for at, key in enumerate(keys)
        for step in range(first, first + each)
    ]


def _log_batch(side: Side, size: float) -> float:
    count, keys = _times(50, size), [f"m{number}" for number in range(10)]

    def work(caller: Caller) -> None:
        run = caller.begin()
        for number in range(count):
            caller.post("runs/log-batch", run_id=run, metrics=_batch(number * 100, keys, 100))

    return side.spent(count, work)


def _history(side: Side, size: float) -> float:
    count, points = 3, max(20_000, int(100_000 * size))
    caller = Caller(side.server.connect())
    run = caller.begin()
    for first in range(0, points, 1_000):
        caller.post("runs/log-batch", run_id=run, metrics=_batch(first, ["loss"], 1_000))
    caller.close()

    def read(caller: Caller) -> None:
        token: dict[str, str] = {}
        found = 0
        while True:
            answer = caller.get(
                "metrics/get-history", run_id=run, metric_key="loss", max_results=25_000, **token
            )
            found += len(answer["metrics"])
            if "next_page_token" not in answer:
                break
            token = {"page_token": answer["next_page_token"]}
        if found != points:
            raise SystemExit(f"{side.name} has {found} of {points} points")

    return side.spent(count, lambda caller: _repeat(count, lambda _: read(caller)))


def _search(side: Side, size: float) -> float:
    runs = max(1_000, int(10_000 * size))
    if side.settles:
        caller = Caller(side.server.connect())
        for number in range(runs):
            run = caller.begin(run_id=f"{number:032x}", run_name=f"run {number}")
            metrics = [
                {
                    "key": f"m{key}",
                    "value": ((number * 7919 + key) % 10_007) / 10_007,
                    "timestamp": AT,
                    "step": 0,
                }
                for key in range(KEYS)
            ]
            params = [{"key": f"p{key}", "value": str((number + key) % 7)} for key in range(KEYS)]
            caller.post("runs/log-batch", run_id=run, metrics=metrics, params=params)
        caller.close()
    else:
        stock.put_runs(side.data, runs)
    asked: dict[str, Any] = {
        "experiment_ids": ["0"],
        "filter": "metrics.m0 > 0.3 and params.p1 = '3'",
        "order_by": ["metrics.m1 DESC"],
        "max_results": 1_000,
    }

    def work(caller: Caller) -> None:
        found = caller.post("runs/search", **asked)["runs"]
        if len(found) != min(1_000, sum(_fits(number) for number in range(runs))):
            raise SystemExit(f"{side.name} found {len(found)} runs")

    count = 10
    side.spent(1, work)  # tables and statements are made by the first
    return side.spent(count, lambda caller: _repeat(count, lambda _: work(caller)))


def _fits(number: int) -> bool:
    return (number * 7919 % 10_007) / 10_007 > 0.3 and (number + 1) % 7 == 3


def _many_at_once(side: Side) -> Figure:
    """A hundred clients, each with a run of its own; who was refused, and what was acknowledged and is not there."""
    errors: list[str] = []
    lost: list[int] = []

    def work(name: int) -> None:
        caller = Caller(side.server.connect())
        said, run = 0, ""
        try:
            run = caller.begin(run_name=f"at once {name}")
            for number in range(BATCHES):
                caller.post("runs/log-batch", run_id=run, metrics=_batch(number * POINTS, ["loss"], POINTS))
                said += POINTS
        except (RuntimeError, OSError) as error:
            errors.append(str(error))
        finally:
            caller.close()
            logged.append((run, said))

    logged: list[tuple[str, int]] = []
    threads = [threading.Thread(target=work, args=(name,)) for name in range(CONCURRENT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in dict.fromkeys(errors):
        progress(f"{side.name}: {error}")
    caller = Caller(side.server.connect())
    for run, said in logged:
        if run:
            there = caller.get("metrics/get-history", run_id=run, metric_key="loss").get("metrics", ())
            lost.append(max(0, said - len(there)))
    caller.close()
    return Figure(
        f"{CONCURRENT} runs logging at once, {side.name}: clients refused",
        float(len(errors)),
        "clients",
        f"of {CONCURRENT}; acknowledged points lost: {sum(lost)}",
        most=0 if side.settles else None,
    )


def _space(points: int) -> tuple[int, float]:
    """Of a server that has nothing but one long series and its log: what the file of points takes."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with servers.headwater(data) as server:
            caller = Caller(server.connect())
            run = caller.begin()
            for first in range(0, points, 1_000):
                caller.post("runs/log-batch", run_id=run, metrics=_batch(first, ["loss"], 1_000))
            caller.close()
        return points, (data / "series.db").stat().st_size / points


COSTS = (
    Cost("create a run", 5, _create),
    Cost("log a metric", 5, _log_metric),
    Cost("registered-models/get", 5, _get_model),
    Cost("model-versions/get", 5, _get_version),
    Cost("log-batch of 1,000 metrics (10 × 100 steps)", 20, _log_batch),
    Cost("history of a metric, 100,000 points in pages", 20, _history),
    Cost("search of 10,000 runs, filter and order", 20, _search),
)

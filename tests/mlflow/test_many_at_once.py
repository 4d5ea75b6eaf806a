"""A hundred runs at once: no lock error, nothing lost, nothing doubled."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlflow.entities import Metric, Param, RunTag

from headwater_server.parts import Parts
from tests.mlflow.served import client, embedded, serving

RUNS, STEPS = 100, 5


def test_a_hundred_runs_log_at_once(tmp_path: Path) -> None:
    with serving(embedded(tmp_path)) as address:
        api = client(address)
        number = api.create_experiment("crowd")
        shared = api.create_run(number, run_name="shared").info.run_id

        def work(place: int) -> str:
            mine = client(address)
            run_id = mine.create_run(number, run_name=str(place)).info.run_id
            mine.log_param(run_id, "place", place)
            for step in range(STEPS):
                mine.log_metric(run_id, "loss", place + step / 10, timestamp=step, step=step)
                mine.log_metric(shared, "all", place + step / 10, timestamp=step, step=place)
            batch = [Metric(f"m{n}", n, 0, 0) for n in range(20)]
            mine.log_batch(run_id, batch, [Param("p", "1")], [RunTag("t", "x")])
            mine.set_terminated(run_id)
            return str(run_id)

        with ThreadPoolExecutor(RUNS) as pool:
            made = list(pool.map(work, range(RUNS)))
        found = {r.info.run_id: r for r in api.search_runs([number], max_results=1_000)}
        assert found.keys() == {*made, shared}
        for place, run_id in enumerate(made):
            run = found[run_id]
            assert run.info.status == "FINISHED"
            assert run.data.params == {"place": str(place), "p": "1"}
            assert run.data.metrics["loss"] == place + (STEPS - 1) / 10
            assert len(run.data.metrics) == 21
        assert len(api.get_metric_history(shared, "all")) == RUNS * STEPS
        assert found[shared].data.metrics["all"] == RUNS - 1 + (STEPS - 1) / 10
    parts = Parts(embedded(tmp_path))
    parts.start()
    before = parts.fingerprint()
    parts.rebuild(lambda _, __: None)
    assert parts.fingerprint() == before
    parts.close()

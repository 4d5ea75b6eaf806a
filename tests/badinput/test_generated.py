"""What schemathesis makes up from OpenAPI and from GraphQL's schema is answered as they say; the same each time."""

import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes
from schemathesis.core.result import Ok

from tests.badinput.server import Server

EXAMPLES = 5
"""Of each operation; with the cases that schemathesis counts out of itself some hundred requests."""
COMMAND = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the demo data."""
    started = Server(tmp_path_factory.mktemp("shop"), "--demo")
    yield started
    started.stop()


def nothing_failed_inside(server: Server) -> None:
    assert b"headwater_dead_letters 0.0" in server.get("/metrics")
    assert b"errorId" not in server.said.read_bytes()
    assert b"Traceback" not in server.said.read_bytes()


def test_every_route_answers_as_openapi_says(shop: Server, tmp_path: Path) -> None:
    run = subprocess.run(
        [
            sys.executable, "-W", "ignore", "-c", COMMAND, "run", f"http://{shop.host}/openapi.json", "--phases", "coverage,fuzzing",
            "--max-examples", str(EXAMPLES), "--generation-deterministic", "--exclude-path", "/graphql", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    told = "\n".join(line[:500] for line in run.stdout.splitlines())
    assert run.returncode == 0, told[-20_000:] + run.stderr
    found = re.search(r"(\d+) generated, \1 passed", run.stdout)
    assert found is not None, run.stdout[-2_000:]
    assert int(found[1]) > 100
    nothing_failed_inside(shop)


def test_every_root_field_of_graphql_answers_whatever_it_is_given(shop: Server) -> None:
    words = st.text(string.ascii_letters + '/:.\\ "é', max_size=30) | st.sampled_from(
        ["postgres://shop-db/shop.public.orders", "models:/churn/1", "runs:/x", "9" * 30]
    )
    moments = st.sampled_from(
        ["2026-01-20T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "yesterday"]
    )
    for name, strategy in {
        "DateTime": moments.map(nodes.String),
        "Long": st.integers(-(2**63), 2**63).map(nodes.Int),
        "JSON": st.one_of(st.integers().map(nodes.Int), words.map(nodes.String)),
        "TimePoint": st.one_of(moments, st.sampled_from(["-7d", "now", "-P1D", "P"])).map(nodes.String),
    }.items():
        schemathesis.graphql.scalar(name, strategy)
    schema = schemathesis.graphql.from_url(f"http://{shop.host}/graphql")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 25
    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call()
            assert answer.status_code == 200, (case.body, answer.text)
            codes = {error["extensions"]["code"] for error in answer.json().get("errors", ())}
            assert codes <= {"INVALID", "NOT_FOUND", "CONFLICT", "LIMIT_EXCEEDED", "FORBIDDEN"}, (
                case.body,
                answer.text,
            )

        ask()
    nothing_failed_inside(shop)

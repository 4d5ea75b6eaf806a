"""A Headwater on each store in turn, a receiver, and the webhooks between them, which are patient for moments only."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from headwater_server.parts import micros
from headwater_server.registry.notices import TOLD, notices
from headwater_server.webhooks.courier import Patience
from headwater_server.webhooks.egress import Egress
from headwater_server.webhooks.service import Webhooks
from tests.app import Headwater, embedded, headwater, neo4j_server, on_neo4j
from tests.webhooks.receiver import Receiver, receiving

__all__ = ["embedded", "headwater", "neo4j_server", "on_neo4j"]

Opening = Callable[..., Webhooks]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def opening() -> Iterator[Opening]:
    """Opens the webhooks of a Headwater, started unless told otherwise; they are stopped at the end."""
    with ExitStack() as held:

        def opened(of: Headwater, patience: Patience | None = None, *, started: bool = True) -> Webhooks:
            webhooks = Webhooks(
                of.settings.data,
                of.parts.committer,
                of.parts.log,
                of.parts.news,
                kinds=TOLD,
                told=lambda record: notices(record, of.registry.is_prompt),
                egress=Egress(["127.0.0.1"]),
                now=micros,
                patience=patience or Patience(first=0.01, most=0.05),
            )
            held.callback(webhooks.stop)
            if started:
                webhooks.start()
            return webhooks

        yield opened


@pytest.fixture
def webhooks(headwater: Headwater, opening: Opening) -> Webhooks:
    return opening(headwater)

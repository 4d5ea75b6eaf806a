"""What series come to after a batch, as its record says it. Pure."""

from collections.abc import Mapping
from typing import Any

from headwater_server.graph.facts import Facts
from headwater_server.series.port import Summary
from headwater_server.tracking.views import written


def grown(summaries: Mapping[str, Summary], facts: Facts) -> dict[str, list[Any]]:
    """By metric: [points, last, step, timestamp, least, most, since], absolute. Without those that have no more points
    than the run's facts know: a batch that is sent again says nothing new.
    """
    return {
        name: _absolute(summary)
        for name, summary in summaries.items()
        if summary.n > facts.values.get(f"metric|{name}", (0,))[0]
    }


def _absolute(summary: Summary) -> list[Any]:
    last = summary.last
    return [
        summary.n,
        *(written(last.value), last.step, last.timestamp),
        *(written(summary.least), written(summary.most), summary.since),
    ]

"""What Prometheus may know of this app: one registry an app, nothing global."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class _Gauges(Collector):
    def __init__(self, read: Callable[[], dict[str, float]]) -> None:
        self._read = read

    def collect(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily(name, name.replace("_", " "), value=v) for name, v in self._read().items()]


class Metrics:
    """Counters of ingest; gauges are read when asked for."""

    def __init__(self, gauges: Callable[[], dict[str, float]]) -> None:
        self._registry = CollectorRegistry()
        self._accepted = Counter("headwater_events_accepted", "Events stored", registry=self._registry)
        self._duplicate = Counter(
            "headwater_events_duplicate", "Events that were here already", registry=self._registry
        )
        self._rejected = Counter(
            "headwater_events_rejected", "Events refused", ["reason"], registry=self._registry
        )
        self._registry.register(_Gauges(gauges))

    def accepted(self, fresh: int, duplicate: int) -> None:
        if fresh:
            self._accepted.inc(fresh)
        if duplicate:
            self._duplicate.inc(duplicate)

    def rejected(self, reason: str) -> None:
        self._rejected.labels(reason).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)

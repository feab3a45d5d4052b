"""The page that Prometheus reads. Imported when it is first asked for: a start has no time for the library."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from graph.transport.observability.metrics import SECONDS, Metrics


def page(metrics: Metrics) -> bytes:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Operations(metrics))
    for name, (description, value) in metrics.watched.items():
        Gauge(f"clientela_{name}", description, registry=registry).set_function(value)
    return generate_latest(registry)


class _Operations(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        labels = ("kind", "outcome")
        operations = CounterMetricFamily("clientela_operations", "Operations answered.", labels=labels)
        for told, count in self._metrics.counts.items():
            operations.add_metric(told, count)
        yield operations
        text = "Time from the request to its answer."
        times = HistogramMetricFamily("clientela_operation_seconds", text, labels=("kind",))
        names = [*(str(float(bound)) for bound in SECONDS), "+Inf"]
        for kind, buckets in self._metrics.buckets.items():
            sums = list(zip(names, map(float, accumulate(buckets)), strict=True))
            times.add_metric((kind,), sums, self._metrics.seconds[kind])
        yield times

"""Renders metrics in Prometheus' text format.

Import this module when the metrics are first requested: prometheus_client takes 0.04 s to load (bench/RESULTS.md).
"""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from graph.transport.observability.metrics import DURATION_BUCKETS_SECONDS, Metrics

MEDIA_TYPE = "text/plain; version=0.0.4"


def render_metrics(metrics: Metrics) -> bytes:
    """The page that Prometheus scrapes."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_OperationCollector(metrics))
    for name, (description, value) in metrics.gauges.items():
        Gauge(f"clientela_{name}", description, registry=registry).set_function(value)
    return generate_latest(registry)


class _OperationCollector(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        labels = ("kind", "outcome")
        operations = CounterMetricFamily("clientela_operations", "Operations answered.", labels=labels)
        for label_values, count in self._metrics.operation_counts.items():
            operations.add_metric(label_values, count)
        yield operations
        description = "Time from the request to its response."
        durations = HistogramMetricFamily("clientela_operation_seconds", description, labels=("kind",))
        bounds = [*(str(float(bound)) for bound in DURATION_BUCKETS_SECONDS), "+Inf"]
        for kind, buckets in self._metrics.duration_buckets.items():
            cumulative = list(zip(bounds, map(float, accumulate(buckets)), strict=True))
            durations.add_metric((kind,), cumulative, self._metrics.total_seconds[kind])
        yield durations

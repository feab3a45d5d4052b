"""What Prometheus is told: operations by kind and outcome, their time, and how full the house is."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class _Operations(Collector):
    """Counted on the loop's own thread, so with no lock: one in the library's way costs as much as a small answer."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(_SECONDS) + 1))
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def collect(self) -> Iterator[Metric]:
        labels = ("kind", "outcome")
        operations = CounterMetricFamily("clientela_operations", "Operations answered.", labels=labels)
        for told, count in self.counts.items():
            operations.add_metric(told, count)
        yield operations
        text = "Time from the request to its answer."
        times = HistogramMetricFamily("clientela_operation_seconds", text, labels=("kind",))
        names = [*(str(float(bound)) for bound in _SECONDS), "+Inf"]
        for kind, buckets in self.buckets.items():
            sums = list(zip(names, map(float, accumulate(buckets)), strict=True))
            times.add_metric((kind,), sums, self.seconds[kind])
        yield times


class Metrics:
    """Of one app in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._operations = _Operations()
        self._registry.register(self._operations)

    def operation(self, kind: str, outcome: str, seconds: float) -> None:
        self._operations.counts[kind, outcome] += 1
        self._operations.buckets[kind][bisect_left(_SECONDS, seconds)] += 1
        self._operations.seconds[kind] += seconds

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(f"clientela_{name}", description, registry=self._registry).set_function(value)

    async def page(self, _: Request) -> Response:
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")

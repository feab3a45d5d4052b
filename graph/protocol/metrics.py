"""What Prometheus is told: operations by kind and outcome, their time, and how full the house is."""

from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.requests import Request
from starlette.responses import Response

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Of one app in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        count = Counter("clientela_operations", "Operations answered.", ("kind", "outcome"), registry=self._registry)
        seconds = Histogram(
            "clientela_operation_seconds",
            "Time from the request to its answer.",
            ("kind",),
            registry=self._registry,
            buckets=_SECONDS,
        )
        # Both sets of labels are small and fixed; looking a child up by its labels costs more than counting.
        self._count = cache(count.labels)
        self._seconds = cache(seconds.labels)

    def operation(self, kind: str, outcome: str, seconds: float) -> None:
        self._count(kind, outcome).inc()
        self._seconds(kind).observe(seconds)

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(f"clientela_{name}", description, registry=self._registry).set_function(value)

    async def page(self, _: Request) -> Response:
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")

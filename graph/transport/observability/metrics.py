"""What Prometheus is told: operations by kind and outcome, their time, and how full the house is."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Of one app in one process. Operations are counted on the loop's own thread, so with no lock: one in the
    library's way costs as much as a small answer."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(SECONDS) + 1))
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.watched: dict[str, tuple[str, Callable[[], float]]] = {}

    def operation(self, kind: str, outcome: str, seconds: float) -> None:
        self.counts[kind, outcome] += 1
        self.buckets[kind][bisect_left(SECONDS, seconds)] += 1
        self.seconds[kind] += seconds

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        self.watched[name] = description, value

    async def page(self, _: Request) -> Response:
        from graph.transport.observability import prometheus

        return Response(prometheus.page(self), media_type="text/plain; version=0.0.4")

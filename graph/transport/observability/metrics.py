"""The metrics of one application: operations by type and outcome, their durations, and gauges."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable

DURATION_BUCKETS_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one application in one process.

    All operations are counted on the event loop's thread, so no lock is needed. A lock like that of prometheus_client
    costs as much as a small response.
    """

    def __init__(self) -> None:
        self.operation_counts: Counter[tuple[str, str]] = Counter()
        """By type and outcome."""
        self.duration_buckets: defaultdict[str, list[int]] = defaultdict(
            lambda: [0] * (len(DURATION_BUCKETS_SECONDS) + 1)
        )
        """By type: how many operations ended in each bucket."""
        self.total_seconds: defaultdict[str, float] = defaultdict(float)
        """By type."""
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        """By name: description and value."""

    def record_operation(self, kind: str, outcome: str, seconds: float) -> None:
        self.operation_counts[kind, outcome] += 1
        self.duration_buckets[kind][bisect_left(DURATION_BUCKETS_SECONDS, seconds)] += 1
        self.total_seconds[kind] += seconds

    def add_gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Adds a gauge whose value is read when the metrics are rendered."""
        self.gauges[name] = description, value

"""A least-recently-used cache that is bounded by the total weight of its entries."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class WeightedLruCache(Generic[T]):
    """Removes the least recently used entries while the total weight exceeds the capacity.

    The newest entry always stays, even if it alone exceeds the capacity.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self.total_weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def get(self, key: Hashable) -> T | None:
        """The value, which becomes the most recently used one; None if the key is unknown."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: T, weight: int = 1) -> None:
        """Adds or replaces an entry."""
        if key in self._entries:
            self.total_weight -= self._entries.pop(key)[1]
        self._entries[key] = (value, weight)
        self.total_weight += weight
        while self.total_weight > self._capacity and len(self._entries) > 1:
            _, (_, removed_weight) = self._entries.popitem(last=False)
            self.total_weight -= removed_weight

    def values(self) -> Iterator[T]:
        """All values, from the least to the most recently used one."""
        return (value for value, _ in self._entries.values())

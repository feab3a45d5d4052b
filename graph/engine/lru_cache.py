"""Keeping what was used last, as much as there is room for."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values of different weights. What was not asked for longest goes first when the room is full."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> T | None:
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: Hashable, value: T, weight: int) -> None:
        if key in self._kept:
            self.weight -= self._kept.pop(key)[1]
        self._kept[key] = (value, weight)
        self.weight += weight
        while self.weight > self._room and len(self._kept) > 1:
            _, (_, lightened) = self._kept.popitem(last=False)
            self.weight -= lightened

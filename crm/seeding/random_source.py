"""Chance that repeats itself: the same name gives the same throws, on every machine."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from db.values import ids

T = TypeVar("T")


class Dice:
    """Throws named after what they decide, so that one chunk's are independent of every other's."""

    __slots__ = ("_bytes", "lognormal", "random")

    def __init__(self, name: str) -> None:
        source = Random(name)
        self.random = source.random
        self.lognormal = source.lognormvariate
        self._bytes = source.randbytes

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def pick(self, table: Sequence[T]) -> T:
        """Any of them, each as likely."""
        return table[int(self.random() * len(table))]

    def early(self, table: Sequence[T]) -> T:
        """Any of them, the early ones far more often: the first quarter takes half of the throws."""
        return table[int(self.random() ** 2 * len(table))]

    def below(self, end: int) -> int:
        return int(self.random() * end)

    def between(self, start: int, end: int) -> int:
        """From `start` up to and without `end`; `start` where there is nothing between."""
        return start + int(self.random() * max(end - start, 1))

    def id(self, moment: int) -> bytes:
        """The id of a record that was made at that moment."""
        return ids.id_at(moment, self._bytes(10))

    def number(self, prefix: str, length: int) -> str:
        """A phone number in E.164 that starts so and has so many characters."""
        free = length - len(prefix)
        return prefix + str(int(self.random() * 10**free)).zfill(free)

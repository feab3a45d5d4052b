"""Reproducible random values: the same name gives the same values on every machine."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from db.values import ids

T = TypeVar("T")


class RandomSource:
    """A random source named after its purpose, so that each chunk's values are independent of all others."""

    __slots__ = ("_bytes", "lognormal", "random")

    def __init__(self, name: str) -> None:
        source = Random(name)
        self.random = source.random
        self.lognormal = source.lognormvariate
        self._bytes = source.randbytes

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def pick(self, table: Sequence[T]) -> T:
        """A random element; all are equally likely."""
        return table[int(self.random() * len(table))]

    def pick_early(self, table: Sequence[T]) -> T:
        """A random element, with a strong preference for early ones: the first quarter gets half of the picks."""
        return table[int(self.random() ** 2 * len(table))]

    def integer_below(self, end: int) -> int:
        return int(self.random() * end)

    def integer_between(self, start: int, end: int) -> int:
        """An integer from `start` up to but excluding `end`; `start` if the range is empty."""
        return start + int(self.random() * max(end - start, 1))

    def record_id(self, created_at: int) -> bytes:
        """A random record id with that creation time in milliseconds."""
        return ids.id_at(created_at, self._bytes(10))

    def phone_number(self, prefix: str, length: int) -> str:
        """A phone number in E.164 with this prefix and total length."""
        digit_count = length - len(prefix)
        return prefix + str(int(self.random() * 10**digit_count)).zfill(digit_count)

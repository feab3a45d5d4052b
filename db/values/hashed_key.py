"""Hash keys of deeply nested values."""

from collections.abc import Hashable


class HashedKey:
    """A cache key that is equal for equal SQL. Its hash is computed once, because the parts are deeply nested."""

    __slots__ = ("_hash", "parts")

    def __init__(self, parts: Hashable) -> None:
        self.parts = parts
        self._hash = hash(parts)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, HashedKey) and self.parts == other.parts)

    def __hash__(self) -> int:
        return self._hash

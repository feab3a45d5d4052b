"""Keys of what is kept that go deep."""

from collections.abc import Hashable


class HashedKey:
    """What tells whether two are made into the same SQL. It goes deep, so its hash is reckoned once."""

    __slots__ = ("_hash", "parts")

    def __init__(self, parts: Hashable) -> None:
        self.parts = parts
        self._hash = hash(parts)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, HashedKey) and self.parts == other.parts)

    def __hash__(self) -> int:
        return self._hash

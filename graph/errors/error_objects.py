"""Refusals as objects of an answer: graphql-core takes an exception in a result for the failure of the field."""

from collections.abc import Iterable
from typing import Any

from crm.errors import InputError


class ErrorObject:
    """A refusal that is reported, not raised; it reads like the refusal itself."""

    __slots__ = ("refused",)

    def __init__(self, refused: InputError) -> None:
        self.refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self.refused, name)


def error_objects(refusals: Iterable[InputError]) -> list[Any]:
    """Each of them, for the `errors` of a payload."""
    return [ErrorObject(one) for one in refusals]

"""Errors as objects of an answer: graphql-core treats an exception in a result as the failure of the field."""

from collections.abc import Iterable
from typing import Any

from crm.errors import InputError


class ErrorObject:
    """An error that is reported, not raised. Its attributes are those of the error."""

    __slots__ = ("refused",)

    def __init__(self, refused: InputError) -> None:
        self.refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self.refused, name)


def error_objects(refusals: Iterable[InputError]) -> list[Any]:
    """The errors as objects, for the `errors` of a payload."""
    return [ErrorObject(one) for one in refusals]

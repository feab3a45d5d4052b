"""The customers of a tag, a company, a segment …: one field, declared in each of those rooms."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET, Info

from db.paging.nested_pages import ParentTable
from graph.engine.field_declarations import ParentRows, batched
from graph.filtering import list_arguments
from graph.types.connections import After, Before, First, Last, window

if TYPE_CHECKING:
    from graph.customers.connections import CustomerConnection

Read = Callable[..., Coroutine[Any, Any, list[Any]]]


def customers(description: str, read: Read, *, parent_columns: Sequence[str] = ("id",)) -> Any:
    """A list of customers for each object. `read` gets the context, the objects, the window and the question."""

    @batched(description, parent_columns=parent_columns)
    async def customers(
        parents: ParentRows,
        info: Info,
        filter: list_arguments.Filter = UNSET,
        search: list_arguments.Search = None,
        sort: list_arguments.Sorting = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> list[Annotated["CustomerConnection", strawberry.lazy("graph.customers.connections")]]:
        place = window(first, after, last, before)
        return await read(info.context, parents, place, filter=filter, search=search, sort=sort)

    return customers


def by(of: ParentTable) -> Read:
    """Reads those who stand with the objects in a table."""
    return partial(list_arguments.nested, of=of)

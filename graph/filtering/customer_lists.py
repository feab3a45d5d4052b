"""The field `customers` of tags, companies, segments and other records: one declaration for all of them."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET, Info

from db.paging.nested_pages import ParentTable
from graph.engine.field_declarations import ParentRows, batched
from graph.filtering import list_arguments
from graph.types.connections import AfterArgument, BeforeArgument, FirstArgument, LastArgument, page_request

if TYPE_CHECKING:
    from graph.customers.connections import CustomerConnection

ReadLists = Callable[..., Coroutine[Any, Any, list[Any]]]


def customers_field(description: str, read: ReadLists, *, parent_columns: Sequence[str] = ("id",)) -> Any:
    """A list of customers for each object. `read` gets the context, the objects, the page request and the query."""

    @batched(description, parent_columns=parent_columns)
    async def customers(
        parents: ParentRows,
        info: Info,
        filter: list_arguments.CustomerFilterArgument = UNSET,
        search: list_arguments.SearchArgument = None,
        sort: list_arguments.CustomerSortArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> list[Annotated["CustomerConnection", strawberry.lazy("graph.customers.connections")]]:
        place = page_request(first, after, last, before)
        return await read(info.context, parents, place, filter=filter, search=search, sort=sort)

    return customers


def read_by_parent(of: ParentTable) -> ReadLists:
    """Reads the customers that are linked to the objects in a table."""
    return partial(list_arguments.customers_by_parent, of=of)

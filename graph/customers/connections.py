"""Connections of customers: pages, search highlights and totals."""

import strawberry
from strawberry import Info

from graph.customers.highlights import load_highlights
from graph.customers.totals import (
    CustomerAggregate,
    CustomerGroup,
    GroupByArgument,
    LargestFirstArgument,
    load_aggregates,
    load_groups,
)
from graph.customers.types import Customer
from graph.engine.field_declarations import ParentRows, batched, column
from graph.types.connections import (
    AtMostArgument,
    PageInfo,
    check_at_most,
    edge_rows,
    load_counts,
    load_pages,
    node_rows,
    page_info_rows,
    read_page_size,
)


@strawberry.type(description="A customer in a list, with its cursor.")
class CustomerEdge:
    cursor: str = column("Cursor of the customer, for the arguments `after` and `before`.")
    node: Customer = column("The customer.")

    @batched("Text where the search matched, with the words between « and »; null without a search.")
    async def highlight(parents: ParentRows, info: Info) -> list[str | None]:
        return await load_highlights(info.context, parents)


@strawberry.type(description="A page of customers with totals of the whole list.")
class CustomerConnection:
    @batched("Customers of the page with their cursors.", from_parent=True)
    async def edges(parents: ParentRows, info: Info) -> list[list[CustomerEdge]]:
        return edge_rows(parents, await load_pages(parents))

    @batched("Customers of the page.", from_parent=True)
    async def nodes(parents: ParentRows, info: Info) -> list[list[Customer]]:
        return node_rows(await load_pages(parents))

    @batched("Position of the page in the list.", from_parent=True)
    async def page_info(parents: ParentRows, info: Info) -> list[PageInfo]:
        return page_info_rows(await load_pages(parents))

    @batched("Exact number of customers in the whole list.")
    async def total_count(parents: ParentRows, info: Info, at_most: AtMostArgument = None) -> list[int]:
        return await load_counts(parents, check_at_most(at_most))

    @batched("Totals of the whole list, not of the page only.")
    async def aggregate(parents: ParentRows, info: Info) -> list[CustomerAggregate]:
        return await load_aggregates(info.context, parents)

    @batched("Groups of the whole list, largest first.", inspected_columns=("name",))
    async def groups(
        parents: ParentRows, info: Info, by: GroupByArgument, first: LargestFirstArgument = 50
    ) -> list[list[CustomerGroup]]:
        return await load_groups(info.context, parents, by, read_page_size(first))

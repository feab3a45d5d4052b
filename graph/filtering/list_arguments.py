"""Turns the arguments of a list into the list, or raises an error with the path of the argument."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import UNSET

from db.filtering.errors import QueryError
from db.paging import keyset, nested_pages
from db.paging.keyset import Page, PageRequest
from db.paging.nested_pages import ParentTable
from db.paging.sorting import Sort
from db.queries.catalogue import saved_views, segments
from db.queries.matching import batched_matches, matches, record_lists
from db.queries.matching.batched_matches import MatchBatch
from db.queries.matching.matches import CustomerMatch, CustomerQuery
from db.queries.matching.totals import TotalsSource
from graph.context import Context
from graph.errors.top_level import BadUserInput
from graph.filtering.record_filters import (
    AgentFilter,
    CompanyFilter,
    CustomerFilter,
    InteractionFilter,
    OrderFilter,
    SegmentFilter,
    TagFilter,
)
from graph.filtering.sorts import AgentSort, CompanySort, CustomerSearchField, CustomerSort, SegmentSort, TagSort
from graph.types.connections import ListBatch, ListHandle, single_list

_FILTER = "Only records that match this filter. null is an error (BAD_USER_INPUT)."
_SORT = "Sort keys, at most 10. Default: newest first."

CustomerFilterArgument: TypeAlias = Annotated[CustomerFilter | None, strawberry.argument(description=_FILTER)]
CustomerSortArgument: TypeAlias = Annotated[list[CustomerSort] | None, strawberry.argument(description=_SORT)]
SearchArgument: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "Only customers whose searched text contains every word, ignoring case and accents; at most 200 characters."
        )
    ),
]
SearchFieldsArgument: TypeAlias = Annotated[
    list[CustomerSearchField] | None,
    strawberry.argument(description="Fields that the search covers. Default: all."),
]
CompanyFilterArgument: TypeAlias = Annotated[CompanyFilter | None, strawberry.argument(description=_FILTER)]
CompanySortArgument: TypeAlias = Annotated[list[CompanySort] | None, strawberry.argument(description=_SORT)]
AgentFilterArgument: TypeAlias = Annotated[AgentFilter | None, strawberry.argument(description=_FILTER)]
AgentSortArgument: TypeAlias = Annotated[list[AgentSort] | None, strawberry.argument(description=_SORT)]
TagFilterArgument: TypeAlias = Annotated[TagFilter | None, strawberry.argument(description=_FILTER)]
TagSortArgument: TypeAlias = Annotated[list[TagSort] | None, strawberry.argument(description=_SORT)]
SegmentFilterArgument: TypeAlias = Annotated[SegmentFilter | None, strawberry.argument(description=_FILTER)]
SegmentSortArgument: TypeAlias = Annotated[list[SegmentSort] | None, strawberry.argument(description=_SORT)]
InteractionFilterArgument: TypeAlias = Annotated[InteractionFilter | None, strawberry.argument(description=_FILTER)]
OrderFilterArgument: TypeAlias = Annotated[OrderFilter | None, strawberry.argument(description=_FILTER)]
NameSearchArgument: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="Only records whose name contains every word, ignoring case and accents."),
]


class query_errors_as_bad_input:
    """Turns a QueryError into a top-level error."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, refusal: BaseException | None, trace: object) -> None:
        if isinstance(refusal, QueryError):
            told = BadUserInput(refusal.message, reason=refusal.reason, limit=refusal.limit, argument=refusal.path)
            raise told from None


def filter_data(plain: Any, name: str = "filter") -> Any:
    """The filter; None if absent. Raises BadUserInput for null, which could mean everything or nothing."""
    if plain is None:
        raise BadUserInput(f"`{name}` is null; omit it for no condition.", reason="INVALID", argument=[name])
    return None if plain is UNSET else plain


async def customer_list(
    context: Context,
    window: PageRequest,
    *,
    filter: Any = UNSET,
    search: str | None = None,
    fields: Sequence[CustomerSearchField] | None = None,
    sort: Any = None,
    archived: str = "EXCLUDE",
) -> Any:
    """The list of customers for the arguments. Raises BadUserInput."""
    sections = None if fields is None else [field.name for field in fields]
    question = CustomerQuery(filter_data(filter), search, sections, sort, archived)
    with query_errors_as_bad_input():
        match, order = await compile_for_viewer(context, question)
        keyset.check_request(order, window)
    return list_of_match(context, match, order, window)


async def compile_for_viewer(context: Context, question: CustomerQuery) -> tuple[CustomerMatch, Sort]:
    """Compiles the query for the viewer at the current time."""
    assert context.viewer is not None
    viewer = context.viewer
    return await matches.compile_query(
        context.session, question, visibility=viewer.visibility, agent_id=viewer.agent_id, now=context.now
    )


def list_of_match(context: Context, match: CustomerMatch, order: Sort, window: PageRequest) -> Any:
    """A single list of customers."""
    session = context.session
    everyone = matches.full_list_query(session, match)

    async def page() -> Page:
        return await keyset.fetch_page(session, await matches.root_list_query(session, match, order), window, order)

    async def count(at_most: int | None) -> int:
        return await keyset.count_rows(session, everyone, at_most)

    return single_list(page, count, TotalsSource(everyone, whole=match.is_whole_list), match.search)


async def customers_by_parent(
    context: Context,
    parents: Sequence[Any],
    window: PageRequest,
    *,
    of: ParentTable,
    filter: Any,
    search: str | None,
    sort: Any,
) -> list[Any]:
    """The same list of customers for each parent. Raises BadUserInput."""
    session, question = context.session, CustomerQuery(filter_data(filter), search, sort=sort)
    with query_errors_as_bad_input():
        match, order = await compile_for_viewer(context, question)
        keyset.check_request(order, window)
    ids = list(dict.fromkeys(parent.id for parent in parents))
    everyone = matches.full_list_query(session, match)

    async def pages() -> Mapping[Any, Page]:
        return await nested_pages.fetch_pages(
            session, ids, of, await matches.page_list_query(session, match, order), window, order
        )

    async def counts(at_most: int | None) -> Mapping[Any, int]:
        return await nested_pages.fetch_counts(session, ids, of, everyone, at_most)

    lists = ListBatch(pages, counts, [(None, TotalsSource(everyone, of, tuple(ids)))], match.search)
    return [ListHandle(lists, parent.id) for parent in parents]


async def customers_by_segment(
    context: Context,
    segments_: Sequence[Any],
    window: PageRequest,
    *,
    filter: Any = UNSET,
    search: str | None = None,
    sort: Any = None,
) -> list[Any]:
    """The members of each segment. Raises BadUserInput."""
    viewer, session = context.viewer, context.session
    assert viewer is not None
    ids = [segment.id for segment in segments_]
    question = CustomerQuery(filter_data(filter), search, sort=sort)
    with query_errors_as_bad_input():
        several_, order = await segments.segment_queries(
            session, ids, question, visibility=viewer.visibility, agent_id=viewer.agent_id, now=context.now
        )
        keyset.check_request(order, window)

    async def pages() -> Mapping[Any, Page]:
        return await batched_matches.fetch_pages(session, several_, window, order)

    sources = [(key, TotalsSource(matches.full_list_query(session, match))) for key, match in several_.matches.items()]
    found = next((match.search for match in several_.matches.values()), None)
    lists = ListBatch(pages, lambda at_most: batched_matches.fetch_counts(session, several_, at_most), sources, found)
    return [ListHandle(lists, one) for one in ids]


async def customers_by_view(
    context: Context, views_: Sequence[Any], window: PageRequest, *, filter: Any, search: str | None, sort: Any
) -> list[Any]:
    """The customers of each view. Raises BadUserInput."""
    viewer, session = context.viewer, context.session
    assert viewer is not None
    distinct = list({view.id: view for view in views_}.values())
    question = CustomerQuery(filter_data(filter), search, sort=sort)
    with query_errors_as_bad_input():
        found, orders = await saved_views.view_queries(
            session, distinct, question, visibility=viewer.visibility, agent_id=viewer.agent_id, now=context.now
        )
        for order in orders.values():
            keyset.check_request(order, window)

    async def pages() -> Mapping[Any, Page]:
        """Reads the lists with the same order together."""
        read: dict[Any, Page] = {}
        for order in dict.fromkeys(orders.values()):
            alike = {key: match for key, match in found.matches.items() if orders[key] == order}
            read |= await batched_matches.fetch_pages(session, MatchBatch(alike), window, order)
        return read

    sources = [(key, TotalsSource(matches.full_list_query(session, match))) for key, match in found.matches.items()]
    lists = ListBatch(pages, lambda at_most: batched_matches.fetch_counts(session, found, at_most), sources)
    return [ListHandle(lists, view.id) for view in views_]


async def segment_memberships(
    context: Context, customer_ids: Sequence[bytes], segment_ids: Sequence[bytes]
) -> Mapping[bytes, set[bytes]]:
    """The segments that contain each customer. Raises BadUserInput if a segment contains itself."""
    viewer = context.viewer
    assert viewer is not None
    with query_errors_as_bad_input():
        found, _ = await segments.segment_queries(
            context.session,
            segment_ids,
            CustomerQuery(),
            visibility=viewer.visibility,
            agent_id=viewer.agent_id,
            now=context.now,
        )
    return await batched_matches.matching_members(context.session, found, customer_ids)


async def record_list(
    context: Context, name: str, window: PageRequest, *, filter: Any, search: str | None, sort: Any
) -> Any:
    """The list of companies, tags, segments or agents for the arguments. Raises BadUserInput."""
    assert context.viewer is not None
    viewer, session = context.viewer, context.session
    with query_errors_as_bad_input():
        listing, order = await record_lists.compile_list(
            session,
            name,
            filter=filter_data(filter),
            search=search,
            order=sort,
            visibility=viewer.visibility,
            agent_id=viewer.agent_id,
            now=context.now,
        )
        keyset.check_request(order, window)
    return single_list(
        lambda: keyset.fetch_page(session, listing, window, order),
        lambda at_most: keyset.count_rows(session, listing, at_most),
    )

"""Connections: pages of a list with cursors in both directions. They are read only if selected."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import strawberry
from strawberry import Info

from db.paging.keyset import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, PageRequest
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.top_level import BadUserInput, limit_error

T = TypeVar("T")

FirstArgument: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"Number of rows from the start. Default: {DEFAULT_PAGE_SIZE}; maximum: {MAX_PAGE_SIZE}."
    ),
]
AfterArgument: TypeAlias = Annotated[str | None, strawberry.argument(description="Cursor after which the page starts.")]
LastArgument: TypeAlias = Annotated[
    int | None,
    strawberry.argument(description=f"Number of rows from the end, in list order. Maximum: {MAX_PAGE_SIZE}."),
]
BeforeArgument: TypeAlias = Annotated[str | None, strawberry.argument(description="Cursor before which the page ends.")]
AtMostArgument: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Upper bound of the count: 10001 is enough to show “more than 10 000”.")
]


@strawberry.type(description="Position of a page in its list.")
class PageInfo:
    has_next_page: bool = column("True if the list continues after this page.")
    has_previous_page: bool = column("True if the list continues before this page.")
    start_cursor: str | None = column("Cursor of the first row; null on an empty page.")
    end_cursor: str | None = column("Cursor of the last row; null on an empty page.")


@strawberry.type(description="A row of a list with its cursor.")
class Edge(Generic[T]):
    cursor: str = column("Cursor of the row, for the arguments `after` and `before`.")
    node: T = column("The row.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    @batched("Rows of the page with their cursors.", from_parent=True)
    async def edges(parents: ParentRows, info: Info) -> list[list[Edge[T]]]:
        return edge_rows(parents, await load_pages(parents))

    @batched("Rows of the page.", from_parent=True)
    async def nodes(parents: ParentRows, info: Info) -> list[list[T]]:
        return node_rows(await load_pages(parents))

    @batched("Position of the page in the list.", from_parent=True)
    async def page_info(parents: ParentRows, info: Info) -> list[PageInfo]:
        return page_info_rows(await load_pages(parents))

    @batched("Exact number of rows in the whole list.")
    async def total_count(parents: ParentRows, info: Info, at_most: AtMostArgument = None) -> list[int]:
        return await load_counts(parents, check_at_most(at_most))


ReadPages = Callable[[], Awaitable[Mapping[Any, Page]]]
CountRows = Callable[[int | None], Awaitable[Mapping[Any, int]]]


@dataclass(slots=True, eq=False)
class ListBatch:
    """Lists that are requested together, one per parent of a level: read and counted together, at most once."""

    read: ReadPages
    count: CountRows
    sources: Sequence[tuple[Any, Any]] = ()
    """The sources of the lists, for totals and groups: the key of a list and its source. A source that distinguishes
    its parents has the key None."""
    search: Any = None
    """The search of the lists."""
    _found: dict[Any, Any] = field(default_factory=dict)
    _awaited: "dict[Any, asyncio.Future[Any]]" = field(default_factory=dict)

    async def pages(self) -> Mapping[Any, Page]:
        found: Mapping[Any, Page] = await self._once("pages", self.read)
        return found

    async def counts(self, at_most: int | None) -> Mapping[Any, int]:
        found: Mapping[Any, int] = await self._once(at_most, lambda: self.count(at_most))
        return found

    async def _once(self, what: Any, read: Callable[[], Awaitable[Any]]) -> Any:
        """The first caller reads, later callers wait for it. A separate task would cost as much as the rest."""
        if what in self._found:
            return self._found[what]
        if what in self._awaited:
            return await self._awaited[what]
        waiting = self._awaited[what] = asyncio.get_running_loop().create_future()
        try:
            self._found[what] = found = await read()
        except BaseException as error:
            _fail(waiting, error)
            raise
        waiting.set_result(found)
        return found


def _fail(waiting: "asyncio.Future[Any]", error: BaseException) -> None:
    if isinstance(error, Exception):
        waiting.set_exception(error)
        # If nobody waits for the result, the error must not be logged as unhandled.
        waiting.exception()
    else:
        waiting.cancel()


@dataclass(slots=True, eq=False)
class ListHandle:
    """One list of a batch: the source of a connection."""

    lists: ListBatch
    key: Any = None


_EMPTY = Page([], has_next=False, has_previous=False)


async def load_pages(parents: Sequence[ListHandle]) -> list[Page]:
    """The page of each list."""
    found = {id(lists): await lists.pages() for lists in {id(one.lists): one.lists for one in parents}.values()}
    return [found[id(one.lists)].get(one.key, _EMPTY) for one in parents]


async def load_counts(parents: Sequence[ListHandle], at_most: int | None) -> list[int]:
    """The length of each list; counting may stop at a number."""
    found = {id(lists): await lists.counts(at_most) for lists in {id(one.lists): one.lists for one in parents}.values()}
    return [found[id(one.lists)].get(one.key, 0) for one in parents]


def single_list(
    read: Callable[[], Awaitable[Page]],
    count: Callable[[int | None], Awaitable[int]],
    source: Any = None,
    search: Any = None,
) -> Any:
    """A single list."""

    async def page() -> Mapping[Any, Page]:
        return {None: await read()}

    async def number(at_most: int | None) -> Mapping[Any, int]:
        return {None: await count(at_most)}

    return ListHandle(ListBatch(page, number, [(None, source)], search))


@dataclass(slots=True)
class EdgeRow:
    """An edge: a row of a page."""

    page: Page
    node: Any
    search: Any = None

    @property
    def cursor(self) -> str:
        return self.page.cursor(self.node)


@dataclass(slots=True)
class PageInfoRow:
    """The PageInfo of a page."""

    page: Page

    @property
    def has_next_page(self) -> bool:
        return self.page.has_next

    @property
    def has_previous_page(self) -> bool:
        return self.page.has_previous

    @property
    def start_cursor(self) -> str | None:
        return self.page.cursor(self.page.rows[0]) if self.page.rows else None

    @property
    def end_cursor(self) -> str | None:
        return self.page.cursor(self.page.rows[-1]) if self.page.rows else None


def node_rows(pages: Sequence[Page]) -> Any:
    """The `nodes` of connections."""
    return [page.rows for page in pages]


def edge_rows(lists: Sequence[ListHandle], pages: Sequence[Page]) -> Any:
    """The `edges` of connections."""
    return [[EdgeRow(page, row, one.lists.search) for row in page.rows] for one, page in zip(lists, pages, strict=True)]


def page_info_rows(pages: Sequence[Page]) -> Any:
    """The `pageInfo` of connections."""
    return [PageInfoRow(page) for page in pages]


def page_request(
    first: int | None, after: str | None, last: int | None = None, before: str | None = None
) -> PageRequest:
    """The requested page. Raises BadUserInput for contradicting arguments or an exceeded limit."""
    if first is not None and last is not None:
        raise BadUserInput("Use `first` or `last`, not both.", reason="INVALID")
    size = read_page_size(first if first is not None else last)
    return PageRequest(size, after, before, backwards=last is not None)


def check_at_most(at_most: int | None) -> int | None:
    """The upper bound of a count. Raises BadUserInput below 1."""
    if at_most is not None and at_most < 1:
        raise BadUserInput(f"`atMost` is at least 1, not {at_most}.", reason="INVALID")
    return at_most


def read_page_size(asked: int | None) -> int:
    """The page size. Raises BadUserInput below 1 and above MAX_PAGE_SIZE."""
    if asked is None:
        return DEFAULT_PAGE_SIZE
    if asked < 1:
        raise BadUserInput(f"A page has at least 1 row, not {asked}.", reason="INVALID")
    if asked > MAX_PAGE_SIZE:
        raise limit_error(
            BadUserInput, f"A page has at most {MAX_PAGE_SIZE} rows, not {asked}.", name="page", limit=MAX_PAGE_SIZE
        )
    return asked

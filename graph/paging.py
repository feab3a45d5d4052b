"""Connections: pages of a list with cursors both ways."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import strawberry
from strawberry import Info

from db.paging import DEFAULT, MOST, Page, Window
from graph.engine.fields import Rows, batched, column
from graph.errors import BadUserInput, limit_passed

T = TypeVar("T")

First: TypeAlias = Annotated[
    int | None, strawberry.argument(description=f"How many from the start: {DEFAULT} unless given, {MOST} at most.")
]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="The cursor behind which the page starts.")]
Last: TypeAlias = Annotated[
    int | None, strawberry.argument(description=f"How many from the end, in list order: {MOST} at most.")
]
Before: TypeAlias = Annotated[str | None, strawberry.argument(description="The cursor before which the page ends.")]
AtMost: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Stop counting here: 10001 is enough to say «more than 10 000».")
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = column("True when the list goes on after this page.")
    has_previous_page: bool = column("True when the list goes on before this page.")
    start_cursor: str | None = column("The cursor of the first row; null on an empty page.")
    end_cursor: str | None = column("The cursor of the last row; null on an empty page.")


@strawberry.type(description="A row of a list, and its place there.")
class Edge(Generic[T]):
    cursor: str = column("The row's place in the list: give it as `after` or `before`.")
    node: T = column("The row.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = column("The page's rows with their cursors.")
    nodes: list[T] = column("The page's rows.")
    page_info: PageInfo = column("Where the page lies in the list.")

    @batched("How many rows the whole list has, exactly.")
    async def total_count(parents: Rows, info: Info, at_most: AtMost = None) -> list[int]:
        if at_most is not None and at_most < 1:
            raise BadUserInput(f"`atMost` is at least 1, not {at_most}.", reason="INVALID")
        return await _counts(parents, at_most)


# How long the lists under some keys are, of those that lie beside each other; counting may stop at a number.
Count = Callable[[Sequence[Any], int | None], Awaitable[Mapping[Any, int]]]


@dataclass(slots=True)
class Listed:
    """What a connection is read from: a page, its list's key among those beside it, and how to count them all."""

    page: Page
    count: Count
    key: Any = None
    place: Callable[[Any], bytes] = attrgetter("id")

    @property
    def nodes(self) -> Any:
        return self.page.rows

    @property
    def edges(self) -> list[Any]:
        return [_Edge(_shown(self.place(row)), row) for row in self.page.rows]

    @property
    def page_info(self) -> Any:
        rows = self.page.rows
        return _PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=_shown(self.place(rows[0])) if rows else None,
            end_cursor=_shown(self.place(rows[-1])) if rows else None,
        )


def alone(page: Page, count: Callable[[int | None], Awaitable[int]]) -> Any:
    """A list that has none beside it."""

    async def counts(keys: Sequence[Any], at_most: int | None) -> Mapping[Any, int]:
        return {None: await count(at_most)}

    return Listed(page, counts)


async def _counts(lists: Sequence[Listed], at_most: int | None) -> list[int]:
    """Lists that were made together are counted together."""
    kinds = {id(one.count): one.count for one in lists}
    found = {
        kind: await count([one.key for one in lists if id(one.count) == kind], at_most) for kind, count in kinds.items()
    }
    return [found[id(one.count)].get(one.key, 0) for one in lists]


@dataclass(slots=True)
class _Edge:
    cursor: str
    node: Any


@dataclass(slots=True)
class _PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def window(first: int | None, after: str | None, last: int | None, before: str | None) -> Window:
    """The part of the list that the arguments name. Raises BadUserInput for those that contradict or pass a limit."""
    if first is not None and last is not None:
        raise BadUserInput("Ask for `first` or for `last`, not for both.", reason="INVALID")
    size = page_size(first if first is not None else last)
    return Window(size, place(after, "after", 16), place(before, "before", 16), backwards=last is not None)


def page_size(asked: int | None) -> int:
    """How many rows a page has. Raises BadUserInput for none, and for more than MOST."""
    if asked is None:
        return DEFAULT
    if asked < 1:
        raise BadUserInput(f"A page has at least 1 row, not {asked}.", reason="INVALID")
    if asked > MOST:
        raise limit_passed(BadUserInput, f"A page has at most {MOST} rows, not {asked}.", name="page", limit=MOST)
    return asked


def place(text: str | None, name: str, length: int) -> bytes | None:
    """What a cursor holds. Raises BadUserInput, reason BAD_CURSOR, when it is none of this list's."""
    if text is None:
        return None
    try:
        held = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        held = b""
    if len(held) != length:
        raise BadUserInput(f"`{name}` is no cursor of this list.", reason="BAD_CURSOR")
    return held


def _shown(held: bytes) -> str:
    return base64.urlsafe_b64encode(held).rstrip(b"=").decode()

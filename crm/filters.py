"""Filters that are kept: read before they are stored, so that what is stored can always be asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm.acting import Act
from crm.errors import ErrorCode, LimitRefused, Path, Refused
from db.filtering.errors import QuestionRefused
from db.queries import matches
from db.queries.matches import Question
from db.sight import Sight


async def check(act: Act, filter: Any, path: Path, *, search: str | None = None, sort: Any = None) -> None:
    """Raises Refused where the filter, the search or the sort cannot be asked; `path` leads to the filter."""
    with _refused(path):
        await matches.asked(
            act.work,
            Question(filter, search, sort=sort),
            sight=Sight(everything=True),
            agent_id=act.viewer.agent_id,
            now=act.now,
        )


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except QuestionRefused as refusal:
        inner = refusal.path[1:] if refusal.path[:1] == ("filter",) else refusal.path
        where = (*path, *inner)
        if refusal.limit is not None:
            raise LimitRefused(refusal.message, where, limit=refusal.limit, current=refusal.limit + 1) from None
        code = ErrorCode.__members__.get(refusal.reason, ErrorCode.INVALID)
        raise Refused(code, refusal.message, where) from None

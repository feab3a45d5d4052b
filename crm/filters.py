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
    with _refusing(path):
        await matches.asked(
            act.work,
            Question(filter, search, sort=sort),
            sight=Sight(everything=True),
            agent_id=act.viewer.agent_id,
            now=act.now,
        )


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except QuestionRefused as refusal:
        inner = refusal.path[1:] if refusal.path[:1] == ("filter",) else refusal.path
        raise refused(refusal, (*path, *inner)) from None


def refused(refusal: QuestionRefused, path: Path) -> Refused:
    """What cannot be asked, as what a person can mend."""
    if refusal.limit is not None:
        return LimitRefused(refusal.message, path, limit=refusal.limit, current=refusal.limit + 1)
    return Refused(ErrorCode.__members__.get(refusal.reason, ErrorCode.INVALID), refusal.message, path)

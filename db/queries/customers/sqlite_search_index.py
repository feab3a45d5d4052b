"""SQLite's search index: merges its segments in small steps, so that no writer waits long.

By itself SQLite merges hundreds of pages during a write, and other writers wait. With stepwise merging it does so only
when sixteen segments of a size exist.
"""

from typing import Any, Final

from sqlalchemy import func, select, text

from db.engine import Transaction
from db.statements import PreparedStatement

PAGES_PER_STEP: Final = 32
"""Maximum number of pages that a step writes: about ten milliseconds."""

# These statements have no workspace parameter.
_BY_STEPS: PreparedStatement[None] = PreparedStatement(
    text("INSERT INTO customer_text(customer_text, rank) VALUES ('automerge', 0)")
)
_STEP: PreparedStatement[None] = PreparedStatement(
    text(f"INSERT INTO customer_text(customer_text, rank) VALUES ('merge', {PAGES_PER_STEP})")
)
_CHANGES: PreparedStatement[Any] = PreparedStatement(select(func.total_changes().label("count")))

# The bookkeeping of a step changes one row.
_NOTHING: Final = 2


async def merge_by_steps(transaction: Transaction) -> None:
    """Disables automatic merging, so that only `merge_step` merges."""
    await transaction.execute(_BY_STEPS)


async def merge_step(transaction: Transaction) -> bool:
    """Merges a little. Returns whether more may remain."""
    (before,) = await transaction.fetch_all(_CHANGES)
    await transaction.execute(_STEP)
    (after,) = await transaction.fetch_all(_CHANGES)
    return bool(after.count - before.count >= _NOTHING)

"""The index of texts that SQLite searches by: its parts are merged in small steps, so that no writer waits for long.

Left to itself SQLite merges while somebody writes, hundreds of pages at a time, and whoever wants to write waits. Where
steps are taken it does so only when sixteen parts of a size have come together.
"""

from typing import Any, Final

from sqlalchemy import func, select, text

from db.engine import Transaction
from db.statements import PreparedStatement

PAGES_PER_STEP: Final = 32
"""Pages that a step writes at most: some ten milliseconds."""

# The parameter of the workspace is none of these statements'.
_BY_STEPS: PreparedStatement[None] = PreparedStatement(
    text("INSERT INTO customer_text(customer_text, rank) VALUES ('automerge', 0)")
)
_STEP: PreparedStatement[None] = PreparedStatement(
    text(f"INSERT INTO customer_text(customer_text, rank) VALUES ('merge', {PAGES_PER_STEP})")
)
_CHANGES: PreparedStatement[Any] = PreparedStatement(select(func.total_changes().label("count")))

# What the step notes about itself changes one row.
_NOTHING: Final = 2


async def merge_by_steps(transaction: Transaction) -> None:
    """From now on merging is left to `step`."""
    await transaction.execute(_BY_STEPS)


async def merge_step(transaction: Transaction) -> bool:
    """Merges a little; whether there may be more to do."""
    (before,) = await transaction.fetch_all(_CHANGES)
    await transaction.execute(_STEP)
    (after,) = await transaction.fetch_all(_CHANGES)
    return bool(after.count - before.count >= _NOTHING)

"""Made-up customers, the same for the same seed: Vietnamese, Italian, Indonesian and English, with all they have."""

from functools import partial

from crm.errors import ErrorCode, InputError
from crm.seeding import catalogue, loader
from crm.seeding.loader import Progress
from db import tables
from db.engine import Database
from db.queries import workspaces

__all__ = ["UNTIL", "Progress", "seed"]

# 2026-11-01 in UTC, "now" for everybody made up: data that looked at the clock would differ from day to day.
UNTIL = 1_793_491_200_000


async def seed(
    database: Database, *, workspace: str, customers: int, seed: int = 1, progress: Progress, until: int = UNTIL
) -> None:
    """Adds that many customers to a workspace, with agents, companies, tags and fields to go with them.

    `progress` is told how many are in and how many there will be; what it was told is kept even if the rest fails.
    `until` is the moment of the last thing that happened, in milliseconds.
    Raises InputError where there is no such workspace, or where it has this seed's customers already.
    """
    directory = await _found(database, workspace)
    if not customers:
        return
    prepare = partial(catalogue.prepare, directory=directory, customers=customers, seed=seed, until=until)
    plan = await database.write(directory.workspace_id, prepare)
    await loader.load(database, plan, progress)


async def _found(database: Database, workspace: str) -> tables.Directory:
    prefix, _, digits = workspace.partition("_")
    try:
        identifier = bytes.fromhex(digits) if prefix == "wsp" else b""
    except ValueError:
        identifier = b""
    found = await workspaces.by_public_id(database.session(None), identifier)
    if found is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no workspace {workspace}.", ("workspace",))
    return found

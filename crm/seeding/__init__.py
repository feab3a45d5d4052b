"""Generated customers with all their data, the same for the same seed: Vietnamese, Italian, Indonesian and English."""

from functools import partial

from crm.errors import ErrorCode, InputError
from crm.seeding import catalogue, loader
from crm.seeding.loader import Progress
from db import tables
from db.engine import Database
from db.queries import workspaces

__all__ = ["SEED_TIME_MS", "Progress", "seed_customers"]

# 2026-11-01 in UTC, the current time of all generated data. With the real clock the data would differ from day to day.
SEED_TIME_MS = 1_793_491_200_000


async def seed_customers(
    database: Database, *, workspace: str, customers: int, seed: int = 1, progress: Progress, until: int = SEED_TIME_MS
) -> None:
    """Adds customers to a workspace, with agents, companies, tags and fields.

    `progress` is called with the number of loaded customers and the total; what is loaded stays even if the rest fails.
    `until` is the time of the latest event in milliseconds. Raises InputError if the workspace does not exist or
    already has this seed's customers."""
    directory = await _find_workspace(database, workspace)
    if not customers:
        return
    prepare = partial(catalogue.prepare_workspace, directory=directory, customers=customers, seed=seed, until=until)
    plan = await database.write(directory.workspace_id, prepare)
    await loader.load_chunks(database, plan, progress)


async def _find_workspace(database: Database, workspace: str) -> tables.Directory:
    prefix, _, digits = workspace.partition("_")
    try:
        identifier = bytes.fromhex(digits) if prefix == "wsp" else b""
    except ValueError:
        identifier = b""
    directory = await workspaces.by_public_id(database.session(None), identifier)
    if directory is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no workspace “{workspace}”.", ("workspace",))
    return directory

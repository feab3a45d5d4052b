"""The data under measurement: a workspace of made-up customers, made once and found again by the next run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import select

from cli import progress
from crm import accounts, seeding, workspaces
from db import engine, ids, migrating, tables
from db.engine import Database
from db.reading import here, prepared

_NEWEST = prepared(select(tables.Customer).where(here(tables.Customer)).order_by(tables.Customer.id.desc()).limit(1))  # type: ignore[attr-defined]
_PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Data:
    url: str
    workspace_id: int
    token: str
    customer: str
    """The id of one of them on the wire."""


async def made(url: str, customers: int) -> Data:
    """Migrates the database and fills a workspace in it, unless an earlier run did."""
    if url.startswith("sqlite:"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    await migrating.upgrade(url)
    database = await engine.connect(url)
    try:
        return await _in(database, url, customers)
    finally:
        await accounts.settle()
        await database.close()


async def _in(database: Database, url: str, customers: int) -> Data:
    email = f"bench-{customers}@clientela.example"
    account = await _account(database, email)
    if account is None:
        created = await workspaces.create(database, name=f"Bench of {customers}", email=email, password=_PASSWORD)
        with progress.shown("customers") as report:
            await seeding.seed(database, workspace=created.workspace, customers=customers, progress=report)
        account = await _account(database, email)
    assert account is not None
    token = await accounts.issue(database, email=email, now=ids.now())
    newest: Any = await database.reading(account.workspace_id).first(_NEWEST)
    return Data(url, account.workspace_id, token, "cus_" + newest.id.hex())


async def _account(database: Database, email: str) -> tables.Account | None:
    from db.queries import accounts as queries

    return await queries.by_email(database.reading(None), email)

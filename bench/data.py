"""The benchmark data: a workspace of sample customers, created once and reused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import func, select

from cli import progress
from crm import seeding
from crm.access import accounts
from crm.workspace import workspaces
from db import engine, tables
from db.engine import Database
from db.migrations import runner
from db.statements import in_workspace, prepare
from db.values import ids
from db.values.wire_format import id_encoder

_NEWEST = prepare(
    select(tables.Customer).where(in_workspace(tables.Customer)).order_by(tables.Customer.id.desc()).limit(1)
)  # type: ignore[attr-defined]
_TAGS = prepare(
    select(tables.CustomerTag.tag_id, func.count().label("number"))
    .where(in_workspace(tables.CustomerTag))
    .group_by(tables.CustomerTag.tag_id)  # type: ignore[arg-type]
    .order_by(func.count().desc(), tables.CustomerTag.tag_id)
)
_PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class BenchData:
    url: str
    workspace_id: int
    token: str
    customer: str
    """The wire id of one customer."""
    tag: str
    """The id of a tag with a medium number of customers."""


async def prepare_data(url: str, customers: int, email: str | None = None) -> BenchData:
    """Migrates the database and fills a workspace unless an earlier run did. With the e-mail address of an agent, their
    workspace is measured instead."""
    if url.startswith("sqlite:"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    await runner.upgrade(url)
    database = await engine.connect(url)
    try:
        return await _in(database, url, customers, email)
    finally:
        await accounts.finish_background_writes(database)
        await database.close()


async def _in(database: Database, url: str, customers: int, chosen: str | None) -> BenchData:
    email = chosen or f"bench-{customers}@clientela.example"
    account = await _account(database, email)
    if account is None and chosen is None:
        created = await workspaces.create_workspace(
            database, name=f"Bench of {customers}", email=email, password=_PASSWORD
        )
        with progress.show_progress("customers") as report:
            await seeding.seed_customers(database, workspace=created.workspace, customers=customers, progress=report)
        account = await _account(database, email)
    if account is None:
        raise SystemExit(f"Nobody signs in as {email}.")
    token = await accounts.issue_session_token(database, email=email, now=ids.current_time())
    session = database.session(account.workspace_id)
    newest: Any = await session.fetch_first(_NEWEST)
    tags = await session.fetch_all(_TAGS)
    return BenchData(
        url,
        account.workspace_id,
        token,
        id_encoder("Customer")(newest.id),
        id_encoder("Tag")(tags[len(tags) // 2].tag_id),
    )


async def _account(database: Database, email: str) -> tables.Account | None:
    from db.queries import accounts as queries

    return await queries.by_email(database.session(None), email)

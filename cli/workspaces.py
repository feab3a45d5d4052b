"""Workspaces: made with their first administrator, and filled with made-up customers."""

import asyncio
import json
import sys

import click

from cli import databases, progress
from crm import seeding
from crm.settings import Settings
from crm.workspace import workspaces
from crm.workspace.workspaces import Created


def password(*, from_stdin: bool) -> str:
    """The first line of standard input, or typed twice on a terminal. Raises click.UsageError without either."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Missing option '--password-stdin' (or a terminal to ask on).")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def create(settings: Settings, *, name: str, email: str, password: str, as_json: bool) -> None:
    databases.require_current(settings)
    made = asyncio.run(created(settings, name=name, email=email, password=password))
    facts = {"workspace": made.workspace, "agent": made.agent, "token": made.token}
    if as_json:
        click.echo(json.dumps(facts))
    else:
        click.echo("\n".join(f"{key:<9}  {value}" for key, value in facts.items()))


async def created(settings: Settings, *, name: str, email: str, password: str) -> Created:
    async with databases.opened(settings) as database:
        return await workspaces.create(database, name=name, email=email, password=password)


def seed(settings: Settings, *, workspace: str, customers: int, seed: int) -> None:
    databases.require_current(settings)
    fill(settings, workspace=workspace, customers=customers, seed=seed)
    click.echo(f"{customers} customers were added to {workspace}.")


def fill(settings: Settings, *, workspace: str, customers: int, seed: int) -> None:
    with progress.shown("customers") as report:
        asyncio.run(_seeded(settings, workspace, customers, seed, report))


async def _seeded(settings: Settings, workspace: str, customers: int, seed: int, report: progress.Report) -> None:
    async with databases.opened(settings) as database:
        await seeding.seed(database, workspace=workspace, customers=customers, seed=seed, progress=report)

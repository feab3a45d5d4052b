"""The `workspace` and `seed` commands: create a workspace, add sample customers."""

import asyncio
import json
import sys

import click

from cli import databases, progress
from crm import seeding
from crm.settings import Settings
from crm.workspace import workspaces
from crm.workspace.workspaces import CreatedWorkspace


def read_password(*, from_stdin: bool) -> str:
    """Reads the password from standard input, or twice from a terminal. Raises click.UsageError without either."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Missing option '--password-stdin' (or a terminal to type the password on).")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def create_workspace(settings: Settings, *, name: str, email: str, password: str, as_json: bool) -> None:
    databases.require_current(settings)
    created = asyncio.run(insert_workspace(settings, name=name, email=email, password=password))
    facts = {"workspace": created.workspace, "agent": created.agent, "token": created.token}
    if as_json:
        click.echo(json.dumps(facts))
    else:
        click.echo("\n".join(f"{key:<9}  {value}" for key, value in facts.items()))


async def insert_workspace(settings: Settings, *, name: str, email: str, password: str) -> CreatedWorkspace:
    async with databases.open_database(settings) as database:
        return await workspaces.create_workspace(database, name=name, email=email, password=password)


def seed_workspace(settings: Settings, *, workspace: str, customers: int, seed: int) -> None:
    databases.require_current(settings)
    add_customers(settings, workspace=workspace, customers=customers, seed=seed)
    click.echo(f"{customers} {'customer was' if customers == 1 else 'customers were'} added to {workspace}.")


def add_customers(settings: Settings, *, workspace: str, customers: int, seed: int) -> None:
    with progress.show_progress("customers") as report:
        asyncio.run(_seeded(settings, workspace, customers, seed, report))


async def _seeded(
    settings: Settings, workspace: str, customers: int, seed: int, report: progress.ReportProgress
) -> None:
    async with databases.open_database(settings) as database:
        await seeding.seed_customers(database, workspace=workspace, customers=customers, seed=seed, progress=report)

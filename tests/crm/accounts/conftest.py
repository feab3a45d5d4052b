"""An administrator with a workspace, and functions to sign in."""

from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

from crm.access import accounts, passwords
from crm.errors import InputError
from crm.unit_of_work import run_unit_of_work
from crm.workspace import workspaces
from db import tables
from db.tables.enums import ActorKind
from db.values import ids
from db.values.folding import email_key

PASSWORD = "correct horse battery"
NOW = ids.current_time()
MINUTE = 60_000


@pytest.fixture(scope="module", autouse=True)
async def _settled(database):
    """Finishes background writes before the database is closed."""
    yield
    await accounts.finish_background_writes(database)


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch):
    """Cheap password hashes: these tests do not depend on the hashing time."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", cheap)
    monkeypatch.setattr(passwords, "UNKNOWN_ACCOUNT_HASH", cheap.hash("nobody"))


@pytest.fixture
async def anna(database):
    """The administrator of a new workspace."""
    email = f"Anna@{ids.new_id().hex()}.example"
    made = await workspaces.create_workspace(database, name="Acme", email=email, password=PASSWORD)
    viewer = await accounts.viewer_of_token(database, made.token)
    return SimpleNamespace(email=email, token=made.token, id=viewer.agent_id, workspace_id=viewer.workspace_id)


@pytest.fixture
def elsewhere():
    """A different network address per test, so that failures do not add up."""
    return f"2001:db8:{ids.new_id()[-2:].hex()}:{ids.new_id()[-2:].hex()}::1"


@pytest.fixture
def sign_in(database, anna, elsewhere):
    async def sign_in(*, email=anna.email, password=PASSWORD, address=elsewhere, now=NOW):
        return await accounts.sign_in(database, email=email, password=password, address=address, now=now)

    return sign_in


@pytest.fixture
def sign_out(database, anna):
    """Ends the session of a token, as Anna."""

    async def sign_out(token):
        viewer = await accounts.viewer_of_actor(
            database, anna.workspace_id, ActorKind.AGENT, anna.id, ids.current_time()
        )
        return await run_unit_of_work(
            database, viewer, lambda unit: accounts.sign_out(unit, token), now=ids.current_time()
        )

    return sign_out


async def refusal(attempt):
    try:
        await attempt
    except InputError as refused:
        return refused
    return None


async def colleague(database, workspace_id, **given):
    """Another agent with an account."""
    email = f"{ids.new_id().hex()}@acme.example"
    named = {"name": "Bo", "name_key": "bo", "email": email, "email_key": email_key(email), "updated_at": NOW}
    agent = tables.Agent(workspace_id=workspace_id, created_at=NOW, **{**named, **given})
    account = tables.Account(
        id=agent.id,
        workspace_id=workspace_id,
        email_key=agent.email_key,
        password_hash=await passwords.hash_password(PASSWORD),
    )
    await insert(database, agent)
    await insert(database, account)
    return agent


async def insert(database, *rows):
    await database.write(rows[0].workspace_id, lambda transaction: transaction.insert(*rows))

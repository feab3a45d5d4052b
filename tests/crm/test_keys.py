"""API keys: made with what their maker holds, shown once, revoked at once."""

import pytest

from crm.access import accounts, api_keys
from db.queries import accounts as queries
from db.tables.enums import ChangeAction, Permission, Role
from db.values import ids
from tests.crm.conftest import named
from tests.support import factories


def _id(row):
    return named(row)["id"]


def _given(**given):
    return {"name": "Shop", "permissions": [Permission.CUSTOMER_VIEW], **given}


async def test_its_secret_lets_in_whoever_sends_it(does, database, viewer, session, log):
    made = await does(
        api_keys.create, _given(name=" Shop ", permissions=[Permission.NOTE_WRITE, Permission.CUSTOMER_VIEW])
    )
    who = await accounts.viewer_of_token(database, made.secret)
    assert (who.workspace_id, who.agent_id) == (viewer.workspace_id, None)
    assert who.permissions == {Permission.CUSTOMER_VIEW, Permission.NOTE_WRITE}
    assert (made.key.name, made.key.created_by) == ("Shop", viewer.actor_id)
    assert made.secret.endswith(made.key.hint)
    (line,) = await log(made.key)
    assert line.action == ChangeAction.CREATED
    assert made.secret not in str(line.fields)
    (stored,) = await queries.keys(session, most=10)
    assert made.secret.encode() not in bytes(stored.secret_hash)


async def test_nobody_gives_a_key_what_he_does_not_hold(refuses, someone):
    manager = someone(Role.MANAGER, grant=(Permission.KEY_MANAGE,))
    wanted = [Permission.CUSTOMER_VIEW, Permission.TAG_MANAGE, Permission.SETTINGS_MANAGE]
    assert await refuses(api_keys.create, _given(permissions=wanted), by=manager) == [
        ("FORBIDDEN", "input.permissions.1"),
        ("FORBIDDEN", "input.permissions.2"),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"name": " "}, ("BLANK", "input.name"), id="no name"),
        pytest.param({"permissions": []}, ("INVALID", "input.permissions"), id="nothing it may"),
        pytest.param({"expires_at": 1}, ("INVALID", "input.expiresAt"), id="over already"),
    ],
)
async def test_what_cannot_be_taken_is_refused_where_it_stands(refuses, given, expected):
    assert await refuses(api_keys.create, _given(**given)) == expected


async def test_it_stops_at_its_time(does, database):
    end = ids.current_time() + 60_000
    made = await does(api_keys.create, _given(expires_at=end))
    assert await accounts.viewer_of_token(database, made.secret, clock=lambda: end - 1)
    assert await accounts.viewer_of_token(database, made.secret, clock=lambda: end) is None


async def test_revoked_it_lets_nobody_in_at_once(does, database, log):
    made = await does(api_keys.create, _given())
    assert await accounts.viewer_of_token(database, made.secret)
    revoked = await does(api_keys.revoke, _id(made.key))
    assert revoked.revoked_at
    assert await accounts.viewer_of_token(database, made.secret) is None
    assert [one["field"] for one in (await log(made.key))[-1].fields] == ["revokedAt"]
    assert (await does(api_keys.revoke, _id(made.key))).revoked_at == revoked.revoked_at
    assert len(await log(made.key)) == 2


async def test_another_workspaces_key_is_not_found(does, refuses, database, viewer):
    made = await does(api_keys.create, _given())
    elsewhere = type(viewer)(
        await factories.workspace(database), viewer.actor_kind, viewer.actor_id, viewer.permissions
    )
    assert await refuses(api_keys.revoke, _id(made.key), by=elsewhere) == ("NOT_FOUND", "id")
    assert await accounts.viewer_of_token(database, made.secret)


async def test_revoked_ones_stand_last(does, session):
    made = [(await does(api_keys.create, _given(name=name))).key for name in ("one", "two", "three")]
    await does(api_keys.revoke, _id(made[2]))
    assert [row.name for row in await queries.keys(session, most=10)] == ["two", "one", "three"]

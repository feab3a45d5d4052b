"""A new workspace: what it starts with, and what is refused."""

import asyncio

import pytest
from sqlmodel import select

from crm.access import accounts
from crm.errors import ErrorCode, InputError
from crm.workspace import workspaces
from db import tables
from db.queries import workspaces as queries
from db.statements import in_workspace, prepare
from db.tables.enums import ActorKind, ChangeAction, Permission, Role
from db.values import ids

PASSWORD = "correct horse battery"


@pytest.fixture
async def made(database):
    """A workspace, and a session in it."""
    made = await workspaces.create_workspace(
        database, name=" Phở 24 ", email=f"Anna.Rossi@{ids.new_id().hex()}.example", password=PASSWORD
    )
    directory = await queries.by_public_id(database.session(None), bytes.fromhex(made.workspace.removeprefix("wsp_")))
    return made, database.session(directory.workspace_id)


async def _all(session, table):
    return await session.fetch_all(prepare(select(table).where(in_workspace(table))))


async def test_it_is_found_by_its_public_id(made):
    created, session = made
    settings = await queries.workspace_settings(session)
    assert f"wsp_{settings.id.hex()}" == created.workspace
    assert (settings.name, settings.timezone, settings.default_country) == ("Phở 24", "UTC", None)


async def test_it_is_found_by_its_id_from_within_only(made, database):
    created, session = made
    identifier = bytes.fromhex(created.workspace.removeprefix("wsp_"))
    assert list(await queries.by_ids(session, [identifier])) == [identifier]
    assert await queries.by_ids(database.session(session.workspace_id + 1_000), [identifier]) == {}


async def test_its_first_agent_is_an_administrator_who_is_signed_in(made, database):
    created, session = made
    (agent,) = await _all(session, tables.Agent)
    assert (f"agt_{agent.id.hex()}", agent.name, agent.role) == (created.agent, "Anna.Rossi", Role.ADMIN)
    viewer = await accounts.viewer_of_token(database, created.token)
    assert (viewer.workspace_id, viewer.agent_id) == (session.workspace_id, agent.id)
    assert viewer.permissions == frozenset(Permission)


async def test_all_automation_is_on(made):
    settings = await queries.workspace_settings(made[1])
    assert settings.automation_enabled
    assert settings.automation_rules == [0, 1, 2, 3]


async def test_it_suggests_stages_and_sources(made):
    settings = await queries.workspace_settings(made[1])
    assert settings.follow_up_stages == list(workspaces.DEFAULT_FOLLOW_UP_STAGES)
    assert settings.sources == list(workspaces.DEFAULT_SOURCES)


async def test_it_has_the_protected_view_of_all_customers(made):
    (view,) = await _all(made[1], tables.SavedView)
    assert (view.name, view.owner_id, view.filter, view.search) == ("All customers", None, None, None)
    assert view.shared
    assert view.protected
    assert view.columns[0] == {"field": "name", "width": None}


async def test_it_has_three_segments(made):
    segments = {segment.name: segment.filter for segment in await _all(made[1], tables.Segment)}
    assert segments == {
        "Paying customers": {"relationshipStatus": {"in": ["CUSTOMER", "VIP"]}},
        "Not active for 90 days": {"not": {"lastInteractionAt": {"last": "P90D"}}},
        "Unsubscribed": {"subscriptionStatus": {"eq": "UNSUBSCRIBED"}},
    }


async def test_its_log_begins_with_all_of_that(made):
    changes = sorted(await _all(made[1], tables.Change), key=lambda change: change.seq)
    assert [change.seq for change in changes] == [1, 2, 3, 4, 5, 6]
    assert [change.entity for change in changes] == ["Workspace", "Agent", "SavedView", *["Segment"] * 3]
    assert {(change.action, change.actor_kind, change.version) for change in changes} == {
        (ChangeAction.CREATED, ActorKind.SYSTEM, 1)
    }
    (counter,) = await _all(made[1], tables.Counter)
    assert counter.change == 6


async def test_its_log_tells_what_is_there_and_leaves_out_what_is_not(made):
    changes = await _all(made[1], tables.Change)
    told = {entry["field"]: entry["after"] for entry in next(c.fields for c in changes if c.entity == "Workspace")}
    assert told["bulkDelete"] == "TO_BE_ASSIGNED_ONLY"
    assert told["statusAutomation"] == {"enabled": True, "rules": ["PAYMENT", "APPOINTMENT", "EVENT", "MESSAGE"]}
    assert "defaultCountry" not in told


async def test_the_time_zone_and_the_country_can_be_given(database):
    created = await workspaces.create_workspace(
        database,
        name="Hanoi",
        email="chi@hanoi.example",
        password=PASSWORD,
        agent_name="Linh Chi",
        timezone="Asia/Ho_Chi_Minh",
        default_country="vn",
    )
    viewer = await accounts.viewer_of_token(database, created.token)
    settings = await queries.workspace_settings(database.session(viewer.workspace_id))
    assert (settings.timezone, settings.default_country) == ("Asia/Ho_Chi_Minh", "VN")
    (agent,) = await _all(database.session(viewer.workspace_id), tables.Agent)
    assert (agent.name, agent.name_key) == ("Linh Chi", "linh chi")


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        pytest.param({"name": " \t"}, ErrorCode.BLANK, "name", id="blank name"),
        pytest.param({"name": "x" * 201}, ErrorCode.TOO_LONG, "name", id="long name"),
        pytest.param({"email": " "}, ErrorCode.BLANK, "email", id="blank address"),
        pytest.param({"email": "anna"}, ErrorCode.INVALID, "email", id="no address"),
        pytest.param({"email": "anna@localhost"}, ErrorCode.INVALID, "email", id="nowhere"),
        pytest.param({"password": "too short"}, ErrorCode.INVALID, "password", id="short password"),
        pytest.param({"agent_name": ""}, ErrorCode.BLANK, "agentName", id="blank agent"),
        pytest.param({"timezone": "Mars/Olympus"}, ErrorCode.INVALID, "timezone", id="no time zone"),
        pytest.param({"default_country": "XX"}, ErrorCode.INVALID, "defaultCountry", id="no country"),
    ],
)
async def test_what_cannot_be_taken_is_refused(database, given, code, path):
    with pytest.raises(InputError) as refused:
        await workspaces.create_workspace(
            database, **{"name": "Acme", "email": "refused@acme.example", "password": PASSWORD, **given}
        )
    assert (refused.value.code, refused.value.path) == (code, (path,))


async def test_an_address_that_is_taken_is_refused_in_any_spelling_and_leaves_nothing(database):
    await workspaces.create_workspace(database, name="Acme", email="taken@acme.example", password=PASSWORD)
    before = await queries.last_change_number(database.session(None))
    with pytest.raises(InputError) as refused:
        await workspaces.create_workspace(database, name="Acme too", email=" Taken@ACME.example", password=PASSWORD)
    assert (refused.value.code, refused.value.path) == (ErrorCode.TAKEN, ("email",))
    assert "Taken@ACME.example" in refused.value.message
    assert await queries.last_change_number(database.session(None)) == before


async def test_many_made_at_once_all_get_numbers_of_their_own(database):
    before = await queries.last_change_number(database.session(None))
    made = await asyncio.gather(
        *(
            workspaces.create_workspace(database, name="Acme", email=f"one{number}@many.example", password=PASSWORD)
            for number in range(12)
        )
    )
    viewers = [await accounts.viewer_of_token(database, one.token) for one in made]
    assert sorted(viewer.workspace_id for viewer in viewers) == list(range(before + 1, before + 13))

"""Whom a token lets in, and what that costs the database."""

from types import SimpleNamespace

import pytest

from crm.access import accounts, permissions, tokens
from crm.errors import ErrorCode
from db import engine, tables
from db.queries import accounts as queries
from db.tables.enums import ActorKind, Permission, Role
from db.values import ids
from tests.crm.accounts.conftest import MINUTE, NOW, colleague, insert, refusal


async def test_an_agent_may_what_his_role_and_his_exceptions_say(database, anna):
    agent = await colleague(database, anna.workspace_id, role=Role.AGENT)
    granted, revoked = Permission.TAG_ASSIGN, Permission.CUSTOMER_CLAIM
    here = {"workspace_id": anna.workspace_id, "agent_id": agent.id}
    await insert(
        database,
        tables.AgentPermission(**here, permission=granted, granted=True),
        tables.AgentPermission(**here, permission=revoked, granted=False),
    )
    viewer = await accounts.viewer_of_token(
        database, await accounts.issue_session_token(database, email=agent.email, now=NOW)
    )
    assert viewer.permissions == (permissions.ROLE_PERMISSIONS[Role.AGENT] | {granted}) - {revoked}
    assert viewer.actor_kind is ActorKind.AGENT


async def test_his_first_department_comes_first(database, anna):
    agent = await colleague(database, anna.workspace_id)
    first, second = (
        tables.Department(workspace_id=anna.workspace_id, created_at=NOW, name=name, name_key=name)
        for name in ("sales", "care")
    )
    await insert(database, first, second)
    await insert(
        database,
        *(
            tables.AgentDepartment(
                workspace_id=anna.workspace_id, agent_id=agent.id, department_id=department.id, position=position
            )
            for department, position in ((second, 1), (first, 0))
        ),
    )
    viewer = await accounts.viewer_of_token(
        database, await accounts.issue_session_token(database, email=agent.email, now=NOW)
    )
    assert viewer.department_ids == (first.id, second.id)


async def test_no_other_text_lets_anybody_in(database, anna):
    prefix, identifier, secret = anna.token[:4], anna.token[4:36], anna.token[36:]
    other = secret[:-1] + ("A" if secret[-1] != "A" else "E")
    for token in (
        "",
        "ses_",
        anna.token + "A",
        anna.token[:-1],
        f"key_{identifier}{secret}",
        f"{prefix}{ids.new_id().hex()}{secret}",
        f"{prefix}{identifier}{other}",
        f"{prefix}{identifier.upper()}{secret}" if identifier.upper() != identifier else "",
        f"{anna.token}\n",
        f" {anna.token}",
    ):
        assert await accounts.viewer_of_token(database, token) is None


async def test_a_session_that_has_run_out_lets_nobody_in(database, sign_in):
    signed_in = await sign_in()
    assert await accounts.viewer_of_token(database, signed_in.token, clock=lambda: signed_in.expires_at - 1)
    assert await accounts.viewer_of_token(database, signed_in.token, clock=lambda: signed_in.expires_at) is None


async def test_signing_out_ends_a_session_at_once(database, anna, sign_out):
    assert await accounts.viewer_of_token(database, anna.token)
    assert await sign_out(anna.token)
    assert await accounts.viewer_of_token(database, anna.token) is None
    assert not await sign_out(anna.token)


async def test_nobody_else_can_end_it(database, anna, sign_out):
    forged = tokens.create_token("ses", bytes.fromhex(anna.token[4:36])).text
    assert not await sign_out(forged)
    assert await accounts.viewer_of_token(database, anna.token)


async def test_other_sessions_go_on(database, anna, sign_in, sign_out):
    other = await sign_in()
    await sign_out(anna.token)
    assert await accounts.viewer_of_token(database, other.token)


async def test_a_token_is_issued_to_nobody_unknown(database):
    refused = await refusal(accounts.issue_session_token(database, email="nobody@acme.example", now=NOW))
    assert refused.code is ErrorCode.NOT_FOUND


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _key(database, anna, **given):
    identifier = ids.new_id()
    token = tokens.create_token("key", identifier)
    values = {"permissions": [Permission.CUSTOMER_VIEW, Permission.TAG_ASSIGN], **given}
    key = tables.ApiKey(
        id=identifier,
        workspace_id=anna.workspace_id,
        name="Website",
        secret_hash=token.secret_hash,
        hint=token.text[-4:],
        created_at=NOW,
        created_by=anna.id,
        **values,
    )
    await insert(database, key)
    return SimpleNamespace(id=identifier, token=token.text)


async def test_a_key_has_permissions_of_its_own(database, anna):
    key = await _key(database, anna)
    viewer = await accounts.viewer_of_token(database, key.token)
    assert (viewer.actor_kind, viewer.actor_id, viewer.agent_id) == (ActorKind.API_KEY, key.id, None)
    assert viewer.permissions == {Permission.CUSTOMER_VIEW, Permission.TAG_ASSIGN}
    assert viewer.workspace_id == anna.workspace_id


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
async def test_a_key_that_is_no_longer_good_lets_nobody_in(database, anna, ended):
    key = await _key(database, anna, **{ended: NOW})
    assert await accounts.viewer_of_token(database, key.token, clock=lambda: NOW) is None


async def test_a_key_without_its_secret_lets_nobody_in(database, anna, sign_out):
    key = await _key(database, anna)
    assert await accounts.viewer_of_token(database, tokens.create_token("key", key.id).text) is None
    assert not await sign_out(key.token)


async def test_the_last_use_of_a_key_is_written_down_once_a_minute(database, anna):
    key = await _key(database, anna)
    seen = []
    for moment in (NOW, NOW + MINUTE - accounts.VIEWER_CACHE_MS, NOW + MINUTE):
        await accounts.viewer_of_token(database, key.token, clock=lambda moment=moment: moment)
        await accounts.finish_background_writes(database)
        seen.append((await queries.key_by_id(database.session(None), key.id)).last_used_at)
    assert seen == [NOW, NOW, NOW + MINUTE]


async def test_keys_are_found_by_their_ids_in_their_own_workspace(database, anna):
    key, read = await _key(database, anna), database.session
    assert list(await queries.keys_by_ids(read(anna.workspace_id), [key.id, ids.new_id()])) == [key.id]
    assert await queries.keys_by_ids(read(anna.workspace_id + 1_000), [key.id]) == {}


# ── how much it asks the database ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_costs_two_statements_and_for_a_second_none(database, sign_in, sent):
    token = (await sign_in()).token
    counts = []
    for moment in (NOW, NOW + accounts.VIEWER_CACHE_MS - 1, NOW + accounts.VIEWER_CACHE_MS):
        sent.clear()
        assert await accounts.viewer_of_token(database, token, clock=lambda moment=moment: moment)
        counts.append(len(sent))
    assert counts == [2, 0, 2]


async def test_a_key_costs_one(database, anna, sent):
    key = await _key(database, anna, last_used_at=NOW)
    sent.clear()
    assert await accounts.viewer_of_token(database, key.token, clock=lambda: NOW)
    assert len(sent) == 1


async def test_what_is_no_token_costs_none(database, sent):
    assert await accounts.viewer_of_token(database, "Bearer") is None
    assert sent == []


async def test_another_process_hears_of_a_revoked_session_within_two_seconds(database, database_url, anna, sign_out):
    other = await engine.connect(database_url)
    assert await accounts.viewer_of_token(other, anna.token, clock=lambda: NOW)
    await sign_out(anna.token)
    assert await accounts.viewer_of_token(other, anna.token, clock=lambda: NOW + accounts.VIEWER_CACHE_MS) is None
    assert accounts.VIEWER_CACHE_MS < 2_000
    await other.close()


async def test_a_changed_agent_is_asked_for_again_at_once(database, anna):
    before = await accounts.viewer_of_token(database, anna.token, clock=lambda: NOW)
    await insert(
        database,
        tables.AgentPermission(
            workspace_id=anna.workspace_id, agent_id=anna.id, permission=Permission.TAG_ASSIGN, granted=False
        ),
    )
    assert await accounts.viewer_of_token(database, anna.token, clock=lambda: NOW) is before
    accounts.forget_viewers(database, anna.workspace_id)
    after = await accounts.viewer_of_token(database, anna.token, clock=lambda: NOW)
    assert before.permissions - after.permissions == {Permission.TAG_ASSIGN}


async def test_a_viewer_read_before_a_change_is_not_kept_after_it(database, anna, monkeypatch, sent):
    standing = queries.agent_standing

    async def changed_meanwhile(session, agent_id):
        found = await standing(session, agent_id)
        accounts.forget_viewers(database, anna.workspace_id)
        return found

    accounts.forget_viewers(database, anna.workspace_id)
    monkeypatch.setattr(queries, "agent_standing", changed_meanwhile)
    assert await accounts.viewer_of_token(database, anna.token, clock=lambda: NOW)
    sent.clear()
    assert await accounts.viewer_of_token(database, anna.token, clock=lambda: NOW)
    assert len(sent) == 2


def test_no_more_viewers_are_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(accounts, "MAX_CACHED_VIEWERS", 2)
    seen = accounts._CachedViewers()
    for token in ("a", "b", "a", "c"):
        seen.store(token, SimpleNamespace(workspace_id=1), until=NOW)
    assert [seen.get(token, NOW - 1) is not None for token in ("a", "b", "c")] == [True, False, True]

"""Signing in and out, and whom a token lets in."""

import asyncio
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

from crm import access, accounts, passwords, workspaces
from crm.errors import ErrorCode, LimitRefused, Refused
from db import engine, ids, tables
from db.folding import email_key
from db.queries import accounts as queries
from db.tables.enums import ActorKind, Permission, Role

PASSWORD = "correct horse battery"
NOW = ids.now()
MINUTE = 60_000


@pytest.fixture(scope="module", autouse=True)
async def _settled(database):
    """Nothing is still being written behind the last test when the database is closed."""
    yield
    await accounts.settle()


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch):
    """What these tests say does not depend on how long a password takes."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", cheap)
    monkeypatch.setattr(passwords, "NOBODY", cheap.hash("nobody"))


@pytest.fixture
async def anna(database):
    """The administrator of a workspace of her own."""
    email = f"Anna@{ids.new().hex()}.example"
    made = await workspaces.create(database, name="Acme", email=email, password=PASSWORD)
    viewer = await accounts.viewer(database, made.token)
    return SimpleNamespace(email=email, token=made.token, id=viewer.agent_id, workspace_id=viewer.workspace_id)


@pytest.fixture
def elsewhere():
    """Another network for each test, so that none is held responsible for another's failures."""
    return f"2001:db8:{ids.new()[-2:].hex()}:{ids.new()[-2:].hex()}::1"


@pytest.fixture
def sign_in(database, anna, elsewhere):
    async def sign_in(*, email=anna.email, password=PASSWORD, address=elsewhere, now=NOW):
        return await accounts.sign_in(database, email=email, password=password, address=address, now=now)

    return sign_in


async def _refusal(attempt):
    try:
        await attempt
    except Refused as refused:
        return refused
    return None


async def _agent(database, workspace_id, **given):
    """An agent with an account, beside the administrator."""
    email = f"{ids.new().hex()}@acme.example"
    named = {"name": "Bo", "name_key": "bo", "email": email, "email_key": email_key(email), "updated_at": NOW}
    agent = tables.Agent(workspace_id=workspace_id, created_at=NOW, **{**named, **given})
    account = tables.Account(
        id=agent.id,
        workspace_id=workspace_id,
        email_key=agent.email_key,
        password_hash=await passwords.hashed(PASSWORD),
    )
    await _insert(database, agent)
    await _insert(database, account)
    return agent


async def _insert(database, *rows):
    await database.write(rows[0].workspace_id, lambda work: work.insert(*rows))


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_right_password_opens_a_session_of_thirty_days(database, anna, sign_in):
    signed_in = await sign_in(now=NOW)
    assert signed_in.expires_at == NOW + 30 * 24 * 60 * MINUTE
    assert signed_in.viewer == await accounts.viewer(database, signed_in.token)
    assert signed_in.viewer.agent_id == anna.id


async def test_the_address_is_known_in_any_spelling(anna, sign_in):
    assert (await sign_in(email=f" {anna.email.upper()}")).viewer.agent_id == anna.id


async def test_a_wrong_password_and_an_unknown_address_are_refused_alike(sign_in):
    wrong = await _refusal(sign_in(password="wrong horse battery"))
    unknown = await _refusal(sign_in(email="nobody@acme.example"))
    for refused in (wrong, unknown):
        assert (refused.code, refused.path) == (ErrorCode.INVALID, ("password",))
    assert wrong.message == unknown.message


async def test_they_send_the_same_statements(sign_in, sent):
    await _refusal(sign_in(password="wrong horse battery"))
    wrong, sent[:] = list(sent), []
    await _refusal(sign_in(email="nobody@acme.example"))
    assert wrong == sent


async def test_an_account_without_a_password_lets_nobody_in(database, anna, sign_in):
    await _insert(
        database,
        tables.Account(id=ids.new(), workspace_id=anna.workspace_id, email_key="invited@acme.example"),
    )
    assert (await _refusal(sign_in(email="invited@acme.example", password=""))).code is ErrorCode.INVALID


async def test_who_was_deactivated_is_told_so_when_all_else_is_right(database, anna, sign_in):
    agent = await _agent(database, anna.workspace_id, active=False)
    assert (await _refusal(sign_in(email=agent.email))).code is ErrorCode.AGENT_INACTIVE
    assert (await _refusal(sign_in(email=agent.email, password="wrong"))).code is ErrorCode.INVALID


async def test_an_outdated_hash_is_renewed(database, anna, sign_in):
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    await database.write(None, lambda work: queries.keep_hash(work, anna.id, old))
    await sign_in()
    account = await queries.by_email(database.reading(None), email_key(anna.email))
    assert account.password_hash != old
    assert (await sign_in()).viewer.agent_id == anna.id


async def test_the_secret_is_not_stored(database, anna):
    session = await queries.session_by_id(database.reading(None), bytes.fromhex(anna.token[4:36]))
    assert anna.token[36:].encode() not in session.secret_hash
    assert len(session.secret_hash) == 32


async def test_sessions_that_have_run_out_are_swept_away(database, sign_in):
    first = await sign_in(now=NOW)
    await sign_in(now=first.expires_at)
    assert await queries.session_by_id(database.reading(None), bytes.fromhex(first.token[4:36])) is None


# ── how often it may be tried ─────────────────────────────────────────────────────────────────────────────────────────


async def test_five_failures_close_an_account_from_everywhere(sign_in):
    for number in range(5):
        refused = await _refusal(sign_in(password="wrong", address=f"192.0.2.{number}", now=NOW + number * MINUTE))
        assert refused.code is ErrorCode.INVALID
    closed = await _refusal(sign_in(address="198.51.100.1", now=NOW + 5 * MINUTE))
    assert isinstance(closed, LimitRefused)
    assert (closed.code, closed.limit, closed.current) == (ErrorCode.LIMIT_EXCEEDED, 5, 6)
    assert closed.message == "Too many sign-ins failed. Try again in 10 minutes."


async def test_an_unknown_account_is_closed_alike(sign_in):
    for number in range(5):
        await _refusal(sign_in(email="no.one@acme.example", address=f"192.0.2.{10 + number}"))
    closed = await _refusal(sign_in(email="No.One@acme.example", address=None))
    assert isinstance(closed, LimitRefused)


async def test_it_opens_when_the_oldest_failure_is_a_quarter_of_an_hour_old(anna, sign_in):
    for number in range(5):
        await _refusal(sign_in(password="wrong", address=None, now=NOW + number * MINUTE))
    assert isinstance(await _refusal(sign_in(address=None, now=NOW + 15 * MINUTE - 1)), LimitRefused)
    assert (await sign_in(address=None, now=NOW + 15 * MINUTE)).viewer.agent_id == anna.id


async def test_five_failures_close_a_network_for_every_account(sign_in):
    for number in range(5):
        await _refusal(sign_in(email=f"someone{number}@acme.example", address="203.0.113.7"))
    assert isinstance(await _refusal(sign_in(address="203.0.113.7")), LimitRefused)
    assert await sign_in(address="203.0.113.8")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", id="a subscriber's part of IPv6"),
        pytest.param("::ffff:192.0.2.1", "192.0.2.1", id="IPv4 within IPv6"),
        pytest.param("192.0.2.1", "192.0.2.1", id="IPv4"),
        pytest.param("unix", "unix", id="anything else"),
    ],
)
def test_a_network_is(address, network):
    assert accounts._network(address) == network


async def test_successes_are_not_counted(sign_in):
    for _ in range(7):
        assert await sign_in()


async def test_failures_sent_at_once_cannot_pass_the_limit_together(sign_in):
    refused = await asyncio.gather(*(_refusal(sign_in(password="wrong")) for _ in range(20)))
    codes = [one.code for one in refused]
    assert codes.count(ErrorCode.INVALID) == 5
    assert codes.count(ErrorCode.LIMIT_EXCEEDED) == 15


async def test_successes_sent_at_once_wait_for_each_other_and_are_all_let_in(anna, sign_in):
    signed_in = await asyncio.gather(*(sign_in() for _ in range(12)))
    assert {one.viewer.agent_id for one in signed_in} == {anna.id}
    assert len({one.token for one in signed_in}) == 12


async def test_an_attempt_whose_process_died_counts_as_a_failure(database, anna, sign_in, elsewhere):
    for _ in range(5):
        assert await accounts._admitted(database, accounts._subjects(email_key(anna.email), elsewhere), NOW)
    closed = await _refusal(sign_in(now=NOW + accounts.SETTLED))
    assert isinstance(closed, LimitRefused)


async def test_a_clock_that_was_put_back_keeps_nobody_waiting(sign_in):
    for _ in range(5):
        await _refusal(sign_in(password="wrong", now=NOW + 60 * MINUTE))
    assert await asyncio.wait_for(sign_in(now=NOW), 5)


async def test_failures_are_kept_no_longer_than_they_count(database, anna, sign_in):
    await _refusal(sign_in(password="wrong", address=None, now=NOW))
    await _refusal(sign_in(password="wrong", address=None, now=NOW + 60 * MINUTE))
    subjects = accounts._subjects(email_key(anna.email), None)
    counted = await queries.attempts(database.reading(None), subjects, since=0, until=NOW * 2)
    assert [one.at for one in counted] == [NOW + 60 * MINUTE]


# ── whom a token lets in ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_agent_may_what_his_role_and_his_exceptions_say(database, anna):
    agent = await _agent(database, anna.workspace_id, role=Role.AGENT)
    granted, revoked = Permission.TAG_ASSIGN, Permission.CUSTOMER_CLAIM
    here = {"workspace_id": anna.workspace_id, "agent_id": agent.id}
    await _insert(
        database,
        tables.AgentPermission(**here, permission=granted, granted=True),
        tables.AgentPermission(**here, permission=revoked, granted=False),
    )
    viewer = await accounts.viewer(database, await accounts.issue(database, email=agent.email, now=NOW))
    assert viewer.permissions == (access.OF_ROLE[Role.AGENT] | {granted}) - {revoked}
    assert viewer.actor_kind is ActorKind.AGENT


async def test_his_first_department_comes_first(database, anna):
    agent = await _agent(database, anna.workspace_id)
    first, second = (
        tables.Department(workspace_id=anna.workspace_id, created_at=NOW, name=name, name_key=name)
        for name in ("sales", "care")
    )
    await _insert(database, first, second)
    await _insert(
        database,
        *(
            tables.AgentDepartment(
                workspace_id=anna.workspace_id, agent_id=agent.id, department_id=department.id, position=position
            )
            for department, position in ((second, 1), (first, 0))
        ),
    )
    viewer = await accounts.viewer(database, await accounts.issue(database, email=agent.email, now=NOW))
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
        f"{prefix}{ids.new().hex()}{secret}",
        f"{prefix}{identifier}{other}",
        f"{prefix}{identifier.upper()}{secret}" if identifier.upper() != identifier else "",
        f"{anna.token}\n",
        f" {anna.token}",
    ):
        assert await accounts.viewer(database, token) is None


async def test_a_session_that_has_run_out_lets_nobody_in(database, sign_in):
    signed_in = await sign_in()
    assert await accounts.viewer(database, signed_in.token, clock=lambda: signed_in.expires_at - 1)
    assert await accounts.viewer(database, signed_in.token, clock=lambda: signed_in.expires_at) is None


async def test_signing_out_ends_a_session_at_once(database, anna):
    assert await accounts.viewer(database, anna.token)
    assert await accounts.sign_out(database, anna.token)
    assert await accounts.viewer(database, anna.token) is None
    assert not await accounts.sign_out(database, anna.token)


async def test_nobody_else_can_end_it(database, anna):
    forged = accounts.mint("ses", bytes.fromhex(anna.token[4:36])).text
    assert not await accounts.sign_out(database, forged)
    assert await accounts.viewer(database, anna.token)


async def test_other_sessions_go_on(database, anna, sign_in):
    other = await sign_in()
    await accounts.sign_out(database, anna.token)
    assert await accounts.viewer(database, other.token)


async def test_a_token_is_issued_to_nobody_unknown(database):
    refused = await _refusal(accounts.issue(database, email="nobody@acme.example", now=NOW))
    assert refused.code is ErrorCode.NOT_FOUND


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _key(database, anna, **given):
    identifier = ids.new()
    token = accounts.mint("key", identifier)
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
    await _insert(database, key)
    return SimpleNamespace(id=identifier, token=token.text)


async def test_a_key_has_permissions_of_its_own(database, anna):
    key = await _key(database, anna)
    viewer = await accounts.viewer(database, key.token)
    assert (viewer.actor_kind, viewer.actor_id, viewer.agent_id) == (ActorKind.API_KEY, key.id, None)
    assert viewer.permissions == {Permission.CUSTOMER_VIEW, Permission.TAG_ASSIGN}
    assert viewer.workspace_id == anna.workspace_id


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
async def test_a_key_that_is_no_longer_good_lets_nobody_in(database, anna, ended):
    key = await _key(database, anna, **{ended: NOW})
    assert await accounts.viewer(database, key.token, clock=lambda: NOW) is None


async def test_a_key_without_its_secret_lets_nobody_in(database, anna):
    key = await _key(database, anna)
    assert await accounts.viewer(database, accounts.mint("key", key.id).text) is None
    assert not await accounts.sign_out(database, key.token)


async def test_the_last_use_of_a_key_is_written_down_once_a_minute(database, anna):
    key = await _key(database, anna)
    seen = []
    for moment in (NOW, NOW + MINUTE - accounts.KEPT, NOW + MINUTE):
        await accounts.viewer(database, key.token, clock=lambda moment=moment: moment)
        await accounts.settle()
        seen.append((await queries.key_by_id(database.reading(None), key.id)).last_used_at)
    assert seen == [NOW, NOW, NOW + MINUTE]


async def test_keys_are_found_by_their_ids_in_their_own_workspace(database, anna):
    key, read = await _key(database, anna), database.reading
    assert list(await queries.keys_by_ids(read(anna.workspace_id), [key.id, ids.new()])) == [key.id]
    assert await queries.keys_by_ids(read(anna.workspace_id + 1_000), [key.id]) == {}


# ── how much it asks the database ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_costs_two_statements_and_for_a_second_none(database, sign_in, sent):
    token = (await sign_in()).token
    counts = []
    for moment in (NOW, NOW + accounts.KEPT - 1, NOW + accounts.KEPT):
        sent.clear()
        assert await accounts.viewer(database, token, clock=lambda moment=moment: moment)
        counts.append(len(sent))
    assert counts == [2, 0, 2]


async def test_a_key_costs_one(database, anna, sent):
    key = await _key(database, anna, last_used_at=NOW)
    sent.clear()
    assert await accounts.viewer(database, key.token, clock=lambda: NOW)
    assert len(sent) == 1


async def test_what_is_no_token_costs_none(database, sent):
    assert await accounts.viewer(database, "Bearer") is None
    assert sent == []


async def test_another_process_hears_of_a_revoked_session_within_two_seconds(database, database_url, anna):
    other = await engine.connect(database_url)
    assert await accounts.viewer(other, anna.token, clock=lambda: NOW)
    await accounts.sign_out(database, anna.token)
    assert await accounts.viewer(other, anna.token, clock=lambda: NOW + accounts.KEPT) is None
    assert accounts.KEPT < 2_000
    await other.close()


async def test_a_changed_agent_is_asked_for_again_at_once(database, anna):
    before = await accounts.viewer(database, anna.token, clock=lambda: NOW)
    await _insert(
        database,
        tables.AgentPermission(
            workspace_id=anna.workspace_id, agent_id=anna.id, permission=Permission.TAG_ASSIGN, granted=False
        ),
    )
    assert await accounts.viewer(database, anna.token, clock=lambda: NOW) is before
    accounts.forget(database, anna.workspace_id)
    after = await accounts.viewer(database, anna.token, clock=lambda: NOW)
    assert before.permissions - after.permissions == {Permission.TAG_ASSIGN}


async def test_a_viewer_read_before_a_change_is_not_kept_after_it(database, anna, monkeypatch, sent):
    standing = queries.standing

    async def changed_meanwhile(session, agent_id):
        found = await standing(session, agent_id)
        accounts.forget(database, anna.workspace_id)
        return found

    accounts.forget(database, anna.workspace_id)
    monkeypatch.setattr(queries, "standing", changed_meanwhile)
    assert await accounts.viewer(database, anna.token, clock=lambda: NOW)
    sent.clear()
    assert await accounts.viewer(database, anna.token, clock=lambda: NOW)
    assert len(sent) == 2


def test_no_more_viewers_are_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(accounts, "MOST_KEPT", 2)
    seen = accounts._Seen()
    for token in ("a", "b", "a", "c"):
        seen.keep(token, SimpleNamespace(workspace_id=1), until=NOW)
    assert [seen.at(token, NOW - 1) is not None for token in ("a", "b", "c")] == [True, False, True]

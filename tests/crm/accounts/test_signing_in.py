"""Signing in, and how often it may be tried."""

import asyncio

import pytest
from argon2 import PasswordHasher

from crm.access import accounts
from crm.errors import ErrorCode, LimitError
from db import tables
from db.queries import accounts as queries
from db.values import ids
from db.values.folding import email_key
from tests.crm.accounts.conftest import MINUTE, NOW, PASSWORD, colleague, insert, refusal


async def test_the_right_password_opens_a_session_of_thirty_days(database, anna, sign_in):
    signed_in = await sign_in(now=NOW)
    assert signed_in.expires_at == NOW + 30 * 24 * 60 * MINUTE
    assert signed_in.viewer == await accounts.viewer_of_token(database, signed_in.token)
    assert signed_in.viewer.agent_id == anna.id


async def test_the_address_is_known_in_any_spelling(anna, sign_in):
    assert (await sign_in(email=f" {anna.email.upper()}")).viewer.agent_id == anna.id


async def test_a_wrong_password_and_an_unknown_address_are_refused_alike(sign_in):
    wrong = await refusal(sign_in(password="wrong horse battery"))
    unknown = await refusal(sign_in(email="nobody@acme.example"))
    for refused in (wrong, unknown):
        assert (refused.code, refused.path) == (ErrorCode.INVALID, ("password",))
    assert wrong.message == unknown.message


async def test_they_send_the_same_statements(sign_in, sent):
    await refusal(sign_in(password="wrong horse battery"))
    wrong, sent[:] = list(sent), []
    await refusal(sign_in(email="nobody@acme.example"))
    assert wrong == sent


async def test_an_account_without_a_password_lets_nobody_in(database, anna, sign_in):
    await insert(
        database,
        tables.Account(id=ids.new_id(), workspace_id=anna.workspace_id, email_key="invited@acme.example"),
    )
    assert (await refusal(sign_in(email="invited@acme.example", password=""))).code is ErrorCode.INVALID


async def test_who_was_deactivated_is_told_so_when_all_else_is_right(database, anna, sign_in):
    agent = await colleague(database, anna.workspace_id, active=False)
    assert (await refusal(sign_in(email=agent.email))).code is ErrorCode.AGENT_INACTIVE
    assert (await refusal(sign_in(email=agent.email, password="wrong"))).code is ErrorCode.INVALID


async def test_an_outdated_hash_is_renewed(database, anna, sign_in):
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    await database.write(None, lambda transaction: queries.store_password_hash(transaction, anna.id, old))
    await sign_in()
    account = await queries.by_email(database.session(None), email_key(anna.email))
    assert account.password_hash != old
    assert (await sign_in()).viewer.agent_id == anna.id


async def test_the_secret_is_not_stored(database, anna):
    session = await queries.session_by_id(database.session(None), bytes.fromhex(anna.token[4:36]))
    assert anna.token[36:].encode() not in session.secret_hash
    assert len(session.secret_hash) == 32


async def test_sessions_that_have_run_out_are_swept_away(database, sign_in):
    first = await sign_in(now=NOW)
    await sign_in(now=first.expires_at)
    assert await queries.session_by_id(database.session(None), bytes.fromhex(first.token[4:36])) is None


# ── how often it may be tried ─────────────────────────────────────────────────────────────────────────────────────────


async def test_five_failures_close_an_account_from_everywhere(sign_in):
    for number in range(5):
        refused = await refusal(sign_in(password="wrong", address=f"192.0.2.{number}", now=NOW + number * MINUTE))
        assert refused.code is ErrorCode.INVALID
    closed = await refusal(sign_in(address="198.51.100.1", now=NOW + 5 * MINUTE))
    assert isinstance(closed, LimitError)
    assert (closed.code, closed.limit, closed.current) == (ErrorCode.LIMIT_EXCEEDED, 5, 6)
    assert closed.message == "Too many sign-ins failed; try again in 10 minutes."


async def test_an_unknown_account_is_closed_alike(sign_in):
    for number in range(5):
        await refusal(sign_in(email="no.one@acme.example", address=f"192.0.2.{10 + number}"))
    closed = await refusal(sign_in(email="No.One@acme.example", address=None))
    assert isinstance(closed, LimitError)


async def test_it_opens_when_the_oldest_failure_is_a_quarter_of_an_hour_old(anna, sign_in):
    for number in range(5):
        await refusal(sign_in(password="wrong", address=None, now=NOW + number * MINUTE))
    assert isinstance(await refusal(sign_in(address=None, now=NOW + 15 * MINUTE - 1)), LimitError)
    assert (await sign_in(address=None, now=NOW + 15 * MINUTE)).viewer.agent_id == anna.id


async def test_five_failures_close_a_network_for_every_account(sign_in):
    for number in range(5):
        await refusal(sign_in(email=f"someone{number}@acme.example", address="203.0.113.7"))
    assert isinstance(await refusal(sign_in(address="203.0.113.7")), LimitError)
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
    refused = await asyncio.gather(*(refusal(sign_in(password="wrong")) for _ in range(20)))
    codes = [one.code for one in refused]
    assert codes.count(ErrorCode.INVALID) == 5
    assert codes.count(ErrorCode.LIMIT_EXCEEDED) == 15


async def test_successes_sent_at_once_wait_for_each_other_and_are_all_let_in(anna, sign_in):
    signed_in = await asyncio.gather(*(sign_in() for _ in range(12)))
    assert {one.viewer.agent_id for one in signed_in} == {anna.id}
    assert len({one.token for one in signed_in}) == 12


async def test_an_attempt_whose_process_died_counts_as_a_failure(database, anna, sign_in, elsewhere):
    for _ in range(5):
        assert await accounts._admit_attempt(database, accounts._failure_keys(email_key(anna.email), elsewhere), NOW)
    closed = await refusal(sign_in(now=NOW + accounts.SIGN_IN_ATTEMPT_TIMEOUT_MS))
    assert isinstance(closed, LimitError)


async def test_a_clock_that_was_put_back_keeps_nobody_waiting(sign_in):
    for _ in range(5):
        await refusal(sign_in(password="wrong", now=NOW + 60 * MINUTE))
    assert await asyncio.wait_for(sign_in(now=NOW), 5)


async def test_failures_are_kept_no_longer_than_they_count(database, anna, sign_in):
    await refusal(sign_in(password="wrong", address=None, now=NOW))
    await refusal(sign_in(password="wrong", address=None, now=NOW + 60 * MINUTE))
    subjects = accounts._failure_keys(email_key(anna.email), None)
    counted = await queries.sign_in_attempts(database.session(None), subjects, since=0, until=NOW * 2)
    assert [one.at for one in counted] == [NOW + 60 * MINUTE]

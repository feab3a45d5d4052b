"""@idempotent: any number of sends have the effect of one and the same answer."""

import asyncio
from hashlib import sha256
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from sqlmodel import select

from crm import idempotency
from crm.access import accounts, passwords
from crm.errors import LimitError
from crm.workspace import workspaces
from db import tables
from db.statements import in_workspace, prepare
from db.tables.enums import Role
from db.values import ids
from graph import idempotency as graph_idempotency
from graph.context import Context
from tests.support import factories, schemas

CREATE = """
mutation($key: String!, $input: CustomerInput!) {
  made: customerCreate(input: $input) @idempotent(key: $key) {
    outcome customer { id name version tags { name } }
    errors { __typename code message path ... on DuplicateError { existing { id } } }
  }
}
"""
DELETE = """
mutation($key: String!, $by: CustomerRef!) {
  customerDelete(by: $by) @idempotent(key: $key) { outcome customer { id name } errors { code path } }
}
"""


@pytest.fixture
def sends(database, viewer):
    """The whole answer: its data, errors and extensions."""

    async def sent(document, *, as_=viewer, now=None, **variables):
        context = Context(database, as_, request_id="test")
        context.now = now or context.now
        return await schemas.ENGINE.execute(document, variable_values=variables, context_value=context)

    return sent


async def _count(session, table):
    return len(await session.fetch_all(prepare(select(table).where(in_workspace(table)))))


async def test_the_second_send_does_nothing_and_answers_alike(sends, session):
    first = await sends(CREATE, key="k", input={"name": "An", "tags": {"add": [{"name": "gold"}]}})
    again = await sends(CREATE, key="k", input={"name": "An", "tags": {"add": [{"name": "gold"}]}})
    assert first.errors is None
    assert again.data == first.data
    assert again.data["made"]["outcome"] == "CREATED"
    assert await _count(session, tables.Customer) == 1
    assert "idempotency" not in (first.extensions or {})
    assert again.extensions["idempotency"] == {"replayed": ["made"]}


async def test_parallel_sends_have_one_effect_and_one_answer(sends, session):
    answers = await asyncio.gather(*(sends(CREATE, key="k", input={"name": "An"}) for _ in range(6)))
    assert [one.errors for one in answers] == [None] * 6
    assert len({one.data["made"]["customer"]["id"] for one in answers}) == 1
    assert await _count(session, tables.Customer) == 1
    assert sum("idempotency" in (one.extensions or {}) for one in answers) == 5


async def test_other_arguments_are_refused(sends, session):
    await sends(CREATE, key="k", input={"name": "An"})
    for input in ({"name": "Bo"}, {"name": "An", "nickname": None}):
        answer = await sends(CREATE, key="k", input=input)
        assert answer.data["made"]["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await _count(session, tables.Customer) == 1


async def test_another_mutation_is_refused(sends, session):
    made = await sends(CREATE, key="k", input={"name": "An"})
    by = {"id": made.data["made"]["customer"]["id"]}
    answer = await sends(DELETE, key="k", by=by)
    assert answer.data["customerDelete"]["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await _count(session, tables.Customer) == 1


async def test_a_refusal_is_repeated_too(sends, session, save):
    customer = factories.customer()
    await save(customer, factories.external_id(customer, "erp", "1"))
    given = {"name": "An", "externalIds": [{"system": "erp", "value": "1"}]}
    first = await sends(CREATE, key="k", input=given)
    assert first.data["made"]["errors"][0]["existing"] == {"id": f"cus_{customer.id.hex()}"}
    await sends(DELETE, key="d", by={"id": f"cus_{customer.id.hex()}"})
    again = await sends(CREATE, key="k", input=given)
    assert again.data == first.data
    assert await _count(session, tables.Customer) == 0


async def test_what_was_deleted_is_answered_again_as_it_was(sends, save):
    await save(customer := factories.customer("An"))
    by = {"id": f"cus_{customer.id.hex()}"}
    first, again = [await sends(DELETE, key="k", by=by) for _ in range(2)]
    assert first.errors is None
    assert first.data["customerDelete"]["outcome"] == "DELETED"
    assert again.data == first.data


async def test_a_caller_has_keys_of_his_own(sends, session, someone):
    await sends(CREATE, key="k", input={"name": "An"})
    await sends(CREATE, key="k", input={"name": "An"}, as_=someone(Role.ADMIN))
    assert await _count(session, tables.Customer) == 2


async def test_a_key_is_forgotten_after_a_day(sends, session):
    day = 24 * 60 * 60 * 1000
    await sends(CREATE, key="k", input={"name": "An"}, now=ids.current_time() - day - 1)
    await sends(CREATE, key="k", input={"name": "An"})
    assert await _count(session, tables.Customer) == 2


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_has_1_to_200_characters(sends, key):
    answer = await sends(CREATE, key=key, input={"name": "An"})
    assert answer.data["made"]["errors"][0]["code"] == "INVALID"


async def test_the_stored_answer_does_not_hold_the_key(sends, session):
    await sends(CREATE, key="my-own-key", input={"name": "An"})
    (row,) = await session.fetch_all(prepare(select(tables.Idempotency).where(in_workspace(tables.Idempotency))))
    assert row.key != "my-own-key"


@pytest.mark.parametrize(("stored", "kind"), [("LimitRefused", LimitError), ("LimitError", LimitError)])
def test_errors_stored_by_version_0_1_are_decoded(stored, kind):
    basics = {"kind": stored, "code": "LIMIT_EXCEEDED", "message": "Too many.", "path": ["name"], "row": None}
    payload = {"errors": [{"$refused": basics | {"limit": 4, "current": 5}}]}
    (error,) = graph_idempotency.decode_payload(payload, "key")["errors"]
    assert type(error.refused) is kind
    assert (error.refused.message, error.refused.limit, error.refused.current) == ("Too many.", 4, 5)


def test_a_secret_is_kept_sealed():
    sealed = idempotency.seal("key_0123456789abcdef0123456789abcdefSECRET", "k")
    assert b"SECRET".hex() not in sealed
    assert idempotency.unseal(sealed, "k") == "key_0123456789abcdef0123456789abcdefSECRET"
    assert idempotency.seal("x", "k") != idempotency.seal("x", "k")


SIGN_IN = """
mutation($key: String!, $email: String!, $password: String!) {
  signIn(email: $email, password: $password) @idempotent(key: $key) {
    token expiresAt viewer { agent { email } } errors { code path }
  }
}
"""
SIGN_OUT = "mutation($key: String!) { signOut @idempotent(key: $key) }"
PASSWORD = "correct horse battery"


@pytest.fixture
async def anna(database, monkeypatch):
    """An administrator who can sign in, and her token."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    email = f"anna@{ids.new_id().hex()}.example"
    made = await workspaces.create_workspace(database, name="Acme", email=email, password=PASSWORD)
    return SimpleNamespace(email=email, token=made.token, viewer=await accounts.viewer_of_token(database, made.token))


@pytest.fixture
def stranger(database):
    """Asks without a token, or with one."""

    async def sent(document, *, token=None, **variables):
        who = None if token is None else await accounts.viewer_of_token(database, token)
        context = Context(
            database, who, request_id="test", token=token, address=f"2001:db8:{ids.new_id()[-2:].hex()}::1"
        )
        return await schemas.ENGINE.execute(document, variable_values=variables, context_value=context)

    return sent


async def _sessions(database, viewer):
    session = prepare(select(tables.SignIn).where(tables.SignIn.agent_id == viewer.agent_id))
    return len(await database.session(viewer.workspace_id).fetch_all(session))


async def test_a_session_is_opened_once_and_its_token_kept_sealed(database, anna, stranger):
    before = await _sessions(database, anna.viewer)
    given = {"key": "k", "email": anna.email, "password": PASSWORD}
    answers = await asyncio.gather(*(stranger(SIGN_IN, **given) for _ in range(4)))
    tokens = {one.data["signIn"]["token"] for one in answers}
    assert [one.errors for one in answers] == [None] * 4
    assert len(tokens) == 1
    assert await _sessions(database, anna.viewer) == before + 1
    assert sum("idempotency" in (one.extensions or {}) for one in answers) == 3
    (row,) = await database.session(anna.viewer.workspace_id).fetch_all(
        prepare(select(tables.Idempotency).where(in_workspace(tables.Idempotency)))
    )
    token = tokens.pop()
    assert await accounts.viewer_of_token(database, token) == anna.viewer
    assert token[-20:] not in repr(row.answer)
    assert (
        row.arguments != sha256(b'{"email":"%s","password":"%s"}' % (anna.email.encode(), PASSWORD.encode())).digest()
    )


async def test_a_key_brings_no_session_to_who_does_not_know_the_password(anna, stranger):
    given = {"key": "k", "email": anna.email}
    await stranger(SIGN_IN, **given, password=PASSWORD)
    wrong = await stranger(SIGN_IN, **given, password="another password")
    assert wrong.data["signIn"]["token"] is None
    assert wrong.data["signIn"]["errors"] == [{"code": "INVALID", "path": ["password"]}]
    right = await stranger(SIGN_IN, **given, password=PASSWORD)
    assert right.extensions["idempotency"] == {"replayed": ["signIn"]}


async def test_a_session_ends_once(database, anna, stranger):
    document = 'mutation { a: signOut @idempotent(key: "k") b: signOut @idempotent(key: "k") c: signOut }'
    answer = await stranger(document, token=anna.token)
    assert answer.data == {"a": True, "b": True, "c": False}
    assert await accounts.viewer_of_token(database, anna.token) is None


async def test_where_there_is_no_payload_a_refusal_is_at_the_top(anna, stranger):
    await stranger(SIGN_IN, key="k", email=anna.email, password=PASSWORD)
    for key, reason in [("k", "IDEMPOTENCY_KEY_REUSED"), ("", "INVALID")]:
        answer = await stranger(SIGN_OUT, key=key, token=anna.token)
        assert answer.data is None
        (error,) = answer.errors
        assert (error.path, error.extensions["code"], error.extensions["reason"]) == (
            ["signOut"],
            "BAD_USER_INPUT",
            reason,
        )


async def test_a_password_among_the_arguments_cannot_be_tried_out(sends, database, viewer, session):
    """The digest that tells other arguments by is no hash of them alone."""
    make_agent = """mutation($key: String!, $input: AgentInput!) {
      agentCreate(input: $input) @idempotent(key: $key) { agent { id } errors { code } }
    }"""
    given = {"name": "An", "email": f"{ids.new_id().hex()}@x.example", "role": "AGENT", "password": PASSWORD}
    await sends(make_agent, key="one", input=given)
    await sends(make_agent, key="two", input=given)
    rows = await session.fetch_all(prepare(select(tables.Idempotency).where(in_workspace(tables.Idempotency))))
    assert len({row.arguments for row in rows}) == 2

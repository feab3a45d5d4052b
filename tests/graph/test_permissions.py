"""Who may call what: every role and every root field, made up from the schema."""

import pytest

from crm.access import permissions
from db import engine
from db.tables.enums import Permission, Role
from graph.context import Context
from tests.support import schema_walk, schemas

FIELDS = [*schema_walk.fields("query"), *schema_walk.fields("mutation")]
GUARDED = [field for field in FIELDS if schema_walk.permission(field)]
NOTHING = {"Customer": "cus_" + "0" * 32}


@pytest.fixture
def code(database, monkeypatch):
    """The code of the top-level error that the call meets."""
    # These viewers are nobody's rows, and what points to them is not tried again and again.
    monkeypatch.setattr(engine, "MAX_TRANSACTION_ATTEMPTS", 1)

    async def asked(field, viewer):
        context = Context(database, viewer, request_id="test")
        answer = await schemas.ENGINE.execute(
            field.document, variable_values=field.least(NOTHING), context_value=context
        )
        return (answer.errors[0].extensions or {}).get("code", answer.errors[0].message) if answer.errors else None

    return asked


# What a field needs beside the permission that it declares.
_ALSO = {"customersVerify": (Permission.CUSTOMER_VIEW_ALL,)}


@pytest.mark.parametrize("field", GUARDED, ids=lambda field: field.name)
async def test_a_field_answers_those_who_hold_its_permission_and_nobody_else(code, someone, field):
    """SM2, SB8, MS4."""
    needed = Permission[schema_walk.permission(field)]
    every = {needed, *_ALSO.get(field.name, ())}
    for role in Role:
        found = await code(field, someone(role))
        assert (found == "FORBIDDEN") is (not every <= permissions.ROLE_PERMISSIONS[role]), role.name
    assert await code(field, someone(Role.ADMIN, revoke=(needed,))) == "FORBIDDEN"
    assert await code(field, someone(Role.AGENT, grant=tuple(every))) != "FORBIDDEN"


def test_a_manager_may_do_all_but_settings_keys_webhooks_and_tagging():
    assert permissions.ROLE_PERMISSIONS[Role.ADMIN] == frozenset(Permission)
    assert permissions.ROLE_PERMISSIONS[Role.ADMIN] - permissions.ROLE_PERMISSIONS[Role.MANAGER] == {
        Permission.TAG_ASSIGN,
        Permission.TAG_MANAGE,
        Permission.SETTINGS_MANAGE,
        Permission.KEY_MANAGE,
        Permission.WEBHOOK_MANAGE,
    }

"""Whatever stands in an argument, the answer is data or a refusal: nothing that the doors let in makes a field fail."""

import pytest
from graphql import GraphQLError

from crm.files import storage
from db.tables.enums import Role
from db.values.wire_format import decode_id
from graph.context import Context
from tests.support import factories, schema_walk, schemas
from tests.support.populated_workspace import inhabited

LONG = "x" * 10_000
OWN = object()
"""The id of each record of the workspace in turn, whatever is asked for."""

HOSTILE = {
    "String": [
        "", " ", LONG, "\U0001f600" * 60, "\u202eabc\u200f مرحبا", "a\x07\x1b[0m\x7f\x85b", "e\u0301" * 120, "\ufeff",
        "%_\\'\";--", "null", "=1+1", "+84901234567", "a@b.example", "١٢٣", "http://[::1", "https://x y", "tier", "erp",
        None,
    ],
    "ID": ["", "cus_", "cus_" + "0" * 32, "cus_" + "z" * 32, "CUS_" + "0" * 32, LONG, None, 0, -1, OWN],
    "Int": [0, -1, 2**31 - 1, -(2**31), None],
    "Boolean": [True, False, None],
    "Decimal": [
        "99999999999999.9999", "-99999999999999.9999", "0.0001", "-0", "922337203685477.5807", "922337203685477.5808",
        "NaN", "1e5", "", None, 5,
    ],
    "DateTime": [
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "", None,
    ],
    "Date": ["0001-01-01", "9999-12-31", "0000-01-01", "2026-02-30", "2999-01-01", "", None],
    "Duration": [
        "P9999999999Y", "PT0S", "P0D", "P99999999999999999D", "P1Y2M3W4DT5H6M7S", "PT99999999999999999999S", "P3000Y",
        "-P1D", "P", None,
    ],
    "JSON": [
        None, {}, [], [[[]]], {"a": None}, ["x", "x"], 10**400, -(2**70), 1.5e308, float("nan"), True, LONG, "\x00",
        "2026-01-01", "gold", {"\ud800": 1},
    ],
}  # fmt: skip
FIELDS = [*schema_walk.fields("query"), *schema_walk.fields("mutation")]
FILTERING = {"customers", "companies", "tags", "segments", "agents", "changes"}
"""Filters are the same everywhere: these are asked with them."""


def _places(field):
    for kind in HOSTILE:
        for path in field.places(kind):
            if "filter" not in path or field.name in FILTERING:
                yield kind, path


@pytest.fixture(autouse=True)
def _room_for_files(database, tmp_path):
    storage.attach_storage(database, storage.Storage(tmp_path, b"a secret that nobody guesses"))


@pytest.fixture
def failures(database):
    """What is no refusal among the errors of a call."""

    async def found(viewer, field, variables):
        context = Context(database, viewer, request_id="test", token="ses_nobody")
        answer = await schemas.ENGINE.execute(field.document, variable_values=variables, context_value=context)
        return [one for error in answer.errors or () if (one := _cause(error)) is not None]

    return found


def _cause(error):
    """The exception behind an error that nobody foresaw."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


async def _settled(database, someone):
    """A workspace with one of everything, and its administrator."""
    number = await factories.workspace(database)
    own = await inhabited(database, number)
    admin = someone(Role.ADMIN)
    return own, type(admin)(number, admin.actor_kind, decode_id("Agent", own["Agent"]), admin.permissions)


async def _broken(database, someone, failures, field, places):
    own, viewer = await _settled(database, someone)
    broken = []
    for kind, path in places:
        for value in HOSTILE[kind]:
            for each in own.values() if value is OWN else [value]:
                found = await failures(viewer, field, schema_walk.filled(field, path, each, own))
                broken += [(".".join(map(str, path)), repr(each)[:40], repr(one)[:200]) for one in found]
    return broken


@pytest.mark.long
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
async def test_no_value_anywhere_makes_a_field_fail(database, someone, failures, field):
    assert await _broken(database, someone, failures, field, list(_places(field))) == []


FEW = {"customerCreate", "customerUpdate", "interactionRecord", "orderUpsert", "customFieldCreate", "savedViewCreate"}


@pytest.mark.parametrize("field", [one for one in FIELDS if one.name in FEW], ids=lambda field: field.name)
async def test_no_value_makes_a_few_mutations_fail(database, someone, failures, field):
    """One place of each kind, so that it is quick."""
    first = {kind: path for kind, path in reversed(list(_places(field)))}
    assert await _broken(database, someone, failures, field, list(first.items())) == []

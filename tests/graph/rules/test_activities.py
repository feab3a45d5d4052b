"""Notes, interactions and orders of a customer, and the timeline that weaves them with the changes."""

import pytest

from db.tables.enums import Permission
from tests.support.rules_workspace import without


@pytest.fixture
def note(house):
    """The id of a new note."""

    async def made(customer, body="x", who="admin"):
        done = await house.does("noteCreate", "note { id }", who, customer={"id": customer}, input={"body": body})
        assert done["errors"] == []
        return done["note"]["id"]

    return made


# ── notes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_note_has_1_to_1000_characters_composed_and_trimmed(house, note):
    """EM14."""
    customer = await house.customer()
    whole, longer = "e\u0323\u0302" * 1000, "e\u0323\u0302" * 1001
    made = await note(customer, f" {whole}\n")
    shown = await house.ask("query ($id: ID!) { node(id: $id) { ... on Note { body } } }", id=made)
    assert shown["node"]["body"] == "ệ" * 1000
    for body, code in [(longer, "TOO_LONG"), (" \n", "BLANK"), ("", "BLANK")]:
        assert await house.refuses("noteCreate", customer={"id": customer}, input={"body": body}) == [
            (code, "input.body")
        ]
        assert await house.refuses("noteUpdate", id=made, input={"body": body}) == [(code, "input.body")]


async def test_notes_are_read_newest_first_and_tell_their_author(house, note):
    """EM14: also who wrote them, which an edit by another does not change; the customer's version stays."""
    customer = await house.customer(owner={"id": house.ids["seller"]})
    first = await note(customer, "first", "seller")
    second = await note(customer, "second")
    await house.does("noteUpdate", id=first, input={"body": "First"})
    shows = """version notes(first: 5) { totalCount nodes {
      id body version author { ... on Agent { id } } customer { id } } }"""
    found = await house.shown(customer, shows)
    assert (found["version"], found["notes"]["totalCount"]) == (1, 2)
    assert [(one["id"], one["body"], one["version"]) for one in found["notes"]["nodes"]] == [
        (second, "second", 1), (first, "First", 2),
    ]  # fmt: skip
    authors = [one["author"]["id"] for one in found["notes"]["nodes"]]
    assert authors == [house.ids["admin"], house.ids["seller"]]


async def test_a_note_is_changed_and_deleted_by_its_author_or_with_note_manage(house, note):
    """EM15: FORBIDDEN for others who see it; NOT_FOUND for who does not."""
    customer = await house.customer(owner={"id": house.ids["seller"]})
    made = await note(customer)
    for mutation, more in [("noteUpdate", {"input": {"body": "y"}}), ("noteDelete", {})]:
        assert await house.refuses(mutation, "seller", id=made, **more) == [("FORBIDDEN", "id")]
        assert await house.refuses(mutation, "loner", id=made, **more) == [("NOT_FOUND", "id")]
        assert await house.refuses(mutation, id="not_" + "0" * 32, **more) == [("NOT_FOUND", "id")]
        lacking = without(house.viewers["admin"], Permission.NOTE_WRITE)
        assert await house.refuses(mutation, lacking, id=made, **more) == [("FORBIDDEN", "")]
    own = await note(customer, "own", "seller")
    assert (await house.does("noteUpdate", who="seller", id=own, input={"body": "mine"}))["errors"] == []
    done = await house.does("noteDelete", "note { id body }", "manager", id=own)
    assert (done["note"], done["errors"]) == ({"id": own, "body": "mine"}, [])
    assert await house.refuses("noteDelete", id=own) == [("NOT_FOUND", "id")]
    assert [one["action"] for one in await house.log(own)] == ["CREATED", "UPDATED", "DELETED"]


# ── interactions ──────────────────────────────────────────────────────────────────────────────────────────────────────

SHOWS = """interaction { id kind direction channel outcome subject body campaign amount occurredAt agent { id }
  customer { id } externalId { system value } } customer { id version lastInteractionAt }"""


async def test_an_interaction_keeps_all_that_was_given(house):
    """SM1, SB16, VC5: what is null or absent is empty; it happened now unless said."""
    customer = await house.customer()
    given = {
        "kind": "MESSAGE", "direction": "OUTBOUND", "channel": "WeCom", "subject": "S", "body": "B", "campaign": "C",
        "outcome": "VOID", "amount": "12.3456", "occurredAt": "2026-01-02T03:04:05.678+07:00",
    }  # fmt: skip
    more = {"agent": {"id": house.ids["seller"]}, "externalId": {"system": "pbx", "value": "all"}}
    done = await house.does("interactionRecord", SHOWS, customer={"id": customer}, input={**given, **more})
    shown = done["interaction"]
    first = shown.pop("id")
    moment = "2026-01-01T20:04:05.678Z"
    assert shown == {**given, **more, "occurredAt": moment, "customer": {"id": customer}}
    assert done["customer"] == {"id": customer, "version": 1, "lastInteractionAt": moment}
    nulls = dict.fromkeys([*given, *more]) | {"kind": "CALL"}
    bare = (await house.does("interactionRecord", SHOWS, customer={"id": customer}, input=nulls))["interaction"]
    assert {name for name, value in bare.items() if value is not None} == {"id", "kind", "occurredAt", "customer"}
    again = await house.does("interactionRecord", SHOWS, customer={"id": customer}, input={"kind": "CALL", **more})
    assert again["interaction"]["id"] == first
    assert again["interaction"]["kind"] == "MESSAGE"
    rows = [{"customer": {"id": customer}, "input": {"kind": "CALL", **more}}]
    assert await house.bulk("interactionsRecord", rows=rows) == [("SKIPPED",)]


@pytest.mark.parametrize(
    ("customer", "input", "refused"),
    [
        ({"id": "cus_" + "0" * 32}, {"kind": "CALL"}, ("NOT_FOUND", "customer")),
        ({"email": "nobody@x.example"}, {"kind": "CALL"}, ("NOT_FOUND", "customer")),
        (None, {"kind": "CALL", "agent": {"email": "nobody@x.example"}}, ("NOT_FOUND", "input.agent")),
        (None, {"kind": "CALL", "subject": "x" * 501}, ("TOO_LONG", "input.subject")),
        (None, {"kind": "CALL", "externalId": {"system": "", "value": "1"}}, ("BLANK", "input.externalId.system")),
    ],
)
async def test_what_cannot_be_recorded_is_refused_where_it_stands(house, customer, input, refused):
    """SM1: and a row of many at its row."""
    by = customer or {"id": await house.customer()}
    assert await house.refuses("interactionRecord", customer=by, input=input) == [refused]
    rows = [{"customer": by, "input": input}]
    assert await house.bulk("interactionsRecord", rows=rows) == [("FAILED", (refused[0], f"rows.0.{refused[1]}"))]


# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_order_is_the_same_by_source_and_number(house):
    """SM1, SB16: absent is left, null is cleared; it changes nothing of the customer's version."""
    customer, other = await house.customer(), await house.customer()
    key = {"source": "Shop", "number": "A-1"}
    given = {
        "status": "paid", "total": "10.5", "currency": "vnd", "placedAt": "2026-01-01T00:00:00Z",
        "lines": [{"sku": "x", "n": 2}],
    }  # fmt: skip
    shows = "order { id source number status total currency placedAt lines customer { id } }"

    async def put(input, by=customer):
        return await house.does("orderUpsert", shows, customer={"id": by}, input={**key, **input})

    made = await put(given)
    assert made["outcome"] == "CREATED"
    order = made["order"].pop("id")
    assert made["order"] == {
        **key, **given, "currency": "VND", "placedAt": "2026-01-01T00:00:00.000Z", "customer": {"id": customer},
    }  # fmt: skip
    assert [(await put(one))["outcome"] for one in (given, {}, {"status": "sent"})] == [
        "UNCHANGED", "UNCHANGED", "UPDATED",
    ]  # fmt: skip
    cleared = await put(dict.fromkeys(given))
    empty = dict.fromkeys(["status", "total", "currency", "lines"])
    assert cleared["order"] == {"id": order, **made["order"], **empty}
    assert (await put({}, other))["errors"][0]["code"] == "TAKEN"
    assert [one["path"] for one in (await put({}, other))["errors"]] == [["input", "number"]]
    assert (await put({"currency": "dollars"}))["errors"][0]["path"] == ["input", "currency"]
    assert (await house.shown(customer, "version orders { totalCount }")) == {
        "version": 1, "orders": {"totalCount": 1},
    }  # fmt: skip
    gone = await house.does("orderDelete", "order { id }", id=order)
    assert (gone["outcome"], gone["order"]) == ("DELETED", {"id": order})
    assert await house.refuses("orderDelete", id=order) == [("NOT_FOUND", "id")]
    assert (await put({}, other))["outcome"] == "CREATED"
    for name in key:
        blank = {**key, name: " "}
        assert await house.refuses("orderUpsert", customer={"id": customer}, input=blank) == [
            ("BLANK", f"input.{name}")
        ]


async def test_the_timeline_weaves_all_of_it_newest_first(house, note):
    """SM1, SM20: changes, notes, interactions and orders."""
    customer = await house.customer()
    await note(customer)
    await house.does("interactionRecord", customer={"id": customer}, input={"kind": "CALL"})
    await house.does("orderUpsert", customer={"id": customer}, input={"source": "line", "number": "1"})
    await house.does("customerUpdate", by={"id": customer}, input={"nickname": "x"})
    found = await house.shown(customer, "timeline(first: 20) { nodes { __typename } }")
    assert [one["__typename"] for one in found["timeline"]["nodes"]] == [
        "Change", "Order", "Interaction", "Note", "Change",
    ]  # fmt: skip

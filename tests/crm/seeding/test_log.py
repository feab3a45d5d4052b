"""What made-up customers are found by, and what the log tells of them."""

import re

import pytest

from db import tables
from db.queries import workspaces
from db.queries.customers import search_documents
from db.tables.enums import (
    ActorKind,
    ChangeAction,
    CustomerStage,
)
from db.values.folding import fold


def test_the_search_text_holds_every_part(customers, seeded, of):
    companies = {row.id: row.name for row in seeded[tables.Company]}
    tags = {row.id: row.name for row in seeded[tables.Tag]}
    for row in customers:
        parts = [row.name, row.nickname, row.real_name, companies.get(row.company_id)]
        parts += [row.address_line1, row.address_line2, row.city, row.region, row.postal_code, row.country]
        parts += [email.email for email in of(tables.CustomerEmail, row)]
        parts += [one.value for one in of(tables.CustomerExternalId, row)]
        parts += [tags[tag.tag_id] for tag in of(tables.CustomerTag, row)]
        parts += [note.body for note in of(tables.Note, row)]
        parts += [value.text for value in of(tables.CustomerValue, row)]
        lines = [fold(part) for part in parts if part]
        for phone in of(tables.CustomerPhone, row):
            lines += [phone.phone[1:], search_documents.national_number(phone.phone)]
        (found,) = of(tables.CustomerSearch, row)
        assert sorted(_lines(found.text)) == sorted(lines)


@pytest.mark.parametrize(
    ("phone", "national"),
    [
        ("+84901234567", "0901234567"),
        ("+447700900123", "07700900123"),
        ("+12025550123", "02025550123"),
        ("+85291234567", "091234567"),
        ("+35383123456", "083123456"),
    ],
)
def test_a_number_is_found_as_it_is_dialled_at_home(phone, national):
    assert _lines(search_documents.build_document(names=["Anna", None, None], phones=[phone])) == [
        "anna",
        phone[1:],
        national,
    ]


def test_a_line_of_the_document_is_one_value():
    document = search_documents.build_document(names=["Đỗ  Thị\nLan", None, None], notes=["Gọi lại\nmai"])
    assert _lines(document) == ["do thi lan", "goi lai mai"]


def _lines(document):
    """What stands in each section, one value a line; the marks between the sections are left out."""
    return [line for line in re.split(r"[\t\v\f\r\n\x1c-\x1f\x85\u2028\u2029]", document) if line]


def test_each_record_was_made_once(seeded):
    told = {change.node_id: change for change in seeded[tables.Change]}
    kinds = {tables.Customer: "Customer", tables.Company: "Company", tables.Tag: "Tag", tables.Agent: "Agent",
             tables.Department: "Department", tables.CustomField: "CustomField"}  # fmt: skip
    made = {row.id: (kinds[table], row.created_at) for table in kinds for row in seeded[table]}
    assert {node: (change.entity, change.at) for node, change in told.items()} == made
    assert sorted(change.seq for change in seeded[tables.Change]) == list(range(1, len(made) + 1))
    for change in told.values():
        assert (change.action, change.version, change.actor_kind) == (ChangeAction.CREATED, 1, ActorKind.SYSTEM)
        assert all(set(field) == {"field", "before", "after"} and field["before"] is None for field in change.fields)
        assert all(field["after"] not in (None, "", []) for field in change.fields)


async def test_the_counter_goes_on_behind_the_log(database, seeded):
    first = await database.write(1, lambda transaction: workspaces.take_change_numbers(transaction, 1))
    assert first == len(seeded[tables.Change]) + 1


def test_the_log_tells_the_customer_in_output_form(customers, seeded, of):
    told = {change.node_id: {one["field"]: one["after"] for one in change.fields} for change in seeded[tables.Change]}
    for row in customers:
        fields = told[row.id]
        phones = sorted(of(tables.CustomerPhone, row), key=lambda phone: phone.position)
        assert fields["name"] == row.name
        assert fields.get("phones", []) == [phone.phone for phone in phones]
        assert fields["stage"] == CustomerStage(row.stage).name
        assert fields.get("owner") == (row.owner_id and f"agt_{row.owner_id.hex()}")
        assert fields.get("company") == (row.company_id and f"com_{row.company_id.hex()}")
        worn = {f"tag_{tag.tag_id.hex()}" for tag in of(tables.CustomerTag, row)}
        assert set(fields.get("tags", [])) == worn
        assert len(fields.get("wechatFriends", [])) == len(of(tables.WechatFriend, row))

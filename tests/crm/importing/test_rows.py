"""Rows: matched, brought in by the rules of one upsert, each for itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crm.catalogue import file_columns
from crm.importing import mapping
from crm.importing.cells import CellFormat
from crm.importing.matching import ImportMatch, MatchKey
from crm.importing.rows import ImportPlan, OnDuplicate, import_rows
from db import tables
from db.tables.enums import ChangeAction, CustomerStage, CustomFieldType, Permission, Role, TagKind
from tests.support import factories

Bring = Callable[..., Awaitable[list[str]]]
UPDATE, CREATE, SKIP = OnDuplicate.UPDATE, OnDuplicate.CREATE, OnDuplicate.SKIP


@pytest.fixture
def brings(does, session) -> Bring:
    """Brings in rows under headers that are keys; what became of each, as “OUTCOME CODE:path …”."""

    async def done(
        headers: str,
        *rows: str,
        on: ImportMatch = ImportMatch.EMAIL,
        duplicate: OnDuplicate = SKIP,
        by: Any = None,
        **options: Any,
    ) -> list[str]:
        known = await file_columns.customer_columns(session)
        fields = mapping.suggest_mapping(headers.split(","), known, CellFormat())
        system = next((key.removeprefix("externalId.") for key in fields.names if key.startswith("externalId.")), None)
        plan = ImportPlan(fields, MatchKey(on, system, "VN"), duplicate, **options)
        cells = list(enumerate(row.split(",") for row in rows))
        found = await does(import_rows, plan, cells, **({"by": by} if by else {}))
        assert [one.row for one in found] == list(range(len(rows)))
        return [
            " ".join([one.outcome.name, *(f"{refused.code.name}:{'.'.join(refused.path)}" for refused in one.errors)])
            for one in found
        ]

    return done


async def test_new_customers_wait_to_be_assigned(brings, everything, log):
    assert await brings("name,email,phone,value", "An,an@x.example,+84 901 234 567,1.5", "Bình,,,") == ["CREATED"] * 2
    first, second = sorted(await everything(tables.Customer), key=lambda row: row.name)
    assert (first.email, first.phone, first.value) == ("an@x.example", "+84901234567", 15000)
    assert (first.stage, second.stage) == (CustomerStage.TO_BE_ASSIGNED,) * 2
    lines = [line for line in await log() if line.entity == "Customer"]
    assert [(line.action, line.row) for line in lines] == [(ChangeAction.CREATED, 0), (ChangeAction.CREATED, 1)]


@pytest.mark.parametrize(
    ("duplicate", "outcomes", "nickname"),
    [(SKIP, "SKIPPED", None), (UPDATE, "UPDATED", "Anna"), (CREATE, "CREATED", None)],
)
async def test_what_is_done_with_one_who_is_there(brings, save, everything, duplicate, outcomes, nickname):
    customer = factories.customer("An", email="an@x.example")
    await save(customer, factories.email(customer, "an@x.example"))
    assert await brings("name,email,nickname", "Ann,AN@X.example,Anna", duplicate=duplicate) == [outcomes]
    kept = next(row for row in await everything(tables.Customer) if row.id == customer.id)
    assert kept.nickname == nickname


async def test_a_blank_cell_never_wipes(brings, save, everything):
    customer = factories.customer("An", email="an@x.example", nickname="Nan", city="Huế")
    await save(customer, factories.email(customer, "an@x.example"))
    row = "An,an@x.example,, "
    assert await brings("name,email,nickname,address.city", row, duplicate=UPDATE) == ["UNCHANGED"]
    assert [(one.nickname, one.city) for one in await everything(tables.Customer)] == [("Nan", "Huế")]


async def test_matching_by_phone_in_any_notation(brings, save):
    customer = factories.customer("An", phone="+84901234567")
    await save(customer, factories.phone(customer, "+84901234567"))
    rows = ["Ann,+84-901-234-567", "Ann,+84 901234567"]
    found = await brings("name,phone", *rows, on=ImportMatch.PHONE, duplicate=UPDATE)
    assert found == ["UPDATED", "UNCHANGED"]


async def test_matching_by_an_id_elsewhere(brings, save, everything):
    customer = factories.customer("An")
    await save(customer, factories.external_id(customer, "erp", "7"), factories.external_id(customer, "shop", "s7"))
    rows = ["An,7", "Bình,8", "Bình,8"]
    found = await brings("name,externalId.erp", *rows, on=ImportMatch.EXTERNAL_ID, duplicate=UPDATE)
    assert found == ["UNCHANGED", "CREATED", "UNCHANGED"]
    assert len(await everything(tables.CustomerExternalId)) == 3


async def test_several_who_match_are_ambiguous(brings, save):
    for name in ("An", "Bình"):
        customer = factories.customer(name, email="both@x.example")
        await save(customer, factories.email(customer, "both@x.example"))
    assert await brings("name,email", "X,both@x.example", duplicate=UPDATE) == ["FAILED AMBIGUOUS:email"]


async def test_the_first_row_wins_where_duplicates_are_skipped(brings, everything):
    rows = ["An,a@x.example", "Bình,b@x.example", "An 2,A@x.example", "An 3,a@x.example"]
    assert await brings("name,email", *rows) == ["CREATED", "CREATED", "SKIPPED", "SKIPPED"]
    assert {row.name for row in await everything(tables.Customer)} == {"An", "Bình"}


async def test_a_row_means_whom_an_earlier_one_gave_a_second_address(brings, everything):
    rows = ["An,a@x.example;b@x.example,1", "Ann,B@x.example,2", "An,a@x.example,3"]
    assert await brings("name,emails,externalId.erp", *rows) == ["CREATED", "SKIPPED", "SKIPPED"]
    rows = ["B,,1;2", "Bình,,2"]
    found = await brings("name,emails,externalId.shop", *rows, on=ImportMatch.EXTERNAL_ID, duplicate=UPDATE)
    assert found == ["CREATED", "UPDATED"]


async def test_who_is_refused_holds_nothing_that_the_next_one_wants(brings, save, does):
    """SB10: rows stand alone. An id of the file's own rows is refused as any other, with whoever holds it."""
    other = factories.customer("Other")
    await save(other, factories.external_id(other, "erp", "7"))
    rows = ["An,8;7", "Bình,8", "Chi,8"]
    found = await brings("name,externalId.erp", *rows, on=ImportMatch.NONE)
    assert found == ["FAILED TAKEN:externalId.erp", "CREATED", "FAILED TAKEN:externalId.erp"]


async def test_a_refusal_names_the_column_or_the_argument(brings, save):
    """SM17: what is wrong with a row can be found in the file, or in what was asked for all rows."""
    archived = factories.customer("Old", email="old@x.example", archived_at=1)
    options = factories.custom_field("pick", CustomFieldType.SELECT, options=["red"])
    await save(
        archived,
        factories.email(archived, "old@x.example"),
        options,
        factories.tag("gold"),
        factories.external_id(archived, "erp", "7"),
    )
    rows = ["An,,gold;new,,", "B,,,,7", "C,,,blue,", "Old,old@x.example,,,"]
    headers = "name,email,tags,custom.pick,externalId.erp"
    found = await brings(headers, *rows, duplicate=UPDATE)
    assert found == [
        "CREATED",
        "FAILED TAKEN:externalId.erp",
        "FAILED INVALID:custom.pick",
        "FAILED CUSTOMER_ARCHIVED:",
    ]
    nobody = {"id": "tag_" + "0" * 32}
    found = await brings("name,tags", "D,gold", add_tags=[{"name": "gold"}, nobody])
    assert found == ["FAILED NOT_FOUND:input.addTags.1"]
    too_long = ["E,gold;" + "x" * 51]
    assert await brings("name,tags", *too_long) == ["FAILED TOO_LONG:tags.1"]


async def test_the_next_row_wins_where_the_first_one_failed(brings):
    rows = ["An,a@x.example,tomorrow", "An,a@x.example,", "An,a@x.example,"]
    assert await brings("name,email,birthDate", *rows) == ["FAILED INVALID:birthDate", "CREATED", "SKIPPED"]


async def test_rows_of_one_customer_apply_in_order(brings, everything, log):
    rows = ["An,a@x.example,one", "An,a@x.example,two", "An,a@x.example,two", "An,a@x.example,three"]
    found = await brings("name,email,nickname", *rows, duplicate=UPDATE)
    assert found == ["CREATED", "UPDATED", "UNCHANGED", "UPDATED"]
    assert [row.nickname for row in await everything(tables.Customer)] == ["three"]


async def test_a_row_stands_for_itself(brings, everything):
    rows = ["An,an@x.example,5", ",b@x.example,5", "C,no address,5", "D,,much", "E,,5,too much"]
    assert await brings("name,email,value", *rows) == [
        "CREATED",
        "FAILED BLANK:name",
        "FAILED INVALID:email",
        "FAILED INVALID:value",
        "FAILED INVALID:",
    ]
    assert len(await everything(tables.Customer)) == 1


async def test_tags_are_put_on_and_none_is_taken_off(brings, save, everything):
    customer, gold, wecom = (
        factories.customer("An", email="a@x.example"),
        factories.tag("gold"),
        factories.tag("chat", kind=TagKind.WECOM),
    )
    await save(customer, factories.email(customer, "a@x.example"), gold, wecom, factories.worn(customer, gold))
    await save(factories.worn(customer, wecom))
    headers, row = "name,email,tags", "An,a@x.example,"
    assert await brings(headers, row + "Gold; CHAT", duplicate=UPDATE) == ["UNCHANGED"]
    assert await brings(headers, row + "silver", duplicate=UPDATE, add_tags=[{"name": "imported"}]) == ["UPDATED"]
    assert {tag.name for tag in await everything(tables.Tag)} == {"gold", "chat", "silver", "imported"}
    assert len(await everything(tables.CustomerTag)) == 4


async def test_who_may_not_tag_can_import_what_is_so_already(brings, save, someone):
    customer, gold = factories.customer("An", email="a@x.example"), factories.tag("gold")
    await save(customer, factories.email(customer, "a@x.example"), gold, factories.worn(customer, gold))
    manager = someone(Role.MANAGER)
    rows = ["An,a@x.example,gold", "Bình,,gold"]
    found = await brings("name,email,tags", *rows, duplicate=UPDATE, by=manager)
    assert found == ["UNCHANGED", "FAILED FORBIDDEN:tags"]


async def test_a_company_by_its_name(brings, save, everything):
    one, two, three = factories.company("Cà Phê"), factories.company("Twice"), factories.company("twice")
    mine = factories.customer("Own", email="own@x.example", company_id=three.id)
    await save(one, two, three, mine, factories.email(mine, "own@x.example"))
    rows = ["An,,ca phe", "B,,Twice", "C,,Nowhere", "Own,own@x.example,TWICE"]
    assert await brings("name,email,company", *rows, duplicate=UPDATE) == [
        "CREATED",
        "FAILED AMBIGUOUS:company",
        "FAILED NOT_FOUND:company",
        "UNCHANGED",
    ]


async def test_an_id_names_the_customer(brings, save):
    customer = factories.customer("An")
    await save(customer)
    identifier = "cus_" + customer.id.hex()
    rows = [f"An,{identifier}", f"Ann,{identifier}", "X,cus_" + "0" * 32]
    assert await brings("name,id", *rows, duplicate=UPDATE) == ["UNCHANGED", "UPDATED", "FAILED NOT_FOUND:id"]


async def test_each_row_needs_its_permission(brings, save, someone):
    customer = factories.customer("An", email="a@x.example")
    await save(customer, factories.email(customer, "a@x.example"))
    reader = someone(Role.ADMIN, revoke=(Permission.CUSTOMER_CREATE,))
    rows = ["Ann,a@x.example", "B,b@x.example"]
    assert await brings("name,email", *rows, duplicate=UPDATE, by=reader) == ["UPDATED", "FAILED FORBIDDEN:"]


async def test_a_subscription_moves_as_by_hand(brings, save):
    customer = factories.customer("An", email="a@x.example")
    await save(customer, factories.email(customer, "a@x.example"))
    rows = ["An,a@x.example,SUBSCRIBED", "B,b@x.example,subscribed"]
    found = await brings("name,email,subscriptionStatus", *rows, duplicate=UPDATE)
    assert found == ["FAILED INVALID_TRANSITION:subscriptionStatus", "CREATED"]


async def test_statements_do_not_grow_with_the_rows(brings, sent):
    numbers = []
    for size in (2, 60):
        sent.clear()
        rows = [f"Name {size} {number},{size}.{number}@x.example,gold;t{number % 3}" for number in range(size)]
        assert set(await brings("name,email,tags", *rows)) == {"CREATED"}
        numbers.append(len(sent))
    assert numbers[1] <= numbers[0] + 1

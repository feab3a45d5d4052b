"""Made-up customers: the same for the same seed everywhere, and true to every rule that real ones obey."""

import re
from collections import Counter, defaultdict
from functools import partial

import phonenumbers
import pytest
from email_validator import validate_email
from sqlmodel import select

from crm import seeding
from crm.errors import ErrorCode, InputError
from crm.seeding import catalogue, chunks
from crm.seeding.locales import LOCALES
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import COLUMNS_BY_TABLE
from db import engine, tables
from db.statements import prepare as prepared
from db.tables.enums import (
    CustomerStage,
    CustomFieldType,
    EntityType,
    InteractionKind,
    InteractionOutcome,
    RelationshipStatus,
    Verification,
)
from db.values import ids
from db.values.folding import email_key, fold
from tests.crm.seeding.conftest import CUSTOMERS, FILLED, STAGES, everything, founded, printed, public_id, seed
from tests.support.databases import KINDS, require

# ── the same everywhere ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(300, id="one chunk"),
        pytest.param(2 * chunks.CUSTOMERS_PER_CHUNK + 100, id="chunks", marks=pytest.mark.long),
    ],
)
async def test_a_seed_makes_the_same_rows_on_every_database(databases, count):
    require("postgresql", databases)
    found = []
    for kind in KINDS:
        database = await engine.connect(await databases.fresh(kind))
        await seed(database, await founded(database), count)
        found.append(await everything(database))
        await database.close()
    for table in FILLED:
        first, second = ({printed(row) for row in rows[table]} for rows in found)
        assert first == second
        assert len(first) == len(found[0][table])
    assert len(found[0][tables.Customer]) == count


async def test_a_chunk_does_not_depend_on_those_before_it(database, monkeypatch):
    monkeypatch.setattr(chunks, "CUSTOMERS_PER_CHUNK", 40)
    await founded(database, 2)
    directory = (await database.session(None).fetch_all(prepared(select(tables.Directory))))[-1]
    prepare = partial(
        catalogue.prepare_workspace, directory=directory, customers=100, seed=1, until=seeding.SEED_TIME_MS
    )
    plan = await database.write(directory.workspace_id, prepare)
    alone = chunks.build_chunk(plan, 2)
    in_turn = [chunks.build_chunk(plan, number) for number in range(chunks.count_chunks(100))][2]
    assert all(alone.rows_of(table) == in_turn.rows_of(table) for table in COLUMNS_BY_TABLE)
    assert alone.changes == in_turn.changes
    assert len(alone.rows_of(tables.Customer)) == 20


async def test_nothing_is_later_than_the_moment_given(database):
    until = 1_700_000_000_000
    await seed(database, await founded(database, 3), 50, until=until)
    rows = await everything(database, 3)
    made = [row for rows in rows.values() for row in rows if hasattr(row, "created_at")]
    assert max(row.created_at for row in made) <= until
    assert max(row.updated_at for row in rows[tables.Customer]) <= until


# ── again, and more ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_seed_is_refused_a_second_time(database, seeded):
    with pytest.raises(InputError, match="already has the customers of seed 1; use another --seed") as refused:
        await seed(database, f"wsp_{public_id(1).hex()}", 10)
    assert refused.value.code is ErrorCode.TAKEN
    assert len((await everything(database))[tables.Change]) == len(seeded[tables.Change])


async def test_another_seed_adds_customers_who_wear_the_same_tags(database):
    workspace = await founded(database, 4)
    assert await seed(database, workspace, 30) == [(30, 30)]
    before = await everything(database, 4)
    await seed(database, workspace, 40, seed=2)
    rows = await everything(database, 4)
    assert len(rows[tables.Customer]) == 70
    assert all(len(rows[table]) == len(before[table]) > 10 for table in (tables.Tag, tables.CustomField))
    assert len({row.phone for row in rows[tables.CustomerPhone]}) > 60
    assert sorted(row.seq for row in rows[tables.Change]) == list(range(1, len(rows[tables.Change]) + 1))


@pytest.mark.parametrize("workspace", ["wsp_" + "0" * 32, "wsp_zz", "cus_" + "0" * 32, "", "1"])
async def test_an_unknown_workspace_is_refused(database, workspace):
    with pytest.raises(InputError, match="There is no workspace") as refused:
        await seed(database, workspace, 10)
    assert refused.value.code is ErrorCode.NOT_FOUND


async def test_no_customers_are_nothing(database):
    assert await seed(database, await founded(database, 5), 0) == []
    assert not any((await everything(database, 5)).values())


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ids_tell_when_records_were_made(seeded):
    made = [row for rows in seeded.values() for row in rows if hasattr(row, "created_at")]
    assert all(row.created_at == ids.id_time(row.id) <= seeding.SEED_TIME_MS for row in made)


def test_customers_come_in_the_order_of_their_making(customers):
    moments = [row.created_at for row in sorted(customers, key=lambda row: row.id)]
    assert moments == sorted(moments)
    assert seeding.SEED_TIME_MS - moments[0] > 2.5 * 365 * 86_400_000


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale.country)
def test_every_prefix_makes_valid_numbers(locale):
    dice = RandomSource("numbers")
    for prefixes, length in ((locale.mobiles, locale.mobile_length), (locale.landlines, locale.landline_length)):
        for prefix in prefixes:
            numbers = [phonenumbers.parse(dice.phone_number(prefix, length)) for _ in range(40)]
            assert all(phonenumbers.is_valid_number(number) for number in numbers), prefix
            assert phonenumbers.region_code_for_number(numbers[0]) == locale.country


def test_phones_are_valid_and_in_e164(seeded):
    phones = [row.phone for table in (tables.CustomerPhone, tables.Company) for row in seeded[table]]
    for phone in phones:
        number = phonenumbers.parse(phone)
        assert phonenumbers.is_valid_number(number), phone
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == phone


def test_e_mail_addresses_are_valid_and_reach_nobody(seeded):
    rows = [*seeded[tables.CustomerEmail], *seeded[tables.Agent]]
    for row in rows:
        assert validate_email(row.email, check_deliverability=False).normalized == row.email
        assert re.search(r"[@.](example|example\.(com|net|org))$", row.email)
        assert row.email_key == email_key(row.email)


def test_agents_have_an_address_on_the_server_but_no_password(seeded):
    accounts = {row.id: row for row in seeded[tables.Account]}
    assert len(accounts) == len(seeded[tables.Agent]) == 12
    assert all(accounts[row.id].email_key == row.email_key for row in seeded[tables.Agent])
    assert not any(row.password_hash for row in accounts.values())


def test_departments_are_a_tree_and_every_agent_works_in_one(seeded):
    departments = {row.id: row for row in seeded[tables.Department]}
    assert all(row.parent_id is None or row.parent_id in departments for row in departments.values())
    assert {row.parent_id and departments[row.parent_id].name for row in departments.values()} >= {"Sales", "Việt Nam"}
    first = {row.agent_id for row in seeded[tables.AgentDepartment] if row.position == 0}
    assert first == {row.id for row in seeded[tables.Agent]}


def test_names_are_written_in_the_order_of_their_country(customers, of):
    by_country = defaultdict(list)
    for row in customers:
        by_country[row.country].append(row)
    given = {locale.country: {*locale.women, *locale.men} for locale in LOCALES}
    vietnamese = [row.name.split()[-1] in given["VN"] for row in by_country["VN"]]
    italian = [row.name.split()[0] in given["IT"] for row in by_country["IT"]]
    assert sum(vietnamese) / len(vietnamese) > 0.8
    assert sum(italian) / len(italian) > 0.8


def test_cities_are_in_their_own_region_and_country(seeded):
    known = {(city.name, city.region, city.postal_code, one.country) for one in LOCALES for city in one.cities}
    for row in (*seeded[tables.Customer], *seeded[tables.Company]):
        place = (row.city, row.region, row.postal_code, row.country)
        assert place in known or place == (None, None, None, None)


def test_some_are_there_twice_under_another_name(customers, seeded):
    holders = defaultdict(set)
    for row in seeded[tables.CustomerPhone]:
        holders[row.phone].add(row.customer_id)
    names = {row.id: row.name for row in customers}
    twice = [{names[one] for one in those} for those in holders.values() if len(those) > 1]
    assert len(twice) >= CUSTOMERS * 0.006
    assert sum(len(different) > 1 for different in twice) > len(twice) / 2


# ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_owner_is_there_exactly_in_follow_up(customers, seeded):
    active = {row.id for row in seeded[tables.Agent] if row.active}
    for row in customers:
        following = row.stage == CustomerStage.FOLLOW_UP
        assert (row.owner_id is not None) == (row.owned_since is not None) == following
        assert row.owner_id is None or row.owner_id in active
        assert row.follow_up_stage is None or (following and row.follow_up_stage in STAGES)
        assert (row.previous_owner_id is not None and row.released_at is not None) or row.stage != CustomerStage.POOL
        assert row.verification != Verification.VALID or row.stage != CustomerStage.NEW
        assert row.previous_owner_id is None or row.previous_owner_id != row.owner_id
    assert len({row.stage for row in customers}) == len(CustomerStage)


def test_every_status_is_there_in_its_measure(customers, seeded):
    relationship = Counter(row.relationship_status for row in customers)
    assert relationship[RelationshipStatus.LEAD] > relationship[RelationshipStatus.CUSTOMER] > CUSTOMERS * 0.3
    assert 0 < relationship[RelationshipStatus.VIP] < CUSTOMERS * 0.06
    assert len({row.subscription_status for row in customers}) == 4
    assert 0 < sum(row.archived_at is not None for row in customers) < CUSTOMERS * 0.06
    assert 0 < len(seeded[tables.CustomerBlock]) < CUSTOMERS * 0.02
    assert 0 < len(seeded[tables.WechatFriend]) < CUSTOMERS * 0.2
    assert len({row.gender for row in customers}) == 4
    assert sum(row.company_id is not None for row in customers) > CUSTOMERS * 0.2
    assert any(row.name == "Samsung Đà Nẵng" for row in seeded[tables.Company])


@pytest.mark.parametrize(
    ("table", "each"),
    [
        (tables.CustomerTag, 3.1),
        (tables.Note, 0.5),
        (tables.Interaction, 1.2),
        (tables.Order, 0.55),
        (tables.CustomerValue, 2.0),
        (tables.CustomerPhone, 1.1),
        (tables.CustomerEmail, 0.85),
    ],
)
def test_what_hangs_on_customers_grows_with_them(seeded, table, each):
    assert len(seeded[table]) / CUSTOMERS == pytest.approx(each, rel=0.15)


def test_the_mirrors_equal_what_they_mirror(customers, seeded, of):
    tags = {row.id: row.name_key for row in seeded[tables.Tag]}
    for row in customers:
        phones = sorted(of(tables.CustomerPhone, row), key=lambda phone: phone.position)
        emails = sorted(of(tables.CustomerEmail, row), key=lambda email: email.position)
        worn = [tags[tag.tag_id] for tag in of(tables.CustomerTag, row)]
        assert [phone.position for phone in phones] == list(range(row.phone_count))
        assert [email.position for email in emails] == list(range(row.email_count))
        assert row.phone == (phones[0].phone if phones else None)
        assert (row.email, row.email_key) == ((emails[0].email, emails[0].email_key) if emails else (None, None))
        assert (row.tag_count, row.first_tag_key) == (len(worn), min(worn, default=None))
        happened = [one.occurred_at for one in of(tables.Interaction, row)]
        assert row.last_interaction_at == max(happened, default=None)


def test_keys_are_their_texts_folded(seeded):
    keys = {"name": "name_key", "nickname": "nickname_key", "real_name": "real_name_key", "body": "body_key",
            "text": "text_key", "domain": "domain_key"}  # fmt: skip
    for table in set(FILLED) - {tables.CustomerSearch}:
        pairs = [(text, key) for text, key in keys.items() if {text, key} <= set(table.__table__.columns.keys())]
        for row in seeded[table]:
            for text, key in pairs:
                written = getattr(row, text) or (getattr(row, "option", None) if key == "text_key" else None)
                assert (written and fold(written)) == getattr(row, key)


def test_what_happened_agrees_with_the_relationship(customers, of):
    counting = {
        (InteractionKind.PAYMENT, InteractionOutcome.PAID),
        (InteractionKind.APPOINTMENT, InteractionOutcome.ATTENDED),
        (InteractionKind.EVENT, InteractionOutcome.ATTENDED),
    }
    paid = []
    for row in customers:
        happened = of(tables.Interaction, row)
        counted = [
            one
            for one in happened
            if (one.kind, one.outcome) in counting or (one.kind == InteractionKind.MESSAGE and one.direction == 0)
        ]
        assert bool(counted) == (row.relationship_status != RelationshipStatus.LEAD)
        assert all(row.created_at <= one.occurred_at <= (row.archived_at or seeding.SEED_TIME_MS) for one in happened)
        assert all((one.amount is not None) == (one.kind == InteractionKind.PAYMENT) for one in happened)
        if counted:
            paid.append(any(one.outcome == InteractionOutcome.PAID for one in counted))
    assert sum(paid) / len(paid) > 0.7


def test_who_has_no_reseller_relationship_wears_no_tag(customers):
    without = [row for row in customers if not row.reseller_relationship]
    assert without
    assert not any(row.tag_count for row in without)


def test_values_stand_in_the_column_of_their_type(seeded):
    columns = {
        CustomFieldType.NUMBER: "number",
        CustomFieldType.BOOLEAN: "boolean",
        CustomFieldType.DATE: "date",
        CustomFieldType.DATE_TIME: "date_time",
        CustomFieldType.SELECT: "option",
        CustomFieldType.MULTI_SELECT: "option",
    }
    fields = {row.id: row for row in seeded[tables.CustomField]}
    used = Counter()
    for row in (*seeded[tables.CustomerValue], *seeded[tables.CompanyValue]):
        field = fields[row.field_id]
        used[field.entity, field.type] += 1
        typed = ("text", "number", "boolean", "date", "date_time", "option")
        held = [name for name in typed if getattr(row, name) is not None]
        assert held == [columns.get(field.type, "text")]
        assert row.option is None or row.option in field.options
        assert (row.unique_key is not None) == field.unique
        assert row.text is None or row.text_folded == row.text_key
    assert {type for entity, type in used if entity == EntityType.CUSTOMER} == set(CustomFieldType)

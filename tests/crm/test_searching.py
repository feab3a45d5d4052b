"""The text that customers are found by: revised where a part changes, and then just what it would be made anew."""

import random

from crm.bulk import requests
from crm.customers import loaded_customer, records, search_document
from crm.customers.loaded_customer import SEARCHED_PARTS
from db import tables
from db.tables.enums import EntityType, Role
from db.values import wire_format
from tests.crm.conftest import named
from tests.support import factories

SAMPLES = {
    "name": ("Đặng Thị Mai", "anna"),
    "nickname": ("Mèo", None),
    "real_name": ("Anna Ærø", None),
    "phones": (["+84901234567", "+390612345678"], []),
    "phone": ("+84987654321", None),
    "emails": (["Straße@example.com", "b@example.com"], []),
    "email": ("c@example.com", None),
    "address": ({"city": "Huế", "country": "Việt Nam"}, {"line1": "1 Via Roma"}, None),
    "external_ids": ([{"system": "erp", "value": "A-1"}], []),
    "tags": ({"add": [{"name": "gold"}]}, {"set": [{"name": "Bạc"}]}, {"remove": [{"name": "gold"}]}, None),
    "custom_fields": ([{"key": "motto", "value": "Đi đâu"}], [{"key": "motto", "value": None}]),
    "source": ("Fair",),
}


async def test_after_any_change_it_is_what_it_would_be_made_anew(does, save, viewer, everything):
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN), factories.tag("gold"), factories.tag("Bạc"))
    await save(factories.custom_field("motto"), company := factories.company("Phở 24"))
    given = SAMPLES | {"company": ({"id": wire_format.id_encoder("Company")(company.id)}, None)}
    dice = random.Random(5)
    customer = (await does(records.create, {"name": "Zoë", "emails": ["a@example.com"]})).customer
    for _ in range(40):
        chosen = dice.sample(sorted(given), dice.randint(1, 4))
        if {"phone", "phones"} <= set(chosen) or {"email", "emails"} <= set(chosen):
            continue
        await does(records.update, named(customer), {name: dice.choice(given[name]) for name in chosen})
        (kept,) = await everything(tables.CustomerSearch)
        assert kept.text == await does(_anew, customer.id), chosen


async def test_what_is_not_searched_leaves_it_alone(does, save, viewer, sent):
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
    customer = (await does(records.create, {"name": "Anna"})).customer
    sent.clear()
    await does(requests.update_customers, {"source": "Fair"}, {"ids": [named(customer)["id"]]}, None)
    assert not [text for text in sent if "customer_search" in text]


async def _anew(unit, identifier):
    (state,) = (await loaded_customer.load_customers(unit, [identifier], SEARCHED_PARTS)).values()
    return search_document.build_document(state, await unit.custom_fields(EntityType.CUSTOMER))

"""Companies: made, changed and deleted."""

import pytest

from crm.catalogue import companies
from crm.customers import records
from crm.errors import ConflictError, DuplicateError
from db import tables
from db.tables.enums import EntityType, Outcome
from tests.crm.conftest import named
from tests.support import factories


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        pytest.param({"name": " "}, ("BLANK", "input.name"), id="blank name"),
        pytest.param({"name": "x" * 201}, ("TOO_LONG", "input.name"), id="long name"),
        pytest.param({"name": "A", "domain": "no domain"}, ("INVALID", "input.domain"), id="no domain"),
        pytest.param({"name": "A", "phone": "12"}, ("INVALID", "input.phone"), id="no phone"),
        pytest.param({"name": "A", "owner": {"email": "x@y.example"}}, ("NOT_FOUND", "input.owner"), id="no agent"),
    ],
)
async def test_what_cannot_be_taken_is_refused_at_its_place(refuses, given, refusal):
    assert await refuses(companies.create, given) == refusal


async def test_a_company_is_made_with_all_that_belongs_to_it(does, save, log):
    await save(factories.custom_field("size", entity=EntityType.COMPANY), agent := factories.agent())
    given = {
        "name": "Đất Việt",
        "domain": "DV.example",
        "external_ids": [{"system": "erp", "value": "1"}],
        "address": {"city": "Huế"},
        "owner": named(agent),
        "custom_fields": [{"key": "size", "value": "big"}],
    }
    done = await does(companies.create, given)
    assert (done.outcome, done.company.domain_key, done.company.owner_id) == (Outcome.CREATED, "dv.example", agent.id)
    (line,) = await log(done.company)
    told = {one["field"]: one["after"] for one in line.fields}
    assert (told["externalId.erp"], told["address.city"], told["custom.size"]) == ("1", "Huế", "big")
    assert (await does(companies.update, {"domain": "dv.EXAMPLE"}, given)).outcome is Outcome.UNCHANGED


async def test_domains_and_external_ids_belong_to_one(does, refuses):
    first = (
        await does(
            companies.create,
            {"name": "A", "domain": "a.example", "external_ids": [{"system": "erp", "value": "1"}]},
        )
    ).company
    with pytest.raises(DuplicateError) as refused:
        await does(companies.create, {"name": "B", "domain": "A.example"})
    assert (refused.value.existing.id, refused.value.path) == (first.id, ("input", "domain"))
    given = {"name": "B", "external_ids": [{"system": "erp", "value": "1"}]}
    assert await refuses(companies.create, given) == ("TAKEN", "input.externalIds.0.value")


async def test_another_version_than_expected_is_a_conflict(does, save):
    await save(company := factories.company())
    assert (await does(companies.update, named(company), {"name": "B"}, if_version=1)).company.version == 2
    with pytest.raises(ConflictError):
        await does(companies.update, named(company), {"name": "C"}, if_version=1)


async def test_its_customers_are_found_by_its_new_name(does, everything):
    made = (await does(companies.create, {"name": "Old"})).company
    await does(records.create, {"name": "An", "company": named(made)})
    await does(companies.update, named(made), {"name": "Mới"})
    assert (await everything(tables.CustomerSearch))[0].text.split() == ["an", "moi"]


async def test_one_with_customers_is_deleted_only_when_they_are_detached(does, refuses, save, everything, log):
    await save(company := factories.company())
    made = (await does(records.create, {"name": "An", "company": named(company)})).customer
    assert await refuses(companies.delete, named(company), detach=False) == ("COMPANY_HAS_CUSTOMERS", "by")
    assert (await does(companies.delete, named(company), detach=True)).outcome is Outcome.DELETED
    (customer,) = await everything(tables.Customer)
    assert (customer.company_id, customer.version) == (None, 2)
    assert [one["field"] for one in (await log(made))[-1].fields] == ["company"]


@pytest.mark.parametrize("by", [{"domain": "A.example"}, {"external_id": {"system": "erp", "value": "1"}}])
async def test_an_upsert_keeps_its_reference(does, everything, by):
    outcomes = [(await does(companies.upsert, by, {"name": name})).outcome for name in ("A", "B", "B")]
    assert outcomes == [Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED]
    assert len(await everything(tables.Company)) == 1

"""A read asks its tables for what the answer shows, and for nothing else."""

import logging
from typing import Any

import pytest

from crm import settings
from tests.support import factories

pytestmark = pytest.mark.skipif(settings.read_settings().engine == "reference", reason="graphql-core reads all columns")


@pytest.fixture
async def people(save: Any) -> None:
    agent, company = factories.agent("Trần Bình", email="binh@clientela.example"), factories.company("Samsung")
    one = factories.customer("An", email="an@samsung.example", owner_id=agent.id, previous_owner_id=agent.id)
    other = factories.customer("Bo", company_id=company.id, owner_id=agent.id)
    gold, chat = factories.tag("gold", color="#ffcc00"), factories.tag("chat", kind=1)
    await save(agent)
    await save(company)
    await save(one, other)
    await save(gold, chat)
    await save(factories.worn(one, gold), factories.worn(one, chat))


def columns(statement: str) -> set[str]:
    return {each.strip() for each in statement.removeprefix("SELECT ").partition("\nFROM")[0].split(",")}


async def test_a_list_reads_what_it_shows_and_the_ids(ask: Any, people: None, sent: list[str]) -> None:
    await ask("{ customers { nodes { name } } }")
    assert [columns(each) for each in sent] == [{"customer.id", "customer.name"}]


async def test_a_relation_reads_what_it_shows_and_what_it_is_found_by(ask: Any, people: None, sent: list[str]) -> None:
    answer = await ask("{ customers { nodes { owner { name } tags { color } } } }")
    assert [node["owner"]["name"] for node in answer["customers"]["nodes"]] == ["Trần Bình"] * 2
    first, *others = map(columns, sent)
    assert first == {"customer.id", "customer.owner_id"}
    # Relations are read at once, and either may be answered first.
    assert sorted(map(sorted, others)) == [
        ["agent.id", "agent.name"],
        ["customer_tag.customer_id", "tag.color", "tag.id", "tag.kind"],
    ]


async def test_edges_and_nodes_read_together(ask: Any, people: None, sent: list[str]) -> None:
    await ask("{ customers { nodes { name } edges { cursor node { phone company { id } } } pageInfo { endCursor } } }")
    assert columns(sent[0]) == {"customer.id", "customer.name", "customer.phone", "customer.company_id"}


async def test_a_row_with_few_columns_does_not_do_for_a_field_that_shows_more(ask: Any, people: None) -> None:
    answer = await ask("{ customers(last: 1) { nodes { owner { name } previousOwner { name email active } } } }")
    assert answer["customers"]["nodes"] == [
        {
            "owner": {"name": "Trần Bình"},
            "previousOwner": {"name": "Trần Bình", "email": "binh@clientela.example", "active": True},
        }
    ]


async def test_a_row_of_which_nothing_is_shown_does_not_do_for_another_field(
    ask: Any, people: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "clientela.engine"):
        await ask("{ customers { nodes { owner { __typename } previousOwner { name updatedAt } } } }")
    assert not caplog.records


async def test_what_a_field_looks_at_itself_is_read_as_well(
    ask: Any, people: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "clientela.engine"):
        answer = await ask("{ customers(last: 1) { nodes { tags(kind: WECOM) { name } } } }")
    assert answer["customers"]["nodes"] == [{"tags": [{"name": "chat"}]}]
    assert not caplog.records

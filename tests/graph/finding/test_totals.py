"""Totals and groups: of exactly what the list finds, run when they are selected and not otherwise."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crm import settings
from db import tables
from db.tables.enums import CustomerStage, CustomFieldType, Gender
from tests.support import factories


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
async def world(save: Any) -> None:
    gold, silver = factories.tag("gold"), factories.tag("silver")
    points = factories.custom_field("points", CustomFieldType.NUMBER)
    one = factories.customer(
        "one", value=15_000, phone_count=2, gender=Gender.MALE, created_at=at("2026-01-31T20:00:00")
    )
    two = factories.customer(
        "two", value=25_000, email_count=1, created_at=at("2026-02-01T00:00:00"), stage=CustomerStage.POOL
    )
    three = factories.customer("three", value=0, archived_at=1, created_at=at("2026-05-01T00:00:00"))
    await save(gold, silver, points, one, two, three)
    await save(factories.worn(one, gold), factories.worn(one, silver), factories.worn(two, gold))
    await save(factories.value(one, points, number=1.5), factories.value(three, points, number=9.0))


async def test_an_aggregate_is_of_the_whole_match(ask, world):
    """SM14."""
    answer = await ask(
        """{ customers(first: 1) { aggregate { count phoneCount emailCount value { sum avg min max countNull }
             createdAt { min max } customField(key: "points") { sum avg min max countNull } } }
             none: customers(filter: {or: []}) { aggregate { count value { sum avg min countNull } createdAt { min }
               customField(key: "points") { sum avg countNull } } } }"""
    )
    assert answer["customers"]["aggregate"] == {
        "count": 2,
        "phoneCount": 2,
        "emailCount": 1,
        "value": {"sum": "4", "avg": "2", "min": "1.5", "max": "2.5", "countNull": 0},
        "createdAt": {"min": "2026-01-31T20:00:00.000Z", "max": "2026-02-01T00:00:00.000Z"},
        "customField": {"sum": "1.5", "avg": "1.5", "min": "1.5", "max": "1.5", "countNull": 1},
    }
    assert answer["none"]["aggregate"] == {
        "count": 0,
        "value": {"sum": "0", "avg": None, "min": None, "countNull": 0},
        "createdAt": {"min": None},
        "customField": {"sum": "0", "avg": None, "countNull": 0},
    }


async def test_groups_by_field_tag_and_calendar_are_the_largest_first(ask, world):
    """SM14."""
    document = """{ customers {
      tags: groups(by: [{field: TAG}]) { keys { label node { ... on Tag { name } } } aggregate { count value { sum } } }
      genders: groups(by: [{field: GENDER}, {field: STAGE}]) { keys { value } aggregate { count } }
      months: groups(by: [{createdAt: MONTH}]) { keys { value label } aggregate { count } }
      points: groups(by: [{customField: "points"}], first: 1) { keys { value } aggregate { count } }
    } }"""
    answer = (await ask(document))["customers"]
    assert [
        (one["keys"][0]["label"], one["aggregate"]["count"], one["aggregate"]["value"]["sum"]) for one in answer["tags"]
    ] == [
        ("gold", 2, "4"),
        ("silver", 1, "1.5"),
    ]
    assert answer["tags"][0]["keys"][0]["node"] == {"name": "gold"}
    assert [[key["value"] for key in one["keys"]] for one in answer["genders"]] == [
        ["MALE", "TO_BE_ASSIGNED"],
        [None, "POOL"],
    ]
    assert [(one["keys"][0]["value"], one["keys"][0]["label"]) for one in answer["months"]] == [
        ("2026-01-01", "2026-01"),
        ("2026-02-01", "2026-02"),
    ]
    assert answer["points"] == [{"keys": [{"value": "1.5"}], "aggregate": {"count": 1}}]


async def test_tags_of_everybody_are_counted_from_their_index(ask, save, sent):
    """Archived ones are left out, who wears none is a group of his own, and so many groups are told as are wanted."""
    tags = [factories.tag("gold"), factories.tag("silver"), factories.tag("of archived ones")]
    worn = [[0, 1], [0], [0], [], [0, 1, 2], [2]]
    people = [factories.customer(tag_count=len(each), archived_at=1 if 2 in each else None) for each in worn]
    await save(*tags)
    await save(*people)
    links = [factories.worn(one, tags[place]) for one, each in zip(people, worn, strict=True) for place in each]
    await save(*links)
    groups = "groups(by: [{field: TAG}], first: 2) { keys { label } aggregate { count } }"
    sent.clear()
    answer = await ask(f"{{ all: customers {{ {groups} }} }}")
    if settings.read_settings().engine != "reference":
        assert "tag_count = " in " ".join(sent)
    assert [(one["keys"][0]["label"], one["aggregate"]["count"]) for one in answer["all"]["groups"]] == [
        ("gold", 3), ("silver", 1),
    ]  # fmt: skip
    groups = groups.replace(", first: 2", "")
    answer = await ask(
        f"""{{ all: customers {{ {groups} }} asked: customers(filter: {{name: {{ne: "?"}}}}) {{ {groups} }}
          archived: customers(archived: INCLUDE) {{ {groups} }} }}"""
    )
    assert answer["all"] == answer["asked"]
    assert len(answer["all"]["groups"]) == 3
    assert len(answer["archived"]["groups"]) == 4


async def test_a_day_begins_where_the_workspace_is(ask, database, viewer, world):
    """20:00 in UTC is the next day in Đà Nẵng."""

    async def moved(transaction: Any) -> None:
        from sqlalchemy import update

        from db.statements import in_workspace, prepare

        await transaction.execute(
            prepare(update(tables.Workspace).where(in_workspace(tables.Workspace)).values(timezone="Asia/Ho_Chi_Minh"))
        )

    await database.write(viewer.workspace_id, moved)
    answer = await ask("{ customers { groups(by: [{createdAt: DAY}]) { keys { value } aggregate { count } } } }")
    assert answer["customers"]["groups"] == [{"keys": [{"value": "2026-02-01"}], "aggregate": {"count": 2}}]


@pytest.mark.parametrize(
    ("selected", "statements"),
    [
        pytest.param("nodes { name } pageInfo { hasNextPage } edges { cursor }", 1, id="a page"),
        pytest.param("totalCount", 1, id="a count"),
        pytest.param("aggregate { count value { sum } }", 1, id="an aggregate"),
        pytest.param("nodes { name } totalCount aggregate { count }", 3, id="all of them"),
    ],
)
async def test_each_runs_only_when_it_is_selected(ask, world, sent, selected, statements):
    sent.clear()
    await ask("{ customers(filter: {relationshipStatus: {eq: LEAD}}) { " + selected + " } }")
    assert len(sent) == statements


@pytest.mark.parametrize(
    ("selected", "absent", "present"),
    [
        pytest.param("count", ["sum(", "min("], ["count("], id="how many"),
        pytest.param("count phoneCount", ["email_count", "min("], ["sum(customer.phone_count)"], id="phones"),
        pytest.param("value { avg }", ["phone_count", "created_at)"], ["sum(", "min(customer.value)"], id="money"),
        pytest.param("...all", ["phone_count"], ["min(customer.created_at)"], id="in a fragment"),
    ],
)
@pytest.mark.skipif(
    settings.read_settings().engine == "reference", reason="graphql-core does not tell what is selected"
)
@pytest.mark.parametrize("field", ["aggregate", "groups(by: [{field: STAGE}]) { keys { value } aggregate"])
async def test_only_what_is_selected_is_added_up(ask, world, sent, field, selected, absent, present):
    sent.clear()
    fragment = "fragment all on CustomerAggregate { createdAt { max } }" if "..." in selected else ""
    await ask(f"{{ customers {{ {field} {{ {selected} }} }} }}{' }' * field.count('{ keys')} {fragment}")
    statement = sent[-1]
    assert [text for text in present if text not in statement] == []
    assert [text for text in absent if text in statement] == []


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        pytest.param([], "INVALID", id="no key"),
        pytest.param([{"field": "STAGE"}] * 4, "LIMIT_EXCEEDED", id="too many keys"),
        pytest.param([{"customField": "shoe"}], "FIELD_UNKNOWN", id="an unknown field"),
    ],
)
async def test_groups_that_cannot_be_made_are_refused(refused, by, reason):
    document = "query ($by: [CustomerGroupBy!]!) { customers { groups(by: $by) { aggregate { count } } } }"
    assert (await refused(document, by=by))["reason"] == reason

"""What cannot be asked is refused with the path to it, and with the limit where there is one."""

from typing import Any

import pytest

from db.tables.enums import CustomFieldType
from tests.support import factories

LIST = """query ($filter: CustomerFilter, $sort: [CustomerSort!], $search: String, $first: Int, $last: Int,
                $after: String) {
  customers(filter: $filter, sort: $sort, search: $search, first: $first, last: $last, after: $after) {
    nodes { name } pageInfo { endCursor }
  }
}"""


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"name": {"eq": "An"}}
    for _ in range(depth - 1):
        found = {"not": found}
    return found


@pytest.mark.parametrize(
    ("asked", "reason", "limit", "path"),
    [
        pytest.param({"filter": None}, "INVALID", None, "filter", id="a null for the whole filter"),
        pytest.param({"filter": {"name": None}}, "INVALID", None, "filter.name", id="a null inside"),
        pytest.param(
            {"filter": {"or": [{"city": {"eq": None}}]}},
            "INVALID",
            None,
            "filter.or.0.city.eq",
            id="a null deep inside",
        ),
        pytest.param({"filter": nested(9)}, "LIMIT_EXCEEDED", 8, "filter" + ".not" * 8, id="too deep"),
        pytest.param(
            {"filter": {"or": [{"name": {"eq": str(number)}} for number in range(101)]}},
            "LIMIT_EXCEEDED",
            100,
            "filter.or.100.name.eq",
            id="too many predicates",
        ),
        pytest.param(
            {"filter": {"id": {"in": ["cus_0"] * 1_001}}}, "LIMIT_EXCEEDED", 1_000, "filter.id.in", id="too many values"
        ),
        pytest.param(
            {"filter": {"tags": {"only": ["tag_0"] * 1_001}}},
            "LIMIT_EXCEEDED",
            1_000,
            "filter.tags.only",
            id="too many ids",
        ),
        pytest.param(
            {"filter": {"customFields": [{"key": "shoe", "is": {"text": {"eq": "42"}}}]}},
            "FIELD_UNKNOWN",
            None,
            "filter.customFields.0.key",
            id="an unknown field",
        ),
        pytest.param(
            {"filter": {"customFields": [{"key": "off", "is": {"text": {"eq": "42"}}}]}},
            "FIELD_UNKNOWN",
            None,
            "filter.customFields.0.key",
            id="a field that is switched off",
        ),
        pytest.param(
            {"filter": {"customFields": [{"key": "points", "is": {"text": {"eq": "42"}}}]}},
            "INVALID",
            None,
            "filter.customFields.0.is.text",
            id="a field of another type",
        ),
        pytest.param(
            {"sort": [{"customField": {"key": "shoe"}}]},
            "FIELD_UNKNOWN",
            None,
            "sort.0.customField.key",
            id="an unknown sort",
        ),
        pytest.param({"sort": [{"name": "ASC"}] * 11}, "LIMIT_EXCEEDED", 10, "sort", id="too many keys"),
        pytest.param({"search": "x" * 201}, "LIMIT_EXCEEDED", 200, "search", id="too long a search"),
        pytest.param({"first": 251}, "LIMIT_EXCEEDED", 250, None, id="too large a page"),
        pytest.param({"first": 0}, "INVALID", None, None, id="an empty page"),
        pytest.param({"first": -1}, "INVALID", None, None, id="a page of less than nothing"),
        pytest.param({"first": 1, "last": 1}, "INVALID", None, None, id="both ends at once"),
        pytest.param({"after": "AAAA"}, "BAD_CURSOR", None, "after", id="no cursor"),
    ],
)
async def test_a_question_that_cannot_be_asked_names_where_and_why(refused, save, asked, reason, limit, path):
    await save(factories.custom_field("points", CustomFieldType.NUMBER), factories.custom_field("off", active=False))
    error = await refused(LIST, **asked)
    assert (error["code"], error["reason"], error.get("limit")) == ("BAD_USER_INPUT", reason, limit)
    if path is not None:
        assert ".".join(error["argumentPath"]) == path
        assert path.split(".")[0] in error["message"] or reason != "INVALID"
    if limit is not None:
        assert f"{limit:,}".replace(",", "") in error["message"].replace(" ", "")


async def test_eight_deep_and_a_hundred_predicates_are_answered(ask, save):
    await save(factories.customer("An"))
    answer = await ask(LIST, filter=nested(8))
    assert [node["name"] for node in answer["customers"]["nodes"]] == []
    many = {"or": [{"name": {"eq": name}} for name in ["An", *map(str, range(99))]]}
    assert [node["name"] for node in (await ask(LIST, filter=many))["customers"]["nodes"]] == ["An"]


async def test_a_cursor_of_another_sort_is_refused_and_of_another_filter_taken(ask, refused, save):
    await save(*(factories.customer(name, value=number * 10_000) for number, name in enumerate("abcd")))
    by_value = [{"value": "DESC"}]
    page = (await ask(LIST, sort=by_value, first=2))["customers"]
    assert [node["name"] for node in page["nodes"]] == ["d", "c"]
    cursor = page["pageInfo"]["endCursor"]
    for other in ([{"value": "ASC"}], [{"name": "DESC"}], [{"value": "DESC"}, {"name": "ASC"}], None):
        error = await refused(LIST, sort=other, after=cursor)
        assert error["reason"] == "BAD_CURSOR"
    narrowed = await ask(LIST, sort=by_value, after=cursor, filter={"name": {"in": ["a", "d"]}})
    assert [node["name"] for node in narrowed["customers"]["nodes"]] == ["a"]


async def test_a_cursor_that_was_tampered_with_is_refused(ask, refused, save):
    await save(*(factories.customer(name) for name in "ab"))
    cursor = (await ask(LIST, sort=[{"name": "ASC"}], first=1))["customers"]["pageInfo"]["endCursor"]
    for place in range(0, len(cursor), 3):
        forged = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert (await refused(LIST, sort=[{"name": "ASC"}], after=forged))["reason"] == "BAD_CURSOR"

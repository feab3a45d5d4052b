"""150 tags a customer, by every way in: the 151st is refused, with the number that was refused (MS2)."""

import pytest

from graph.ids import wire
from tests import make

ERRORS = "errors { __typename code path ... on LimitError { limit current } }"
ROWS = f"{{ job {{ rows {{ nodes {{ outcome {ERRORS} }} }} }} {ERRORS} }}"
ONE = f"{{ customer {{ tags {{ id }} }} outcome {ERRORS} }}"
WAYS = {
    "update": (
        f"mutation ($by: CustomerRef!, $input: CustomerInput!) {{ customerUpdate(by: $by, input: $input) {ONE} }}",
        lambda id, input: {"by": {"id": id}, "input": input},
        ["input", "tags"],
    ),
    "upsert": (
        f"mutation ($by: CustomerRef!, $input: CustomerInput!) {{ customerUpsert(by: $by, input: $input) {ONE} }}",
        lambda id, input: {"by": {"id": id}, "input": input},
        ["input", "tags"],
    ),
    "create": (
        f"mutation ($input: CustomerInput!) {{ customerCreate(input: $input) {ONE} }}",
        lambda id, input: {"input": {"name": "New", **input}},
        ["input", "tags"],
    ),
    "many alike": (
        f"""mutation ($target: CustomerTarget!, $input: CustomerInput!) {{
          customersUpdate(target: $target, input: $input) {ROWS} }}""",
        lambda id, input: {"target": {"ids": [id]}, "input": input},
        ["input", "tags"],
    ),
    "row by row": (
        f"mutation ($rows: [CustomerRow!]!) {{ customersUpsert(rows: $rows) {ROWS} }}",
        lambda id, input: {"rows": [{"by": {"id": id}, "input": input}]},
        ["rows", "0", "input", "tags"],
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_150_are_worn_and_151_are_refused(ask, save, way):
    document, given, path = WAYS[way]
    customer = make.customer()
    worn = [make.tag(f"t{place:03}", kind=place % 2) for place in range(149)]
    last, over = make.tag("last"), make.tag("over")
    await save(customer, *worn, last, over, *(make.worn(customer, tag) for tag in worn))
    all_ = [{"id": wire("Tag")(tag.id)} for tag in (*worn, last, over)]
    own = [*all_[149:]] if way != "create" else all_
    refused = _told(await ask(document, **given(wire("Customer")(customer.id), {"tags": {"add": own}})))
    assert refused == [
        {"__typename": "LimitError", "code": "LIMIT_EXCEEDED", "path": path, "limit": 150, "current": 151}
    ]
    assert await _worn(ask, customer) == 149
    assert _told(await ask(document, **given(wire("Customer")(customer.id), {"tags": {"add": own[:-1]}}))) == []
    assert await _worn(ask, customer) == (149 if way == "create" else 150)


def _told(answer):
    """The errors of the only customer."""
    (value,) = answer.values()
    rows = value["job"]["rows"]["nodes"] if value.get("job") else []
    return [*value["errors"], *(one for row in rows for one in row["errors"])]


async def _worn(ask, customer):
    found = await ask("query ($id: ID!) { customer(by: {id: $id}) { tags { id } } }", id=wire("Customer")(customer.id))
    return len(found["customer"]["tags"])

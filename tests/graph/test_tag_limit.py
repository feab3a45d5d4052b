"""150 tags a customer, by every way in: the 151st is refused, with the number that was refused (MS2)."""

import pytest

from crm.files import storage, uploads
from db.values import ids
from graph.types.ids import id_encoder
from tests.support import factories

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
    customer = factories.customer()
    worn = [factories.tag(f"t{place:03}", kind=place % 2) for place in range(149)]
    last, over = factories.tag("last"), factories.tag("over")
    await save(customer, *worn, last, over, *(factories.worn(customer, tag) for tag in worn))
    all_ = [{"id": id_encoder("Tag")(tag.id)} for tag in (*worn, last, over)]
    own = [*all_[149:]] if way != "create" else all_
    refused = _told(await ask(document, **given(id_encoder("Customer")(customer.id), {"tags": {"add": own}})))
    assert refused == [
        {"__typename": "LimitError", "code": "LIMIT_EXCEEDED", "path": path, "limit": 150, "current": 151}
    ]
    assert await _worn(ask, customer) == 149
    assert _told(await ask(document, **given(id_encoder("Customer")(customer.id), {"tags": {"add": own[:-1]}}))) == []
    assert await _worn(ask, customer) == (149 if way == "create" else 150)


@pytest.mark.parametrize("made", [False, True], ids=["an import that updates", "an import that makes"])
async def test_150_are_worn_and_151_are_refused_by_import_too(ask, save, send, made):
    """MS2, SM17: in a cell and by `addTags` together; the row is FAILED with the refused number, the others go on."""
    customer = factories.customer()
    worn = [factories.tag(f"t{place:03}", kind=place % 2) for place in range(149)]
    last, over = factories.tag("last"), factories.tag("over")
    own = [factories.worn(customer, tag) for tag in worn]
    await save(customer, *worn, last, over, *own, factories.external_id(customer, "erp", "1"))
    cell = "; ".join(tag.name for tag in worn) + "; last" if made else "last"
    upload = await send(f"name,erp,tags\nAn,{2 if made else 1},{cell}\nBo,3,last\n".encode())
    columns = {"name": "name", "erp": "externalId.erp", "tags": "tags"}
    given = {
        "upload": upload, "matchOn": "EXTERNAL_ID", "onDuplicate": "UPDATE",
        "mapping": [{"header": one, "field": field} for one, field in columns.items()],
    }  # fmt: skip
    document = f"mutation ($input: ImportInput!) {{ customersImport(input: $input) {ROWS} }}"
    added = {**given, "addTags": [{"name": "over"}]}
    (error,) = _told(await ask(document, input=added))
    assert (error["__typename"], error["code"], error["limit"], error["current"]) == (
        "LimitError", "LIMIT_EXCEEDED", 150, 151,
    )  # fmt: skip
    assert await _worn(ask, customer) == 149
    assert _told(await ask(document, input=given)) == []
    assert await _worn(ask, customer) == (149 if made else 150)


@pytest.fixture
def send(database, viewer, tmp_path):
    """Takes a file in."""
    kept = storage.Storage(tmp_path, b"a secret that nobody guesses")
    storage.attach_storage(database, kept)

    async def sent(content):
        identifier = ids.new_id()
        relative, path = kept.new_path("uploads", identifier)
        path.write_bytes(content)
        return await uploads.store_upload(database, viewer, identifier, name="x", size=len(content), path=relative)

    return sent


def _told(answer):
    """The errors of the only customer."""
    (value,) = answer.values()
    rows = value["job"]["rows"]["nodes"] if value.get("job") else []
    return [*value["errors"], *(one for row in rows for one in row["errors"])]


async def _worn(ask, customer):
    found = await ask(
        "query ($id: ID!) { customer(by: {id: $id}) { tags { id } } }", id=id_encoder("Customer")(customer.id)
    )
    return len(found["customer"]["tags"])

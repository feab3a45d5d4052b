"""Mutations over GraphQL: payloads, the kinds of errors, and what is seen right afterwards."""

import pytest

from db import tables
from db.tables.enums import CustomerStage, Permission, Role, SubscriptionStatus
from db.values import ids
from db.values.wire_format import id_encoder
from tests.support import factories

UPDATE = """
mutation($id: ID!, $input: CustomerInput!, $version: Int) {
  customerUpdate(by: {id: $id}, input: $input, ifVersion: $version) {
    outcome
    customer { name version phones tags { name } owner { name } }
    errors {
      __typename code path row message
      ... on LimitError { limit current }
      ... on TransitionError { from to allowed }
      ... on ConflictError { record { __typename id version } }
      ... on DuplicateError { existing { __typename id } }
    }
  }
}
"""


@pytest.fixture
def updates(ask):
    async def done(customer, input, version=None, **more):
        found = await ask(UPDATE, id=id_encoder("Customer")(customer.id), input=input, version=version, **more)
        return found["customerUpdate"]

    return done


def _error(payload):
    assert (payload["outcome"], payload["customer"]) == ("FAILED", None)
    (error,) = payload["errors"]
    assert error.pop("message")
    return error


async def test_what_was_written_is_in_the_payload(updates, save):
    await save(customer := factories.customer())
    done = await updates(customer, {"name": "Bo", "phones": ["+84901234567"], "tags": {"add": [{"name": "gold"}]}})
    assert done == {
        "outcome": "UPDATED",
        "customer": {
            "name": "Bo",
            "version": 2,
            "phones": ["+84901234567"],
            "tags": [{"name": "gold"}],
            "owner": None,
        },
        "errors": [],
    }


async def test_a_value_that_cannot_be_taken_is_an_input_error(updates, save):
    await save(customer := factories.customer())
    error = _error(await updates(customer, {"emails": ["nobody"]}))
    assert error == {"__typename": "InputError", "code": "INVALID", "path": ["input", "emails", "0"], "row": None}


async def test_more_than_allowed_is_a_limit_error(updates, save):
    """MS2."""
    await save(customer := factories.customer())
    error = _error(await updates(customer, {"tags": {"add": [{"name": f"t{number}"} for number in range(151)]}}))
    assert (error["__typename"], error["code"], error["limit"], error["current"]) == (
        "LimitError",
        "LIMIT_EXCEEDED",
        150,
        151,
    )


async def test_a_move_that_is_not_allowed_is_a_transition_error(updates, save):
    """EM9."""
    await save(customer := factories.customer(subscription_status=SubscriptionStatus.DELETED))
    error = _error(await updates(customer, {"subscriptionStatus": "SUBSCRIBED"}))
    assert error == {
        "__typename": "TransitionError",
        "code": "INVALID_TRANSITION",
        "path": ["input", "subscriptionStatus"],
        "row": None,
        "from": "DELETED",
        "to": "SUBSCRIBED",
        "allowed": [],
    }


async def test_another_version_is_a_conflict_error_with_the_record(updates, save):
    """SM20."""
    await save(customer := factories.customer(version=4))
    error = _error(await updates(customer, {"name": "Bo"}, version=3))
    assert error["record"] == {"__typename": "Customer", "id": id_encoder("Customer")(customer.id), "version": 4}
    assert (error["__typename"], error["code"], error["path"]) == ("ConflictError", "CONFLICT", ["ifVersion"])


async def test_a_value_that_is_held_is_a_duplicate_error_with_the_holder(updates, save):
    one, other = factories.customer(), factories.customer()
    await save(one, other, factories.external_id(one, "erp", "1"))
    error = _error(await updates(other, {"externalIds": [{"system": "erp", "value": "1"}]}))
    assert error["existing"] == {"__typename": "Customer", "id": id_encoder("Customer")(one.id)}
    assert (error["__typename"], error["code"]) == ("DuplicateError", "TAKEN")


async def test_null_is_another_thing_than_nothing(updates, save, ask):
    """SM20."""
    await save(customer := factories.customer(nickname="N", source="Fair"))
    await updates(customer, {"nickname": None})
    found = await ask(
        "query($i: ID!) { customer(by: {id: $i}) { nickname source } }", i=id_encoder("Customer")(customer.id)
    )
    assert found["customer"] == {"nickname": None, "source": "Fair"}


async def test_a_missing_permission_for_the_whole_is_a_top_level_error(refused, save, someone):
    await save(customer := factories.customer())
    variables = {"id": id_encoder("Customer")(customer.id), "input": {"name": "Bo"}}
    error = await refused(UPDATE, viewer=someone(Role.ADMIN, revoke=(Permission.CUSTOMER_UPDATE,)), **variables)
    assert error["code"] == "FORBIDDEN"


async def test_a_read_right_after_a_write_in_one_operation_sees_it(ask, save):
    await save(customer := factories.customer("An"))
    found = await ask(
        """
        mutation($id: ID!) {
          a: customerUpdate(by: {id: $id}, input: {name: "Bo"}) { customer { name owner { name } } }
          b: noteCreate(customer: {id: $id}, input: {body: "x"}) { note { customer { name notes { totalCount } } } }
        }
        """,
        id=id_encoder("Customer")(customer.id),
    )
    assert found["b"]["note"]["customer"] == {"name": "Bo", "notes": {"totalCount": 1}}


async def test_a_customer_whom_a_mutation_moved_out_of_sight_is_still_in_its_payload(updates, save, someone):
    one, other = factories.agent(), factories.agent("Chi")
    await save(one, other, customer := factories.customer(owner_id=one.id))
    viewer = someone(agent=one, grant=(Permission.CUSTOMER_ASSIGN,))
    done = await updates(customer, {"owner": {"email": other.email}}, viewer=viewer)
    assert done["customer"]["owner"] == {"name": "Chi"}


CREATE = """
mutation($input: CustomerInput!) {
  customerCreate(input: $input) { outcome customer { id stage } errors { code path } }
}
"""


async def test_a_new_customer_is_on_top_of_the_list_at_once(ask, save):
    """SM16."""
    await save(factories.customer(created_at=ids.current_time() - 1_000))
    made = await ask(CREATE, input={"name": "New"})
    listed = await ask("{ customers(first: 1) { nodes { id stage } } }")
    assert listed["customers"]["nodes"] == [made["customerCreate"]["customer"]]
    assert listed["customers"]["nodes"][0]["stage"] == CustomerStage.TO_BE_ASSIGNED.name


async def test_a_customer_with_tags_and_a_custom_field_is_made_with_12_statements(ask, save, sent):
    await save(factories.custom_field("tier"), factories.tag("vip"))
    sent.clear()
    given = {
        "name": "An",
        "phones": ["+84901234567"],
        "emails": ["an@clientela.example"],
        "tags": {"add": [{"name": "VIP"}, {"name": "new"}]},
        "customFields": [{"key": "tier", "value": "gold"}],
    }
    done = await ask(CREATE, input=given)
    assert (done["customerCreate"]["outcome"], len(sent)) == ("CREATED", 12)


FOUND = """
query($filter: CustomerFilter, $search: String) { customers(filter: $filter, search: $search) { nodes { name } } }
"""


@pytest.mark.parametrize(
    ("input", "asked"),
    [
        pytest.param({"name": "Đặng Ánh"}, {"search": "dang anh"}, id="name by search"),
        pytest.param({"phones": ["+84901234567"]}, {"search": "0901234567"}, id="phone by search"),
        pytest.param({"tags": {"add": [{"name": "Vàng"}]}}, {"search": "vang"}, id="tag by search"),
        pytest.param(
            {"customFields": [{"key": "tier", "value": "Platinum"}]}, {"search": "platin"}, id="value by search"
        ),
        pytest.param({"source": "Hội chợ"}, {"filter": {"source": {"contains": "hoi cho"}}}, id="source by filter"),
        pytest.param(
            {"tags": {"add": [{"name": "Vàng"}]}},
            {"filter": {"tags": {"any": {"name": {"eq": "Vàng"}}}}},
            id="tag by filter",
        ),
        pytest.param(
            {"customFields": [{"key": "tier", "value": "Platinum"}]},
            {"filter": {"customFields": [{"key": "tier", "is": {"text": {"eq": "Platinum"}}}]}},
            id="value by filter",
        ),
    ],
)
async def test_a_write_is_found_by_the_very_next_request(updates, ask, save, input, asked):
    """SM8."""
    await save(factories.custom_field("tier"), customer := factories.customer("An"), factories.customer("Bo"))
    await save(tables.CustomerSearch(workspace_id=0, customer_id=customer.id, text="an"))
    assert (await ask(FOUND, **asked))["customers"]["nodes"] == []
    done = await updates(customer, input)
    assert (await ask(FOUND, **asked))["customers"]["nodes"] == [{"name": done["customer"]["name"]}]

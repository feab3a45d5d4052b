"""One customer: made, changed, named; what is refused, and where that is said."""

import pytest

from tests.support.rules_workspace import ALL

# ── create ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_name_is_all_that_is_needed_and_decides_nothing_else(house):
    """SM15, SB4, SB9, VC6: LEAD, NOT_SUBSCRIBED, the default stage, nobody's, with nothing on it."""
    made = await house.customer(ALL, name="  Bùi An  ")
    made.pop("id")
    lists = ("phones", "emails", "wechatFriends", "tags", "externalIds", "allowedSubscriptionTransitions")
    assert {name: made.pop(name) for name in lists} == {name: [] for name in lists}
    assert [one["value"] for one in made.pop("customFields")] == []
    assert made.pop("segments") == []
    assert {name: value for name, value in made.items() if value is not None} == {
        "name": "Bùi An",
        "value": "0",
        "relationshipStatus": "LEAD",
        "subscriptionStatus": "NOT_SUBSCRIBED",
        "stage": "TO_BE_ASSIGNED",
        "verification": "UNVERIFIED",
        "resellerRelationship": True,
        "version": 1,
    }


async def test_a_customer_has_all_that_was_given(house):
    """SM15, SB9, EM8, MS8: avatar, phones, e-mails, gender, birth date, tags, owner, company, custom fields."""
    company = await house.made("companyCreate", "company", name="Acme", domain="acme.example")
    await house.made("customFieldCreate", "customField", entity="CUSTOMER", key="tier", label="Tier", type="TEXT")
    made = await house.customer(
        ALL,
        name="An",
        avatarUrl="https://x.example/a.png",
        phones=["0901 234 567", "+39 06 1234 5678"],
        emails=["An@Acme.Example", "b@acme.example"],
        gender="FEMALE",
        birthDate="1990-02-28",
        value="12.5",
        source="Fair",
        address={"line1": "1 Lê Lợi", "country": "VN"},
        externalIds=[{"system": "erp", "value": "made-1"}],
        relationshipStatus="VIP",
        subscriptionStatus="DELETED",
        tags={"add": [{"name": "all of it"}]},
        owner={"id": house.ids["seller"]},
        company={"domain": "ACME.example"},
        wechatFriends={"add": [{"id": house.ids["seller"]}]},
        customFields=[{"key": "tier", "value": "gold"}],
    )
    assert made["phones"] == ["+84901234567", "+390612345678"]
    assert (made["phone"], made["email"], made["emails"][0]) == ("+84901234567", "An@Acme.Example", "An@Acme.Example")
    assert (made["gender"], made["birthDate"], made["value"]) == ("FEMALE", "1990-02-28", "12.5")
    assert (made["stage"], made["owner"]["id"]) == ("FOLLOW_UP", house.ids["seller"])
    assert (made["company"]["id"], made["department"]["id"]) == (company, house.ids["sales"])
    assert (made["relationshipStatus"], made["subscriptionStatus"]) == ("VIP", "DELETED")
    assert (len(made["tags"]), made["wechatFriends"]) == (1, [{"id": house.ids["seller"]}])
    assert [one["value"] for one in made["customFields"]] == ["gold"]
    assert made["address"] == {
        "line1": "1 Lê Lợi", "line2": None, "city": None, "region": None, "postalCode": None, "country": "VN",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("input", "refused"),
    [
        ({}, [("BLANK", "input.name")]),
        ({"name": None}, [("BLANK", "input.name")]),
        ({"name": " \u00a0 "}, [("BLANK", "input.name")]),
        ({"birthDate": "2999-01-01"}, [("INVALID", "input.birthDate")]),
        ({"avatarUrl": "javascript:x"}, [("INVALID", "input.avatarUrl")]),
        ({"phones": ["+84901234567", "12"]}, [("INVALID", "input.phones.1")]),
        ({"phone": "x"}, [("INVALID", "input.phone")]),
        ({"emails": ["a@b.example", "nobody"]}, [("INVALID", "input.emails.1")]),
        ({"email": "@"}, [("INVALID", "input.email")]),
        ({"stage": "POOL"}, [("INVALID", "input.stage")]),
        ({"stage": "FOLLOW_UP"}, [("INVALID", "input.stage")]),
        ({"followUpStage": "Offer sent"}, [("INVALID", "input.followUpStage")]),
        ({"owner": {"id": "agt_" + "0" * 32}}, [("NOT_FOUND", "input.owner")]),
        ({"owner": {"email": "nobody@x.example"}}, [("NOT_FOUND", "input.owner")]),
        ({"company": {"domain": "nobody.example"}}, [("NOT_FOUND", "input.company")]),
        ({"externalIds": [{"system": "erp", "value": " "}]}, [("BLANK", "input.externalIds.0.value")]),
        ({"tags": {"add": [{"id": "tag_" + "0" * 32}]}}, [("NOT_FOUND", "input.tags.add.0")]),
        ({"wechatFriends": {"set": [{"id": "agt_x"}]}}, [("NOT_FOUND", "input.wechatFriends.set.0")]),
        ({"customFields": [{"key": "nothing", "value": 1}]}, [("FIELD_UNKNOWN", "input.customFields.0.key")]),
        ({"name": "x" * 201, "nickname": "x" * 201}, [("TOO_LONG", "input.name"), ("TOO_LONG", "input.nickname")]),
        ({"phones": ["+84901234567"] * 51}, [("LIMIT_EXCEEDED", "input.phones")]),
    ],
    ids=str,
)
async def test_what_cannot_be_taken_is_refused_where_it_stands(house, input, refused):
    """SM15, SB9: the path ends at the item of a list, or at the field. Nobody is made."""
    given = {"name": "An", **input} if input and "name" not in input else input
    assert await house.refuses("customerCreate", input=given) == refused


async def test_a_new_customer_starts_where_the_workspace_says_or_in_new(house):
    """SB4: default stage; NEW and TO_BE_ASSIGNED may be given; an owner makes it FOLLOW_UP whatever is given."""
    await house.settings(defaultStage="NEW")
    try:
        assert (await house.customer("stage"))["stage"] == "NEW"
        assert (await house.customer("stage", stage="TO_BE_ASSIGNED"))["stage"] == "TO_BE_ASSIGNED"
        owned = {"owner": {"id": house.ids["seller"]}}
        for stage in ("NEW", "FOLLOW_UP", "TO_BE_ASSIGNED"):
            assert (await house.customer("stage", stage=stage, **owned))["stage"] == "FOLLOW_UP"
    finally:
        await house.settings(defaultStage="TO_BE_ASSIGNED")


async def test_whom_an_agent_makes_is_his_departments_or_his_own(house):
    """SB8: without CUSTOMER_VIEW_ALL."""
    waiting = await house.customer("stage owner { id } department { id }", who="seller", owner=None)
    assert (waiting["stage"], waiting["owner"]) == ("TO_BE_ASSIGNED", None)
    assert waiting["department"]["id"] == house.ids["sales"]
    own = await house.customer("stage owner { id }", who="loner", owner=None)
    assert (own["stage"], own["owner"]["id"]) == ("FOLLOW_UP", house.ids["loner"])
    assert await house.shown(waiting["id"], "id", who="loner") is None


# ── update ────────────────────────────────────────────────────────────────────────────────────────────────────────────

FULL = {
    "nickname": "N", "realName": "R", "avatarUrl": "https://x.example/a", "gender": "MALE", "birthDate": "2000-01-01",
    "value": "3", "source": "S", "channel": "C", "phones": ["+84901234567"], "emails": ["a@x.example"],
    "address": {"line1": "1", "city": "Huế"}, "externalIds": [{"system": "crm", "value": "full"}],
    "tags": {"add": [{"name": "full"}]}, "company": {"domain": "full.example"},
}  # fmt: skip


async def test_absent_is_left_and_null_is_cleared_in_every_field(house):
    """SM20."""
    await house.made("companyCreate", "company", name="Full", domain="full.example")
    await house.made("customFieldCreate", "customField", entity="CUSTOMER", key="full", label="Full", type="NUMBER")
    given = {
        **FULL,
        "owner": {"id": house.ids["seller"]},
        "followUpStage": "Offer sent",
        "wechatFriends": {"add": [{"id": house.ids["seller"]}]},
        "customFields": [{"key": "full", "value": 5}],
    }
    customer = await house.customer(**given)
    before = await house.shown(customer, ALL)
    done = await house.does("customerUpdate", by={"id": customer}, input={})
    assert (done["outcome"], done["errors"]) == ("UNCHANGED", [])
    nulls = dict.fromkeys(one for one in given if one not in ("owner",))
    after = (await house.does("customerUpdate", f"customer {{ {ALL} }}", by={"id": customer}, input=nulls))["customer"]
    assert await house.shown(customer, ALL) == after
    kept = ("name", "relationshipStatus", "subscriptionStatus", "stage", "owner", "department", "resellerRelationship")
    assert {one: after[one] for one in kept} == {one: before[one] for one in kept}
    assert (after["value"], after["version"]) == ("0", 2)
    empty = [name for name in nulls if name not in ("value", "customFields") and after[name]]
    assert empty == []
    assert [one for one in after["customFields"] if one["value"] is not None] == []


@pytest.mark.parametrize("name", ["relationshipStatus", "subscriptionStatus", "stage", "resellerRelationship"])
async def test_what_always_has_a_value_cannot_be_cleared(house, name):
    """SM20."""
    customer = await house.customer()
    assert await house.refuses("customerUpdate", by={"id": customer}, input={name: None}) == [
        ("INVALID", f"input.{name}")
    ]


async def test_phone_and_email_set_the_primary_and_keep_the_others(house):
    """SM15: the old primary stays as second; null takes the primary away."""
    customer = await house.customer(phones=["0901234561", "0901234562"], emails=["A@x.example", "b@x.example"])

    async def after(**input):
        done = await house.does("customerUpdate", "customer { phones emails }", by={"id": customer}, input=input)
        assert not done["errors"], done["errors"]
        return [[phone[-1] for phone in done["customer"]["phones"]], done["customer"]["emails"]]

    assert await after(phone="0901234563") == [["3", "1", "2"], ["A@x.example", "b@x.example"]]
    assert await after(phone="0901234562", email="B@x.example") == [["2", "3", "1"], ["B@x.example", "A@x.example"]]
    assert await after(phone=None, email="c@x.example") == [["3", "1"], ["c@x.example", "B@x.example", "A@x.example"]]
    assert await after(phones=["0901234569"], phone="0901234568") == [
        ["8", "9"], ["c@x.example", "B@x.example", "A@x.example"],
    ]  # fmt: skip
    assert await after(emails=["D@x.example", "d@X.example", " e@x.example "]) == [
        ["8", "9"], ["D@x.example", "e@x.example"],
    ]  # fmt: skip


async def test_the_stage_is_not_updated_and_an_owner_not_taken_away(house):
    """SB23: FIELD_PROTECTED, INVALID_TRANSITION; the same as it is, is no change."""
    customer = await house.customer(owner={"id": house.ids["seller"]})
    assert await house.refuses("customerUpdate", by={"id": customer}, input={"stage": "POOL"}) == [
        ("FIELD_PROTECTED", "input.stage")
    ]
    done = await house.does("customerUpdate", by={"id": customer}, input={"owner": None})
    (error,) = done["errors"]
    assert (error["__typename"], error["code"], error["path"]) == (
        "TransitionError", "INVALID_TRANSITION", ["input", "owner"],
    )  # fmt: skip
    same = {"stage": "FOLLOW_UP", "owner": {"id": house.ids["seller"]}}
    assert (await house.does("customerUpdate", by={"id": customer}, input=same))["outcome"] == "UNCHANGED"
    free = await house.customer()
    assert (await house.does("customerUpdate", by={"id": free}, input={"owner": None}))["outcome"] == "UNCHANGED"


async def test_an_owner_by_update_is_an_assignment(house):
    """SB18: previousOwner is kept, the department follows, capacity counts."""
    full = await house.agent("Full", maxCustomers=0)
    gone = await house.agent("Gone", active=False)
    customer = await house.customer(owner={"id": house.ids["loner"]}, followUpStage="Offer sent")
    shows = "customer { stage followUpStage owner { id } previousOwner { id } department { id } version }"
    done = await house.does("customerUpdate", shows, by={"id": customer}, input={"owner": {"id": house.ids["seller"]}})
    assert done["customer"] == {
        "stage": "FOLLOW_UP",
        "followUpStage": "Offer sent",
        "owner": {"id": house.ids["seller"]},
        "previousOwner": {"id": house.ids["loner"]},
        "department": {"id": house.ids["sales"]},
        "version": 2,
    }
    update = {"by": {"id": customer}}
    done = await house.does("customerUpdate", **update, input={"owner": {"id": full}})
    (error,) = done["errors"]
    assert (error["code"], error["path"], error["limit"], error["current"]) == (
        "AGENT_AT_CAPACITY", ["input", "owner"], 0, 1,
    )  # fmt: skip
    assert await house.refuses("customerUpdate", **update, input={"owner": {"id": gone}}) == [
        ("AGENT_INACTIVE", "input.owner")
    ]
    new = await house.customer(stage="NEW")
    assert await house.refuses("customerUpdate", by={"id": new}, input={"owner": {"id": house.ids["seller"]}}) == [
        ("INVALID_TRANSITION", "input.owner")
    ]


async def test_the_follow_up_stage_is_one_of_the_list_within_follow_up(house):
    """SB12."""
    customer = await house.customer(owner={"id": house.ids["seller"]}, followUpStage="First contact")
    assert await house.refuses("customerUpdate", by={"id": customer}, input={"followUpStage": "offer sent"}) == [
        ("INVALID", "input.followUpStage")
    ]
    free = await house.customer()
    assert await house.refuses("customerUpdate", by={"id": free}, input={"followUpStage": "Offer sent"}) == [
        ("INVALID", "input.followUpStage")
    ]
    assert await house.bulk("customersRelease", target={"ids": [customer]}) == [("UPDATED",)]
    assert (await house.shown(customer, "followUpStage previousOwner { id }")) == {
        "followUpStage": None, "previousOwner": {"id": house.ids["seller"]},
    }  # fmt: skip


async def test_the_version_grows_by_one_a_change_and_is_kept_by_if_version(house):
    """SM20: ConflictError with the record as it is now, at any other version."""
    customer = await house.customer()
    by = {"id": customer}
    await house.does(
        "customerUpdate", by=by, input={"nickname": "a", "tags": {"add": [{"name": "version"}]}}, ifVersion=1
    )
    assert (await house.shown(customer, "version"))["version"] == 2
    for wrong in (1, 3):
        done = await house.does("customerUpdate", "customer { id }", by=by, input={"nickname": "b"}, ifVersion=wrong)
        (error,) = done["errors"]
        assert (error["code"], error["record"], done["customer"], done["outcome"]) == (
            "CONFLICT", {"__typename": "Customer", "id": customer, "version": 2}, None, "FAILED",
        )  # fmt: skip
    assert await house.refuses("customerDelete", by=by, ifVersion=1) == [("CONFLICT", "ifVersion")]
    assert (await house.does("customerDelete", by=by, ifVersion=2))["outcome"] == "DELETED"


# ── unique, ambiguous, upsert ─────────────────────────────────────────────────────────────────────────────────────────


async def test_an_external_id_belongs_to_one(house):
    """SB9: DuplicateError with the holder; TAKEN without it where the viewer does not see the holder."""
    holder = await house.customer(externalIds=[{"system": "erp", "value": "unique"}])
    given = {"name": "An", "externalIds": [{"system": "x", "value": "1"}, {"system": "erp", "value": "unique"}]}
    done = await house.does("customerCreate", input=given)
    (error,) = done["errors"]
    assert (error["__typename"], error["code"], error["path"], error["existing"]["id"]) == (
        "DuplicateError", "TAKEN", ["input", "externalIds", "1", "value"], holder,
    )  # fmt: skip
    done = await house.does("customerCreate", who="loner", input=given)
    (error,) = done["errors"]
    assert (error["__typename"], error["code"]) == ("InputError", "TAKEN")
    other = {"name": "An", "externalIds": [{"system": "other", "value": "unique"}]}
    assert (await house.does("customerCreate", input=other))["outcome"] == "CREATED"


async def test_an_address_of_several_is_ambiguous(house):
    """EM8: look-ups by address fold case."""
    one, _ = [await house.customer(emails=["Two@x.example"]) for _ in range(2)]
    for mutation, more in [
        ("customerUpdate", {"input": {"nickname": "x"}}),
        ("customerUpsert", {"input": {"nickname": "x"}}),
        ("customerDelete", {}),
    ]:
        assert await house.refuses(mutation, by={"email": "two@X.example"}, **more) == [("AMBIGUOUS", "by")]
    note = {"customer": {"email": "TWO@x.example"}, "input": {"body": "x"}}
    assert await house.refuses("noteCreate", **note) == [("AMBIGUOUS", "customer")]
    await house.does("customerDelete", by={"id": one})
    assert (await house.does("noteCreate", **note))["errors"] == []


async def test_an_upsert_makes_once_and_changes_afterwards(house):
    """SB9: it keeps its reference."""
    shows = "customer { id name emails externalIds { system value } }"
    for by in ({"email": "Up@x.example"}, {"externalId": {"system": "erp", "value": "up"}}):
        first = await house.does("customerUpsert", shows, by=by, input={"name": "Up"})
        again = await house.does("customerUpsert", shows, by=by, input={"name": "Up 2"})
        same = await house.does("customerUpsert", shows, by=by, input={"name": "Up 2"})
        assert [first["outcome"], again["outcome"], same["outcome"]] == ["CREATED", "UPDATED", "UNCHANGED"]
        assert first["customer"]["id"] == again["customer"]["id"]
        held = again["customer"]["emails"] if "email" in by else again["customer"]["externalIds"]
        assert held == list(by.values())
    bad = [
        ({"email": "nobody"}, ("INVALID", "by.email")),
        ({"externalId": {"system": "erp", "value": " "}}, ("BLANK", "by.externalId.value")),
    ]
    hidden = {"externalId": {"system": "erp", "value": "hidden"}}
    await house.does("customerUpsert", by=hidden, input={"name": "x"})
    for by, (code, path) in bad:
        given = {"name": "x", "emails": ["good@x.example"], "externalIds": [{"system": "x", "value": f"good {path}"}]}
        assert await house.refuses("customerUpsert", by=by, input=given) == [(code, path)]
        rows = await house.bulk("customersUpsert", rows=[{"by": by, "input": given}])
        assert rows == [("FAILED", (code, f"rows.0.{path}"))]
    assert await house.refuses("customerUpsert", "loner", by=hidden, input={"name": "x"}) == [
        ("TAKEN", "by.externalId.value")
    ]
    unknown = {"id": "cus_" + "0" * 32}
    assert await house.refuses("customerUpsert", by=unknown, input={"name": "x"}) == [("NOT_FOUND", "by")]
    assert await house.refuses("customerUpsert", by={"email": "new@x.example"}, input={}) == [("BLANK", "input.name")]

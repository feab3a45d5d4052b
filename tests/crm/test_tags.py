"""Tags: the catalogue, and putting them on customers."""

import unicodedata

import pytest

from crm.catalogue import tags
from crm.customers import records
from crm.errors import LimitError
from db import tables
from db.queries.catalogue import tags as queries
from db.tables.enums import ChangeAction, Outcome, Permission, Role, TagKind
from db.visibility import Visibility
from tests.crm.conftest import named
from tests.support import factories

# Fifty letters, each two code points when decomposed.
FIFTY = "ế" * 50


# ── the catalogue ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_name_has_fifty_characters_however_it_is_encoded(does, refuses):
    """MS3: counted composed and trimmed."""
    done = await does(tags.create, {"name": f"  {unicodedata.normalize('NFD', FIFTY)} "})
    assert done.tag.name == FIFTY
    longer = unicodedata.normalize("NFD", FIFTY + "é")
    assert await refuses(tags.create, {"name": longer}) == ("TOO_LONG", "input.name")


@pytest.mark.parametrize("given", [{}, {"name": None}, {"name": " \t "}])
async def test_a_name_is_needed(refuses, given):
    assert await refuses(tags.create, given) == ("BLANK", "input.name")


async def test_a_name_is_unique_within_its_kind_whatever_the_case(does, refuses):
    await does(tags.create, {"name": "VIP"})
    assert await refuses(tags.create, {"name": "vip"}) == ("TAKEN", "input.name")
    assert (await does(tags.create, {"name": "vip", "kind": TagKind.WECOM})).tag.kind == TagKind.WECOM


async def test_it_can_be_spelt_anew_and_keeps_its_kind(does, refuses, save, log):
    await save(tag := factories.tag("vip", color="red"))
    done = await does(tags.update, named(tag)["id"], {"name": "VIP", "color": None})
    assert (done.tag.name, done.tag.color) == ("VIP", None)
    (line,) = await log(tag)
    assert {one["field"]: one["after"] for one in line.fields} == {"name": "VIP", "color": None}
    change = {"kind": TagKind.WECOM}
    assert await refuses(tags.update, named(tag)["id"], change) == ("FIELD_PROTECTED", "input.kind")


async def test_a_new_name_is_what_its_customers_are_found_and_sorted_by(does, everything):
    made = (await does(records.create, {"name": "An", "tags": {"add": [{"name": "gold"}]}})).customer
    (tag,) = await everything(tables.Tag)
    await does(tags.update, named(tag)["id"], {"name": "Bạch kim"})
    (customer,), (found,) = await everything(tables.Customer), await everything(tables.CustomerSearch)
    assert (customer.first_tag_key, found.text.split()) == ("bach kim", ["an", "bach", "kim"])
    assert customer.version == made.version


async def test_deleting_takes_it_off_everybody_and_tells_how_many(does, everything, log):
    """MS7: each customer's change is logged."""
    made = [(await does(records.create, {"name": n, "tags": {"add": [{"name": "gold"}]}})).customer for n in "ab"]
    await does(records.create, {"name": "c"})
    (tag,) = await everything(tables.Tag)
    done = await does(tags.delete, named(tag)["id"])
    assert (done.tag.name, done.customers) == ("gold", 2)
    assert await everything(tables.CustomerTag) == []
    assert sorted(row.tag_count for row in await everything(tables.Customer)) == [0, 0, 0]
    line = (await log(made[0]))[-1]
    assert line.fields == [{"field": "tags", "before": [named(tag)["id"]], "after": []}]
    assert [one.action for one in await log(tag)] == [ChangeAction.CREATED, ChangeAction.DELETED]


async def test_merged_tags_leave_their_customers_with_the_survivor(does, refuses, save, everything):
    await save(
        a := factories.tag("a"),
        b := factories.tag("b"),
        c := factories.tag("c"),
        w := factories.tag("w", kind=TagKind.WECOM),
    )
    await does(records.create, {"name": "An", "tags": {"add": [named(a), named(b), named(c)]}})
    await does(records.create, {"name": "Bo", "tags": {"add": [named(b)]}})
    merge = [named(c)["id"], [named(a)["id"], named(b)["id"]]]
    assert await refuses(tags.merge, merge[0], [named(c)["id"]]) == ("INVALID", "from.0")
    assert await refuses(tags.merge, merge[0], []) == ("EMPTY_TARGET", "from")
    assert await refuses(tags.merge, merge[0], [named(a)["id"], named(w)["id"]]) == ("TAG_KIND_MISMATCH", "from.1")
    assert await refuses(tags.merge, merge[0], ["tag_" + "0" * 32]) == ("NOT_FOUND", "from.0")
    assert (await does(tags.merge, *merge)).customers == 2
    assert {row.tag_id for row in await everything(tables.CustomerTag)} == {c.id}
    assert sorted(row.tag_count for row in await everything(tables.Customer)) == [1, 1]


# ── on customers ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def _worn(session, customer):
    return [tag.name for tag in (await queries.by_customer(session, [customer.id])).get(customer.id, [])]


async def _wearing(save, count):
    customer = factories.customer(tag_count=count)
    own = [factories.tag(f"t{number:03}") for number in range(count)]
    await save(customer, *own, *(factories.worn(customer, tag) for tag in own))
    return customer, own


@pytest.mark.parametrize("kind", list(TagKind))
async def test_150_of_both_kinds_together_are_the_most(does, refuses, save, kind):
    """MS2."""
    customer, _ = await _wearing(save, 149)
    await save(one := factories.tag("one", kind=kind), other := factories.tag("other", kind=kind))
    assert (await does(records.update, named(customer), {"tags": {"add": [named(one)]}})).customer.tag_count == 150
    with pytest.raises(LimitError) as refused:
        await does(records.update, named(customer), {"tags": {"add": [named(other)]}})
    assert (refused.value.limit, refused.value.current, refused.value.path) == (150, 151, ("input", "tags"))


async def test_one_off_and_one_on_at_150_works(does, save):
    customer, own = await _wearing(save, 150)
    await save(other := factories.tag("other"))
    change = {"tags": {"add": [named(other)], "remove": [named(own[0])]}}
    assert (await does(records.update, named(customer), change)).customer.tag_count == 150


async def test_a_new_customer_wears_150_at_most(does, refuses):
    many = [{"name": f"t{number}"} for number in range(151)]
    assert await refuses(records.create, {"name": "An", "tags": {"add": many}}) == ("LIMIT_EXCEEDED", "input.tags")
    assert await refuses(records.create, {"name": "An", "tags": {"set": many}}) == ("LIMIT_EXCEEDED", "input.tags")
    assert (await does(records.create, {"name": "An", "tags": {"set": many[:150]}})).customer.tag_count == 150


async def test_a_refused_save_leaves_no_orphan(refuses, everything, save):
    """VC2."""
    given = {"name": "An", "tags": {"add": [{"name": "new"}]}, "phones": ["1"]}
    assert await refuses(records.create, given) == ("INVALID", "input.phones.0")
    assert await everything(tables.Tag) == []


async def test_put_on_take_off_and_replace_in_one_save(does, save, session):
    """MS8, VC3, SB22: `set` replaces tags of its kind only."""
    await save(customer := factories.customer(), w := factories.tag("w", kind=TagKind.WECOM), a := factories.tag("a"))
    await does(records.update, named(customer), {"tags": {"add": [named(w), named(a), {"name": "b"}]}})
    await does(records.update, named(customer), {"tags": {"set": [{"name": "C"}], "add": [{"name": "b"}]}})
    assert await _worn(session, customer) == ["b", "C", "w"]
    change = {"tags": {"kind": TagKind.WECOM, "set": [], "remove": [named(a)]}}
    await does(records.update, named(customer), change)
    assert await _worn(session, customer) == ["b", "C"]


async def test_putting_on_what_is_worn_changes_nothing(does, save):
    customer, own = await _wearing(save, 2)
    done = await does(records.update, named(customer), {"tags": {"add": [named(own[0]), {"name": "T001"}]}})
    assert done.outcome is Outcome.UNCHANGED


async def test_set_takes_only_tags_of_its_kind(refuses, save):
    await save(customer := factories.customer(), w := factories.tag("w", kind=TagKind.WECOM), a := factories.tag("a"))
    change = {"tags": {"set": [named(a), named(w)]}}
    assert await refuses(records.update, named(customer), change) == ("TAG_KIND_MISMATCH", "input.tags.set.1")


async def test_an_unknown_tag_is_refused_at_its_place(refuses, save):
    await save(customer := factories.customer())
    add = {"tags": {"add": [{"name": "x"}, {"id": "tag_" + "0" * 32}]}}
    assert await refuses(records.update, named(customer), add) == ("NOT_FOUND", "input.tags.add.1")
    remove = {"tags": {"remove": [{"name": "nope"}]}}
    assert await refuses(records.update, named(customer), remove) == ("NOT_FOUND", "input.tags.remove.0")
    longer = {"tags": {"add": [{"name": "x" * 51}]}}
    assert await refuses(records.update, named(customer), longer) == ("TOO_LONG", "input.tags.add.0")


async def test_a_name_that_is_not_there_needs_the_setting_and_the_permission(database, does, refuses, save, someone):
    """VC2, MS9."""
    await save(customer := factories.customer())
    change = {"tags": {"add": [{"name": "new"}]}}
    tagger = someone(Role.MANAGER, grant=(Permission.TAG_ASSIGN,))
    assert await refuses(records.update, named(customer), change, by=tagger) == ("FORBIDDEN", "input.tags.add.0")
    off = await factories.workspace(database, allow_inline_tags=False)
    admin = someone(Role.ADMIN)
    there = type(admin)(off, admin.actor_kind, admin.actor_id, admin.permissions)
    found = await refuses(records.create, {"name": "An", **change}, by=there)
    assert found == ("NOT_FOUND", "input.tags.add.0")


async def test_tags_need_a_reseller_relationship(does, refuses, save):
    """MS5."""
    await save(customer := factories.customer(reseller_relationship=False), tag := factories.tag())
    change = {"tags": {"add": [named(tag)]}}
    refusal = ("RESELLER_RELATIONSHIP_REQUIRED", "input.tags")
    assert await refuses(records.update, named(customer), change) == refusal
    assert await refuses(records.create, {"name": "An", "reseller_relationship": False, **change}) == refusal
    done = await does(records.update, named(customer), {"reseller_relationship": True, **change})
    assert done.customer.tag_count == 1


async def test_the_first_tag_in_the_alphabet_is_what_customers_are_sorted_by(does, save):
    """MS11."""
    await save(customer := factories.customer())
    done = await does(records.update, named(customer), {"tags": {"set": [{"name": "vàng"}, {"name": "Đỏ"}]}})
    assert (done.customer.first_tag_key, done.customer.tag_count) == ("do", 2)


async def test_the_catalogue_counts_who_wears_a_tag(does, session, everything):
    await does(records.create, {"name": "An", "tags": {"add": [{"name": "gold"}]}})
    (tag,) = await everything(tables.Tag)
    assert await queries.customer_counts(session, [tag.id], Visibility(sees_all=True)) == {tag.id: 1}


@pytest.fixture
def many(monkeypatch):
    """Three are more than one request changes."""
    monkeypatch.setattr("crm.customers.persistence.MAX_REWRITTEN_CUSTOMERS", 2)


async def test_more_wearers_than_a_request_can_change_are_left_to_a_job(refuses, does, save, many, everything):
    """Deleting, merging and renaming change everybody who wears the tag; nothing is done by halves."""
    people = [factories.customer(str(place), tag_count=1) for place in range(3)]
    tag, other = factories.tag("gold"), factories.tag("silver")
    await save(*people, tag, other, *(factories.worn(one, tag) for one in people))
    gold, silver = named(tag)["id"], named(other)["id"]
    assert await refuses(tags.delete, gold) == ("LIMIT_EXCEEDED", "id")
    assert await refuses(tags.merge, silver, [gold]) == ("LIMIT_EXCEEDED", "from")
    assert await refuses(tags.update, gold, {"name": "Or"}) == ("LIMIT_EXCEEDED", "input.name")
    assert {row.name for row in await everything(tables.Tag)} == {"gold", "silver"}
    assert len(await everything(tables.CustomerTag)) == 3
    await does(tags.update, gold, {"name": "GOLD", "color": "red"})
    await does(records.update, named(people[0]), {"tags": {"remove": [named(tag)]}})
    assert (await does(tags.delete, gold)).customers == 2

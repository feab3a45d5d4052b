"""Tags: the catalogue, and putting them on customers and taking them off."""

import asyncio
import unicodedata

import pytest

from db.tables.enums import Permission
from tests.support.rules_workspace import without

FIFTY = "ế" * 50


def decomposed(text):
    return unicodedata.normalize("NFD", text)


@pytest.fixture
def wears(house):
    """The names of what a customer wears."""

    async def worn(customer):
        return [one["name"] for one in (await house.shown(customer, "tags { name }"))["tags"]]

    return worn


@pytest.fixture
def listed(house):
    """The catalogue's tags with a name."""

    async def found(name):
        document = "query ($name: String!) { tags(filter: {name: {eq: $name}}) { nodes { id kind customerCount } } }"
        return (await house.ask(document, name=name))["tags"]["nodes"]

    return found


# ── the catalogue ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_tag_is_made_renamed_recoloured_counted_and_deleted(house, wears):
    """MS7: deleting takes it off everywhere and says how many."""
    shows = "tag { id name kind color description customerCount } affectedCustomers"
    made = await house.does("tagCreate", shows, input={"name": " Gold ", "color": "#fc0", "description": "d"})
    tag = made["tag"].pop("id")
    assert made["tag"] == {
        "name": "Gold", "kind": "BUSINESS", "color": "#fc0", "description": "d", "customerCount": 0,
    }  # fmt: skip
    wearers = [await house.customer(tags={"add": [{"id": tag}]}) for _ in range(3)]
    await house.bulk("customersArchive", target={"ids": wearers[:1]})
    versions = [(await house.shown(one, "version"))["version"] for one in wearers]
    done = await house.does("tagUpdate", shows, id=tag, input={"name": "GOLD", "color": None})
    assert done["tag"] == {
        "id": tag, "name": "GOLD", "kind": "BUSINESS", "color": None, "description": "d", "customerCount": 2,
    }  # fmt: skip
    assert [(await house.shown(one, "version"))["version"] for one in wearers] == versions
    done = await house.does("tagDelete", shows, id=tag)
    assert (done["affectedCustomers"], done["tag"]["name"], done["errors"]) == (3, "GOLD", [])
    assert [await wears(one) for one in wearers] == [[], [], []]
    assert [(await house.shown(one, "version"))["version"] for one in wearers] == [one + 1 for one in versions]
    lines = [await house.log(one) for one in wearers]
    assert [one[-1]["fields"] for one in lines] == [[{"field": "tags", "before": [tag], "after": []}]] * 3
    assert [one["action"] for one in await house.log(tag)] == ["CREATED", "UPDATED", "DELETED"]
    for call in ({"mutation": "tagDelete"}, {"mutation": "tagUpdate", "input": {"name": "x"}}):
        assert await house.refuses(**call, id=tag) == [("NOT_FOUND", "id")]


async def test_a_name_has_1_to_50_characters_composed_and_trimmed(house, wears):
    """MS3: 50 and 51 of a letter that is three code points when it is taken apart, by every way in."""
    made = await house.does("tagCreate", "tag { id name }", input={"name": f"  {decomposed(FIFTY)}\t"})
    tag = made["tag"]
    assert tag["name"] == FIFTY
    longer = decomposed(FIFTY + "ế")
    customer = await house.customer()
    assert await house.refuses("tagCreate", input={"name": longer}) == [("TOO_LONG", "input.name")]
    assert await house.refuses("tagUpdate", id=tag["id"], input={"name": longer}) == [("TOO_LONG", "input.name")]
    for way in ("add", "set", "remove"):
        update = {"by": {"id": customer}, "input": {"tags": {way: [{"name": FIFTY}, {"name": longer}]}}}
        assert await house.refuses("customerUpdate", **update) == [("TOO_LONG", f"input.tags.{way}.1")]
    await house.does("customerUpdate", by={"id": customer}, input={"tags": {"add": [{"name": decomposed(FIFTY)}]}})
    assert await wears(customer) == [FIFTY]
    for blank in ("", " \u00a0"):
        assert await house.refuses("tagCreate", input={"name": blank}) == [("BLANK", "input.name")]
        assert await house.refuses("tagUpdate", id=tag["id"], input={"name": blank}) == [("BLANK", "input.name")]
        assert await house.refuses(
            "customerUpdate", by={"id": customer}, input={"tags": {"add": [{"name": blank}]}}
        ) == [("BLANK", "input.tags.add.0")]
    assert await house.refuses("tagCreate", input={}) == [("BLANK", "input.name")]


async def test_a_name_is_unique_within_its_kind_whatever_its_case(house):
    """MS3, SB22."""
    tag = await house.made("tagCreate", "tag", name="Đặc biệt")
    other = await house.made("tagCreate", "tag", name="khác")
    assert await house.refuses("tagCreate", input={"name": decomposed("ĐẶC BIỆT")}) == [("TAKEN", "input.name")]
    assert await house.refuses("tagUpdate", id=other, input={"name": "đặc biệt"}) == [("TAKEN", "input.name")]
    await house.made("tagCreate", "tag", name="đặc biệt", kind="WECOM")
    same = await house.does("tagUpdate", "tag { name }", id=tag, input={"name": "ĐẶC BIỆT"})
    assert same["tag"] == {"name": "ĐẶC BIỆT"}
    assert await house.refuses("tagUpdate", id=tag, input={"kind": "WECOM"}) == [("FIELD_PROTECTED", "input.kind")]


async def test_names_that_differ_in_an_accent_are_two(house, wears):
    """MS3, VC2: what is unlike for readers is another tag, made on the spot as well."""
    sold, friend = [await house.made("tagCreate", "tag", name=name) for name in ("bán", "bạn")]
    customer = await house.customer(tags={"add": [{"name": "BẠN"}, {"name": "bàn"}]})
    assert sorted(await wears(customer)) == ["bàn", "bạn"]
    assert sold != friend


async def test_merged_tags_leave_their_wearers_with_the_survivor(house, wears):
    """MS7: each customer's change is told; over to the other kind nothing is merged."""
    into, *others = [await house.made("tagCreate", "tag", name=f"merge {place}") for place in range(3)]
    wecom = await house.made("tagCreate", "tag", name="merge", kind="WECOM")
    both = await house.customer(tags={"add": [{"id": into}, {"id": others[0]}]})
    one = await house.customer(tags={"add": [{"id": others[1]}]})
    bare = await house.customer()
    for wrong, refused in [
        ([], ("EMPTY_TARGET", "from")),
        ([others[0], into], ("INVALID", "from.1")),
        ([wecom], ("TAG_KIND_MISMATCH", "from.0")),
        ([others[0], "tag_" + "0" * 32], ("NOT_FOUND", "from.1")),
    ]:
        assert await house.refuses("tagMerge", into=into, **{"from": wrong}) == [refused]
    assert await house.refuses("tagMerge", into="tag_x", **{"from": others}) == [("NOT_FOUND", "into")]
    done = await house.does("tagMerge", "tag { id customerCount } affectedCustomers", into=into, **{"from": others})
    assert (done["tag"], done["affectedCustomers"]) == ({"id": into, "customerCount": 2}, 2)
    assert [await wears(each) for each in (both, one, bare)] == [["merge 0"], ["merge 0"], []]
    assert (await house.log(one))[-1]["fields"] == [{"field": "tags", "before": [others[1]], "after": [into]}]
    assert [line["action"] for line in await house.log(others[0])][-1] == "MERGED"
    gone = await house.ask("query ($id: ID!) { tag(id: $id) { id } }", id=others[0])
    assert gone["tag"] is None


# ── on customers ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_add_remove_and_set_in_one_save(house, wears):
    """MS8, SB22: `set` replaces only tags of the kind; putting on what is worn, and taking off what is not, is no
    change."""
    for name, kind in [("a", "BUSINESS"), ("b", "BUSINESS"), ("w", "WECOM"), ("x", "WECOM")]:
        house.ids[name] = await house.made("tagCreate", "tag", name=f"set {name}", kind=kind)
    tag = {name: {"id": house.ids[name]} for name in "abwx"}
    customer = await house.customer(tags={"add": [tag["a"], tag["w"]]})

    async def after(**tags):
        done = await house.does("customerUpdate", by={"id": customer}, input={"tags": tags})
        return done["outcome"], [name[-1] for name in await wears(customer)]

    assert await after(add=[tag["a"], tag["a"]], remove=[tag["b"]]) == ("UNCHANGED", ["a", "w"])
    assert await after(set=[tag["b"]]) == ("UPDATED", ["b", "w"])
    assert await after(set=[tag["x"]], kind="WECOM") == ("UPDATED", ["b", "x"])
    assert await after(set=[{"name": "SET W"}], kind="WECOM") == ("UPDATED", ["b", "w"])
    assert await after(set=[], kind="WECOM") == ("UPDATED", ["b"])
    assert await after(set=[tag["a"]], add=[tag["w"]], remove=[tag["a"]]) == ("UPDATED", ["w"])
    assert await after(set=[]) == ("UNCHANGED", ["w"])
    update = {"by": {"id": customer}, "input": {"tags": {"set": [tag["b"], tag["w"]]}}}
    assert await house.refuses("customerUpdate", **update) == [("TAG_KIND_MISMATCH", "input.tags.set.1")]
    unknown = {"tags": {"set": [{"name": "no such"}], "kind": "WECOM"}}
    assert await house.refuses("customerUpdate", by={"id": customer}, input=unknown) == [
        ("NOT_FOUND", "input.tags.set.0")
    ]


async def test_a_name_that_is_not_there_is_made_where_that_is_allowed(house, wears, listed):
    """VC2, MS9: by the workspace and by TAG_MANAGE; else NOT_FOUND, and FORBIDDEN, at its path; no orphan is left."""
    admin = house.viewers["admin"]
    customer = await house.customer(tags={"add": [{"name": "inline"}]})
    tags = {"tags": {"add": [{"name": "inline"}, {"name": "inline new"}]}}
    may_not = without(admin, Permission.TAG_MANAGE)
    update = {"by": {"id": customer}, "input": tags}
    assert await house.refuses("customerUpdate", may_not, **update) == [("FORBIDDEN", "input.tags.add.1")]
    await house.settings(allowInlineTags=False)
    assert await house.refuses("customerUpdate", **update) == [("NOT_FOUND", "input.tags.add.1")]
    assert await house.refuses("customerCreate", input={"name": "x", **tags}) == [("NOT_FOUND", "input.tags.add.1")]
    await house.settings(allowInlineTags=True)
    refused = {**tags, "birthDate": "2999-01-01"}
    assert await house.refuses("customerUpdate", by={"id": customer}, input=refused) == [("INVALID", "input.birthDate")]
    assert await house.refuses("customerCreate", input={"name": "", **tags}) == [("BLANK", "input.name")]
    rows = [{"input": {"name": "", **tags}}, {"by": {"id": "cus_" + "0" * 32}, "input": tags}]
    assert [one[0] for one in await house.bulk("customersUpsert", rows=rows)] == ["FAILED", "FAILED"]
    tried = await house.bulk("customersUpdate", target={"ids": [customer]}, input=tags, options={"dryRun": True})
    assert tried == [("UPDATED",)]
    assert await listed("inline new") == []
    rows = [{"input": {"name": "", **tags}}, {"input": {"name": "An", **tags}}]
    assert [one[0] for one in await house.bulk("customersUpsert", rows=rows)] == ["FAILED", "CREATED"]
    (made,) = await listed("inline new")
    assert (made["kind"], made["customerCount"]) == ("BUSINESS", 1)
    assert await house.bulk("customersUpdate", target={"ids": [customer]}, input=tags) == [("UPDATED",)]
    assert await wears(customer) == ["inline", "inline new"]


async def test_tags_need_their_permission_and_a_reseller_relationship(house, wears):
    """MS4, MS5: said at the part; the whole save is refused. Reading needs neither."""
    tag = await house.made("tagCreate", "tag", name="assigned")
    customer = await house.customer(owner={"id": house.ids["seller"]}, tags={"add": [{"id": tag}]})
    change = {"tags": {"remove": [{"id": tag}]}, "nickname": "x"}
    for who in ("manager", "seller"):
        assert await house.refuses("customerUpdate", who, by={"id": customer}, input=change) == [
            ("FORBIDDEN", "input.tags")
        ]
        given = {"name": "x", "tags": {"add": [{"id": tag}]}}
        assert await house.refuses("customerCreate", who, input=given) == [("FORBIDDEN", "input.tags")]
        assert await house.refuses("tagCreate", who, input={"name": "x"}) == [("FORBIDDEN", "")]
        assert (await house.shown(customer, "tags { id }", who))["tags"] == [{"id": tag}]
    granted = await house.does("agentUpdate", id=house.ids["loner"], input={"grant": ["TAG_ASSIGN"]})
    assert granted["errors"] == []
    own = await house.customer("tags { id }", await house.as_(house.ids["loner"]), tags={"add": [{"id": tag}]})
    assert own["tags"] == [{"id": tag}]
    await house.does("agentUpdate", id=house.ids["loner"], input={"revoke": ["TAG_ASSIGN"]})
    await house.does("customerUpdate", by={"id": customer}, input={"resellerRelationship": False})
    required = "RESELLER_RELATIONSHIP_REQUIRED"
    assert await house.refuses("customerUpdate", by={"id": customer}, input=change) == [(required, "input.tags")]
    given = {"name": "x", "resellerRelationship": False, "tags": {"add": [{"id": tag}]}}
    assert await house.refuses("customerCreate", input=given) == [(required, "input.tags")]
    assert await house.bulk("customersUpdate", target={"ids": [customer]}, input=change) == [
        ("FAILED", (required, "input.tags"))
    ]
    assert "TAG" not in (await house.shown(customer, "viewerCan"))["viewerCan"]
    assert await wears(customer) == ["assigned"]
    again = {"resellerRelationship": True, **change}
    assert (await house.does("customerUpdate", by={"id": customer}, input=again))["outcome"] == "UPDATED"


async def test_of_many_at_once_only_who_would_wear_151_is_refused(house, wears):
    """MS2: he is unchanged, the others go on; two requests at a time do not pass the limit together."""
    names = [{"name": f"many {place:03}"} for place in range(149)]
    full, empty = await house.customer(tags={"add": names}), await house.customer()
    two = [{"name": "many 1"}, {"name": "many 2"}]
    rows = await house.bulk("customersUpdate", target={"ids": [full, empty]}, input={"tags": {"add": two}})
    assert rows == [("FAILED", ("LIMIT_EXCEEDED", "input.tags")), ("UPDATED",)]
    assert (len(await wears(full)), await wears(empty)) == (149, ["many 1", "many 2"])

    async def adds(name):
        done = await house.does("customerUpdate", by={"id": full}, input={"tags": {"add": [{"name": name}]}})
        return done["outcome"]

    assert sorted(await asyncio.gather(*(adds(one["name"]) for one in two))) == ["FAILED", "UPDATED"]
    swap = {"tags": {"remove": names[:2], "add": two}}
    assert (await house.does("customerUpdate", by={"id": full}, input=swap))["outcome"] == "UPDATED"
    assert len(await wears(full)) in (149, 150)


# ── finding by tags ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_customers_are_found_and_sorted_by_tags(house):
    """MS11, MS12, SB14, EM1, VC3: by name, any, all, none, includesAll, only; a name that nobody has finds nobody."""
    tags = {name: await house.made("tagCreate", "tag", name=f"find {name}") for name in ("b", "a", "Á2")}
    worn = {"1": ["b"], "2": ["a", "b"], "3": [], "4": ["Á2"]}
    for name, own in worn.items():
        await house.customer(name=name, source="find", tags={"add": [{"id": tags[one]} for one in own]})

    async def found(tags=None, sort=None):
        document = """query ($filter: CustomerFilter, $sort: [CustomerSort!]) {
          customers(filter: $filter, sort: $sort) { nodes { name } } }"""
        filter = {"source": {"eq": "find"}} | ({"tags": tags} if tags else {})
        nodes = (await house.ask(document, filter=filter, sort=sort or [{"name": "ASC"}]))["customers"]["nodes"]
        return "".join(one["name"] for one in nodes)

    is_b = {"name": {"eq": "find b"}}
    assert await found({"any": is_b}) == "12"
    assert await found({"any": {"name": {"eq": "find nothing"}}}) == ""
    assert await found({"all": is_b}) == "13"
    assert await found({"none": is_b}) == "34"
    assert await found({"includesAll": [tags["a"], tags["b"]]}) == "2"
    assert await found({"only": [tags["b"]]}) == "13"
    assert await found({"only": []}) == "3"
    assert await found(sort=[{"tags": "ASC"}]) == "2413"
    assert await found(sort=[{"tags": "DESC"}]) == "1423"
    assert await found(sort=[{"tagCount": "DESC"}, {"name": "ASC"}]) == "2143"

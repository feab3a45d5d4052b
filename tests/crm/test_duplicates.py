"""Who may be the same person: groups, matches, and pairs that are known to be two."""

import asyncio

import pytest

from crm.merging import duplicates
from db import tables
from db.queries.customers import duplicates as queries
from db.tables.enums import CustomerStage, Role
from db.tables.enums import DuplicateKey as Key
from db.values import ids
from db.visibility import Visibility
from tests.crm.conftest import named
from tests.support import factories

EVERYTHING = Visibility(sees_all=True)
ALL = [Key.PHONE, Key.EMAIL, Key.NAME]


def wires(*rows):
    return [named(row)["id"] for row in rows]


@pytest.fixture
def people(save):
    """Saves customers given as (name, phones, e-mails, columns)."""

    async def saved(*given):
        made = []
        for name, phones, emails, *columns in given:
            customer = factories.customer(name, **(columns[0] if columns else {}))
            await save(
                customer,
                *(factories.phone(customer, one, place) for place, one in enumerate(phones)),
                *(factories.email(customer, one, place) for place, one in enumerate(emails)),
            )
            made.append(customer)
        return made

    return saved


async def found(session, keys=ALL, visibility=EVERYTHING, size=50, after=None):
    groups = await queries.fetch_groups(session, keys, visibility, size=size, after=after)
    assert await queries.count_groups(session, keys, visibility) >= len(groups)
    return [(group.key.name, group.value, list(group.customer_ids)) for group in groups]


@pytest.mark.parametrize(
    ("keys", "score"),
    [([Key.NAME], 0.5), ([Key.PHONE], 0.9), ([Key.EMAIL], 0.95), ([Key.PHONE, Key.NAME], 0.95), (ALL, 0.9975), ([], 0)],
)
def test_each_key_takes_its_part_of_the_doubt_that_is_left(keys, score):
    assert duplicates.score(keys) == pytest.approx(score)


async def test_any_number_any_address_and_the_folded_name_make_groups(people, session):
    a, b, c, d, e = await people(
        ("An", ["+84901"], []),
        ("Bo", ["+84777", "+84901"], ["x@y.co"]),
        ("Chi", [], ["z@y.co", "X@Y.co"]),
        ("Đạt", [], []),
        ("DAT", [], []),
    )
    assert await found(session) == [
        ("EMAIL", "x@y.co", [b.id, c.id]),
        ("PHONE", "+84901", [a.id, b.id]),
        ("NAME", "dat", [d.id, e.id]),
    ]
    assert await found(session, [Key.PHONE]) == [("PHONE", "+84901", [a.id, b.id])]


async def test_a_pair_is_suggested_once_however_much_it_shares(people, session):
    a, b, c = await people(("An", ["+1", "+2"], ["a@b.co"]), ("An", ["+1", "+2"], ["a@b.co"]), ("An", [], []))
    assert await found(session) == [("EMAIL", "a@b.co", [a.id, b.id]), ("NAME", "an", [a.id, b.id, c.id])]
    assert await found(session, [Key.PHONE]) == [("PHONE", "+1", [a.id, b.id])]
    assert await queries.count_groups(session, ALL, EVERYTHING) == 2


async def test_archived_ones_are_left_out(people, session):
    await people(("An", ["+1"], []), ("Bo", ["+1"], [], {"archived_at": ids.current_time()}))
    assert await found(session) == []
    assert await queries.count_groups(session, ALL, EVERYTHING) == 0


async def test_who_is_out_of_sight_is_in_no_group(people, save, session, someone):
    await save(agent := factories.agent())
    a, b, _ = await people(
        ("An", ["+1"], [], {"owner_id": agent.id}),
        ("Bo", ["+1"], [], {"stage": CustomerStage.POOL}),
        ("Chi", ["+1"], []),
    )
    assert await found(session, visibility=someone(agent=agent).visibility) == [("PHONE", "+1", [a.id, b.id])]
    matched = await duplicates.find_matches(session, [a.id], someone(agent=agent).visibility)
    assert [one.customer_id for one in matched[a.id]] == [b.id]
    assert await found(session, visibility=someone().visibility) == []


async def test_of_a_department_those_who_wait_are_in_sight_and_others_are_not(people, save, session, someone):
    """SB8: a list and its number leave out whom a colleague looks after, and whom nobody may see any more."""
    await save(home := factories.department(), agent := factories.agent(), colleague := factories.agent())
    waits = {"stage": CustomerStage.TO_BE_ASSIGNED, "department_id": home.id}
    a, b, *_ = await people(
        ("An", ["+1"], ["x@y.z"], waits),
        ("Bo", ["+1"], [], waits),
        ("Chi", ["+2"], ["x@y.z"], {"owner_id": colleague.id, "department_id": home.id}),
        ("Dan", ["+2"], [], waits),
        ("An", [], [], {**waits, "archived_at": 1}),
    )
    visibility = someone(agent=agent, departments=(home,)).visibility
    assert await found(session, visibility=visibility) == [("PHONE", "+1", [a.id, b.id])]
    assert [await queries.count_groups(session, [key], visibility) for key in ALL] == [
        int(key.name == "PHONE") for key in ALL
    ]


async def test_pages_go_on_where_the_last_one_ended(people, session):
    for number in range(5):
        await people((f"A{number}", [f"+{number}"], [f"{number}@b.co"]), (f"B{number}", [f"+{number}"], []))
        await people((f"C{number}", [], [f"{number}@b.co"]))
    whole = await found(session)
    seen, after = [], None
    while page := await found(session, size=3, after=after):
        seen += page
        after = (Key[page[-1][0]], page[-1][1])
    assert seen == whole
    assert len(whole) == await queries.count_groups(session, ALL, EVERYTHING) == 10
    assert await queries.count_groups(session, ALL, EVERYTHING, 7) == 7


async def test_dismissed_pairs_are_not_suggested_and_a_group_shrinks(does, people, session):
    a, b, c = await people(("An", ["+1"], []), ("Bo", ["+1"], []), ("Chi", ["+1"], []))
    assert await does(duplicates.dismiss_pair, wires(c, a)) == 1
    assert await found(session) == [("PHONE", "+1", [a.id, b.id, c.id])]
    assert await does(duplicates.dismiss_pair, wires(a, b, b)) == 1
    assert await found(session) == [("PHONE", "+1", [b.id, c.id])]
    assert await does(duplicates.dismiss_pair, wires(a, b, c)) == 1
    assert await found(session) == []
    assert (await duplicates.find_matches(session, [a.id], EVERYTHING))[a.id] == []


async def test_dismissing_says_what_is_wrong(refuses, people):
    (a,) = await people(("An", [], []))
    nobody = "cus_" + "0" * 32
    assert await refuses(duplicates.dismiss_pair, []) == ("EMPTY_TARGET", "ids")
    assert await refuses(duplicates.dismiss_pair, wires(a)) == ("INVALID", "ids")
    assert await refuses(duplicates.dismiss_pair, [*wires(a), nobody]) == ("NOT_FOUND", "ids.1")
    many = [f"cus_{number:032x}" for number in range(101)]
    assert await refuses(duplicates.dismiss_pair, many) == ("LIMIT_EXCEEDED", "ids")


async def test_a_customers_matches_are_scored_and_the_likeliest_come_first(people, session, sent):
    a, b, c, d = await people(
        ("An", ["+1"], ["a@b.co"]), ("Bo", ["+1"], []), ("an", ["+1"], ["A@B.CO"]), ("Án", [], [])
    )
    sent.clear()
    matched = (await duplicates.find_matches(session, [one.id for one in (a, b, c, d)], EVERYTHING))[a.id]
    assert len(sent) == 2
    assert [(one.customer_id, list(one.on), one.score) for one in matched] == [
        (c.id, ALL, 0.9975),
        (b.id, [Key.PHONE], 0.9),
        (d.id, [Key.NAME], 0.5),
    ]


async def test_a_group_keeps_its_id_and_is_found_by_it(does, people, session):
    await people(
        ("Nguyễn Văn An", ["+84901234567"], []), ("Nguyễn Văn An", ["+84901234567"], []), ("Nguyễn Văn", [], [])
    )
    await people(("Bo", [], ["é@b.co"]), ("Chi", [], ["é@b.co"]), ("Bo", [], []))
    groups = await queries.fetch_groups(session, ALL, EVERYTHING, size=50)
    by_name = await queries.fetch_groups(session, [Key.NAME], EVERYTHING, size=50)
    wanted = [group.id for group in (*groups, *by_name)]
    assert len(set(wanted)) == 4
    assert set(await queries.by_ids(session, [*wanted, b"\x00" * 16, b"\xff" * 16], EVERYTHING)) == set(wanted)


async def test_two_who_dismiss_the_same_pair_at_once_both_succeed(does, people, everything):
    a, b = await people(("An", [], []), ("Bo", [], []))
    counts = await asyncio.gather(*(does(duplicates.dismiss_pair, wires(a, b)) for _ in range(4)))
    assert sorted(counts) == [0, 0, 0, 1]
    assert len(await everything(tables.DuplicateDismissal)) == 1


async def test_an_agent_needs_to_see_those_whom_he_tells_apart(refuses, people, someone):
    a, b = await people(("An", [], []), ("Bo", [], []))
    found_ = await refuses(duplicates.dismiss_pair, wires(a, b), by=someone(Role.AGENT))
    assert found_ == [("NOT_FOUND", "ids.0"), ("NOT_FOUND", "ids.1")]

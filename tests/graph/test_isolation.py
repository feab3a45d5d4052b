"""Other workspaces: their ids are answered like ids that do not exist, wherever sent, and nothing changes there."""

import re

import pytest

from db.tables.enums import Role
from db.values import ids
from db.values.wire_format import decode_id, id_encoder, split_id
from graph.context import Context
from tests.support import factories, schema_walk, schemas
from tests.support.populated_workspace import dump, inhabited

CALLS = [
    (field, path)
    for root in ("query", "mutation")
    for field in schema_walk.fields(root)
    if field.name not in ("signIn", "signOut")
    for path in field.places("ID")
]

_BEFORE = {}
_OWN = re.compile(r"[a-z]{3}_[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]+Z|'(?:position|version)': \d+")


@pytest.fixture(scope="module")
async def places(database):
    """One's own workspace and another: their numbers and their ids."""
    mine, theirs = await factories.workspace(database), await factories.workspace(database)
    own, foreign = await inhabited(database, mine), await inhabited(database, theirs)
    _BEFORE[theirs] = await dump(database, theirs)
    return mine, own, theirs, foreign


def _ids(known):
    """The ids among the names of a workspace, each of its type."""
    return [(split_id(one)[0], one) for one in known.values() if split_id(one)]


@pytest.fixture
def sends(database, places, someone):
    async def sent(document, variables, *, theirs=False):
        number, own = places[2:] if theirs else places[:2]
        admin = someone(Role.ADMIN)
        viewer = type(admin)(number, admin.actor_kind, decode_id("Agent", own["Agent"]), admin.permissions)
        context = Context(database, viewer, request_id="test")
        return await schemas.ENGINE.execute(document, variable_values=variables, context_value=context)

    return sent


@pytest.fixture
def answers(sends):
    async def asked(field, variables):
        answer = await sends(field.document, variables)
        return repr((answer.data, [(error.message, error.path) for error in answer.errors or ()]))

    return asked


@pytest.mark.long
@pytest.mark.parametrize(("field", "path"), CALLS, ids=[f"{f.name}-{'.'.join(map(str, p))}" for f, p in CALLS])
async def test_an_id_of_another_workspace_is_as_one_that_does_not_exist(answers, places, field, path):
    _, own, _, foreign = places
    for kind, wire_id in _ids(foreign):
        missing = id_encoder(kind)(ids.new_id())
        told = [
            re.sub(each, "ID", await answers(field, schema_walk.filled(field, path, each, own)))
            for each in (missing, wire_id, missing)
        ]
        _assert_alike(told, kind)


def _assert_alike(told, kind):
    """Moments, ids, places and versions of what a call made differ by themselves, and what the first call did is done
    already when the next one comes."""
    before, between, after = (re.sub(_OWN, "…", one) for one in told)
    assert between in (before, after), kind


# How an object of each type is reached that has fields with arguments.
_REACHED = {
    "Customer": ("customer(by: {id: $id})", "Customer"),
    "Company": ("company(by: {id: $id})", "Company"),
    "Tag": ("tag(id: $id)", "Tag"),
    "Segment": ("segment(id: $id)", "List"),
    "Agent": ("agent(id: $id)", "Agent"),
    "SavedView": ("node(id: $id)", "SavedView"),
    "Job": ("job(id: $id)", "Job"),
}
BELOW = [
    (kind, name, path)
    for kind in _REACHED
    for name, field in schema_walk.BUILT.type_map[kind].fields.items()
    for argument, one in field.args.items()
    for path in schema_walk.places_of(one.type, (argument,), "ID")
]


@pytest.mark.long
@pytest.mark.parametrize(("kind", "name", "path"), BELOW, ids=lambda one: ".".join(map(str, one)))
async def test_nor_is_it_told_apart_below_the_root(sends, places, kind, name, path):
    _, own, _, foreign = places
    reached, of = _REACHED[kind]
    argument = schema_walk.BUILT.type_map[kind].fields[name].args[path[0]]
    inner = schema_walk.selection(schema_walk.BUILT.type_map[kind].fields[name].type)
    document = f"""query ($id: ID!, $value: {argument.type}) {{
      {reached} {{ ... on {kind} {{ {name}({path[0]}: $value) {inner} }} }} }}"""
    for named, wire_id in _ids(foreign):
        missing, told = id_encoder(named)(ids.new_id()), []
        for each in (missing, wire_id, missing):
            value = schema_walk.put(argument.type, path[1:], each, own, path[0])
            answer = await sends(document, {"id": own[of], "value": value})
            shown = repr((answer.data, [(error.message, error.path) for error in answer.errors or ()]))
            told.append(re.sub(each, "ID", shown))
        _assert_alike(told, named)


def _connections():
    """Root fields that are asked on from a cursor, with the least of arguments."""
    return [field for field in schema_walk.fields("query") if "after" in field.definition.args]


@pytest.mark.parametrize("field", _connections(), ids=lambda field: field.name)
async def test_a_cursor_of_another_workspace_leads_to_nothing_of_it(sends, places, field):
    """A cursor holds values and an id: it is a place in a list, and the list is one's own."""
    foreign = places[3]
    inner = "{ edges { cursor } pageInfo { endCursor } nodes { __typename ... on Node { id } } }"
    takes = "".join(f", {side}: ${side}" for side in ("after", "before") if side in field.definition.args)
    heads = "".join(f", ${side}: String" for side in ("after", "before") if side in field.definition.args)
    document = f"query ($first: Int{heads}) {{ {field.name}(first: $first{takes}) {inner} }}"
    page = (await sends(document, {"first": 1}, theirs=True)).data[field.name]
    for cursor in {page["pageInfo"]["endCursor"], *(edge["cursor"] for edge in page["edges"])} - {None}:
        for side in ("after", "before"):
            if side in field.definition.args:
                answer = await sends(document, {"first": 50, side: cursor})
                assert answer.errors is None
                assert not {one[4:] for _, one in _ids(foreign)} & set(re.findall(r"[0-9a-f]{32}", repr(answer.data)))


@pytest.mark.long
async def test_and_nothing_changed_there(database, places):
    """Runs after all the calls above."""
    _, _, theirs, _ = places
    assert await dump(database, theirs) == _BEFORE[theirs]

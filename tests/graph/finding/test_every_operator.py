"""Every operator at every place of the published filter, found by walking the schema: it answers, `not` is its exact
complement, null is refused with the path to it, and an empty object asks nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, get_named_type

from crm.access import permissions
from crm.access.permissions import Viewer
from db.tables.enums import ActorKind, Role
from tests.support import filter_dataset, schemas

SCHEMA = schemas.ENGINE._schema
WORLD = filter_dataset.made(3, customers=40)
DEEPEST = 4
TOGETHER = 20

Path = tuple[str | int, ...]

# A field of the world for each word that its values are asked in.
KEYS = {"text": "note", "number": "points", "boolean": "gift", "date": "visit", "dateTime": "next", "options": "likes"}
SCALARS: dict[str, Any] = {
    "String": "an",
    "ID": WORLD.tags[0].wire,
    "Int": 1,
    "Decimal": "1.5",
    "Boolean": True,
    "Date": "1992-02-29",
    "DateTime": "2026-09-21T20:13:20+07:00",
    "Duration": "P30D",
}


def leaves(type_: GraphQLInputObjectType, path: Path = (), above: tuple[str, ...] = ()) -> Iterator[tuple[Path, Any]]:
    """Every operator below a type, and a value for it. A type stands once in a path."""
    for name, field in type_.fields.items():
        kind: Any = get_named_type(field.type)
        here = (*path, name)
        if not isinstance(kind, GraphQLInputObjectType):
            one = next(iter(kind.values)) if isinstance(kind, GraphQLEnumType) else SCALARS[kind.name]
            yield here, [one] if _listed(field.type) else one
        elif kind.name not in (*above, type_.name) and len([one for one in here if one != 0]) < DEEPEST:
            below = (*here, 0) if _listed(field.type) else here
            yield from leaves(kind, below, (*above, type_.name))


def _listed(type_: Any) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def built(path: Path, value: Any) -> Any:
    """The filter that has the value at that path, with what must stand beside it."""
    if not path:
        return value
    name, *rest = path
    inner = built(tuple(rest), value)
    if name == 0:
        return [inner]
    found = {name: inner}
    if name == "is" and isinstance(inner, dict):
        found["key"] = KEYS[next(iter(inner))]
    if name == "externalId" and isinstance(inner, dict):
        inner["system"] = "erp"
    return found


def operators() -> list[tuple[Path, Any]]:
    kind: Any = SCHEMA.get_type("CustomerFilter")
    return [(path, value) for path, value in leaves(kind) if path[-1] not in ("system", "key")]


OPERATORS = operators()


def test_the_walk_finds_them_all():
    names = {path[0] for path, _ in OPERATORS}
    assert names == set(SCHEMA.get_type("CustomerFilter").fields) - {"and", "or", "not"}
    assert len(OPERATORS) > 500


@pytest.fixture(scope="module")
async def who(database: Any) -> Viewer:
    number = await filter_dataset.saved(database, WORLD)
    return Viewer(number, ActorKind.AGENT, WORLD.viewer.id, permissions.ROLE_PERMISSIONS[Role.ADMIN])


def document(size: int, *, counted: bool) -> str:
    variables = ", ".join(f"$f{place}: CustomerFilter" for place in range(size))
    wanted = "nodes { id } totalCount" if counted else "nodes { id }"
    fields = " ".join(
        f"l{place}: customers(filter: $f{place}, archived: INCLUDE, first: 100) {{ {wanted} }}" for place in range(size)
    )
    return f"query ({variables}) {{ {fields} }}"


async def found(ask: Any, who: Viewer, filters: list[Any], *, counted: bool = True) -> list[list[str]]:
    lists = []
    for start in range(0, len(filters), TOGETHER):
        part = filters[start : start + TOGETHER]
        answer = await ask(
            document(len(part), counted=counted), viewer=who, **{f"f{place}": one for place, one in enumerate(part)}
        )
        for place in range(len(part)):
            one = answer[f"l{place}"]
            assert not counted or one["totalCount"] == len(one["nodes"])
            lists.append([each["id"] for each in one["nodes"]])
    return lists


async def test_every_operator_answers_and_not_is_its_complement(ask, who):
    """SM9, SB12, SB14, SB15."""
    filters = [built(path, value) for path, value in OPERATORS]
    everybody = sorted(one.wire for one in WORLD.customers)
    asked = await found(ask, who, filters)
    others = await found(ask, who, [{"not": one} for one in filters], counted=False)
    for (path, _), some, rest in zip(OPERATORS, asked, others, strict=True):
        assert sorted([*some, *rest]) == everybody, path


async def test_null_is_refused_with_its_path(refused, who):
    listed = "query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }"
    for path, _ in OPERATORS:
        error = await refused(listed, viewer=who, f=built(path, None))
        assert error["code"] == "BAD_USER_INPUT", (path, error)
        wanted = ".".join(map(str, ("filter", *path)))
        assert wanted in error["message"] or wanted == ".".join(map(str, error.get("argument", ()))), (path, error)


async def test_an_empty_object_asks_nothing(ask, who):
    """Of what is there at least once: the empty filter of a related record is about records, not about values."""
    places = list(dict.fromkeys(path[:-1] for path, _ in OPERATORS if len(path) > 1 and path[-2] not in ("is", 0)))
    plain = [place for place in places if not {"any", "none", "all", "not"} & set(place) and "is" not in place]
    everybody = sorted(one.wire for one in WORLD.customers)
    for place, some in zip(plain, await found(ask, who, [built(place, {}) for place in plain]), strict=True):
        if "externalId" not in place:
            assert sorted(some) == everybody, place

"""Generated filters as clients could send them."""

from typing import Any

from hypothesis import strategies as st

from db.tables.enums import (
    CustomerStage,
    Gender,
    InteractionKind,
    InteractionOutcome,
    RelationshipStatus,
    SegmentKind,
    SubscriptionStatus,
    TagKind,
    Verification,
)
from db.values.wire_format import format_moment, id_encoder
from tests.support.filter_dataset import EMAILS, MOMENTS, NAMES, OPTIONS, PHONES, WORDS

Filters = st.SearchStrategy[dict[str, Any]]

_TEXTS = [text for text in [*NAMES, *WORDS, *EMAILS, *PHONES] if text] + ["an", "%", "_", "", "z" * 300, "ẞ"]
_DURATIONS = ["P0D", "P1D", "P30D", "P90D", "P400D"]


def one_of_these(**operators: Any) -> Filters:
    """One or two operators."""
    names = st.lists(st.sampled_from(sorted(operators)), min_size=1, max_size=2, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: operators[name] for name in chosen}))


_few = {"max_size": 3}


def _exact(values: Any) -> dict[str, Any]:
    return {"eq": values, "ne": values, "in_": st.lists(values, **_few), "not_in": st.lists(values, **_few)}


def _spelt(operators: dict[str, Any]) -> dict[str, Any]:
    names = {"in_": "in", "not_in": "notIn", "not_contains": "notContains", "starts_with": "startsWith",
             "ends_with": "endsWith", "is_null": "isNull"}  # fmt: skip
    return {names.get(name, name): values for name, values in operators.items()}


_text = st.sampled_from(_TEXTS)
texts = one_of_these(
    **_spelt(
        {
            **_exact(_text),
            "contains": _text,
            "not_contains": _text,
            "starts_with": _text,
            "ends_with": _text,
            "is_null": st.booleans(),
        }
    )
)


def _ordering(values: Any) -> Filters:
    exact = _exact(values)
    exact.pop("not_in")
    return one_of_these(
        **_spelt({**exact, **dict.fromkeys(("gt", "gte", "lt", "lte"), values), "is_null": st.booleans()})
    )


amounts = _ordering(st.sampled_from(["0", "1", "1.5", "12345.6789", "-2"]))
whole = _ordering(st.integers(-1, 4))
ages = _ordering(st.sampled_from([-1, 0, 26, 34, 36, 200, 3000]))
_date = st.sampled_from(["1990-02-28", "1992-02-29", "2000-09-21", "1999-01-01"])
_duration = st.sampled_from(_DURATIONS)
dates = one_of_these(
    eq=_date, gt=_date, gte=_date, lt=_date, lte=_date, last=_duration, next=_duration, anniversaryWithin=_duration,
    isNull=st.booleans(),
)  # fmt: skip
_moment = st.sampled_from([format_moment(moment) for moment in MOMENTS if moment] + ["2026-09-21T20:13:20+07:00"])
moments = one_of_these(
    gt=_moment, gte=_moment, lt=_moment, lte=_moment, last=_duration, next=_duration, isNull=st.booleans()
)


def enum(kind: Any, *, nullable: bool = False) -> Filters:
    operators = _spelt(_exact(st.sampled_from([one.name for one in kind])))
    return one_of_these(**operators, **({"isNull": st.booleans()} if nullable else {}))


def ids(world: Any, name: str, kind: str) -> Filters:
    known = [one.wire for one in getattr(world, name)]
    return one_of_these(**_spelt(_exact(st.sampled_from([*known, id_encoder(kind)(bytes(16)), "nonsense"]))))


def _one(**names: Any) -> Filters:
    return st.sampled_from(sorted(names)).flatmap(lambda name: st.fixed_dictionaries({name: names[name]}))


def _many(one: Filters, *, listed: Any = None, count: bool = True) -> Filters:
    operators: dict[str, Any] = {"any": one, "none": one}
    if count:
        operators |= {"all": one, "count": whole}
    if listed is not None:
        operators |= {"includesAll": listed, "only": listed}
    return one_of_these(**operators)


def grouped(leaves: Filters, depth: int = 2) -> Filters:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.fixed_dictionaries({"and": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"or": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"not": inner}),
            st.tuples(inner, inner).map(lambda pair: {**pair[0], **pair[1]}),
        ),
        max_leaves=depth * 2,
    )


def customers(world: Any) -> Filters:
    within = st.sampled_from([one.wire for one in world.departments] + ["nonsense"])
    departments = _one(isNull=st.booleans(), id=ids(world, "departments", "Department"), name=texts, within=within)
    agents = grouped(
        _one(isNull=st.booleans(), isViewer=st.booleans(), id=ids(world, "agents", "Agent"), name=texts, email=texts,
             department=departments, active=st.booleans())
    )  # fmt: skip
    inner = grouped(_one(name=texts, gender=enum(Gender, nullable=True), value=amounts, city=texts))
    external = st.fixed_dictionaries({"system": st.sampled_from(["erp", "crm", "none"])}, optional={"value": texts})
    companies = grouped(
        _one(isNull=st.booleans(), id=ids(world, "companies", "Company"), name=texts, domain=texts,
             externalId=external, customers=_many(inner), createdAt=moments)
    )  # fmt: skip
    tags = grouped(_one(id=ids(world, "tags", "Tag"), name=texts, kind=enum(TagKind), customers=_many(inner)))
    tag_ids = st.lists(st.sampled_from([one.wire for one in world.tags]), max_size=5)
    segments = _one(id=ids(world, "segments", "Segment"), name=texts, kind=enum(SegmentKind))
    segment_ids = st.lists(st.sampled_from([one.wire for one in world.segments]), max_size=2)
    belonging = st.one_of(
        st.fixed_dictionaries({"any": segments}),
        st.fixed_dictionaries({"none": segments}),
        st.fixed_dictionaries({"includesAll": segment_ids}),
    )
    notes = _one(body=texts, author=agents, createdAt=moments)
    interactions = _one(kind=enum(InteractionKind), channel=texts, outcome=enum(InteractionOutcome, nullable=True),
                        campaign=texts, agent=agents, occurredAt=moments)  # fmt: skip
    orders = _one(source=texts, number=texts, status=texts, total=amounts, placedAt=moments)
    return grouped(
        _one(
            id=ids(world, "customers", "Customer"), externalId=external, name=texts, nickname=texts, realName=texts,
            email=texts, phone=texts, gender=enum(Gender, nullable=True), birthDate=dates, age=ages, value=amounts,
            city=texts, region=texts, country=texts, source=texts, channel=texts,
            relationshipStatus=enum(RelationshipStatus), subscriptionStatus=enum(SubscriptionStatus),
            stage=enum(CustomerStage), verification=enum(Verification), followUpStage=texts, owner=agents,
            department=departments, company=companies, wechatFriendOf=agents, tags=_many(tags, listed=tag_ids),
            segments=belonging, notes=_many(notes), interactions=_many(interactions), orders=_many(orders),
            customFields=st.lists(custom(), max_size=2), blocked=st.booleans(), resellerRelationship=st.booleans(),
            archivedAt=moments, createdAt=moments, updatedAt=moments, lastInteractionAt=moments,
        ),
        depth=3,
    )  # fmt: skip


def custom() -> Filters:
    option = st.lists(st.sampled_from([*OPTIONS, "none"]), max_size=3)
    options = one_of_these(any=option, all=option, none=option, isNull=st.booleans())
    kinds = {
        "note": {"text": texts},
        "points": {"number": _ordering(st.sampled_from(["0", "1.5", "-3", "99.9"]))},
        "gift": {"boolean": one_of_these(eq=st.booleans(), isNull=st.booleans())},
        "visit": {"date": dates},
        "next": {"dateTime": moments},
        "tier": {"options": options},
        "likes": {"options": options},
    }
    return st.sampled_from(sorted(kinds)).flatmap(
        lambda key: st.fixed_dictionaries({"key": st.just(key), "is": st.fixed_dictionaries(kinds[key])})
    )

"""Filters, searches and sorts in plain Python: the model that the SQL is compared with.

Written from the contract, not from the compiler, as simple as possible.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cmp_to_key
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from db.values.folding import fold

NOW = 1_790_000_000_000
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_LOCAL = datetime.fromtimestamp(NOW / 1000, ZONE)
TODAY = _LOCAL.date()


class Record(SimpleNamespace):
    """A record equals only itself."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


_TEXTS = {
    "name": "name", "nickname": "nickname", "realName": "real_name", "email": "email", "phone": "phone",
    "city": "city", "region": "region", "country": "country", "source": "source", "channel": "channel",
    "followUpStage": "follow_up_stage", "domain": "domain", "body": "body", "campaign": "campaign",
    "number": "number", "status": "status",
}  # fmt: skip
_ENUMS = {
    "gender": "gender", "relationshipStatus": "relationship_status", "subscriptionStatus": "subscription_status",
    "stage": "stage", "verification": "verification", "kind": "kind", "outcome": "outcome",
}  # fmt: skip
_MOMENTS = {
    "createdAt": "created_at", "updatedAt": "updated_at", "archivedAt": "archived_at",
    "lastInteractionAt": "last_interaction_at", "occurredAt": "occurred_at", "placedAt": "placed_at",
}  # fmt: skip
_ONE = {"owner": "owner", "company": "company", "agent": "agent", "author": "author"}
_MANY = {
    "tags": "tags", "notes": "notes", "interactions": "interactions", "orders": "orders", "customers": "customers",
}  # fmt: skip


def holds(asked: dict[str, Any], record: Any, world: Any) -> bool:
    """Whether the filter matches the record; None stands for an absent record."""
    return all(_holds(name, given, record, world) for name, given in asked.items())


def _holds(name: str, given: Any, record: Any, world: Any) -> bool:
    if name in ("and", "or"):
        parts = [holds(one, record, world) for one in given]
        return all(parts) if name == "and" else any(parts)
    if name == "not":
        return not holds(given, record, world)
    if name == "isNull":
        return (record is None) is given
    if name == "id":
        return _equal(given, None if record is None else record.wire, str)
    if name == "isViewer":
        return (record is not None and record is world.viewer) is given
    if name in ("active", "resellerRelationship", "blocked"):
        column = {"active": "active", "resellerRelationship": "reseller_relationship", "blocked": "blocked"}[name]
        return record is not None and getattr(record, column) is given
    if name == "department":
        return _department(given, record, world)
    if name == "wechatFriendOf":
        return _any(given, record.friends if record else [], world)
    if name == "within":
        return record is not None and given in _above(record)
    if name == "customFields":
        return all(_custom(one, record) for one in given)
    if name == "externalId":
        return _external(given, record)
    if name == "segments":
        return _segments(given, record, world)
    if name in _ONE:
        return holds(given, getattr(record, _ONE[name], None), world)
    if name in _MANY:
        return _listed(given, getattr(record, _MANY[name], []) if record else [], world)
    return _scalar(name, given, record)


def _scalar(name: str, given: Any, record: Any) -> bool:
    if name in _TEXTS:
        value = getattr(record, _TEXTS[name], None)
        return text(given, value, blind=name in ("email", "domain"))
    if name in _ENUMS:
        value = getattr(record, _ENUMS[name], None)
        return _equal(given, None if value is None else value.name, str)
    if name in _MOMENTS:
        return moment(given, getattr(record, _MOMENTS[name], None))
    if name in ("value", "total"):
        value = getattr(record, name, None)
        return ordered(given, None if value is None else Decimal(value) / 10_000, Decimal)
    if name == "birthDate":
        return day(given, getattr(record, "birth_date", None))
    assert name == "age", name
    born = getattr(record, "birth_date", None)
    return ordered(given, None if born is None else age(date.fromisoformat(born)), int)


def _department(given: Any, record: Any, world: Any) -> bool:
    """One for a customer, several for an agent."""
    if record is not None and hasattr(record, "departments"):
        return _any(given, record.departments, world)
    return holds(given, getattr(record, "department", None), world)


def _any(given: Any, related: list[Any], world: Any) -> bool:
    return any(holds(given, one, world) for one in related or [None])


def _above(department: Any) -> list[str]:
    return [] if department is None else [department.wire, *_above(department.parent)]


def _listed(given: Any, related: list[Any], world: Any) -> bool:
    found = []
    for name, operand in given.items():
        if name == "any":
            found.append(any(holds(operand, one, world) for one in related))
        elif name == "all":
            found.append(all(holds(operand, one, world) for one in related))
        elif name == "none":
            found.append(not any(holds(operand, one, world) for one in related))
        elif name == "includesAll":
            found.append(set(operand) <= {one.wire for one in related})
        elif name == "only":
            found.append({one.wire for one in related} <= set(operand))
        else:
            found.append(ordered(operand, len(related), int))
    return all(found)


def _segments(given: Any, record: Any, world: Any) -> bool:
    """Only requested segments are evaluated: one may name others, but not itself."""
    found = []
    for name, operand in given.items():
        if name == "includesAll":
            named = [segment for segment in world.segments if segment.wire in operand]
            found.append(all(member(segment, record, world) for segment in named))
        else:
            asked = [segment for segment in world.segments if holds(operand, segment, world)]
            matching = any(member(segment, record, world) for segment in asked)
            found.append(matching if name == "any" else not matching)
    return all(found)


def member(segment: Any, customer: Any, world: Any) -> bool:
    if segment.filter is None:
        return customer in segment.members
    return holds(segment.filter, customer, world)


def _external(given: Any, record: Any) -> bool:
    values = [value for system, value in (record.external_ids if record else []) if system == given["system"]]
    return _several(given.get("value", {}), values) if "value" in given else bool(values)


def _several(operators: Any, values: list[str]) -> bool:
    """Operators on several values: a positive operator matches one of them, its negation none."""
    positive = {"ne": "eq", "notIn": "in", "notContains": "contains"}
    found = []
    for name, operand in operators.items():
        if name == "isNull":
            found.append(bool(values) is not operand)
        elif name in positive:
            found.append(not any(text({positive[name]: operand}, value) for value in values))
        else:
            found.append(any(text({name: operand}, value) for value in values))
    return all(found)


def _custom(given: Any, record: Any) -> bool:
    value = record.values.get(given["key"]) if record else None
    ((kind, operators),) = given["is"].items()
    if kind == "text":
        return text(operators, value)
    if kind == "number":
        return ordered(operators, value, float)
    if kind == "boolean":
        return all(
            (value is None) is operand if name == "isNull" else value is operand for name, operand in operators.items()
        )
    if kind == "date":
        return day(operators, value)
    if kind == "dateTime":
        return moment(operators, value)
    chosen = set(value or [])
    rules = {
        "any": lambda operand: bool(chosen & set(operand)),
        "all": lambda operand: set(operand) <= chosen,
        "none": lambda operand: not chosen & set(operand),
        "isNull": lambda operand: (not chosen) is operand,
    }
    return all(rules[name](operand) for name, operand in operators.items())


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def text(operators: Any, value: str | None, *, blind: bool = False) -> bool:
    def same(one: str, other: str | None) -> bool:
        return other is not None and (one.casefold() == other.casefold() if blind else one == other)

    rules = {
        "eq": lambda given: same(given, value),
        "ne": lambda given: not same(given, value),
        "in": lambda given: any(same(one, value) for one in given),
        "notIn": lambda given: not any(same(one, value) for one in given),
        "contains": lambda given: value is not None and fold(given) in fold(value),
        "notContains": lambda given: value is None or fold(given) not in fold(value),
        "startsWith": lambda given: value is not None and fold(value).startswith(fold(given)),
        "endsWith": lambda given: value is not None and fold(value).endswith(fold(given)),
        "isNull": lambda given: (value is None) is given,
    }
    return all(rules[name](given) for name, given in operators.items())


def _equal(operators: Any, value: Any, kind: Any) -> bool:
    rules = {
        "eq": lambda given: value == kind(given),
        "ne": lambda given: value != kind(given),
        "in": lambda given: value in [kind(one) for one in given],
        "notIn": lambda given: value not in [kind(one) for one in given],
        "isNull": lambda given: (value is None) is given,
    }
    return all(rules[name](given) for name, given in operators.items())


def ordered(operators: Any, value: Any, kind: Any) -> bool:
    rules = {
        "gt": lambda given: value is not None and value > kind(given),
        "gte": lambda given: value is not None and value >= kind(given),
        "lt": lambda given: value is not None and value < kind(given),
        "lte": lambda given: value is not None and value <= kind(given),
    }
    return all(
        rules[name](given) if name in rules else _equal({name: given}, value, kind) for name, given in operators.items()
    )


def moment(operators: Any, value: int | None) -> bool:
    def read(given: str) -> int:
        return int(datetime.fromisoformat(given).timestamp() * 1000 + 0.5)

    rest = {name: given for name, given in operators.items() if name not in ("last", "next")}
    if not ordered({name: read(given) if name != "isNull" else given for name, given in rest.items()}, value, _same):
        return False
    now = datetime.fromtimestamp(NOW / 1000, UTC)
    bounds = {
        "last": lambda given: (now - _length(given), now),
        "next": lambda given: (now, now + _length(given)),
    }
    for name, given in operators.items():
        if name in bounds:
            first, last = bounds[name](given)
            if value is None or not first <= datetime.fromtimestamp(value / 1000, UTC) <= last:
                return False
    return True


def _same(value: Any) -> Any:
    return value


def day(operators: Any, value: str | None) -> bool:
    rest = {name: given for name, given in operators.items() if name not in ("last", "next", "anniversaryWithin")}
    if not ordered(rest, value, str):
        return False
    when = None if value is None else date.fromisoformat(value)
    for name, given in operators.items():
        if name == "last" and (when is None or not TODAY - _length(given) <= when <= TODAY):
            return False
        if name == "next" and (when is None or not TODAY <= when <= TODAY + _length(given)):
            return False
        if name == "anniversaryWithin" and (when is None or not _coming(when) - TODAY <= _length(given)):
            return False
    return True


def _length(given: str) -> timedelta:
    """Days only: the zone has no daylight saving time, and another test covers months."""
    found = re.fullmatch(r"P(\d+)D", given)
    assert found
    return timedelta(days=int(found[1]))


def _coming(born: date) -> date:
    """The next anniversary, today or later."""
    for year in (TODAY.year, TODAY.year + 1):
        try:
            when = born.replace(year=year)
        except ValueError:
            when = date(year, 3, 1)
        if when >= TODAY:
            return when
    raise AssertionError


def age(born: date) -> int:
    return TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))


# ── searches and sorts ────────────────────────────────────────────────────────────────────────────────────────────────


def found(search: str, customer: Any) -> bool:
    """Every word occurs somewhere; another test covers numbers."""
    texts = [
        customer.name, customer.nickname, customer.real_name, customer.email, customer.city, customer.region,
        customer.country, customer.company and customer.company.name, *(tag.name for tag in customer.tags),
        *(note.body for note in customer.notes), *(value for _, value in customer.external_ids),
        customer.values.get("note"),
    ]  # fmt: skip
    return all(any(word in fold(one) for one in texts if one) for word in fold(search).split())


def in_order(customers: list[Any], sort: list[tuple[str, str]], keys: Any) -> list[Any]:
    """Sorts by (name, order) pairs, empty values last unless requested first, then by id in the first direction."""

    def compare(one: Any, other: Any) -> int:
        for name, order in sort:
            left, right = keys[name](one), keys[name](other)
            if left is None or right is None:
                if (left is None) != (right is None):
                    empty_first = order.endswith("NULLS_FIRST")
                    return -1 if (left is None) is empty_first else 1
            elif left != right:
                return (-1 if left < right else 1) * (-1 if order.startswith("DESC") else 1)
        down = not sort or sort[0][1].startswith("DESC")
        return (-1 if one.id < other.id else 1) * (-1 if down else 1) if one.id != other.id else 0

    return sorted(customers, key=cmp_to_key(compare))

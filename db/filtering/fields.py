"""What can be asked of each kind of record: the names in its filter, and what each of them means."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from db.filtering import operators as op
from db.filtering import parser as read
from db.filtering.errors import Path, invalid
from db.filtering.filter_ast import FALSE, TRUE, Shape, either, every, of_nothing, opposite
from db.filtering.parser import Reader
from db.tables.enums import (
    CustomerStage,
    EntityType,
    Gender,
    InteractionKind,
    InteractionOutcome,
    RelationshipStatus,
    SegmentKind,
    SubscriptionStatus,
    TagKind,
    Verification,
)
from db.values import wire_format

Asked = Callable[[Reader, Any, Path], Shape]
"""One name of a filter: what was given under it, as a shape."""


def customers(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, CUSTOMER)


def companies(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, COMPANY)


def agents(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, AGENT)


def departments(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, DEPARTMENT)


def tags(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, TAG)


def segments(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, SEGMENT)


def notes(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, NOTE)


def interactions(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, INTERACTION)


def orders(reader: Reader, plain: Any, path: Path) -> Shape:
    return _record(reader, plain, path, ORDER)


def _record(reader: Reader, plain: Any, path: Path, names: Mapping[str, Asked]) -> Shape:
    reader.deeper(path)
    found = []
    for name, given in read.record(plain, path).items():
        here = (*path, name)
        if name in ("and", "or") and "not" in names:
            listed = enumerate(read.items(given, here))
            parts = [_record(reader, one, (*here, str(place)), names) for place, one in listed]
            found.append(every(parts) if name == "and" else either(parts))
        elif name == "not" and name in names:
            found.append(opposite(_record(reader, given, here, names)))
        elif asked := names.get(name):
            found.append(asked(reader, given, here))
        else:
            raise read.unknown(name, path)
    reader.higher()
    return every(found)


# ── kinds of names ────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(column: str, key: str | None = None, *, folded: bool = False) -> Asked:
    key = column if column == "phone" else key or f"{column}_key"
    return lambda reader, plain, path: op.textual(reader, plain, path, column, key, folded=folded)


def _number(column: str, taken: Callable[[Any, Path], Any]) -> Asked:
    return lambda reader, plain, path: op.ordered(reader, plain, path, column, taken)


def _moment(column: str) -> Asked:
    return lambda reader, plain, path: op.timed(reader, plain, path, column)


def _enum(column: str, kind: type[IntEnum]) -> Asked:
    return lambda reader, plain, path: op.chosen(reader, plain, path, column, kind)


def _id(kind: str) -> Asked:
    return lambda reader, plain, path: op.identified(reader, plain, path, "id", kind)


def _flag(column: str) -> Asked:
    def asked(reader: Reader, plain: Any, path: Path) -> Shape:
        reader.predicate(path)
        flag: Shape = ("flag", column)
        # A flag of a record that is not there is neither: both answers want the record.
        return flag if read.boolean(plain, path) else every([opposite(flag), opposite(("empty", column))])

    return asked


def _is_null(reader: Reader, plain: Any, path: Path) -> Shape:
    """Inside the filter of a record that may not be there."""
    reader.predicate(path)
    empty: Shape = ("empty", "id")
    return empty if read.boolean(plain, path) else opposite(empty)


def _one(relation: str, asked: Asked) -> Asked:
    """A record that may be there or not; without it, it is as if it had no values."""

    def found(reader: Reader, plain: Any, path: Path) -> Shape:
        shape = asked(reader, plain, path)
        return ("one", relation, shape, of_nothing(shape, reader.values))

    return found


def _any(relation: str, asked: Asked) -> Asked:
    """At least one of several; where there are none, as if there were one without values."""

    def found(reader: Reader, plain: Any, path: Path) -> Shape:
        shape = asked(reader, plain, path)
        some: Shape = ("some", relation, shape)
        if not of_nothing(shape, reader.values):
            return some
        return either([some, opposite(("some", relation, TRUE))])

    return found


def _many(relation: str, asked: Asked, *, kind: str | None = None, column: str | None = None) -> Asked:
    """any, all, none and count; where ids of `kind` can be listed, includesAll and only. `column` keeps the count."""

    def found(reader: Reader, plain: Any, path: Path) -> Shape:
        parts = []
        for name, given in read.record(plain, path).items():
            here = (*path, name)
            if name in ("any", "none", "all"):
                shape = asked(reader, given, here)
                some: Shape = ("some", relation, opposite(shape) if name == "all" else shape)
                parts.append(some if name == "any" else opposite(some))
            elif name == "count" and column:
                parts.append(op.ordered(reader, given, here, column, op.whole))
            elif name == "count":
                parts.append(op.counted(reader, given, here, relation))
            elif name == "includesAll" and kind:
                reader.predicate(here)
                parts.append(_covering(reader, relation, op.ids(given, here, kind)))
            elif name == "only" and kind:
                reader.predicate(here)
                allowed = op.listed_in(reader, "id", op.ids(given, here, kind))
                parts.append(opposite(("some", relation, opposite(allowed))))
            else:
                raise read.unknown(name, path)
        return every(parts)

    return found


# So many are asked one by one, which lets the database begin with the rarest; more are counted.
_EACH = 4


def _covering(reader: Reader, relation: str, ids: Sequence[bytes]) -> Shape:
    if len(ids) <= _EACH:
        return every([("some", relation, ("compare", "id", "=", reader.value(one))) for one in ids])
    return ("covers", relation, "id", reader.value(list(ids)), reader.value(len(ids)))


# ── names with a meaning of their own ─────────────────────────────────────────────────────────────────────────────────


def _is_viewer(reader: Reader, plain: Any, path: Path) -> Shape:
    reader.predicate(path)
    agent_id = reader.circumstances.agent_id
    is_he: Shape = FALSE if agent_id is None else ("compare", "id", "=", reader.value(agent_id))
    return is_he if read.boolean(plain, path) else opposite(is_he)


def _within(reader: Reader, plain: Any, path: Path) -> Shape:
    reader.predicate(path)
    named = wire_format.decode_id("Department", read.text(plain, path))
    return op.listed_in(reader, "id", reader.circumstances.below(named) if named else [])


def _blocked(reader: Reader, plain: Any, path: Path) -> Shape:
    reader.predicate(path)
    now = reader.circumstances.now
    blocked: Shape = ("some", "block", ("later", "until", reader.value(now)))
    return blocked if read.boolean(plain, path) else opposite(blocked)


def _external_id(relation: str) -> Asked:
    def asked(reader: Reader, plain: Any, path: Path) -> Shape:
        given = read.record(plain, path)
        if unknown := [name for name in given if name not in ("system", "value")]:
            raise read.unknown(unknown[0], path)
        if "system" not in given:
            raise invalid(f"`{'.'.join(path)}` needs a `system`.", path)
        system = reader.value(read.text(given["system"], (*path, "system")))

        def holding(shape: Shape) -> Shape:
            return ("some", relation, every([("compare", "system", "=", system), shape]))

        if "value" not in given:
            reader.predicate(path)
            return holding(TRUE)
        return op.textual(reader, given["value"], (*path, "value"), "value", "value_key", wrap=holding, present=TRUE)

    return asked


def _custom(entity: EntityType) -> Asked:
    def asked(reader: Reader, plain: Any, path: Path) -> Shape:
        from db.filtering import custom_fields  # Imported late: the values of fields are filtered with these operators.

        listed = enumerate(read.items(plain, path))
        return every([custom_fields.value(reader, one, (*path, str(place)), entity) for place, one in listed])

    return asked


def _segments(reader: Reader, plain: Any, path: Path) -> Shape:
    from db.filtering.segments import membership  # Imported late: a segment's filter is a customer's.

    return membership(reader, plain, path)


def _unused(reader: Reader, plain: Any, path: Path) -> Shape:
    """and, or, not: they are read by `_record`, and stand among the names where a filter has them."""
    raise AssertionError


_GROUPS: Mapping[str, Asked] = {"and": _unused, "or": _unused, "not": _unused}

DEPARTMENT: Mapping[str, Asked] = {
    "isNull": _is_null,
    "id": _id("Department"),
    "name": _text("name"),
    "within": _within,
}
AGENT: Mapping[str, Asked] = {
    **_GROUPS,
    "isNull": _is_null,
    "isViewer": _is_viewer,
    "id": _id("Agent"),
    "name": _text("name"),
    "email": _text("email", folded=True),
    "department": _any("departments", departments),
    "active": _flag("active"),
}
COMPANY: Mapping[str, Asked] = {
    **_GROUPS,
    "isNull": _is_null,
    "id": _id("Company"),
    "externalId": _external_id("companyExternalId"),
    "name": _text("name"),
    "domain": _text("domain", folded=True),
    "customers": _many("companyCustomers", customers),
    "customFields": _custom(EntityType.COMPANY),
    "createdAt": _moment("id"),
}
TAG: Mapping[str, Asked] = {
    **_GROUPS,
    "id": _id("Tag"),
    "name": _text("name"),
    "kind": _enum("kind", TagKind),
    "customers": _many("tagCustomers", customers),
}
SEGMENT: Mapping[str, Asked] = {
    "id": _id("Segment"),
    "name": _text("name"),
    "kind": _enum("kind", SegmentKind),
}
NOTE: Mapping[str, Asked] = {
    "body": _text("body"),
    "author": _one("author", agents),
    "createdAt": _moment("id"),
}
INTERACTION: Mapping[str, Asked] = {
    "kind": _enum("kind", InteractionKind),
    "channel": _text("channel"),
    "outcome": _enum("outcome", InteractionOutcome),
    "campaign": _text("campaign"),
    "agent": _one("agent", agents),
    "occurredAt": _moment("occurred_at"),
}
ORDER: Mapping[str, Asked] = {
    "source": _text("source"),
    "number": _text("number"),
    "status": _text("status"),
    "total": _number("total", op.amount),
    "placedAt": _moment("placed_at"),
}
CUSTOMER: Mapping[str, Asked] = {
    **_GROUPS,
    "id": _id("Customer"),
    "externalId": _external_id("externalId"),
    "name": _text("name"),
    "nickname": _text("nickname"),
    "realName": _text("real_name"),
    "email": _text("email", folded=True),
    "phone": _text("phone"),
    "gender": _enum("gender", Gender),
    "birthDate": lambda reader, plain, path: op.dated(reader, plain, path, "birth_date"),
    "age": lambda reader, plain, path: op.aged(reader, plain, path, "birth_date"),
    "value": _number("value", op.amount),
    "city": _text("city"),
    "region": _text("region"),
    "country": _text("country"),
    "source": _text("source"),
    "channel": _text("channel"),
    "relationshipStatus": _enum("relationship_status", RelationshipStatus),
    "subscriptionStatus": _enum("subscription_status", SubscriptionStatus),
    "stage": _enum("stage", CustomerStage),
    "verification": _enum("verification", Verification),
    "followUpStage": _text("follow_up_stage"),
    "owner": _one("owner", agents),
    "department": _one("department", departments),
    "company": _one("company", companies),
    "wechatFriendOf": _any("wechatFriendOf", agents),
    "tags": _many("tags", tags, kind="Tag", column="tag_count"),
    "segments": _segments,
    "notes": _many("notes", notes),
    "interactions": _many("interactions", interactions),
    "orders": _many("orders", orders),
    "customFields": _custom(EntityType.CUSTOMER),
    "blocked": _blocked,
    "resellerRelationship": _flag("reseller_relationship"),
    "archivedAt": _moment("archived_at"),
    "createdAt": _moment("id"),
    "updatedAt": _moment("updated_at"),
    "lastInteractionAt": _moment("last_interaction_at"),
}

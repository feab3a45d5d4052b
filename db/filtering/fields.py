"""The filters of each type of record: field names and how each is parsed."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from db.filtering import custom_fields, date_operators
from db.filtering import operators as op
from db.filtering import parser as read
from db.filtering.errors import Path, invalid_query
from db.filtering.filter_ast import FALSE, TRUE, FilterNode, conjunction, disjunction, holds_without_record, negate
from db.filtering.filter_context import FilterContext
from db.filtering.parser import FilterParser
from db.filtering.segments import parse_membership
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

ParseField = Callable[[FilterParser, Any, Path], FilterNode]
"""Parses the value of one filter field into an AST node."""


def parse_customer_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, CUSTOMER_FIELDS)


def parse_company_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, COMPANY_FIELDS)


def parse_agent_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, AGENT_FIELDS)


def parse_department_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, DEPARTMENT_FIELDS)


def parse_tag_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, TAG_FIELDS)


def parse_segment_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, SEGMENT_FIELDS)


def parse_note_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, NOTE_FIELDS)


def parse_interaction_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, INTERACTION_FIELDS)


def parse_order_filter(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    return _record(reader, plain, path, ORDER_FIELDS)


def _record(reader: FilterParser, plain: Any, path: Path, names: Mapping[str, ParseField]) -> FilterNode:
    reader.enter(path)
    found = []
    for name, given in read.read_object(plain, path).items():
        here = (*path, name)
        if name in ("and", "or") and "not" in names:
            listed = enumerate(read.read_list(given, here))
            parts = [_record(reader, one, (*here, str(place)), names) for place, one in listed]
            found.append(conjunction(parts) if name == "and" else disjunction(parts))
        elif name == "not" and name in names:
            found.append(negate(_record(reader, given, here, names)))
        elif asked := names.get(name):
            found.append(asked(reader, given, here))
        else:
            raise read.unknown_field(name, path)
    reader.leave()
    return conjunction(found)


# ── kinds of names ────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(column: str, key: str | None = None, *, folded: bool = False) -> ParseField:
    key = column if column == "phone" else key or f"{column}_key"
    return lambda reader, plain, path: op.parse_text(reader, plain, path, column, key, folded=folded)


def _number(column: str, taken: Callable[[Any, Path], Any]) -> ParseField:
    return lambda reader, plain, path: op.parse_ordered(reader, plain, path, column, taken)


def _moment(column: str) -> ParseField:
    return lambda reader, plain, path: date_operators.parse_timestamp(reader, plain, path, column)


def _enum(column: str, kind: type[IntEnum]) -> ParseField:
    return lambda reader, plain, path: op.parse_enum(reader, plain, path, column, kind)


def _id(kind: str) -> ParseField:
    return lambda reader, plain, path: op.parse_id(reader, plain, path, "id", kind)


def _flag(column: str) -> ParseField:
    def asked(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
        reader.count_predicate(path)
        flag: FilterNode = ("flag", column)
        # A flag of an absent record is neither true nor false, so both answers require the record.
        return flag if read.read_boolean(plain, path) else conjunction([negate(flag), negate(("empty", column))])

    return asked


def _is_null(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    """Parses the filter of an optional related record."""
    reader.count_predicate(path)
    empty: FilterNode = ("empty", "id")
    return empty if read.read_boolean(plain, path) else negate(empty)


def _one(relation: str, asked: ParseField) -> ParseField:
    """An optional related record. An absent record behaves like a record without values."""

    def found(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
        shape = asked(reader, plain, path)
        return ("one", relation, shape, holds_without_record(shape, reader.values))

    return found


def _any(relation: str, asked: ParseField) -> ParseField:
    """At least one of several related records. Without any, like one record without values."""

    def found(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
        shape = asked(reader, plain, path)
        some: FilterNode = ("some", relation, shape)
        if not holds_without_record(shape, reader.values):
            return some
        return disjunction([some, negate(("some", relation, TRUE))])

    return found


def _many(relation: str, asked: ParseField, *, kind: str | None = None, column: str | None = None) -> ParseField:
    """any, all, none and count; for records of `kind` also includesAll and only. `column` stores the count."""

    def found(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
        parts = []
        for name, given in read.read_object(plain, path).items():
            here = (*path, name)
            if name in ("any", "none", "all"):
                shape = asked(reader, given, here)
                some: FilterNode = ("some", relation, negate(shape) if name == "all" else shape)
                parts.append(some if name == "any" else negate(some))
            elif name == "count" and column:
                parts.append(op.parse_ordered(reader, given, here, column, op.read_integer))
            elif name == "count":
                parts.append(op.parse_count(reader, given, here, relation))
            elif name == "includesAll" and kind:
                reader.count_predicate(here)
                parts.append(_covering(reader, relation, op.read_ids(given, here, kind)))
            elif name == "only" and kind:
                reader.count_predicate(here)
                allowed = op.is_one_of(reader, "id", op.read_ids(given, here, kind))
                parts.append(negate(("some", relation, negate(allowed))))
            else:
                raise read.unknown_field(name, path)
        return conjunction(parts)

    return found


# Up to this many ids are tested one by one, so the database can start with the rarest; more are counted.
_EACH = 4


def _covering(reader: FilterParser, relation: str, ids: Sequence[bytes]) -> FilterNode:
    if len(ids) <= _EACH:
        return conjunction([("some", relation, ("compare", "id", "=", reader.add_value(one))) for one in ids])
    return ("covers", relation, "id", reader.add_value(list(ids)), reader.add_value(len(ids)))


# ── names with a meaning of their own ─────────────────────────────────────────────────────────────────────────────────


def _is_viewer(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    reader.count_predicate(path)
    agent_id = reader.context.agent_id
    is_he: FilterNode = FALSE if agent_id is None else ("compare", "id", "=", reader.add_value(agent_id))
    return is_he if read.read_boolean(plain, path) else negate(is_he)


def _within(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    reader.count_predicate(path)
    named = wire_format.decode_id("Department", read.read_text(plain, path))
    return op.is_one_of(reader, "id", reader.context.department_and_descendants(named) if named else [])


def _blocked(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    reader.count_predicate(path)
    now = reader.context.now
    blocked: FilterNode = ("some", "block", ("later", "until", reader.add_value(now)))
    return blocked if read.read_boolean(plain, path) else negate(blocked)


def _external_id(relation: str) -> ParseField:
    def asked(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
        given = read.read_object(plain, path)
        if unknown := [name for name in given if name not in ("system", "value")]:
            raise read.unknown_field(unknown[0], path)
        if "system" not in given:
            raise invalid_query(f"`{'.'.join(path)}` needs a `system`.", path)
        system = reader.add_value(read.read_text(given["system"], (*path, "system")))

        def holding(shape: FilterNode) -> FilterNode:
            return ("some", relation, conjunction([("compare", "system", "=", system), shape]))

        if "value" not in given:
            reader.count_predicate(path)
            return holding(TRUE)
        return op.parse_text(reader, given["value"], (*path, "value"), "value", "value_key", wrap=holding, present=TRUE)

    return asked


def _custom(entity: EntityType) -> ParseField:
    def asked(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
        listed = enumerate(read.read_list(plain, path))
        return conjunction(
            [custom_fields.parse_value(reader, one, (*path, str(place)), entity) for place, one in listed]
        )

    return asked


def _unused(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    """and, or, not: `_record` parses them. They are in the table because filters have these names."""
    raise AssertionError


_GROUPS: Mapping[str, ParseField] = {"and": _unused, "or": _unused, "not": _unused}

DEPARTMENT_FIELDS: Mapping[str, ParseField] = {
    "isNull": _is_null,
    "id": _id("Department"),
    "name": _text("name"),
    "within": _within,
}
AGENT_FIELDS: Mapping[str, ParseField] = {
    **_GROUPS,
    "isNull": _is_null,
    "isViewer": _is_viewer,
    "id": _id("Agent"),
    "name": _text("name"),
    "email": _text("email", folded=True),
    "department": _any("departments", parse_department_filter),
    "active": _flag("active"),
}
COMPANY_FIELDS: Mapping[str, ParseField] = {
    **_GROUPS,
    "isNull": _is_null,
    "id": _id("Company"),
    "externalId": _external_id("companyExternalId"),
    "name": _text("name"),
    "domain": _text("domain", folded=True),
    "customers": _many("companyCustomers", parse_customer_filter),
    "customFields": _custom(EntityType.COMPANY),
    "createdAt": _moment("id"),
}
TAG_FIELDS: Mapping[str, ParseField] = {
    **_GROUPS,
    "id": _id("Tag"),
    "name": _text("name"),
    "kind": _enum("kind", TagKind),
    "customers": _many("tagCustomers", parse_customer_filter),
}
SEGMENT_FIELDS: Mapping[str, ParseField] = {
    "id": _id("Segment"),
    "name": _text("name"),
    "kind": _enum("kind", SegmentKind),
}
NOTE_FIELDS: Mapping[str, ParseField] = {
    "body": _text("body"),
    "author": _one("author", parse_agent_filter),
    "createdAt": _moment("id"),
}
INTERACTION_FIELDS: Mapping[str, ParseField] = {
    "kind": _enum("kind", InteractionKind),
    "channel": _text("channel"),
    "outcome": _enum("outcome", InteractionOutcome),
    "campaign": _text("campaign"),
    "agent": _one("agent", parse_agent_filter),
    "occurredAt": _moment("occurred_at"),
}
ORDER_FIELDS: Mapping[str, ParseField] = {
    "source": _text("source"),
    "number": _text("number"),
    "status": _text("status"),
    "total": _number("total", op.read_amount),
    "placedAt": _moment("placed_at"),
}
CUSTOMER_FIELDS: Mapping[str, ParseField] = {
    **_GROUPS,
    "id": _id("Customer"),
    "externalId": _external_id("externalId"),
    "name": _text("name"),
    "nickname": _text("nickname"),
    "realName": _text("real_name"),
    "email": _text("email", folded=True),
    "phone": _text("phone"),
    "gender": _enum("gender", Gender),
    "birthDate": lambda reader, plain, path: date_operators.parse_date(reader, plain, path, "birth_date"),
    "age": lambda reader, plain, path: date_operators.parse_age(reader, plain, path, "birth_date"),
    "value": _number("value", op.read_amount),
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
    "owner": _one("owner", parse_agent_filter),
    "department": _one("department", parse_department_filter),
    "company": _one("company", parse_company_filter),
    "wechatFriendOf": _any("wechatFriendOf", parse_agent_filter),
    "tags": _many("tags", parse_tag_filter, kind="Tag", column="tag_count"),
    "segments": parse_membership,
    "notes": _many("notes", parse_note_filter),
    "interactions": _many("interactions", parse_interaction_filter),
    "orders": _many("orders", parse_order_filter),
    "customFields": _custom(EntityType.CUSTOMER),
    "blocked": _blocked,
    "resellerRelationship": _flag("reseller_relationship"),
    "archivedAt": _moment("archived_at"),
    "createdAt": _moment("id"),
    "updatedAt": _moment("updated_at"),
    "lastInteractionAt": _moment("last_interaction_at"),
}


def create_parser(context: FilterContext) -> FilterParser:
    """A parser for one query. It parses the filters of segments as customer filters."""
    return FilterParser(context, parse_customer_filter)

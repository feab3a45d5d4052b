"""Totals of lists, each with the best handwritten SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.queries.matching.matches import CustomerQuery
from db.values.wire_format import id_encoder

_WHERE = "FROM customer c WHERE c.workspace_id = $1 AND c.archived_at IS NULL"
_MEASURES = (
    "count(*), sum(c.phone_count), sum(c.email_count), sum(c.value), min(c.value), max(c.value), min(c.created_at), "
    "max(c.created_at)"
)
_WORN = "EXISTS (SELECT FROM customer_tag t WHERE t.workspace_id = $1 AND t.customer_id = c.id AND t.tag_id = $2)"


@dataclass(frozen=True, slots=True)
class TotalCase:
    """A query with its totals: a count (`by` is None), aggregates ([]), or groups."""

    name: str
    question: CustomerQuery
    sql: str
    values: tuple[Any, ...] = ()
    by: list[dict[str, Any]] | None = None
    at_most: int | None = None


def total_cases(known: Mapping[str, Any], now: int) -> list[TotalCase]:
    common, middle, rare = known["tags"]
    tag = id_encoder("Tag")
    everybody, points = CustomerQuery(), known["points"]

    def worn(one: bytes) -> CustomerQuery:
        return CustomerQuery(filter={"tags": {"includesAll": [tag(one)]}})

    return [
        TotalCase("count: everybody", everybody, f"SELECT count(*) {_WHERE}"),
        TotalCase(
            "count: everybody, at most 10 001",
            everybody,
            f"SELECT count(*) FROM (SELECT 1 {_WHERE} LIMIT 10001) AS first",
            at_most=10_001,
        ),
        TotalCase("count: with a frequent tag", worn(common), _worn(), (common,)),
        TotalCase("count: with a rare tag", worn(rare), _worn(), (rare,)),
        TotalCase(
            "count: without a tag of the name",
            CustomerQuery(filter={"tags": {"none": {"id": {"eq": tag(common)}}}}),
            f"SELECT count(*) {_WHERE} AND NOT {_WORN}",
            (common,),
        ),
        TotalCase(
            "count: VIPs",
            CustomerQuery(filter={"relationshipStatus": {"eq": "VIP"}}),
            f"SELECT count(*) {_WHERE} AND c.relationship_status = 2",
        ),
        TotalCase(
            "count: with more than 5 000 points",
            CustomerQuery(filter={"customFields": [{"key": "points", "is": {"number": {"gt": "5000"}}}]}),
            "SELECT count(*) FROM customer_value v JOIN customer c ON c.workspace_id = $1 AND c.id = v.customer_id "
            "WHERE v.workspace_id = $1 AND v.field_id = $2 AND v.number > 5000 AND c.archived_at IS NULL",
            (points,),
        ),
        TotalCase(
            "count: paid in the last 90 days",
            CustomerQuery(
                filter={"interactions": {"any": {"kind": {"eq": "PAYMENT"}, "occurredAt": {"last": "P90D"}}}}
            ),
            f"SELECT count(*) {_WHERE} AND EXISTS (SELECT FROM interaction i WHERE i.workspace_id = $1 "
            "AND i.customer_id = c.id AND i.kind = 6 AND i.occurred_at >= $2 AND i.occurred_at <= $3)",
            (now - 90 * 86_400_000, now),
        ),
        TotalCase("totals: everybody", everybody, f"SELECT {_MEASURES} {_WHERE}", by=[]),
        TotalCase("totals: with a tag", worn(middle), f"SELECT {_MEASURES} {_WHERE} AND {_WORN}", (middle,), by=[]),
        TotalCase("groups: by stage", everybody, _by("c.stage"), by=[{"field": "STAGE"}]),
        TotalCase("groups: by owner", everybody, _by("c.owner_id"), by=[{"field": "OWNER"}]),
        TotalCase("groups: by company", everybody, _by("c.company_id"), by=[{"field": "COMPANY"}]),
        TotalCase(
            "groups: by month of creation",
            everybody,
            f"SELECT {_MEASURES}, (c.created_at + 25200000) / 86400000 AS day {_WHERE} GROUP BY day",
            by=[{"createdAt": "MONTH"}],
        ),
        TotalCase(
            "groups: by tag",
            everybody,
            f"SELECT {_MEASURES}, t.tag_id FROM customer c LEFT JOIN customer_tag t ON t.workspace_id = $1 "
            "AND t.customer_id = c.id WHERE c.workspace_id = $1 AND c.archived_at IS NULL GROUP BY t.tag_id "
            "ORDER BY count(*) DESC LIMIT 50",
            by=[{"field": "TAG"}],
        ),
        TotalCase(
            "groups: by tier, a custom field",
            everybody,
            f"SELECT {_MEASURES}, v.option FROM customer c LEFT JOIN customer_value v ON v.workspace_id = $1 "
            "AND v.customer_id = c.id AND v.field_id = $2 WHERE c.workspace_id = $1 AND c.archived_at IS NULL "
            "GROUP BY v.option ORDER BY count(*) DESC LIMIT 50",
            (known["tier"],),
            by=[{"customField": "tier"}],
        ),
    ]


def _worn() -> str:
    return (
        "SELECT count(*) FROM customer_tag t JOIN customer c ON c.workspace_id = $1 AND c.id = t.customer_id "
        "WHERE t.workspace_id = $1 AND t.tag_id = $2 AND c.archived_at IS NULL"
    )


def _by(column: str) -> str:
    return f"SELECT {_MEASURES}, {column} {_WHERE} GROUP BY {column} ORDER BY count(*) DESC LIMIT 50"

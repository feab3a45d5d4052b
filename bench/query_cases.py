"""Twenty-five queries from the manuals, each with the best handwritten SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.queries.matching.matches import CustomerQuery
from db.values.time_units import MS_PER_DAY
from db.values.wire_format import id_encoder

_CUSTOMERS = "SELECT c.* FROM customer c WHERE c.workspace_id = $1 AND c.archived_at IS NULL"
_NEWEST = "ORDER BY c.id DESC LIMIT 51"


@dataclass(frozen=True, slots=True)
class QueryCase:
    """A query, and the handwritten SQL of its first page with its values after the workspace's number."""

    name: str
    question: CustomerQuery
    sql: str
    values: tuple[Any, ...] = ()
    on_sqlite: str | None = None


def _where(condition: str, order: str = _NEWEST) -> str:
    return f"{_CUSTOMERS} AND {condition} {order}"


_WORN = "EXISTS (SELECT FROM customer_tag t WHERE t.workspace_id = $1 AND t.customer_id = c.id AND t.tag_id = ${})"
_BY_TAG = (
    "SELECT c.* FROM customer_tag t JOIN customer c ON c.workspace_id = $1 AND c.id = t.customer_id "
    "WHERE t.workspace_id = $1 AND t.tag_id = $2 AND c.archived_at IS NULL ORDER BY t.customer_id DESC LIMIT 51"
)
_FOUND = (
    "SELECT c.* FROM customer c WHERE c.workspace_id = $1 AND c.archived_at IS NULL AND c.id = ANY(ARRAY("
    "SELECT s.customer_id FROM customer_search s WHERE s.workspace_id = $1 AND {})) ORDER BY c.id DESC LIMIT 51"
)
_FOUND_BY_FTS = (
    "SELECT c.* FROM customer c WHERE c.workspace_id = $1 AND +c.archived_at IS NULL AND c.id IN ("
    "SELECT s.customer_id FROM customer_text JOIN customer_search s ON s.number = customer_text.rowid "
    "WHERE customer_text MATCH '{}' AND s.workspace_id = $1 AND {}) ORDER BY c.id DESC LIMIT 51"
)
_WALKED = (
    "SELECT c.* FROM customer c JOIN customer_search s ON s.workspace_id = $1 AND s.customer_id = c.id "
    "WHERE c.workspace_id = $1 AND c.archived_at IS NULL AND strpos(s.text, $2) > 0 ORDER BY c.id DESC LIMIT 51"
)


def query_cases(known: Mapping[str, Any], now: int) -> list[QueryCase]:
    """`known` are records of the measured database: tags by frequency, a company, an agent."""
    common, middle, rare = known["tags"]
    company, owner, tier, points = known["company"], known["owner"], known["tier"], known["points"]
    tag, of_company, of_agent = id_encoder("Tag"), id_encoder("Company"), id_encoder("Agent")
    return [
        QueryCase("everybody, newest first", CustomerQuery(), f"{_CUSTOMERS} {_NEWEST}"),
        QueryCase(
            "VIPs", CustomerQuery(filter={"relationshipStatus": {"eq": "VIP"}}), _where("c.relationship_status = 2")
        ),
        QueryCase(
            "customers of a company called Samsung in Đà Nẵng",
            CustomerQuery(filter={"company": {"name": {"contains": "samsung"}}, "city": {"eq": "Đà Nẵng"}}),
            _where(
                "c.city_key = 'da nang' AND c.city = 'Đà Nẵng' AND EXISTS (SELECT FROM company o "
                "WHERE o.workspace_id = $1 AND o.id = c.company_id AND o.name_key LIKE '%samsung%')"
            ),
        ),
        QueryCase(
            "new in June",
            CustomerQuery(
                filter={"createdAt": {"gte": "2026-06-01T00:00:00+07:00", "lt": "2026-07-01T00:00:00+07:00"}}
            ),
            _where("c.id >= $2 AND c.id < $3"),
            (_at(1_780_246_800_000), _at(1_782_838_800_000)),
        ),
        QueryCase("tagged with a frequent tag", CustomerQuery(filter=_tags(tag(common))), _BY_TAG, (common,)),
        QueryCase("tagged with a rare tag", CustomerQuery(filter=_tags(tag(rare))), _BY_TAG, (rare,)),
        QueryCase(
            "tagged A and B but not C",
            CustomerQuery(
                filter={"tags": {"includesAll": [tag(common), tag(middle)], "none": {"id": {"eq": tag(rare)}}}}
            ),
            _where(f"{_WORN.format(2)} AND {_WORN.format(3)} AND NOT {_WORN.format(4)}"),
            (common, middle, rare),
        ),
        QueryCase(
            "without a tag",
            CustomerQuery(filter={"tags": {"none": {}}}),
            _where("NOT EXISTS (SELECT FROM customer_tag t WHERE t.workspace_id = $1 AND t.customer_id = c.id)"),
        ),
        QueryCase(
            "with three tags or more",
            CustomerQuery(filter={"tags": {"count": {"gte": 3}}}),
            _where("c.tag_count >= $2"),
            (3,),
        ),
        QueryCase(
            "VIPs without an order for 90 days",
            CustomerQuery(
                filter={"relationshipStatus": {"eq": "VIP"}, "orders": {"none": {"placedAt": {"last": "P90D"}}}}
            ),
            _where(
                "c.relationship_status = 2 AND NOT EXISTS (SELECT FROM customer_order o WHERE o.workspace_id = $1 "
                "AND o.customer_id = c.id AND o.placed_at >= $2 AND o.placed_at <= $3)"
            ),
            (now - 90 * MS_PER_DAY, now),
        ),
        QueryCase(
            "an agent's own",
            CustomerQuery(filter={"stage": {"eq": "FOLLOW_UP"}, "owner": {"id": {"eq": of_agent(owner)}}}),
            _where("c.stage = 2 AND c.owner_id = $2"),
            (owner,),
        ),
        QueryCase("in the pool", CustomerQuery(filter={"stage": {"eq": "POOL"}}), _where("c.stage = 3")),
        QueryCase(
            "a company's, the most valuable first",
            CustomerQuery(filter={"company": {"id": {"eq": of_company(company)}}}, sort=[{"value": "DESC"}]),
            _where("c.company_id = $2", "ORDER BY c.value DESC, c.id DESC LIMIT 51"),
            (company,),
        ),
        QueryCase(
            "not active for 90 days",
            CustomerQuery(filter={"not": {"lastInteractionAt": {"last": "P90D"}}}),
            _where("(c.last_interaction_at IS NULL OR c.last_interaction_at < $2 OR c.last_interaction_at > $3)"),
            (now - 90 * MS_PER_DAY, now),
        ),
        QueryCase(
            "paid in the last 30 days",
            CustomerQuery(
                filter={"interactions": {"any": {"kind": {"eq": "PAYMENT"}, "occurredAt": {"last": "P30D"}}}}
            ),
            _where(
                "EXISTS (SELECT FROM interaction i WHERE i.workspace_id = $1 AND i.customer_id = c.id AND i.kind = 6 "
                "AND i.occurred_at >= $2 AND i.occurred_at <= $3)"
            ),
            (now - 30 * MS_PER_DAY, now),
        ),
        QueryCase(
            "subscribed women between 30 and 40",
            CustomerQuery(
                filter={
                    "subscriptionStatus": {"eq": "SUBSCRIBED"},
                    "gender": {"eq": "FEMALE"},
                    "age": {"gte": 30, "lt": 40},
                }
            ),
            _where(
                "c.subscription_status = 1 AND c.gender = 0 AND c.birth_date <= '1996-11-01' "
                "AND c.birth_date > '1986-11-01'"
            ),
            on_sqlite=_where(
                "c.subscription_status = 1 AND c.gender = 0 AND +c.birth_date <= '1996-11-01' "
                "AND +c.birth_date > '1986-11-01'"
            ),
        ),
        QueryCase(
            "of the gold tier",
            CustomerQuery(filter={"customFields": [{"key": "tier", "is": {"options": {"any": ["Gold"]}}}]}),
            "SELECT c.* FROM customer_value v JOIN customer c ON c.workspace_id = $1 AND c.id = v.customer_id "
            "WHERE v.workspace_id = $1 AND v.field_id = $2 AND v.option = 'Gold' AND c.archived_at IS NULL "
            "ORDER BY v.customer_id DESC LIMIT 51",
            (tier,),
        ),
        QueryCase(
            "with more than 5 000 points",
            CustomerQuery(filter={"customFields": [{"key": "points", "is": {"number": {"gt": "5000"}}}]}),
            "SELECT c.* FROM customer c JOIN customer_value v ON v.workspace_id = $1 AND v.customer_id = c.id "
            f"WHERE c.workspace_id = $1 AND c.archived_at IS NULL AND v.field_id = $2 AND v.number > $3 {_NEWEST}",
            (points, 5000.0),
        ),
        QueryCase(
            "by points, the most first",
            CustomerQuery(sort=[{"customField": {"key": "points", "order": "DESC"}}]),
            "SELECT c.*, v.number FROM customer_value v "
            "JOIN customer c ON c.workspace_id = $1 AND c.id = v.customer_id "
            "WHERE v.workspace_id = $1 AND v.field_id = $2 AND v.position = 0 AND v.number IS NOT NULL "
            "AND c.archived_at IS NULL ORDER BY v.number DESC, v.customer_id DESC LIMIT 51",
            (points,),
        ),
        QueryCase(
            "by birth date, the youngest first",
            CustomerQuery(sort=[{"birthDate": "DESC"}]),
            _where("c.birth_date IS NOT NULL", "ORDER BY c.birth_date DESC, c.id DESC LIMIT 51"),
        ),
        QueryCase(
            "by the company's name",
            CustomerQuery(sort=[{"company": {"name": "ASC"}}]),
            "SELECT c.*, o.name_key AS by FROM company o "
            "JOIN customer c ON c.workspace_id = $1 AND c.company_id = o.id "
            "WHERE o.workspace_id = $1 AND c.archived_at IS NULL ORDER BY o.name_key, c.id LIMIT 51",
        ),
        QueryCase("a search for a frequent word", CustomerQuery(search="Nguyễn"), _WALKED, ("nguyen",)),
        QueryCase(
            "a search for two words",
            CustomerQuery(search="pirelli milano"),
            _FOUND.format("s.text LIKE $2 AND s.text LIKE $3"),
            ("%pirelli%", "%milano%"),
            _FOUND_BY_FTS.format(
                'text : "pir" AND "ell" AND "lli" AND "mil" AND "ano"', "s.text LIKE $2 AND s.text LIKE $3"
            ),
        ),
        QueryCase(
            "a search for a phone number",
            CustomerQuery(search="0901234"),
            _FOUND.format("s.text LIKE $2"),
            ("%0901234%",),
            _FOUND_BY_FTS.format('text : "090" AND "123" AND "234"', "s.text LIKE $2"),
        ),
        QueryCase(
            "tagged or valuable, with points, the most valuable first",
            CustomerQuery(
                filter={
                    "or": [_tags(tag(middle)), {"value": {"gte": "5000000"}}],
                    "customFields": [{"key": "points", "is": {"number": {"gte": "100"}}}],
                },
                sort=[{"value": "DESC"}],
            ),
            _where(
                f"({_WORN.format(2)[:-1]} OFFSET 0) OR c.value >= 50000000000) "
                "AND EXISTS (SELECT FROM customer_value v WHERE v.workspace_id = $1 AND v.customer_id = c.id "
                "AND v.field_id = $3 AND v.number >= 100)",
                "ORDER BY c.value DESC, c.id DESC LIMIT 51",
            ),
            (middle, points),
        ),
    ]


def _tags(one: str) -> dict[str, Any]:
    return {"tags": {"includesAll": [one]}}


def _at(moment: int) -> bytes:
    return moment.to_bytes(6, "big") + bytes(10)

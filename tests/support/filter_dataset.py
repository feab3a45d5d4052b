"""A small workspace with edge cases: empty values, equal values, similar texts; as objects and as rows."""

import random
from typing import Any

from db import tables
from db.engine import Database, Transaction
from db.queries.customers import search_documents
from db.tables.enums import (
    CustomerStage,
    CustomFieldType,
    Gender,
    InteractionKind,
    InteractionOutcome,
    RelationshipStatus,
    SegmentKind,
    SubscriptionStatus,
    TagKind,
    Verification,
)
from db.values import ids
from db.values.folding import fold
from db.values.wire_format import id_encoder
from tests.support import factories
from tests.support.filter_model import NOW, Record

_DAY = 86_400_000
NAMES = [
    "Đặng An",
    "dang an",
    "DANG  AN",
    "Müller",
    "muller",
    "Straße",
    "STRASSE",
    "Łukasz",
    "lukasz",
    "100%",
    "100_",
    "O'Neil",
]
WORDS = [None, "Website", "website", "Wébsite", "Zalo", "Huế", "Hue", "a_b", "a%b", "\\x"]
EMAILS = [None, "an@example.com", "AN@Example.com", "bình@ví-dụ.vn", "x@y.z"]
PHONES = [None, "+84901234567", "+84901234568", "+393331234567"]
DATES = [None, "1990-02-28", "1992-02-29", "2000-09-21", "2000-09-22", "1985-12-31"]
OPTIONS = ["Gold", "silver", "Ésprit"]
MOMENTS = [None, NOW, NOW - 1, NOW + 1, NOW - 30 * _DAY, NOW - 90 * _DAY, NOW + 5 * _DAY]
FIELDS = {
    "note": CustomFieldType.TEXT,
    "points": CustomFieldType.NUMBER,
    "gift": CustomFieldType.BOOLEAN,
    "visit": CustomFieldType.DATE,
    "next": CustomFieldType.DATE_TIME,
    "tier": CustomFieldType.SELECT,
    "likes": CustomFieldType.MULTI_SELECT,
}
SEGMENTS = [
    ("Static one", None),
    ("Static two", None),
    ("No leads", {"not": {"relationshipStatus": {"eq": "LEAD"}}}),
    ("Nested", {"or": [{"segments": {"any": {"name": {"contains": "leads"}}}}, {"gender": {"isNull": True}}]}),
]


def made(seed: int, customers: int = 70) -> Record:
    """The objects."""
    dice = random.Random(seed)
    world = Record(dice=dice, fields={key: ids.id_at(NOW, dice.randbytes(10)) for key in FIELDS})
    top, below = _node("Department", dice, name="Sales", parent=None), None
    below = _node("Department", dice, name="Sáles North", parent=top)
    world.departments = [top, below, _node("Department", dice, name="Care", parent=None)]
    world.agents = [
        _node(
            "Agent",
            dice,
            name=dice.choice(NAMES),
            email=f"agent{place}@example.com",
            active=place % 3 != 0,
            departments=dice.sample(world.departments, place % 3),
        )
        for place in range(5)
    ]
    world.viewer = world.agents[1]
    world.companies = [
        _node(
            "Company",
            dice,
            name=dice.choice(NAMES),
            domain=f"{place}.Example" if place % 3 else None,
            external_ids=[("erp", f"C{place}")][: place % 2],
            values={},
        )
        for place in range(5)
    ]
    world.tags = [
        _node("Tag", dice, name=f"{name}{place}", kind=dice.choice(list(TagKind)))
        for place, name in enumerate(NAMES[:6])
    ]
    world.segments = [
        _node(
            "Segment",
            dice,
            name=name,
            filter=plain,
            kind=SegmentKind.STATIC if plain is None else SegmentKind.DYNAMIC,
            members=[],
        )
        for name, plain in SEGMENTS
    ]
    world.customers = [_customer(world, dice, place) for place in range(customers)]
    for segment in world.segments[:2]:
        segment.members = dice.sample(world.customers, customers // 3)
    for owner in [*world.companies, *world.tags, *world.agents]:
        owner.customers = [
            one for one in world.customers if one.archived_at is None and owner in (one.company, one.owner, *one.tags)
        ]
    return world


def _node(type_: str, dice: random.Random, moment: int = NOW - 100 * _DAY, /, **values: Any) -> Record:
    identifier = ids.id_at(moment, dice.randbytes(10))
    return Record(id=identifier, wire=id_encoder(type_)(identifier), created_at=moment, **values)


def _customer(world: Any, dice: random.Random, place: int) -> Record:
    owner, archived = dice.choice([None, *world.agents]), dice.random() < 0.15
    customer = _node(
        "Customer",
        dice,
        NOW - dice.randrange(200) * _DAY,
        name=dice.choice(NAMES),
        nickname=dice.choice([None, *NAMES]),
        real_name=dice.choice([None, *NAMES]),
        email=dice.choice(EMAILS),
        phone=dice.choice(PHONES),
        gender=dice.choice([None, *Gender]),
        birth_date=dice.choice(DATES),
        value=dice.choice([0, 0, 10_000, 15_000, 123_456_789]),
        city=dice.choice(WORDS),
        region=dice.choice(WORDS),
        country=dice.choice([None, "VN", "IT"]),
        source=dice.choice(WORDS),
        channel=dice.choice(WORDS),
        relationship_status=dice.choice(list(RelationshipStatus)),
        subscription_status=dice.choice(list(SubscriptionStatus)),
        stage=CustomerStage.FOLLOW_UP
        if owner
        else dice.choice([CustomerStage.NEW, CustomerStage.TO_BE_ASSIGNED, CustomerStage.POOL]),
        verification=dice.choice(list(Verification)),
        follow_up_stage=dice.choice([None, "First contact"]) if owner else None,
        owner=owner,
        department=dice.choice([None, *world.departments]),
        company=dice.choice([None, *world.companies]),
        friends=dice.sample(world.agents, dice.randrange(3)),
        tags=dice.sample(world.tags, dice.randrange(4)),
        external_ids=[("erp", f"E{place}"), ("crm", dice.choice(["é1", "E1"]) + str(place))][: dice.randrange(3)],
        reseller_relationship=dice.random() < 0.7,
        block=dice.choice([None, None, "for ever", "expired", "still"]),
        archived_at=NOW - _DAY if archived else None,
        updated_at=dice.choice([NOW, NOW - _DAY, NOW - 90 * _DAY]),
        last_interaction_at=dice.choice(MOMENTS),
        values=_values(dice),
    )
    customer.blocked = customer.block in ("for ever", "still")
    customer.notes = [
        _node(
            "Note",
            dice,
            NOW - dice.randrange(60) * _DAY,
            body=dice.choice(NAMES),
            author=dice.choice([None, *world.agents]),
        )
        for _ in range(dice.choice([0, 0, 1, 2]))
    ]
    customer.interactions = [
        _node(
            "Interaction",
            dice,
            kind=dice.choice([InteractionKind.CALL, InteractionKind.PAYMENT]),
            channel=dice.choice(WORDS),
            outcome=dice.choice([None, *InteractionOutcome]),
            campaign=dice.choice([None, "Tết", "tet"]),
            agent=dice.choice([None, *world.agents]),
            occurred_at=dice.choice(MOMENTS[1:]),
        )
        for _ in range(dice.choice([0, 1, 2, 3]))
    ]
    customer.orders = [
        _node(
            "Order",
            dice,
            source=dice.choice(["shop", "Shóp"]),
            number=f"{place}-{number}",
            status=dice.choice([None, "paid", "Paid"]),
            total=dice.choice([None, 0, 990_000]),
            placed_at=dice.choice(MOMENTS[1:]),
        )
        for number in range(dice.choice([0, 0, 1, 2]))
    ]
    return customer


def _values(dice: random.Random) -> dict[str, Any]:
    chosen = {
        "note": dice.choice([None, *NAMES]),
        "points": dice.choice([None, 0.0, 1.5, -3.0, 100.0]),
        "gift": dice.choice([None, True, False]),
        "visit": dice.choice(DATES),
        "next": dice.choice(MOMENTS),
        "tier": [dice.choice(OPTIONS)] if dice.random() < 0.5 else None,
        "likes": dice.sample(OPTIONS, dice.randrange(1, 3)) if dice.random() < 0.5 else None,
    }
    return {key: value for key, value in chosen.items() if value is not None}


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def saved(database: Database, world: Any) -> int:
    """Inserts the dataset into a new workspace; returns its number."""
    number = await factories.workspace(database, timezone="Asia/Ho_Chi_Minh")

    async def insert(transaction: Transaction) -> None:
        for rows in _rows(world):
            for row in rows:
                row.workspace_id = number
            await transaction.insert(*rows)

    await database.write(number, insert)
    return number


def _rows(world: Any) -> list[list[Any]]:
    customers = world.customers
    return [
        [
            factories.department(one.name, id=one.id, created_at=one.created_at, parent_id=one.parent and one.parent.id)
            for one in world.departments
        ],
        [
            factories.agent(one.name, id=one.id, created_at=one.created_at, email=one.email, active=one.active)
            for one in world.agents
        ],
        [
            factories.works_in(agent, one, place)
            for agent in world.agents
            for place, one in enumerate(agent.departments)
        ],
        [
            factories.company(
                one.name, id=one.id, created_at=one.created_at, **({"domain": one.domain} if one.domain else {})
            )
            for one in world.companies
        ],
        [
            tables.CompanyExternalId(workspace_id=0, company_id=one.id, system=system, value=value)
            for one in world.companies
            for system, value in one.external_ids
        ],
        [factories.tag(one.name, id=one.id, created_at=one.created_at, kind=one.kind) for one in world.tags],
        [
            factories.segment(one.name, id=one.id, created_at=one.created_at, kind=one.kind, filter=one.filter)
            for one in world.segments
        ],
        [
            factories.custom_field(
                key, kind, id=world.fields[key], created_at=NOW, options=OPTIONS if "SELECT" in kind.name else []
            )
            for key, kind in FIELDS.items()
        ],
        [_customer_row(one) for one in customers],
        [
            tables.SegmentMember(workspace_id=0, segment_id=one.id, customer_id=each.id)
            for one in world.segments
            for each in one.members
        ],
        [factories.worn(one, tag) for one in customers for tag in one.tags],
        [factories.email(one, one.email) for one in customers if one.email],
        [factories.phone(one, one.phone) for one in customers if one.phone],
        [factories.external_id(one, system, value) for one in customers for system, value in one.external_ids],
        [
            tables.WechatFriend(workspace_id=0, customer_id=one.id, agent_id=each.id)
            for one in customers
            for each in one.friends
        ],
        [factories.block(one, until=_UNTIL[one.block], at=NOW) for one in customers if one.block],
        [_note(one, note) for one in customers for note in one.notes],
        [_interaction(one, each) for one in customers for each in one.interactions],
        [
            factories.order(
                one,
                id=each.id,
                created_at=each.created_at,
                source=each.source,
                number=each.number,
                status=each.status,
                total=each.total,
                placed_at=each.placed_at,
            )
            for one in customers
            for each in one.orders
        ],
        [row for one in customers for row in _value_rows(world, one)],
        [tables.CustomerSearch(workspace_id=0, customer_id=one.id, text=_document(one)) for one in customers],
    ]


_UNTIL = {"for ever": None, "expired": NOW - 1, "still": NOW + 1}
_SAME = (
    "id", "created_at", "updated_at", "phone", "gender", "birth_date", "value", "city", "region", "country", "source",
    "channel", "relationship_status", "subscription_status", "stage", "verification", "follow_up_stage",
    "reseller_relationship", "archived_at", "last_interaction_at",
)  # fmt: skip


def _customer_row(one: Any) -> tables.Customer:
    texts = {name: getattr(one, name) for name in ("nickname", "real_name", "email") if getattr(one, name)}
    return factories.customer(
        one.name,
        **{name: getattr(one, name) for name in _SAME},
        **texts,
        owner_id=one.owner and one.owner.id,
        department_id=one.department and one.department.id,
        company_id=one.company and one.company.id,
        phone_count=bool(one.phone),
        email_count=bool(one.email),
        tag_count=len(one.tags),
        first_tag_key=min((fold(tag.name) for tag in one.tags), default=None),
    )


def _note(one: Any, note: Any) -> tables.Note:
    author = {"author_kind": 0, "author_id": note.author.id} if note.author else {"author_kind": 2}
    return factories.note(one, note.body, id=note.id, created_at=note.created_at, **author)


def _interaction(one: Any, each: Any) -> tables.Interaction:
    columns = {
        name: getattr(each, name)
        for name in ("id", "created_at", "kind", "channel", "outcome", "campaign", "occurred_at")
    }
    return factories.interaction(one, **columns, agent_id=each.agent and each.agent.id)


_COLUMNS = {
    "note": "text",
    "points": "number",
    "gift": "boolean",
    "visit": "date",
    "next": "date_time",
    "tier": "option",
    "likes": "option",
}


def _value_rows(world: Any, one: Any) -> list[tables.CustomerValue]:
    return [
        factories.value(one, Record(id=world.fields[key]), **{_COLUMNS[key]: each}, position=place)
        for key, value in one.values.items()
        for place, each in enumerate(value if isinstance(value, list) else [value])
    ]


def _document(one: Any) -> str:
    return search_documents.build_document(
        names=(one.name, one.nickname, one.real_name),
        emails=[one.email] if one.email else [],
        phones=[one.phone] if one.phone else [],
        company=one.company and one.company.name,
        external_ids=[value for _, value in one.external_ids],
        address=[one.city, one.region, one.country],
        tags=[tag.name for tag in one.tags],
        notes=[note.body for note in one.notes],
        values=[one.values["note"]] if "note" in one.values else [],
    )

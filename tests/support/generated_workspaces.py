"""A small workspace with customers in any state and several viewers."""

import copy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from crm.access import permissions
from crm.access.permissions import Viewer
from db import batch_writes, tables
from db.tables.enums import (
    ActorKind,
    CustomerStage,
    CustomFieldType,
    Permission,
    RelationshipStatus,
    Role,
    SegmentKind,
    SubscriptionStatus,
    TagKind,
    Verification,
)
from db.values import ids
from db.values.wire_format import id_encoder
from graph.context import Context
from tests.support import factories, schemas

CROWD = 6
UNKNOWN = "0" * 32

MAKE = """mutation ($rows: [CustomerRow!]!) {
  customersUpsert(rows: $rows) {
    job { rows { nodes { node { id } errors { code path message } } } } errors { code message } } }"""


@dataclass
class World:
    """`names` maps names used in plans, such as "@Ann", to wire ids."""

    database: Any
    number: int
    admin: Viewer
    names: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)

    async def ask(self, document: str, viewer: Viewer | None = None, **variables: Any) -> Any:
        """The value of the only field. Fails on unexpected errors."""
        context = Context(self.database, viewer or self.admin, request_id="test")
        given = self.named(variables)
        answer = await schemas.ENGINE.execute(document, variable_values=given, context_value=context)
        codes = [(one.extensions or {}).get("code") for one in answer.errors or ()]
        assert all(code in ("FORBIDDEN", "BAD_USER_INPUT") for code in codes), (answer.errors, given)
        if answer.errors:
            return codes[0]
        (value,) = answer.data.values()
        return value

    def named(self, value: Any) -> Any:
        """The same with ids instead of names."""
        if isinstance(value, dict):
            return {key: self.named(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.named(one) for one in value]
        return self.names.get(value, value) if isinstance(value, str) else value


async def founded(database: Any) -> World:
    """Agents, tags, fields and other records, without customers."""
    number = await factories.workspace(database, pool_daily_claim_limit=2, bulk_delete=0)
    ann, bob, cy = factories.agent("Ann"), factories.agent("Bob", max_customers=2), factories.agent("Cy", active=False)
    rows: dict[str, Any] = {
        "@Ann": ann, "@Bob": bob, "@Cy": cy,
        "@Sales": factories.department("Sales"), "@Care": factories.department("Care"),
        "@gold": factories.tag("gold"), "@vip": factories.tag("vip"),
        "@wecom": factories.tag("wecom", kind=TagKind.WECOM),
        "@Samsung": factories.company("Samsung", domain="samsung.example"),
        "@list": factories.segment("By hand", kind=SegmentKind.STATIC),
        "@rule": factories.rule("Rule", filter={"source": {"eq": "Rule"}}),
        "tier": factories.custom_field("tier", CustomFieldType.TEXT),
        "badge": factories.custom_field("badge", CustomFieldType.TEXT, unique=True),
        "points": factories.custom_field("points", CustomFieldType.NUMBER),
        "likes": factories.custom_field("likes", CustomFieldType.MULTI_SELECT, options=["a", "b", "c"]),
        "since": factories.custom_field("since", CustomFieldType.DATE_TIME),
    }  # fmt: skip
    hanging = [
        factories.works_in(ann, rows["@Sales"]),
        factories.works_in(bob, rows["@Care"]),
        factories.assigns(rows["@rule"], agent=ann),
        factories.assigns(rows["@rule"], 1, agent=bob),
    ]

    async def put(transaction: Any) -> None:
        for row in (*rows.values(), *hanging):
            row.workspace_id = number
            await transaction.insert(row)

    await database.write(number, put)
    admin = Viewer(number, ActorKind.AGENT, ann.id, permissions.ROLE_PERMISSIONS[Role.ADMIN], (rows["@Sales"].id,))
    world = World(database, number, admin, rows=rows)
    for name, row in rows.items():
        if name.startswith("@"):
            world.names[name] = id_encoder(type(row).__name__)(row.id)
    world.names["@nobody"] = f"cus_{UNKNOWN}"
    world.names["@notag"], world.names["@noagent"] = f"tag_{UNKNOWN}", f"agt_{UNKNOWN}"
    return world


# ── who acts ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_EXTRA = [
    Permission.TAG_ASSIGN, Permission.TAG_MANAGE, Permission.CUSTOMER_ASSIGN, Permission.CUSTOMER_ARCHIVE,
    Permission.CUSTOMER_BLOCK, Permission.CUSTOMER_DELETE, Permission.CUSTOMER_BULK_DELETE, Permission.CUSTOMER_MERGE,
    Permission.CUSTOMER_VIEW_ALL, Permission.CONSENT_RECORD, Permission.SEGMENT_MANAGE, Permission.CUSTOMER_EXPORT,
]  # fmt: skip


@st.composite
def viewers(draw: Any) -> Any:
    """The permissions of a viewer for `viewer`."""
    role = draw(st.sampled_from(list(Role)))
    granted = frozenset(draw(st.lists(st.sampled_from(_EXTRA), max_size=4)))
    revocable = sorted(permissions.ROLE_PERMISSIONS[role] - {Permission.CUSTOMER_VIEW})
    revoked = frozenset(draw(st.lists(st.sampled_from(revocable), max_size=2)))
    return draw(st.sampled_from(["@Ann", "@Bob"])), (permissions.ROLE_PERMISSIONS[role] | granted) - revoked


def viewer(world: World, drawn: Any) -> Viewer:
    name, permissions = drawn
    home = world.rows["@Sales" if name == "@Ann" else "@Care"]
    return Viewer(world.number, ActorKind.AGENT, world.rows[name].id, permissions, (home.id,))


# ── customers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_STANDING = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(list(CustomerStage)),
        "owner": st.sampled_from(["@Ann", "@Bob", "@Cy"]),
        "department": st.sampled_from([None, "@Sales", "@Care"]),
        "previous": st.sampled_from([None, "@Ann", "@Bob"]),
        "verification": st.sampled_from(list(Verification)),
        "relationship_status": st.sampled_from(list(RelationshipStatus)),
        "subscription_status": st.sampled_from(list(SubscriptionStatus)),
        "reseller_relationship": st.sampled_from([True, True, True, False]),
        "archived": st.sampled_from([False, False, False, True]),
        "blocked": st.sampled_from([None, None, None, "holds", "expired"]),
        "follow_up_stage": st.sampled_from([None, "Offer sent"]),
        "member": st.booleans(),
    }
)
_HOLDING = st.fixed_dictionaries(
    {},
    optional={
        "nickname": st.sampled_from(["Nick", "Đặng"]),
        "source": st.sampled_from(["Fair", "Rule"]),
        "phones": st.lists(st.sampled_from(["+84901234561", "+84901234562", "+84901234563"]), max_size=2, unique=True),
        "emails": st.lists(st.sampled_from(["a@x.example", "B@x.example"]), max_size=2, unique=True),
        "tags": st.lists(st.sampled_from(["@gold", "@vip", "@wecom"]), max_size=2, unique=True).map(
            lambda named: {"add": [{"id": one} for one in named]}
        ),
        "company": st.just({"id": "@Samsung"}),
        "value": st.sampled_from(["0", "5.5"]),
        "birthDate": st.just("1990-01-02"),
        "address": st.just({"city": "Huế", "country": "VN"}),
        "wechatFriends": st.just({"add": [{"id": "@Ann"}]}),
        "customFields": st.lists(
            st.sampled_from(
                [
                    {"key": "tier", "value": "silver"},
                    {"key": "points", "value": 2.5},
                    {"key": "likes", "value": ["b", "a"]},
                    {"key": "since", "value": "2026-01-01T00:00:00Z"},
                ]
            ),
            max_size=3,
            unique_by=lambda one: one["key"],
        ),
    },
)
crowds = st.lists(st.tuples(_HOLDING, _STANDING), min_size=CROWD, max_size=CROWD)


async def populated(database: Any, crowd: Any) -> World:
    """Customers "@0" to "@5" as generated."""
    world = await founded(database)
    inputs = [{"name": f"c{place}", **copy.deepcopy(held)} for place, (held, _) in enumerate(crowd)]
    for place, given in enumerate(inputs):
        given["externalIds"] = [{"system": "erp", "value": str(place)}]
    made = await world.ask(MAKE, rows=[{"input": one} for one in inputs])
    for place, row in enumerate(made["job"]["rows"]["nodes"]):
        assert not row["errors"], row
        world.names[f"@{place}"] = row["node"]["id"]
    await database.write(
        world.number, lambda transaction: _stand(transaction, world, [standing for _, standing in crowd])
    )
    return world


async def _stand(transaction: Any, world: World, standings: Any) -> None:
    changes, blocks, members = [], [], []
    for place, standing in enumerate(standings):
        identifier = bytes.fromhex(world.names[f"@{place}"][4:])
        customer = tables.Customer(workspace_id=world.number, id=identifier, name="", name_key="")
        changes.append((identifier, _columns(world, standing)))
        if standing["blocked"]:
            until = None if standing["blocked"] == "holds" else ids.current_time() - 1
            blocks.append(factories.block(customer, until=until))
        if standing["member"]:
            segment = world.rows["@list"].id
            members.append(tables.SegmentMember(workspace_id=0, segment_id=segment, customer_id=identifier))
    for row in (*blocks, *members):
        row.workspace_id = world.number
        await transaction.insert(row)
    await batch_writes.update_rows(transaction, tables.Customer, changes)


def _columns(world: World, standing: Any) -> dict[str, Any]:
    """An owner exactly in FOLLOW_UP; NEW customers are not VALID."""
    known = {
        name: None if (one := standing[name]) is None else world.rows[one].id for name in ("department", "previous")
    }
    owned = standing["stage"] is CustomerStage.FOLLOW_UP
    new = standing["stage"] is CustomerStage.NEW
    verification = Verification.UNVERIFIED if new and standing["verification"] is Verification.VALID else None
    return {
        "stage": int(standing["stage"]),
        "owner_id": world.rows[standing["owner"]].id if owned else None,
        "owned_since": 5 if owned else None,
        "released_at": 7 if known["previous"] and not owned else None,
        "department_id": known["department"],
        "previous_owner_id": known["previous"],
        "verification": int(standing["verification"] if verification is None else verification),
        "follow_up_stage": standing["follow_up_stage"] if owned else None,
        "archived_at": 9 if standing["archived"] else None,
        **{
            name: (bool if name == "reseller_relationship" else int)(standing[name])
            for name in ("relationship_status", "subscription_status", "reseller_relationship")
        },
    }

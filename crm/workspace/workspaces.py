"""Workspaces: making one, with all that it starts with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from zoneinfo import available_timezones

from crm import change_log
from crm.access import accounts, passwords
from crm.errors import ErrorCode, InputError, Path
from db import tables
from db.engine import Database, Transaction
from db.errors import UniqueViolation
from db.queries import workspaces
from db.tables.enums import (
    AutomationRule,
    BulkDeletePolicy,
    ChangeAction,
    CustomerStage,
    DepartmentAssignment,
    Role,
    SegmentKind,
)
from db.values import ids
from db.values.folding import email_key, fold, normalize

MAX_WORKSPACE_NAME_LENGTH: Final = 200
"""Code points, of a workspace's name and of an agent's."""

DEFAULT_FOLLOW_UP_STAGES: Final = ("First contact", "Interested", "Offer sent", "Negotiation", "Won", "Lost")
DEFAULT_SOURCES: Final = ("Website", "Referral", "Phone", "E-mail", "Event", "Social media", "Import")

ALL_CUSTOMERS_VIEW: Final = "All customers"
DEFAULT_VIEW_COLUMNS: Final = (
    "name", "phone", "email", "company", "relationshipStatus", "stage", "owner", "tags", "value", "createdAt",
)  # fmt: skip
"""What the first saved view shows."""

# What a new workspace's segments find, in the words of the API: they can be read, changed and sent back.
DEFAULT_SEGMENTS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "Paying customers": (
        "Everybody who has become a customer, VIPs included.",
        {"relationshipStatus": {"in": ["CUSTOMER", "VIP"]}},
    ),
    "Not active for 90 days": (
        "Everybody with whom nothing happened in the last 90 days.",
        {"not": {"lastInteractionAt": {"last": "P90D"}}},
    ),
    "Unsubscribed": (
        "Everybody who does not want the newsletter any more.",
        {"subscriptionStatus": {"eq": "UNSUBSCRIBED"}},
    ),
}

# So many workspaces may be made at the same moment; each takes the next number, and the losers try the one after.
_ATTEMPTS: Final = 100


@dataclass(frozen=True, slots=True)
class CreatedWorkspace:
    """The ids as clients see them, and the first administrator's token."""

    workspace: str
    agent: str
    token: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was asked for, checked."""

    name: str
    timezone: str
    default_country: str | None
    email: str
    agent_name: str
    password_hash: str


async def create_workspace(
    database: Database,
    *,
    name: str,
    email: str,
    password: str,
    agent_name: str | None = None,
    timezone: str = "UTC",
    default_country: str | None = None,
) -> CreatedWorkspace:
    """A workspace, its first administrator and all that it starts with, in one transaction. Without a name, the
    administrator gets the first part of his address. Raises InputError at what cannot be taken, path ("email",) and such.
    """
    name = check_name(name, ("name",))
    email = accounts.email_address(email, ("email",))
    agent_name = email.partition("@")[0] if agent_name is None else check_name(agent_name, ("agentName",))
    timezone = check_timezone(timezone, ("timezone",))
    country = default_country and check_country(default_country, ("defaultCountry",))
    passwords.check_password(password, ("password",))
    plan = _Plan(name, timezone, country or None, email, agent_name, await passwords.hash_password(password))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await database.write(None, partial(_founded, plan, ids.current_time()))
        except UniqueViolation as taken:
            if taken.table == "account":
                message = f"Somebody signs in as “{email}” already; use another address."
                raise InputError(ErrorCode.TAKEN, message, ("email",)) from None
            if taken.table != "directory" or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def check_name(text: str, path: Path) -> str:
    """The name as it is kept. Raises InputError where it is blank or too long."""
    name = normalize(text)
    if not name:
        raise InputError(ErrorCode.BLANK, "Give it a name.", path)
    if len(name) > MAX_WORKSPACE_NAME_LENGTH:
        message = f"A name has {MAX_WORKSPACE_NAME_LENGTH} characters at most; this one has {len(name)}."
        raise InputError(ErrorCode.TOO_LONG, message, path)
    return name


def check_timezone(text: str, path: Path) -> str:
    """Raises InputError where it is no name of the IANA database."""
    if text not in available_timezones():
        message = f"“{text}” is not a time zone; give a name such as Asia/Ho_Chi_Minh or Europe/Rome."
        raise InputError(ErrorCode.INVALID, message, path)
    return text


def check_country(text: str, path: Path) -> str:
    """In capitals. Raises InputError where it is not a country that has telephone numbers."""
    from phonenumbers import SUPPORTED_REGIONS  # Imported late, as in crm.texts.

    country = text.strip().upper()
    if country not in SUPPORTED_REGIONS:
        message = f"“{text}” is not a country; give its two letters, such as VN or IT."
        raise InputError(ErrorCode.INVALID, message, path)
    return country


# ── what a workspace starts with ──────────────────────────────────────────────────────────────────────────────────────


async def _founded(plan: _Plan, now: int, transaction: Transaction) -> CreatedWorkspace:
    number = transaction.workspace_id = await workspaces.last_change_number(transaction) + 1
    settings, agent = _settings(plan, number, now), _administrator(plan, number, now)
    view, segments = _view(number, now), _segments(number, now)
    account = tables.Account(
        id=agent.id, workspace_id=number, email_key=agent.email_key, password_hash=plan.password_hash
    )
    await transaction.insert(tables.Directory(workspace_id=number, id=settings.id, created_at=now))
    await transaction.insert(account)
    await transaction.insert(settings)
    await transaction.insert(tables.Counter(workspace_id=number))
    await transaction.insert(agent)
    await transaction.insert(view)
    await transaction.insert(*segments)
    token, _ = await accounts.open_session(transaction, number, agent.id, now)
    entries = [_workspace_made(settings), _agent_made(agent), _view_made(view), *map(_segment_made, segments)]
    await change_log.write_changes(transaction, entries, by=change_log.SYSTEM, at=now)
    return CreatedWorkspace(workspace=f"wsp_{settings.id.hex()}", agent=f"agt_{agent.id.hex()}", token=token)


def _settings(plan: _Plan, number: int, now: int) -> tables.Workspace:
    return tables.Workspace(
        workspace_id=number,
        id=ids.id_at(now),
        created_at=now,
        updated_at=now,
        name=plan.name,
        timezone=plan.timezone,
        default_country=plan.default_country,
        automation_rules=[int(rule) for rule in AutomationRule],
        follow_up_stages=list(DEFAULT_FOLLOW_UP_STAGES),
        sources=list(DEFAULT_SOURCES),
    )


def _administrator(plan: _Plan, number: int, now: int) -> tables.Agent:
    return tables.Agent(
        workspace_id=number,
        id=ids.id_at(now),
        created_at=now,
        updated_at=now,
        name=plan.agent_name,
        name_key=fold(plan.agent_name),
        email=plan.email,
        email_key=email_key(plan.email),
        role=Role.ADMIN,
    )


def _view(number: int, now: int) -> tables.SavedView:
    return tables.SavedView(
        workspace_id=number,
        id=ids.id_at(now),
        created_at=now,
        name=ALL_CUSTOMERS_VIEW,
        name_key=fold(ALL_CUSTOMERS_VIEW),
        shared=True,
        protected=True,
        columns=[{"field": field, "width": None} for field in DEFAULT_VIEW_COLUMNS],
    )


def _segments(number: int, now: int) -> list[tables.Segment]:
    return [
        tables.Segment(
            workspace_id=number,
            id=ids.id_at(now),
            created_at=now,
            updated_at=now,
            name=name,
            name_key=fold(name),
            kind=SegmentKind.DYNAMIC,
            description=description,
            filter=dict(filter_),
        )
        for name, (description, filter_) in DEFAULT_SEGMENTS.items()
    ]


# ── and how the log tells it ──────────────────────────────────────────────────────────────────────────────────────────


def log_snapshot(row: Any) -> Mapping[str, Any]:
    """The settings, by the names that clients know."""
    return {
        "name": row.name,
        "timezone": row.timezone,
        "defaultCountry": row.default_country,
        "statusAutomation": {
            "enabled": row.automation_enabled,
            "rules": [AutomationRule(rule).name for rule in row.automation_rules],
        },
        "bulkDelete": BulkDeletePolicy(row.bulk_delete).name,
        "defaultStage": CustomerStage(row.default_stage).name,
        "departmentAssignment": DepartmentAssignment(row.department_assignment).name,
        "maxCustomersPerAgent": row.max_customers_per_agent,
        "pool": {
            "autoReclaim": row.pool_auto_reclaim,
            "idleDays": row.pool_idle_days,
            "dailyClaimLimit": row.pool_daily_claim_limit,
            "reclaimCooldownDays": row.pool_reclaim_cooldown_days,
        },
        "allowInlineTags": row.allow_inline_tags,
        "followUpStages": row.follow_up_stages,
        "sources": row.sources,
    }


def _workspace_made(made: tables.Workspace) -> change_log.ChangeEntry:
    fields = change_log.created_fields_of(log_snapshot(made))
    return change_log.ChangeEntry(ChangeAction.CREATED, "Workspace", made.id, made.version, fields)


def _agent_made(made: tables.Agent) -> change_log.ChangeEntry:
    fields = change_log.created_fields(name=made.name, email=made.email, active=made.active, role=Role(made.role).name)
    return change_log.ChangeEntry(ChangeAction.CREATED, "Agent", made.id, made.version, fields)


def _view_made(made: tables.SavedView) -> change_log.ChangeEntry:
    """A view has no versions; it is at its first one for ever."""
    fields = change_log.created_fields(
        name=made.name, shared=made.shared, protected=made.protected, position=made.position, columns=made.columns
    )
    return change_log.ChangeEntry(ChangeAction.CREATED, "SavedView", made.id, 1, fields)


def _segment_made(made: tables.Segment) -> change_log.ChangeEntry:
    kind = SegmentKind(made.kind).name
    fields = change_log.created_fields(name=made.name, kind=kind, description=made.description, filter=made.filter)
    return change_log.ChangeEntry(ChangeAction.CREATED, "Segment", made.id, made.version, fields)

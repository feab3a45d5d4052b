"""Creates a workspace with its initial contents."""

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
"""Maximum length in code points of a workspace's name and of an agent's."""

DEFAULT_FOLLOW_UP_STAGES: Final = ("First contact", "Interested", "Offer sent", "Negotiation", "Won", "Lost")
DEFAULT_SOURCES: Final = ("Website", "Referral", "Phone", "E-mail", "Event", "Social media", "Import")

ALL_CUSTOMERS_VIEW: Final = "All customers"
DEFAULT_VIEW_COLUMNS: Final = (
    "name", "phone", "email", "company", "relationshipStatus", "stage", "owner", "tags", "value", "createdAt",
)  # fmt: skip
"""The columns of the first saved view."""

# The segments of a new workspace. Their filters use the API's names, so clients can read, change and send them back.
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

# Maximum number of attempts. Concurrent calls compete for the next workspace number, and the losers try the one after
# it.
_ATTEMPTS: Final = 100


@dataclass(frozen=True, slots=True)
class CreatedWorkspace:
    """The ids as clients see them, and the first administrator's token."""

    workspace: str
    agent: str
    token: str


@dataclass(frozen=True, slots=True)
class _WorkspacePlan:
    """The validated input."""

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
    """Creates a workspace, its first administrator and its initial contents in one transaction.

    Without a name the administrator gets the first part of their email address. Raises InputError at the invalid
    argument, such as path ("email",)."""
    name = check_name(name, ("name",))
    email = accounts.email_address(email, ("email",))
    agent_name = email.partition("@")[0] if agent_name is None else check_name(agent_name, ("agentName",))
    timezone = check_timezone(timezone, ("timezone",))
    country = default_country and check_country(default_country, ("defaultCountry",))
    passwords.check_password(password, ("password",))
    plan = _WorkspacePlan(name, timezone, country or None, email, agent_name, await passwords.hash_password(password))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await database.write(None, partial(_insert_workspace, plan, ids.current_time()))
        except UniqueViolation as violation:
            if violation.table == "account":
                message = f"An account with the email address “{email}” already exists; use another address."
                raise InputError(ErrorCode.TAKEN, message, ("email",)) from None
            if violation.table != "directory" or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def check_name(text: str, path: Path) -> str:
    """The name to store. Raises InputError if it is blank or too long."""
    name = normalize(text)
    if not name:
        raise InputError(ErrorCode.BLANK, "Enter a name.", path)
    if len(name) > MAX_WORKSPACE_NAME_LENGTH:
        message = f"A name can have at most {MAX_WORKSPACE_NAME_LENGTH} characters; this one has {len(name)}."
        raise InputError(ErrorCode.TOO_LONG, message, path)
    return name


def check_timezone(text: str, path: Path) -> str:
    """Raises InputError if the text is not a name of the IANA time zone database."""
    if text not in available_timezones():
        message = f"“{text}” is not a time zone; enter a name such as Asia/Ho_Chi_Minh or Europe/Rome."
        raise InputError(ErrorCode.INVALID, message, path)
    return text


def check_country(text: str, path: Path) -> str:
    """The country code in capitals. Raises InputError if the country has no phone numbers."""
    from phonenumbers import SUPPORTED_REGIONS  # Imported late, as in crm.values.text_values.

    country = text.strip().upper()
    if country not in SUPPORTED_REGIONS:
        message = f"“{text}” is not a country; enter its two letters, such as VN or IT."
        raise InputError(ErrorCode.INVALID, message, path)
    return country


# ── initial contents ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _insert_workspace(plan: _WorkspacePlan, now: int, transaction: Transaction) -> CreatedWorkspace:
    workspace_id = transaction.workspace_id = await workspaces.last_change_number(transaction) + 1
    settings, agent = _new_settings(plan, workspace_id, now), _new_administrator(plan, workspace_id, now)
    view, segments = _new_view(workspace_id, now), _new_segments(workspace_id, now)
    account = tables.Account(
        id=agent.id, workspace_id=workspace_id, email_key=agent.email_key, password_hash=plan.password_hash
    )
    await transaction.insert(tables.Directory(workspace_id=workspace_id, id=settings.id, created_at=now))
    await transaction.insert(account)
    await transaction.insert(settings)
    await transaction.insert(tables.Counter(workspace_id=workspace_id))
    await transaction.insert(agent)
    await transaction.insert(view)
    await transaction.insert(*segments)
    token, _ = await accounts.open_session(transaction, workspace_id, agent.id, now)
    entries = [_workspace_entry(settings), _agent_entry(agent), _view_entry(view), *map(_segment_entry, segments)]
    await change_log.write_changes(transaction, entries, by=change_log.SYSTEM, at=now)
    return CreatedWorkspace(workspace=f"wsp_{settings.id.hex()}", agent=f"agt_{agent.id.hex()}", token=token)


def _new_settings(plan: _WorkspacePlan, workspace_id: int, now: int) -> tables.Workspace:
    return tables.Workspace(
        workspace_id=workspace_id,
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


def _new_administrator(plan: _WorkspacePlan, workspace_id: int, now: int) -> tables.Agent:
    return tables.Agent(
        workspace_id=workspace_id,
        id=ids.id_at(now),
        created_at=now,
        updated_at=now,
        name=plan.agent_name,
        name_key=fold(plan.agent_name),
        email=plan.email,
        email_key=email_key(plan.email),
        role=Role.ADMIN,
    )


def _new_view(workspace_id: int, now: int) -> tables.SavedView:
    return tables.SavedView(
        workspace_id=workspace_id,
        id=ids.id_at(now),
        created_at=now,
        name=ALL_CUSTOMERS_VIEW,
        name_key=fold(ALL_CUSTOMERS_VIEW),
        shared=True,
        protected=True,
        columns=[{"field": field, "width": None} for field in DEFAULT_VIEW_COLUMNS],
    )


def _new_segments(workspace_id: int, now: int) -> list[tables.Segment]:
    return [
        tables.Segment(
            workspace_id=workspace_id,
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


# ── the change log ────────────────────────────────────────────────────────────────────────────────────────────────────


def log_snapshot(row: Any) -> Mapping[str, Any]:
    """The settings by the names that clients know."""
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


def _workspace_entry(row: tables.Workspace) -> change_log.ChangeEntry:
    fields = change_log.created_fields_of(log_snapshot(row))
    return change_log.ChangeEntry(ChangeAction.CREATED, "Workspace", row.id, row.version, fields)


def _agent_entry(row: tables.Agent) -> change_log.ChangeEntry:
    fields = change_log.created_fields(name=row.name, email=row.email, active=row.active, role=Role(row.role).name)
    return change_log.ChangeEntry(ChangeAction.CREATED, "Agent", row.id, row.version, fields)


def _view_entry(row: tables.SavedView) -> change_log.ChangeEntry:
    """The log entry of the view. Views have no versions, so the version is always 1."""
    fields = change_log.created_fields(
        name=row.name, shared=row.shared, protected=row.protected, position=row.position, columns=row.columns
    )
    return change_log.ChangeEntry(ChangeAction.CREATED, "SavedView", row.id, 1, fields)


def _segment_entry(row: tables.Segment) -> change_log.ChangeEntry:
    kind = SegmentKind(row.kind).name
    fields = change_log.created_fields(name=row.name, kind=kind, description=row.description, filter=row.filter)
    return change_log.ChangeEntry(ChangeAction.CREATED, "Segment", row.id, row.version, fields)

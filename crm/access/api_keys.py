"""API keys: making and revoking them. The secret is shown once and kept as a hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crm import record_writes
from crm.access import memberships, role_grants, tokens
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.validation import ErrorCollector, InputData, check_list_has_room, lock_by_name
from crm.values import text_values
from db import tables
from db.queries import accounts as stored
from db.rows import Row, copy_row, new_row
from db.tables.enums import Permission
from db.values import ids, wire_format

_HINT: Final = 4
"""So many of the secret's last characters tell keys apart."""


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """A key, and its secret, which is nowhere kept."""

    key: Row
    secret: str


async def create(unit: UnitOfWork, given: InputData) -> CreatedApiKey:
    """Raises InputError and its like: FORBIDDEN at each permission that the viewer does not hold."""
    await lock_by_name(unit, "API keys")
    check_list_has_room(await stored.live_keys(unit.transaction), "API keys that are not revoked")
    checks = ErrorCollector()
    name = checks.check(text_values.read_required_text, given["name"], ("input", "name"), "a name")
    permissions = _permissions(unit, checks, given["permissions"])
    expires_at = checks.check(_expiry, unit, given.get("expires_at"))
    checks.raise_if_any()
    identifier = ids.new_id()
    token = tokens.create_token("key", identifier)
    row = new_row(
        tables.ApiKey,
        id=identifier,
        workspace_id=unit.workspace_id,
        name=name,
        permissions=[int(one) for one in permissions],
        secret_hash=token.secret_hash,
        hint=token.text[-_HINT:],
        created_by=unit.viewer.actor_id,
        expires_at=expires_at,
    )
    return CreatedApiKey(await record_writes.create_record(unit, "ApiKey", row, log_snapshot), token.text)


async def revoke(unit: UnitOfWork, wire_id: str) -> Row:
    """It lets nobody in any more; a second time changes nothing. Raises InputError NOT_FOUND."""
    await lock_by_name(unit, "API keys")
    identifier = wire_format.decode_id("ApiKey", wire_id)
    found = (await stored.keys_by_ids(unit.transaction, [identifier])).get(identifier) if identifier else None
    if found is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no API key “{wire_id}” here.", ("id",))
    row = copy_row(found, tables.ApiKey)
    if row.revoked_at is None:
        row.revoked_at = unit.now
    if await record_writes.update_record(
        unit, "ApiKey", row, vars(copy_row(found, tables.ApiKey)), log_snapshot(found), log_snapshot
    ):
        memberships.forget_viewers_after_commit(unit)
    return row


def log_snapshot(row: Any) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "permissions": [Permission(one).name for one in row.permissions],
        "hint": row.hint,
        "expiresAt": row.expires_at and wire_format.format_moment(row.expires_at),
        "revokedAt": row.revoked_at and wire_format.format_moment(row.revoked_at),
    }


def _permissions(unit: UnitOfWork, checks: ErrorCollector, given: list[int]) -> list[Permission]:
    path: Path = ("input", "permissions")
    if not given:
        checks.add(ErrorCode.INVALID, "Name at least one permission; a key without any can do nothing.", path)
    return checks.check(role_grants.check_permissions, unit, given, path) or []


def _expiry(unit: UnitOfWork, given: int | None) -> int | None:
    """Raises InputError for a moment that has passed."""
    if given is not None and given <= unit.now:
        message = f"{wire_format.format_moment(given)} has passed; choose a moment to come, or none."
        raise InputError(ErrorCode.INVALID, message, ("input", "expiresAt"))
    return given

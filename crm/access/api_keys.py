"""API keys: creating and revoking them. The secret is shown once and stored as a hash."""

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

_HINT_LENGTH: Final = 4
"""Number of trailing characters of the secret that identify a key to people."""


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """A new key and its secret, which is not stored."""

    key: Row
    secret: str


async def create(unit: UnitOfWork, data: InputData) -> CreatedApiKey:
    """Creates an API key. Raises InputError and its subclasses: FORBIDDEN at each permission that the viewer does not
    hold."""
    await lock_by_name(unit, "API keys")
    check_list_has_room(await stored.live_keys(unit.transaction), "API keys that are not revoked")
    errors = ErrorCollector()
    name = errors.check(text_values.read_required_text, data["name"], ("input", "name"), "a name")
    permissions = _check_permissions(unit, errors, data["permissions"])
    expires_at = errors.check(_check_expiry, unit, data.get("expires_at"))
    errors.raise_if_any()
    identifier = ids.new_id()
    token = tokens.create_token("key", identifier)
    row = new_row(
        tables.ApiKey,
        id=identifier,
        workspace_id=unit.workspace_id,
        name=name,
        permissions=[int(permission) for permission in permissions],
        secret_hash=token.secret_hash,
        hint=token.text[-_HINT_LENGTH:],
        created_by=unit.viewer.actor_id,
        expires_at=expires_at,
    )
    return CreatedApiKey(await record_writes.create_record(unit, "ApiKey", row, log_snapshot), token.text)


async def revoke(unit: UnitOfWork, wire_id: str) -> Row:
    """Revokes the key; repeated calls change nothing. Raises InputError NOT_FOUND."""
    await lock_by_name(unit, "API keys")
    identifier = wire_format.decode_id("ApiKey", wire_id)
    stored_key = (await stored.keys_by_ids(unit.transaction, [identifier])).get(identifier) if identifier else None
    if stored_key is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no API key “{wire_id}” in this workspace.", ("id",))
    row = copy_row(stored_key, tables.ApiKey)
    if row.revoked_at is None:
        row.revoked_at = unit.now
    if await record_writes.update_record(
        unit, "ApiKey", row, vars(copy_row(stored_key, tables.ApiKey)), log_snapshot(stored_key), log_snapshot
    ):
        memberships.forget_viewers_after_commit(unit)
    return row


def log_snapshot(row: Any) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "permissions": [Permission(permission).name for permission in row.permissions],
        "hint": row.hint,
        "expiresAt": row.expires_at and wire_format.format_moment(row.expires_at),
        "revokedAt": row.revoked_at and wire_format.format_moment(row.revoked_at),
    }


def _check_permissions(unit: UnitOfWork, errors: ErrorCollector, permissions: list[int]) -> list[Permission]:
    path: Path = ("input", "permissions")
    if not permissions:
        errors.add(ErrorCode.INVALID, "Choose at least one permission; a key without permissions can do nothing.", path)
    return errors.check(role_grants.check_permissions, unit, permissions, path) or []


def _check_expiry(unit: UnitOfWork, expires_at: int | None) -> int | None:
    """Raises InputError for a time in the past."""
    if expires_at is not None and expires_at <= unit.now:
        message = f"{wire_format.format_moment(expires_at)} is in the past; choose a later time or none."
        raise InputError(ErrorCode.INVALID, message, ("input", "expiresAt"))
    return expires_at

"""API keys: making and revoking them. The secret is shown once and kept as a hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crm import record_writes
from crm.access import memberships, role_grants, tokens
from crm.errors import ErrorCode, Path, Refused
from crm.unit_of_work import Act
from crm.validation import Checks, Given, room, take_turn
from crm.values import text_values
from db import tables
from db.queries import accounts as stored
from db.rows import Row, copied, fresh
from db.tables.enums import Permission
from db.values import ids, wire_format

_HINT: Final = 4
"""So many of the secret's last characters tell keys apart."""


@dataclass(frozen=True, slots=True)
class Made:
    """A key, and its secret, which is nowhere kept."""

    key: Row
    secret: str


async def create(act: Act, given: Given) -> Made:
    """Raises Refused and its like: FORBIDDEN at each permission that the viewer does not hold."""
    await take_turn(act, "API keys")
    room(await stored.live_keys(act.work), "API keys that are not revoked")
    checks = Checks()
    name = checks.read(text_values.needed, given["name"], ("input", "name"), "a name")
    permissions = _permissions(act, checks, given["permissions"])
    expires_at = checks.read(_expiry, act, given.get("expires_at"))
    checks.end()
    identifier = ids.new()
    token = tokens.mint("key", identifier)
    row = fresh(
        tables.ApiKey,
        id=identifier,
        workspace_id=act.workspace_id,
        name=name,
        permissions=[int(one) for one in permissions],
        secret_hash=token.secret_hash,
        hint=token.text[-_HINT:],
        created_by=act.viewer.actor_id,
        expires_at=expires_at,
    )
    return Made(await record_writes.make(act, "ApiKey", row, told), token.text)


async def revoke(act: Act, wire_id: str) -> Row:
    """It lets nobody in any more; a second time changes nothing. Raises Refused NOT_FOUND."""
    await take_turn(act, "API keys")
    identifier = wire_format.parse("ApiKey", wire_id)
    found = (await stored.keys_by_ids(act.work, [identifier])).get(identifier) if identifier else None
    if found is None:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no API key “{wire_id}” here.", ("id",))
    row = copied(found, tables.ApiKey)
    if row.revoked_at is None:
        row.revoked_at = act.now
    if await record_writes.change(act, "ApiKey", row, vars(copied(found, tables.ApiKey)), told(found), told):
        memberships.forget(act)
    return row


def told(row: Any) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "permissions": [Permission(one).name for one in row.permissions],
        "hint": row.hint,
        "expiresAt": row.expires_at and wire_format.show_moment(row.expires_at),
        "revokedAt": row.revoked_at and wire_format.show_moment(row.revoked_at),
    }


def _permissions(act: Act, checks: Checks, given: list[int]) -> list[Permission]:
    path: Path = ("input", "permissions")
    if not given:
        checks.refuse(ErrorCode.INVALID, "Name at least one permission; a key without any can do nothing.", path)
    return checks.read(role_grants.permissions, act, given, path) or []


def _expiry(act: Act, given: int | None) -> int | None:
    """Raises Refused for a moment that has passed."""
    if given is not None and given <= act.now:
        message = f"{wire_format.show_moment(given)} has passed; choose a moment to come, or none."
        raise Refused(ErrorCode.INVALID, message, ("input", "expiresAt"))
    return given

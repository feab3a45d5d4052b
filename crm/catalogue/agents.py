"""Agents: creating, updating and deactivating the people who look after customers (SM2, SB8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm import change_log
from crm.access import memberships, passwords, role_grants
from crm.assignment import offboarding
from crm.change_log import ChangeEntry
from crm.errors import ErrorCode, InputError, Path, check_version
from crm.unit_of_work import UnitOfWork
from crm.validation import ErrorCollector, InputData, check_integer, check_list_length, lock_by_name, require_value
from crm.values import text_values
from db import batch_writes, tables
from db.queries import accounts as stored_accounts
from db.queries.catalogue import agents, departments
from db.rows import Row, copy_row, new_row
from db.tables.enums import ChangeAction, Permission, Role
from db.values import wire_format
from db.values.folding import email_key, fold


@dataclass(slots=True)
class _AgentState:
    """An agent with the requested changes. `snapshot_before` is the log snapshot before them."""

    row: Row
    departments: list[bytes] = field(default_factory=list)
    exceptions: dict[Permission, bool] = field(default_factory=dict)
    snapshot_before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def permissions(self) -> frozenset[Permission]:
        return role_grants.permissions_with_exceptions(self.row.role, self.exceptions)


async def hash_new_password(data: InputData) -> str | None:
    """The hash of a new password, computed before the transaction because it takes long. None if there is no password
    or it is invalid."""
    password = data.get("password")
    if password is None:
        return None
    try:
        passwords.check_password(password, ())
    except InputError:
        return None
    return await passwords.hash_password(password)


async def create(unit: UnitOfWork, data: InputData, password_hash: str | None) -> Row:
    """Creates an agent, who cannot sign in without a password. Raises InputError and its subclasses."""
    await lock_by_name(unit, "agents")
    row = new_row(tables.Agent, workspace_id=unit.workspace_id, name="", name_key="", email="", email_key="")
    state = _AgentState(row)
    role = Role.AGENT if data.get("role") is None else data["role"]
    await _read_input(unit, state, {"name": None, "email": None, **data, "role": role}, is_new=True)
    key_columns = {"id": row.id, "workspace_id": unit.workspace_id, "email_key": row.email_key}
    await unit.transaction.insert(new_row(tables.Account, **key_columns, password_hash=password_hash))
    await unit.transaction.insert(row)
    await _insert_exceptions(unit, state)
    await memberships.replace_memberships(unit, {row.id: state.departments})
    unit.log.add(
        ChangeEntry(
            ChangeAction.CREATED, "Agent", row.id, row.version, change_log.created_fields_of(log_snapshot(state))
        )
    )
    return row


async def update(
    unit: UnitOfWork, wire_id: str, data: InputData, password_hash: str | None, *, if_version: int | None = None
) -> Row:
    """Updates an agent. Raises InputError NOT_FOUND, ConflictError and others."""
    state = await _load_agent(unit, wire_id)
    check_version(state.row, if_version)
    before = copy_row(state.row, tables.Agent)
    exceptions = dict(state.exceptions)
    await _read_input(unit, state, data, is_new=False)
    if before.active and not state.row.active:
        await offboarding.hand_over_customers(unit, before, None, ("input", "active"))
    return await _write(unit, state, before, exceptions, data, password_hash)


@dataclass(frozen=True, slots=True)
class DeactivationResult:
    """The deactivated agent, and the job that hands over the customers if there are many."""

    agent: Row
    job: Row | None


async def deactivate(unit: UnitOfWork, wire_id: str, customers: InputData | None) -> DeactivationResult:
    """Deactivates the agent, who can no longer sign in or receive customers. `customers` says how the agent's customers
    are handed over. Raises InputError NOT_FOUND, IN_USE, AGENT_HAS_CUSTOMERS and others."""
    state = await _load_agent(unit, wire_id)
    before = copy_row(state.row, tables.Agent)
    state.row.active = False
    await _check_administrator_remains(unit, before, state, ("id",))
    job = await offboarding.hand_over_customers(unit, before, customers, ("customers",))
    return DeactivationResult(await _write(unit, state, before, state.exceptions, {}, None), job)


def log_snapshot(state: Any) -> Mapping[str, Any]:
    row = state.row
    return {
        "name": row.name,
        "email": row.email,
        "active": row.active,
        "role": Role(row.role).name,
        "permissions": [permission.name for permission in sorted(state.permissions)],
        "grant": [permission.name for permission, is_granted in sorted(state.exceptions.items()) if is_granted],
        "revoke": [permission.name for permission, is_granted in sorted(state.exceptions.items()) if not is_granted],
        "departments": memberships.encode_department_ids(state.departments),
        "maxCustomers": row.max_customers,
    }


async def _load_agent(unit: UnitOfWork, wire_id: str) -> _AgentState:
    """Loads and locks the agent. Also blocks concurrent changes of other agents, so that an
    administrator always remains."""
    await lock_by_name(unit, "agents")
    identifier = wire_format.decode_id("Agent", wire_id)
    agents_by_id = await agents.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in agents_by_id:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no agent “{wire_id}” in this workspace.", ("id",))
    membership_rows = (await agents.departments_by_agent(unit.transaction, [identifier])).get(identifier, [])
    exceptions = (await agents.permissions_by_agent(unit.transaction, [identifier])).get(identifier, [])
    state = _AgentState(
        copy_row(agents_by_id[identifier], tables.Agent),
        [membership.department_id for membership in membership_rows],
        role_grants.exceptions_from_rows(exceptions),
    )
    state.snapshot_before = log_snapshot(state)
    return state


# ── the input ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _read_input(unit: UnitOfWork, state: _AgentState, data: InputData, *, is_new: bool) -> None:
    """Stores the input in the state. Raises the errors of the input."""
    errors, row = ErrorCollector(), state.row
    before, permissions_before = copy_row(row, tables.Agent), state.permissions
    if "name" in data:
        row.name = errors.check(text_values.read_required_text, data["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "email" in data:
        await _read_email(unit, errors, row, data["email"])
    if data.get("password") is not None:
        errors.check(passwords.check_password, data["password"], ("input", "password"))
    _read_plain_fields(errors, row, data)
    _read_permissions(unit, errors, state, data, before, is_new)
    if "departments" in data:
        await _read_departments(unit, errors, state, data["departments"])
    errors.raise_if_any()
    if not is_new:
        _check_sign_in_changes(unit, before, row, permissions_before, state.permissions, data)
        await _check_administrator_remains(unit, before, state, ("input", "active" if not row.active else "role"))


async def _read_email(unit: UnitOfWork, errors: ErrorCollector, row: Row, text: str | None) -> None:
    path = ("input", "email")
    row.email = errors.check(text_values.read_email, text or "", path) or ""
    row.email_key = email_key(row.email)
    account = await stored_accounts.by_email(unit.transaction, row.email_key)
    colleagues = await agents.ids_by_email(unit.transaction, [], [row.email_key])
    if any(holder.id != row.id for holder in ([account] if account else []) + list(colleagues)):
        message = f"An account with the email address “{row.email}” already exists; use another address."
        errors.add(ErrorCode.TAKEN, message, path)


def _read_plain_fields(errors: ErrorCollector, row: Row, data: InputData) -> None:
    if "max_customers" in data:
        limit = data["max_customers"]
        row.max_customers = None if limit is None else errors.check(check_integer, limit, ("input", "maxCustomers"))
    if "active" in data:
        row.active = bool(errors.check(require_value, data["active"], ("input", "active")))


def _read_permissions(
    unit: UnitOfWork, errors: ErrorCollector, state: _AgentState, data: InputData, before: Row, is_new: bool
) -> None:
    if "role" in data:
        path = ("input", "role")
        role = errors.check(require_value, data["role"], path)
        if role is not None and (is_new or role != before.role):
            state.row.role = errors.check(role_grants.check_role, unit, Role(role), path) or int(role)
    granted = errors.check(role_grants.check_permissions, unit, data.get("grant") or (), ("input", "grant")) or []
    state.exceptions = role_grants.changed_exceptions(state.exceptions, granted, data.get("revoke") or ())


async def _read_departments(
    unit: UnitOfWork, errors: ErrorCollector, state: _AgentState, requested: list[str] | None
) -> None:
    path = ("input", "departments")
    wire_ids = errors.check(check_list_length, requested, path) or ()
    departments_by_id = (
        await departments.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Department")) if wire_ids else {}
    )
    state.departments = (
        errors.check(memberships.decode_known_ids, wire_ids, "Department", departments_by_id, path) or []
    )


def _check_sign_in_changes(
    unit: UnitOfWork,
    before: Row,
    row: Row,
    permissions_before: frozenset[Permission],
    permissions_after: frozenset[Permission],
    data: InputData,
) -> None:
    """Checks the permission to change how an agent signs in. A person who can change it could sign in as that
    agent, so nobody may do so for an agent with more permissions than their own. Raises InputError FORBIDDEN."""
    if row.email_key != before.email_key:
        role_grants.check_holds_all(unit, permissions_before | permissions_after, before.name, ("input", "email"))
    if data.get("password") is not None:
        role_grants.check_holds_all(unit, permissions_before | permissions_after, before.name, ("input", "password"))
    if row.active and not before.active:
        role_grants.check_holds_all(unit, permissions_before | permissions_after, before.name, ("input", "active"))


async def _check_administrator_remains(unit: UnitOfWork, before: Row, state: _AgentState, path: Path) -> None:
    """Raises InputError IN_USE if no active administrator would remain."""
    was_administrator = before.active and before.role == Role.ADMIN
    if (
        was_administrator
        and not (state.row.active and state.row.role == Role.ADMIN)
        and await agents.count_active_administrators(unit.transaction) < 2
    ):
        message = f"{before.name} is the last active administrator; make another agent an administrator first."
        raise InputError(ErrorCode.IN_USE, message, path)


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _write(
    unit: UnitOfWork,
    state: _AgentState,
    before: Row,
    exceptions: Mapping[Permission, bool],
    data: InputData,
    password_hash: str | None,
) -> Row:
    row, snapshot = state.row, log_snapshot(state)
    fields = change_log.changed_fields(state.snapshot_before, snapshot)
    if "password" in data:
        # The log records that the password was changed, but not its value.
        fields.append({"field": "password", "before": None, "after": None})
        await _write_account(unit, row, password_hash, sets_password=True)
    elif row.email_key != before.email_key:
        await _write_account(unit, row, None, sets_password=False)
    if state.exceptions != exceptions:
        await batch_writes.delete_where_in(unit.transaction, tables.AgentPermission, "agent_id", [row.id])
        await _insert_exceptions(unit, state)
    if not fields:
        return row
    if snapshot["departments"] != state.snapshot_before["departments"]:
        await memberships.replace_memberships(unit, {row.id: state.departments})
    row.version, row.updated_at = before.version + 1, unit.now
    changed_columns = {name: value for name, value in vars(row).items() if getattr(before, name) != value}
    await batch_writes.update_rows(unit.transaction, tables.Agent, [(row.id, changed_columns)])
    if "password" in data or not row.active:
        await stored_accounts.end_sessions(unit.transaction, row.id, at=unit.now)
    unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Agent", row.id, row.version, fields))
    memberships.forget_viewers_after_commit(unit)
    return row


async def _write_account(unit: UnitOfWork, row: Row, password_hash: str | None, *, sets_password: bool) -> None:
    """Updates the agent's account, or creates it if there is none yet."""
    columns = {"email_key": row.email_key} | ({"password_hash": password_hash} if sets_password else {})
    if not await stored_accounts.email_exists(unit.transaction, row.id):
        new_account = {"id": row.id, "workspace_id": unit.workspace_id, "password_hash": None}
        await unit.transaction.insert(new_row(tables.Account, **(new_account | columns)))
        return
    await batch_writes.update_rows(unit.transaction, tables.Account, [(row.id, columns)])


async def _insert_exceptions(unit: UnitOfWork, state: _AgentState) -> None:
    rows = [
        new_row(
            tables.AgentPermission,
            workspace_id=unit.workspace_id,
            agent_id=state.row.id,
            permission=int(permission),
            granted=granted,
        )
        for permission, granted in state.exceptions.items()
    ]
    await unit.transaction.insert(*rows)

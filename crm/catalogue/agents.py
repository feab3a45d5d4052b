"""Agents: making, changing and deactivating the people who look after customers (SM2, SB8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm import change_log
from crm.access import memberships, passwords, role_grants
from crm.assignment import offboarding
from crm.change_log import ChangeEntry
from crm.errors import ConflictError, ErrorCode, InputError, Path
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
class _State:
    """An agent in memory, as he is to be. `was` is what the log would have told before."""

    row: Row
    departments: list[bytes] = field(default_factory=list)
    exceptions: dict[Permission, bool] = field(default_factory=dict)
    was: Mapping[str, Any] = field(default_factory=dict)

    @property
    def permissions(self) -> frozenset[Permission]:
        return role_grants.permissions_with_exceptions(self.row.role, self.exceptions)


async def hash_new_password(given: InputData) -> str | None:
    """What to store for the password that is given, made before the transaction, for it takes its time. None where
    none is given, or none that can be taken."""
    password = given.get("password")
    if password is None:
        return None
    try:
        passwords.check_password(password, ())
    except InputError:
        return None
    return await passwords.hash_password(password)


async def create(unit: UnitOfWork, given: InputData, password_hash: str | None) -> Row:
    """A new agent; without a password he cannot sign in yet. Raises InputError and its like."""
    await lock_by_name(unit, "agents")
    row = new_row(tables.Agent, workspace_id=unit.workspace_id, name="", name_key="", email="", email_key="")
    state = _State(row)
    role = Role.AGENT if given.get("role") is None else given["role"]
    await _read(unit, state, {"name": None, "email": None, **given, "role": role}, made=True)
    own = {"id": row.id, "workspace_id": unit.workspace_id, "email_key": row.email_key}
    await unit.transaction.insert(new_row(tables.Account, **own, password_hash=password_hash))
    await unit.transaction.insert(row)
    await _keep_exceptions(unit, state)
    await memberships.replace_memberships(unit, {row.id: state.departments})
    unit.log.add(
        ChangeEntry(
            ChangeAction.CREATED, "Agent", row.id, row.version, change_log.created_fields_of(log_snapshot(state))
        )
    )
    return row


async def update(
    unit: UnitOfWork, wire_id: str, given: InputData, password_hash: str | None, *, if_version: int | None = None
) -> Row:
    """Raises InputError NOT_FOUND, ConflictError and their like."""
    state = await _one(unit, wire_id)
    if if_version is not None and if_version != state.row.version:
        raise ConflictError(state.row)
    before = copy_row(state.row, tables.Agent)
    exceptions = dict(state.exceptions)
    await _read(unit, state, given, made=False)
    if before.active and not state.row.active:
        await offboarding.hand_over_customers(unit, before, None, ("input", "active"))
    return await _written(unit, state, before, exceptions, given, password_hash)


@dataclass(frozen=True, slots=True)
class DeactivationResult:
    """The agent as he is now, and the job that hands his customers over, where they are many."""

    agent: Row
    job: Row | None


async def deactivate(unit: UnitOfWork, wire_id: str, customers: InputData | None) -> DeactivationResult:
    """He cannot sign in any more and gets no customers; `customers` says what becomes of his. Raises InputError
    NOT_FOUND, IN_USE, AGENT_HAS_CUSTOMERS and their like."""
    state = await _one(unit, wire_id)
    before = copy_row(state.row, tables.Agent)
    state.row.active = False
    await _an_administrator_stays(unit, before, state, ("id",))
    job = await offboarding.hand_over_customers(unit, before, customers, ("customers",))
    return DeactivationResult(await _written(unit, state, before, state.exceptions, {}, None), job)


def log_snapshot(state: Any) -> Mapping[str, Any]:
    row = state.row
    return {
        "name": row.name,
        "email": row.email,
        "active": row.active,
        "role": Role(row.role).name,
        "permissions": [one.name for one in sorted(state.permissions)],
        "grant": [one.name for one, given in sorted(state.exceptions.items()) if given],
        "revoke": [one.name for one, given in sorted(state.exceptions.items()) if not given],
        "departments": memberships.encode_department_ids(state.departments),
        "maxCustomers": row.max_customers,
    }


async def _one(unit: UnitOfWork, wire_id: str) -> _State:
    """Held, as are all other agents who might stop being the last administrator."""
    await lock_by_name(unit, "agents")
    identifier = wire_format.decode_id("Agent", wire_id)
    found = await agents.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in found:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no agent “{wire_id}” here.", ("id",))
    places = (await agents.departments_by_agent(unit.transaction, [identifier])).get(identifier, [])
    exceptions = (await agents.permissions_by_agent(unit.transaction, [identifier])).get(identifier, [])
    state = _State(
        copy_row(found[identifier], tables.Agent),
        [place.department_id for place in places],
        role_grants.exceptions_from_rows(exceptions),
    )
    state.was = log_snapshot(state)
    return state


# ── what is given ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _read(unit: UnitOfWork, state: _State, given: InputData, *, made: bool) -> None:
    """Takes it into the state. Raises what is wrong with it."""
    checks, row = ErrorCollector(), state.row
    before, held = copy_row(row, tables.Agent), state.permissions
    if "name" in given:
        row.name = checks.check(text_values.read_required_text, given["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "email" in given:
        await _email(unit, checks, row, given["email"])
    if given.get("password") is not None:
        checks.check(passwords.check_password, given["password"], ("input", "password"))
    _plain(checks, row, given)
    _permissions(unit, checks, state, given, before, made)
    if "departments" in given:
        await _departments(unit, checks, state, given["departments"])
    checks.raise_if_any()
    if not made:
        _let_in(unit, before, row, held, state.permissions, given)
        await _an_administrator_stays(unit, before, state, ("input", "active" if not row.active else "role"))


async def _email(unit: UnitOfWork, checks: ErrorCollector, row: Row, given: str | None) -> None:
    path = ("input", "email")
    row.email = checks.check(text_values.read_email, given or "", path) or ""
    row.email_key = email_key(row.email)
    account = await stored_accounts.by_email(unit.transaction, row.email_key)
    colleagues = await agents.ids_by_email(unit.transaction, [], [row.email_key])
    if any(one.id != row.id for one in ([account] if account else []) + list(colleagues)):
        message = f"Somebody signs in as “{row.email}” already; use another address."
        checks.add(ErrorCode.TAKEN, message, path)


def _plain(checks: ErrorCollector, row: Row, given: InputData) -> None:
    if "max_customers" in given:
        wanted = given["max_customers"]
        row.max_customers = None if wanted is None else checks.check(check_integer, wanted, ("input", "maxCustomers"))
    if "active" in given:
        row.active = bool(checks.check(require_value, given["active"], ("input", "active")))


def _permissions(
    unit: UnitOfWork, checks: ErrorCollector, state: _State, given: InputData, before: Row, made: bool
) -> None:
    if "role" in given:
        path = ("input", "role")
        wanted = checks.check(require_value, given["role"], path)
        if wanted is not None and (made or wanted != before.role):
            state.row.role = checks.check(role_grants.check_role, unit, Role(wanted), path) or int(wanted)
    granted = checks.check(role_grants.check_permissions, unit, given.get("grant") or (), ("input", "grant")) or []
    state.exceptions = role_grants.changed_exceptions(state.exceptions, granted, given.get("revoke") or ())


async def _departments(unit: UnitOfWork, checks: ErrorCollector, state: _State, given: list[str] | None) -> None:
    path = ("input", "departments")
    wire_ids = checks.check(check_list_length, given, path) or ()
    known = (
        await departments.by_ids(unit.transaction, memberships.decode_ids(wire_ids, "Department")) if wire_ids else {}
    )
    state.departments = checks.check(memberships.decode_known_ids, wire_ids, "Department", known, path) or []


def _let_in(
    unit: UnitOfWork, before: Row, row: Row, held: frozenset[Permission], now: frozenset[Permission], given: InputData
) -> None:
    """Whoever decides how somebody signs in could sign in as him: so nobody does that for who may do more than he.
    Raises InputError FORBIDDEN."""
    if row.email_key != before.email_key:
        role_grants.check_holds_all(unit, held | now, before.name, ("input", "email"))
    if given.get("password") is not None:
        role_grants.check_holds_all(unit, held | now, before.name, ("input", "password"))
    if row.active and not before.active:
        role_grants.check_holds_all(unit, held | now, before.name, ("input", "active"))


async def _an_administrator_stays(unit: UnitOfWork, before: Row, state: _State, path: Path) -> None:
    """Raises InputError IN_USE where nobody would be left who can do everything."""
    was = before.active and before.role == Role.ADMIN
    if (
        was
        and not (state.row.active and state.row.role == Role.ADMIN)
        and await agents.count_active_administrators(unit.transaction) < 2
    ):
        message = f"{before.name} is the last active administrator; make somebody else one first."
        raise InputError(ErrorCode.IN_USE, message, path)


# ── what is written ───────────────────────────────────────────────────────────────────────────────────────────────────


async def _written(
    unit: UnitOfWork,
    state: _State,
    before: Row,
    exceptions: Mapping[Permission, bool],
    given: InputData,
    password_hash: str | None,
) -> Row:
    row, now = state.row, log_snapshot(state)
    fields = change_log.changed_fields(state.was, now)
    if "password" in given:
        # That it was changed is told, and nothing of what it is.
        fields.append({"field": "password", "before": None, "after": None})
        await _account(unit, row, password_hash, password=True)
    elif row.email_key != before.email_key:
        await _account(unit, row, None, password=False)
    if state.exceptions != exceptions:
        await batch_writes.delete_where_in(unit.transaction, tables.AgentPermission, "agent_id", [row.id])
        await _keep_exceptions(unit, state)
    if not fields:
        return row
    if now["departments"] != state.was["departments"]:
        await memberships.replace_memberships(unit, {row.id: state.departments})
    row.version, row.updated_at = before.version + 1, unit.now
    different = {name: value for name, value in vars(row).items() if getattr(before, name) != value}
    await batch_writes.update_rows(unit.transaction, tables.Agent, [(row.id, different)])
    if "password" in given or not row.active:
        await stored_accounts.end_sessions(unit.transaction, row.id, at=unit.now)
    unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Agent", row.id, row.version, fields))
    memberships.forget_viewers_after_commit(unit)
    return row


async def _account(unit: UnitOfWork, row: Row, password_hash: str | None, *, password: bool) -> None:
    """How he signs in. Who never could has none yet."""
    columns = {"email_key": row.email_key} | ({"password_hash": password_hash} if password else {})
    if not await stored_accounts.email_exists(unit.transaction, row.id):
        own = {"id": row.id, "workspace_id": unit.workspace_id, "password_hash": None}
        await unit.transaction.insert(new_row(tables.Account, **(own | columns)))
        return
    await batch_writes.update_rows(unit.transaction, tables.Account, [(row.id, columns)])


async def _keep_exceptions(unit: UnitOfWork, state: _State) -> None:
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

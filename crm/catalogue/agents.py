"""Agents: making, changing and deactivating the people who look after customers (SM2, SB8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm import change_log
from crm.access import memberships, passwords, role_grants
from crm.assignment import offboarding
from crm.change_log import Entry
from crm.errors import ConflictRefused, ErrorCode, Path, Refused
from crm.unit_of_work import Act
from crm.validation import Checks, Given, listed, present, take_turn, whole
from crm.values import text_values
from db import batch_writes, tables
from db.queries import accounts as stored_accounts
from db.queries.catalogue import agents, departments
from db.rows import Row, copied, fresh
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
        return role_grants.held(self.row.role, self.exceptions)


async def hashed(given: Given) -> str | None:
    """What to store for the password that is given, made before the transaction, for it takes its time. None where
    none is given, or none that can be taken."""
    password = given.get("password")
    if password is None:
        return None
    try:
        passwords.require(password, ())
    except Refused:
        return None
    return await passwords.hashed(password)


async def create(act: Act, given: Given, password_hash: str | None) -> Row:
    """A new agent; without a password he cannot sign in yet. Raises Refused and its like."""
    await take_turn(act, "agents")
    row = fresh(tables.Agent, workspace_id=act.workspace_id, name="", name_key="", email="", email_key="")
    state = _State(row)
    role = Role.AGENT if given.get("role") is None else given["role"]
    await _read(act, state, {"name": None, "email": None, **given, "role": role}, made=True)
    own = {"id": row.id, "workspace_id": act.workspace_id, "email_key": row.email_key}
    await act.work.insert(fresh(tables.Account, **own, password_hash=password_hash))
    await act.work.insert(row)
    await _keep_exceptions(act, state)
    await memberships.settle(act, {row.id: state.departments})
    act.log.add(Entry(ChangeAction.CREATED, "Agent", row.id, row.version, change_log.appeared_of(told(state))))
    return row


async def update(
    act: Act, wire_id: str, given: Given, password_hash: str | None, *, if_version: int | None = None
) -> Row:
    """Raises Refused NOT_FOUND, ConflictRefused and their like."""
    state = await _one(act, wire_id)
    if if_version is not None and if_version != state.row.version:
        raise ConflictRefused(state.row)
    before = copied(state.row, tables.Agent)
    exceptions = dict(state.exceptions)
    await _read(act, state, given, made=False)
    if before.active and not state.row.active:
        await offboarding.leave(act, before, None, ("input", "active"))
    return await _written(act, state, before, exceptions, given, password_hash)


@dataclass(frozen=True, slots=True)
class Deactivated:
    """The agent as he is now, and the job that hands his customers over, where they are many."""

    agent: Row
    job: Row | None


async def deactivate(act: Act, wire_id: str, customers: Given | None) -> Deactivated:
    """He cannot sign in any more and gets no customers; `customers` says what becomes of his. Raises Refused
    NOT_FOUND, IN_USE, AGENT_HAS_CUSTOMERS and their like."""
    state = await _one(act, wire_id)
    before = copied(state.row, tables.Agent)
    state.row.active = False
    await _an_administrator_stays(act, before, state, ("id",))
    job = await offboarding.leave(act, before, customers, ("customers",))
    return Deactivated(await _written(act, state, before, state.exceptions, {}, None), job)


def told(state: Any) -> Mapping[str, Any]:
    row = state.row
    return {
        "name": row.name,
        "email": row.email,
        "active": row.active,
        "role": Role(row.role).name,
        "permissions": [one.name for one in sorted(state.permissions)],
        "grant": [one.name for one, given in sorted(state.exceptions.items()) if given],
        "revoke": [one.name for one, given in sorted(state.exceptions.items()) if not given],
        "departments": memberships.shown(state.departments),
        "maxCustomers": row.max_customers,
    }


async def _one(act: Act, wire_id: str) -> _State:
    """Held, as are all other agents who might stop being the last administrator."""
    await take_turn(act, "agents")
    identifier = wire_format.parse("Agent", wire_id)
    found = await agents.locked(act.work, [identifier]) if identifier else {}
    if identifier is None or identifier not in found:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no agent “{wire_id}” here.", ("id",))
    places = (await agents.places(act.work, [identifier])).get(identifier, [])
    exceptions = (await agents.permissions_by_agent(act.work, [identifier])).get(identifier, [])
    state = _State(
        copied(found[identifier], tables.Agent),
        [place.department_id for place in places],
        role_grants.stored(exceptions),
    )
    state.was = told(state)
    return state


# ── what is given ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _read(act: Act, state: _State, given: Given, *, made: bool) -> None:
    """Takes it into the state. Raises what is wrong with it."""
    checks, row = Checks(), state.row
    before, held = copied(row, tables.Agent), state.permissions
    if "name" in given:
        row.name = checks.read(text_values.needed, given["name"], ("input", "name"), "a name") or ""
        row.name_key = fold(row.name)
    if "email" in given:
        await _email(act, checks, row, given["email"])
    if given.get("password") is not None:
        checks.read(passwords.require, given["password"], ("input", "password"))
    _plain(checks, row, given)
    _permissions(act, checks, state, given, before, made)
    if "departments" in given:
        await _departments(act, checks, state, given["departments"])
    checks.end()
    if not made:
        _let_in(act, before, row, held, state.permissions, given)
        await _an_administrator_stays(act, before, state, ("input", "active" if not row.active else "role"))


async def _email(act: Act, checks: Checks, row: Row, given: str | None) -> None:
    path = ("input", "email")
    row.email = checks.read(text_values.email, given or "", path) or ""
    row.email_key = email_key(row.email)
    account = await stored_accounts.by_email(act.work, row.email_key)
    colleagues = await agents.named(act.work, [], [row.email_key])
    if any(one.id != row.id for one in ([account] if account else []) + list(colleagues)):
        message = f"Somebody signs in as “{row.email}” already; use another address."
        checks.refuse(ErrorCode.TAKEN, message, path)


def _plain(checks: Checks, row: Row, given: Given) -> None:
    if "max_customers" in given:
        wanted = given["max_customers"]
        row.max_customers = None if wanted is None else checks.read(whole, wanted, ("input", "maxCustomers"))
    if "active" in given:
        row.active = bool(checks.read(present, given["active"], ("input", "active")))


def _permissions(act: Act, checks: Checks, state: _State, given: Given, before: Row, made: bool) -> None:
    if "role" in given:
        path = ("input", "role")
        wanted = checks.read(present, given["role"], path)
        if wanted is not None and (made or wanted != before.role):
            state.row.role = checks.read(role_grants.role, act, Role(wanted), path) or int(wanted)
    granted = checks.read(role_grants.permissions, act, given.get("grant") or (), ("input", "grant")) or []
    state.exceptions = role_grants.changed(state.exceptions, granted, given.get("revoke") or ())


async def _departments(act: Act, checks: Checks, state: _State, given: list[str] | None) -> None:
    path = ("input", "departments")
    wire_ids = checks.read(listed, given, path) or ()
    known = await departments.by_ids(act.work, memberships.parsed(wire_ids, "Department")) if wire_ids else {}
    state.departments = checks.read(memberships.named, wire_ids, "Department", known, path) or []


def _let_in(
    act: Act, before: Row, row: Row, held: frozenset[Permission], now: frozenset[Permission], given: Given
) -> None:
    """Whoever decides how somebody signs in could sign in as him: so nobody does that for who may do more than he.
    Raises Refused FORBIDDEN."""
    if row.email_key != before.email_key:
        role_grants.all_of(act, held | now, before.name, ("input", "email"))
    if given.get("password") is not None:
        role_grants.all_of(act, held | now, before.name, ("input", "password"))
    if row.active and not before.active:
        role_grants.all_of(act, held | now, before.name, ("input", "active"))


async def _an_administrator_stays(act: Act, before: Row, state: _State, path: Path) -> None:
    """Raises Refused IN_USE where nobody would be left who can do everything."""
    was = before.active and before.role == Role.ADMIN
    if was and not (state.row.active and state.row.role == Role.ADMIN) and await agents.administrators(act.work) < 2:
        message = f"{before.name} is the last active administrator; make somebody else one first."
        raise Refused(ErrorCode.IN_USE, message, path)


# ── what is written ───────────────────────────────────────────────────────────────────────────────────────────────────


async def _written(
    act: Act,
    state: _State,
    before: Row,
    exceptions: Mapping[Permission, bool],
    given: Given,
    password_hash: str | None,
) -> Row:
    row, now = state.row, told(state)
    fields = change_log.differing(state.was, now)
    if "password" in given:
        # That it was changed is told, and nothing of what it is.
        fields.append({"field": "password", "before": None, "after": None})
        await _account(act, row, password_hash, password=True)
    elif row.email_key != before.email_key:
        await _account(act, row, None, password=False)
    if state.exceptions != exceptions:
        await batch_writes.clear(act.work, tables.AgentPermission, "agent_id", [row.id])
        await _keep_exceptions(act, state)
    if not fields:
        return row
    if now["departments"] != state.was["departments"]:
        await memberships.settle(act, {row.id: state.departments})
    row.version, row.updated_at = before.version + 1, act.now
    different = {name: value for name, value in vars(row).items() if getattr(before, name) != value}
    await batch_writes.change(act.work, tables.Agent, [(row.id, different)])
    if "password" in given or not row.active:
        await stored_accounts.end_sessions(act.work, row.id, at=act.now)
    act.log.add(Entry(ChangeAction.UPDATED, "Agent", row.id, row.version, fields))
    memberships.forget(act)
    return row


async def _account(act: Act, row: Row, password_hash: str | None, *, password: bool) -> None:
    """How he signs in. Who never could has none yet."""
    columns = {"email_key": row.email_key} | ({"password_hash": password_hash} if password else {})
    if not await stored_accounts.exists(act.work, row.id):
        own = {"id": row.id, "workspace_id": act.workspace_id, "password_hash": None}
        await act.work.insert(fresh(tables.Account, **(own | columns)))
        return
    await batch_writes.change(act.work, tables.Account, [(row.id, columns)])


async def _keep_exceptions(act: Act, state: _State) -> None:
    rows = [
        fresh(
            tables.AgentPermission,
            workspace_id=act.workspace_id,
            agent_id=state.row.id,
            permission=int(permission),
            granted=granted,
        )
        for permission, granted in state.exceptions.items()
    ]
    await act.work.insert(*rows)

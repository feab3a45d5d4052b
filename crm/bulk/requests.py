"""The calls for many customers: what is wrong with the whole is refused here, before there is a job."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.access.permissions import Viewer
from crm.bulk import assigning, interactions, segment_members, updating, upserting
from crm.errors import ErrorCode, Forbidden, InputError
from crm.jobs import submit, targets
from crm.jobs.handlers import Item
from crm.jobs.targets import Found
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db.engine import Session
from db.queries.customers import customers
from db.rows import Row
from db.tables.enums import JobKind, Permission
from db.values import wire_format

Given = Mapping[str, Any]
Options = Mapping[str, Any] | None


async def simple(unit: UnitOfWork, kind: JobKind, arguments: Given, target: Given, options: Options) -> Row:
    """What needs nothing but a target."""
    return await submit.begin(unit, kind, arguments, target, options)


async def update(unit: UnitOfWork, given: Given, target: Given, options: Options) -> Row:
    """Raises what is wrong with the input whoever it is for."""
    await updating.check(unit, given)
    return await simple(unit, JobKind.UPDATE, {"input": given}, target, options)


async def upsert(unit: UnitOfWork, rows: Sequence[Given], options: Options) -> Row:
    submit.at_most(rows, upserting.MOST, ("rows",))
    return await _rows(unit, JobKind.UPSERT, rows, options)


async def record(unit: UnitOfWork, rows: Sequence[Given], options: Options) -> Row:
    submit.at_most(rows, interactions.MOST, ("rows",))
    return await _rows(unit, JobKind.INTERACTIONS, rows, options)


async def _rows(unit: UnitOfWork, kind: JobKind, rows: Sequence[Given], options: Options) -> Row:
    submit.allow(unit, kind)
    found = Found({}, [Item(row, b"") for row in range(len(rows))])
    return await submit.start(unit, kind, {"rows": rows}, found, submit.options(options))


async def assign(unit: UnitOfWork, to: Given, target: Given, options: Options) -> Row:
    """Raises InputError where the agents or departments cannot be assigned to."""
    submit.allow(unit, JobKind.ASSIGN)
    seats = await assigning.seats(unit, to)
    return await simple(unit, JobKind.ASSIGN, {"seats": seats}, target, options)


async def release(unit: UnitOfWork, to: int, reason: str | None, target: Given, options: Options) -> Row:
    why = text_values.text(reason, ("reason",), longest=text_values.NAME)
    options = {**(options or {}), "label": (options or {}).get("label") or why}
    return await simple(unit, JobKind.RELEASE, {"to": to, "reason": why}, target, options)


async def verify(unit: UnitOfWork, valid: bool, target: Given, options: Options) -> Row:
    """Raises Forbidden for who does not see all."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        raise Forbidden(Permission.CUSTOMER_VIEW_ALL)
    return await simple(unit, JobKind.VERIFY, {"valid": valid}, target, options)


async def block(unit: UnitOfWork, reason: str, until: int | None, target: Given, options: Options) -> Row:
    """Raises InputError BLANK, TOO_LONG, INVALID."""
    kept = text_values.needed(reason, ("reason",), "a reason")
    if until is not None and until <= unit.now:
        raise InputError(ErrorCode.INVALID, "The block would have ended already; give a moment to come.", ("until",))
    return await simple(unit, JobKind.BLOCK, {"reason": kept, "until": until}, target, options)


async def claimable(session: Session, viewer: Viewer, target: Given) -> list[str]:
    """Which of the customers named can be claimed at the moment: who loses them is told that somebody was faster."""
    named = [one for text in target.get("ids") or () if (one := wire_format.decode_id("Customer", text))]
    found = await customers.by_ids(session, named, viewer.visibility) if named else {}
    return [row.id.hex() for row in found.values() if assigning.claimable(viewer, row)]


async def claim(unit: UnitOfWork, before: Sequence[str], target: Given, options: Options) -> Row:
    """Raises Forbidden for keys."""
    if unit.viewer.agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    return await submit.begin(unit, JobKind.CLAIM, {}, target, options, state={"claimable": before})


async def members(unit: UnitOfWork, wire_id: str, add: Given | None, remove: Given | None, options: Options) -> Row:
    """Raises InputError NOT_FOUND, SEGMENT_IS_DYNAMIC, EMPTY_TARGET where nobody is named to come or go."""
    submit.allow(unit, JobKind.SEGMENT_MEMBERS)
    segment_id = await segment_members.static(unit, wire_id)
    if add is None and remove is None:
        raise InputError(ErrorCode.EMPTY_TARGET, "Nobody is to come in or to go out; name somebody.", ("add",))
    coming = Found({}) if add is None else await targets.find(unit, add, path=("add",))
    going = Found({}) if remove is None else await targets.find(unit, remove, path=("remove",))
    arguments = {"segment": segment_id.hex(), "adding": len(coming.items)}
    wanted = submit.options(options)
    if coming.match is None and going.match is None:
        start = len(coming.items)
        both = [*coming.items, *(Item(start + one.row, one.id) for one in going.items)]
        target = {"add": coming.target, "remove": going.target}
        return await submit.start(unit, JobKind.SEGMENT_MEMBERS, arguments, Found(target, both), wanted)
    return await submit.both(unit, JobKind.SEGMENT_MEMBERS, arguments, (coming, going), wanted)

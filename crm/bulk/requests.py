"""The calls for many customers: what is wrong with the whole is refused here, before there is a job."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.access.permissions import Viewer
from crm.bulk import assigning, interactions, segment_members, updating, upserting
from crm.errors import ErrorCode, Forbidden, InputError
from crm.jobs import submit, targets
from crm.jobs.handlers import JobItem
from crm.jobs.targets import Target
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db.engine import Session
from db.queries.customers import customers
from db.rows import Row
from db.tables.enums import JobKind, Permission
from db.values import wire_format

InputData = Mapping[str, Any]
Options = Mapping[str, Any] | None


async def start_job(unit: UnitOfWork, kind: JobKind, arguments: InputData, target: InputData, options: Options) -> Row:
    """What needs nothing but a target."""
    return await submit.submit_for_target(unit, kind, arguments, target, options)


async def update_customers(unit: UnitOfWork, given: InputData, target: InputData, options: Options) -> Row:
    """Raises what is wrong with the input whoever it is for."""
    await updating.check_update(unit, given)
    return await start_job(unit, JobKind.UPDATE, {"input": given}, target, options)


async def upsert_customers(unit: UnitOfWork, rows: Sequence[InputData], options: Options) -> Row:
    submit.check_row_count(rows, upserting.MAX_UPSERT_ROWS, ("rows",))
    return await _rows(unit, JobKind.UPSERT, rows, options)


async def record_interactions(unit: UnitOfWork, rows: Sequence[InputData], options: Options) -> Row:
    submit.check_row_count(rows, interactions.MAX_INTERACTION_ROWS, ("rows",))
    return await _rows(unit, JobKind.INTERACTIONS, rows, options)


async def _rows(unit: UnitOfWork, kind: JobKind, rows: Sequence[InputData], options: Options) -> Row:
    submit.check_may_start(unit, kind)
    found = Target({}, [JobItem(row, b"") for row in range(len(rows))])
    return await submit.submit_job(unit, kind, {"rows": rows}, found, submit.read_options(options))


async def assign_customers(unit: UnitOfWork, to: InputData, target: InputData, options: Options) -> Row:
    """Raises InputError where the agents or departments cannot be assigned to."""
    submit.check_may_start(unit, JobKind.ASSIGN)
    seats = await assigning.assignee_ids(unit, to)
    return await start_job(unit, JobKind.ASSIGN, {"seats": seats}, target, options)


async def release_customers(unit: UnitOfWork, to: int, reason: str | None, target: InputData, options: Options) -> Row:
    why = text_values.read_text(reason, ("reason",), longest=text_values.MAX_NAME_LENGTH)
    options = {**(options or {}), "label": (options or {}).get("label") or why}
    return await start_job(unit, JobKind.RELEASE, {"to": to, "reason": why}, target, options)


async def verify_customers(unit: UnitOfWork, valid: bool, target: InputData, options: Options) -> Row:
    """Raises Forbidden for who does not see all."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        raise Forbidden(Permission.CUSTOMER_VIEW_ALL)
    return await start_job(unit, JobKind.VERIFY, {"valid": valid}, target, options)


async def block_customers(unit: UnitOfWork, reason: str, until: int | None, target: InputData, options: Options) -> Row:
    """Raises InputError BLANK, TOO_LONG, INVALID."""
    kept = text_values.read_required_text(reason, ("reason",), "a reason")
    if until is not None and until <= unit.now:
        raise InputError(ErrorCode.INVALID, "The block would have ended already; give a moment to come.", ("until",))
    return await start_job(unit, JobKind.BLOCK, {"reason": kept, "until": until}, target, options)


async def claimable_ids(session: Session, viewer: Viewer, target: InputData) -> list[str]:
    """Which of the customers named can be claimed at the moment: who loses them is told that somebody was faster."""
    named = [one for text in target.get("ids") or () if (one := wire_format.decode_id("Customer", text))]
    found = await customers.by_ids(session, named, viewer.visibility) if named else {}
    return [row.id.hex() for row in found.values() if assigning.is_claimable(viewer, row)]


async def claim_customers(unit: UnitOfWork, before: Sequence[str], target: InputData, options: Options) -> Row:
    """Raises Forbidden for keys."""
    if unit.viewer.agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    return await submit.submit_for_target(unit, JobKind.CLAIM, {}, target, options, state={"claimable": before})


async def change_segment_members(
    unit: UnitOfWork, wire_id: str, add: InputData | None, remove: InputData | None, options: Options
) -> Row:
    """Raises InputError NOT_FOUND, SEGMENT_IS_DYNAMIC, EMPTY_TARGET where nobody is named to come or go."""
    submit.check_may_start(unit, JobKind.SEGMENT_MEMBERS)
    segment_id = await segment_members.static_segment_id(unit, wire_id)
    if add is None and remove is None:
        raise InputError(ErrorCode.EMPTY_TARGET, "Nobody is to come in or to go out; name somebody.", ("add",))
    coming = Target({}) if add is None else await targets.resolve_target(unit, add, path=("add",))
    going = Target({}) if remove is None else await targets.resolve_target(unit, remove, path=("remove",))
    arguments = {"segment": segment_id.hex(), "adding": len(coming.items)}
    wanted = submit.read_options(options)
    if coming.listing is None and going.listing is None:
        start = len(coming.items)
        both = [*coming.items, *(JobItem(start + one.row, one.id) for one in going.items)]
        target = {"add": coming.stored_form, "remove": going.stored_form}
        return await submit.submit_job(unit, JobKind.SEGMENT_MEMBERS, arguments, Target(target, both), wanted)
    return await submit.submit_two_targets(unit, JobKind.SEGMENT_MEMBERS, arguments, (coming, going), wanted)

"""The calls for bulk work. Errors that concern the whole call are raised here, before a job exists."""

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
    """Starts a job that needs no arguments beyond those given and a target."""
    return await submit.submit_for_target(unit, kind, arguments, target, options)


async def update_customers(unit: UnitOfWork, data: InputData, target: InputData, options: Options) -> Row:
    """Updates the customers. Raises the input errors that do not depend on a customer."""
    await updating.check_update(unit, data)
    return await start_job(unit, JobKind.UPDATE, {"input": data}, target, options)


async def upsert_customers(unit: UnitOfWork, rows: Sequence[InputData], options: Options) -> Row:
    submit.check_row_count(rows, upserting.MAX_UPSERT_ROWS, ("rows",))
    return await _submit_rows(unit, JobKind.UPSERT, rows, options)


async def record_interactions(unit: UnitOfWork, rows: Sequence[InputData], options: Options) -> Row:
    submit.check_row_count(rows, interactions.MAX_INTERACTION_ROWS, ("rows",))
    return await _submit_rows(unit, JobKind.INTERACTIONS, rows, options)


async def _submit_rows(unit: UnitOfWork, kind: JobKind, rows: Sequence[InputData], options: Options) -> Row:
    submit.check_may_start(unit, kind)
    target = Target({}, [JobItem(row, b"") for row in range(len(rows))])
    return await submit.submit_job(unit, kind, {"rows": rows}, target, submit.read_options(options))


async def assign_customers(unit: UnitOfWork, to: InputData, target: InputData, options: Options) -> Row:
    """Assigns the customers. Raises InputError if the agents or departments cannot receive customers."""
    submit.check_may_start(unit, JobKind.ASSIGN)
    assignees = await assigning.assignee_ids(unit, to)
    return await start_job(unit, JobKind.ASSIGN, {"seats": assignees}, target, options)


async def release_customers(unit: UnitOfWork, to: int, reason: str | None, target: InputData, options: Options) -> Row:
    reason_text = text_values.read_text(reason, ("reason",), max_length=text_values.MAX_NAME_LENGTH)
    options = {**(options or {}), "label": (options or {}).get("label") or reason_text}
    return await start_job(unit, JobKind.RELEASE, {"to": to, "reason": reason_text}, target, options)


async def verify_customers(unit: UnitOfWork, valid: bool, target: InputData, options: Options) -> Row:
    """Verifies the customers. Raises Forbidden for viewers who cannot see all customers."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_VIEW_ALL):
        raise Forbidden(Permission.CUSTOMER_VIEW_ALL)
    return await start_job(unit, JobKind.VERIFY, {"valid": valid}, target, options)


async def block_customers(unit: UnitOfWork, reason: str, until: int | None, target: InputData, options: Options) -> Row:
    """Blocks the customers. Raises InputError BLANK, TOO_LONG, INVALID."""
    reason_text = text_values.read_required_text(reason, ("reason",), "a reason")
    if until is not None and until <= unit.now:
        raise InputError(ErrorCode.INVALID, "The end of the block is in the past; choose a later time.", ("until",))
    return await start_job(unit, JobKind.BLOCK, {"reason": reason_text, "until": until}, target, options)


async def claimable_ids(session: Session, viewer: Viewer, target: InputData) -> list[str]:
    """Ids of the selected customers that are claimable now. If another agent claims one of them first, the viewer gets
    ALREADY_CLAIMED instead of NOT_FOUND."""
    ids = [identifier for text in target.get("ids") or () if (identifier := wire_format.decode_id("Customer", text))]
    rows = await customers.by_ids(session, ids, viewer.visibility) if ids else {}
    return [row.id.hex() for row in rows.values() if assigning.is_claimable(viewer, row)]


async def claim_customers(unit: UnitOfWork, before: Sequence[str], target: InputData, options: Options) -> Row:
    """Claims the customers for the viewer. Raises Forbidden for API keys."""
    if unit.viewer.agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    return await submit.submit_for_target(unit, JobKind.CLAIM, {}, target, options, state={"claimable": before})


async def change_segment_members(
    unit: UnitOfWork, wire_id: str, add: InputData | None, remove: InputData | None, options: Options
) -> Row:
    """Adds customers to a static segment and removes others. Raises InputError NOT_FOUND, SEGMENT_IS_DYNAMIC,
    EMPTY_TARGET if there is nothing to add or remove."""
    submit.check_may_start(unit, JobKind.SEGMENT_MEMBERS)
    segment_id = await segment_members.static_segment_id(unit, wire_id)
    if add is None and remove is None:
        raise InputError(
            ErrorCode.EMPTY_TARGET, "No customer is to be added or removed; choose at least one.", ("add",)
        )
    to_add = Target({}) if add is None else await targets.resolve_target(targets.reader_of(unit), add, path=("add",))
    to_remove = (
        Target({})
        if remove is None
        else await targets.resolve_target(targets.reader_of(unit), remove, path=("remove",))
    )
    arguments = {"segment": segment_id.hex(), "adding": len(to_add.items)}
    job_options = submit.read_options(options)
    if to_add.listing is None and to_remove.listing is None:
        start = len(to_add.items)
        items = [*to_add.items, *(JobItem(start + item.row, item.id) for item in to_remove.items)]
        target = {"add": to_add.stored_form, "remove": to_remove.stored_form}
        return await submit.submit_job(unit, JobKind.SEGMENT_MEMBERS, arguments, Target(target, items), job_options)
    return await submit.submit_two_targets(unit, JobKind.SEGMENT_MEMBERS, arguments, (to_add, to_remove), job_options)

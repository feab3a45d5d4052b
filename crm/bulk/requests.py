"""The calls for many customers: what is wrong with the whole is refused here, before there is a job."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.access.permissions import Viewer
from crm.bulk import assigning, interactions, segment_members, updating, upserting
from crm.errors import ErrorCode, Forbidden, Refused
from crm.jobs import submit, targets
from crm.jobs.handlers import Item
from crm.jobs.targets import Found
from crm.unit_of_work import Act
from crm.values import text_values
from db.engine import Session
from db.queries.customers import customers
from db.rows import Row
from db.tables.enums import JobKind, Permission
from db.values import wire_format

Given = Mapping[str, Any]
Options = Mapping[str, Any] | None


async def simple(act: Act, kind: JobKind, arguments: Given, target: Given, options: Options) -> Row:
    """What needs nothing but a target."""
    return await submit.begin(act, kind, arguments, target, options)


async def update(act: Act, given: Given, target: Given, options: Options) -> Row:
    """Raises what is wrong with the input whoever it is for."""
    await updating.check(act, given)
    return await simple(act, JobKind.UPDATE, {"input": given}, target, options)


async def upsert(act: Act, rows: Sequence[Given], options: Options) -> Row:
    submit.at_most(rows, upserting.MOST, ("rows",))
    return await _rows(act, JobKind.UPSERT, rows, options)


async def record(act: Act, rows: Sequence[Given], options: Options) -> Row:
    submit.at_most(rows, interactions.MOST, ("rows",))
    return await _rows(act, JobKind.INTERACTIONS, rows, options)


async def _rows(act: Act, kind: JobKind, rows: Sequence[Given], options: Options) -> Row:
    submit.allow(act, kind)
    found = Found({}, [Item(row, b"") for row in range(len(rows))])
    return await submit.start(act, kind, {"rows": rows}, found, submit.options(options))


async def assign(act: Act, to: Given, target: Given, options: Options) -> Row:
    """Raises Refused where the agents or departments cannot be assigned to."""
    submit.allow(act, JobKind.ASSIGN)
    seats = await assigning.seats(act, to)
    return await simple(act, JobKind.ASSIGN, {"seats": seats}, target, options)


async def release(act: Act, to: int, reason: str | None, target: Given, options: Options) -> Row:
    why = text_values.text(reason, ("reason",), longest=text_values.NAME)
    options = {**(options or {}), "label": (options or {}).get("label") or why}
    return await simple(act, JobKind.RELEASE, {"to": to, "reason": why}, target, options)


async def verify(act: Act, valid: bool, target: Given, options: Options) -> Row:
    """Raises Forbidden for who does not see all."""
    if not act.viewer.may(Permission.CUSTOMER_VIEW_ALL):
        raise Forbidden(Permission.CUSTOMER_VIEW_ALL)
    return await simple(act, JobKind.VERIFY, {"valid": valid}, target, options)


async def block(act: Act, reason: str, until: int | None, target: Given, options: Options) -> Row:
    """Raises Refused BLANK, TOO_LONG, INVALID."""
    kept = text_values.needed(reason, ("reason",), "a reason")
    if until is not None and until <= act.now:
        raise Refused(ErrorCode.INVALID, "The block would have ended already; give a moment to come.", ("until",))
    return await simple(act, JobKind.BLOCK, {"reason": kept, "until": until}, target, options)


async def claimable(reading: Session, viewer: Viewer, target: Given) -> list[str]:
    """Which of the customers named can be claimed at the moment: who loses them is told that somebody was faster."""
    named = [one for text in target.get("ids") or () if (one := wire_format.parse("Customer", text))]
    found = await customers.by_ids(reading, named, viewer.sight) if named else {}
    return [row.id.hex() for row in found.values() if assigning.claimable(viewer, row)]


async def claim(act: Act, before: Sequence[str], target: Given, options: Options) -> Row:
    """Raises Forbidden for keys."""
    if act.viewer.agent_id is None:
        raise Forbidden(Permission.CUSTOMER_CLAIM)
    return await submit.begin(act, JobKind.CLAIM, {}, target, options, state={"claimable": before})


async def members(act: Act, wire_id: str, add: Given | None, remove: Given | None, options: Options) -> Row:
    """Raises Refused NOT_FOUND, SEGMENT_IS_DYNAMIC, EMPTY_TARGET where nobody is named to come or go."""
    submit.allow(act, JobKind.SEGMENT_MEMBERS)
    segment_id = await segment_members.static(act, wire_id)
    if add is None and remove is None:
        raise Refused(ErrorCode.EMPTY_TARGET, "Nobody is to come in or to go out; name somebody.", ("add",))
    coming = Found({}) if add is None else await targets.find(act, add, path=("add",))
    going = Found({}) if remove is None else await targets.find(act, remove, path=("remove",))
    arguments = {"segment": segment_id.hex(), "adding": len(coming.items)}
    wanted = submit.options(options)
    if coming.match is None and going.match is None:
        start = len(coming.items)
        both = [*coming.items, *(Item(start + one.row, one.id) for one in going.items)]
        target = {"add": coming.target, "remove": going.target}
        return await submit.start(act, JobKind.SEGMENT_MEMBERS, arguments, Found(target, both), wanted)
    return await submit.both(act, JobKind.SEGMENT_MEMBERS, arguments, (coming, going), wanted)

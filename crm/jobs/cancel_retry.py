"""Cancelling, trying again: what is done with a job once it is there."""

from copy import deepcopy
from typing import Any

from crm.errors import ErrorCode, Refused
from crm.jobs import handlers, progress, submit, target_snapshot
from crm.jobs.handlers import Item
from crm.jobs.submit import Options
from crm.jobs.targets import AT_ONCE, LARGE
from crm.unit_of_work import Act
from db import tables
from db.queries import jobs
from db.queries.matching import targets
from db.rows import Row, copied
from db.tables.enums import JobKind, JobStatus, Outcome, Permission
from db.values import wire_format


async def one(act: Act, wire_id: str) -> Row:
    """The job, held; a job is its creator's, or SETTINGS_MANAGE's. Raises Refused NOT_FOUND."""
    identifier, viewer = wire_format.parse("Job", wire_id), act.viewer
    found = await jobs.locked(act.work, identifier) if identifier else None
    mine = found is not None and (found.actor_kind, found.actor_id) == (int(viewer.actor_kind), viewer.actor_id)
    if found is None or not (mine or viewer.may(Permission.SETTINGS_MANAGE)):
        raise Refused(ErrorCode.NOT_FOUND, f"There is no job “{wire_id}” here.", ("id",))
    return copied(found, tables.Job)


def may_cancel(job: Any) -> bool:
    """Whether it has not ended, and nobody cancelled it yet."""
    return job.status in (JobStatus.QUEUED, JobStatus.RUNNING)


async def cancel(act: Act, wire_id: str) -> Row:
    """It stops at the end of its chunk; what is done stays done. One that has ended stays as it is."""
    job = await one(act, wire_id)
    if not may_cancel(job):
        return job
    before = deepcopy(vars(job))
    idle = job.leased_until is None or job.leased_until < act.now
    job.status = int(JobStatus.CANCELLED if idle else JobStatus.CANCELLING)
    if idle:
        job.finished_at = act.now
    await progress.keep(act, job, before)
    return job


async def retry(act: Act, wire_id: str) -> Row:
    """A new job for the failed rows of an earlier one, under their numbers. Raises Refused NOT_FOUND, INVALID."""
    earlier = await one(act, wire_id)
    if earlier.finished_at is None or earlier.dry_run:
        what = "A dry run" if earlier.dry_run else "A job that is still running"
        raise Refused(ErrorCode.INVALID, f"{what} cannot be tried again.", ("id",))
    verb = handlers.of(earlier)
    submit.allow(act, verb.kind)
    if verb.kind is JobKind.EXPORT:
        raise Refused(ErrorCode.INVALID, "An export is not tried again; export anew.", ("id",))
    many = earlier.counts.get(Outcome.FAILED.name, 0)
    state = {name: earlier.state[name] for name in ("turn",) if name in (earlier.state or {})}
    if many > LARGE:
        state["gathering"] = [target_snapshot.failed(earlier.id)]
    job = await submit.write(
        act, verb.kind, earlier.arguments["given"], earlier.target,
        Options(abort=bool(earlier.on_error), label=earlier.label),
        state=state, as_kind=JobKind.RETRY, retry_of=earlier.id, matched=many,
    )  # fmt: skip
    if many > LARGE:
        return submit.later(act, job)
    return await begun(act, job, await targets.failed_again(act.work, job.id, earlier.id))


async def begun(act: Act, job: Row, matched: int) -> Row:
    """Starts a job whose target is stored."""
    before = deepcopy(vars(job))
    job.matched = matched
    await progress.keep(act, job, before)
    if matched > AT_ONCE:
        return submit.later(act, job)
    items = [Item(row.row, row.node_id) for row in await targets.following(act.work, job.id, -1, AT_ONCE)]
    return await submit.at_once(act, job, items)

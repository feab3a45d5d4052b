"""Jobs that add a tag to every customer, and their undo."""

from typing import Any

from sqlmodel import col, select

from bench import baseline_sql
from crm.access import permissions
from crm.access.permissions import Viewer
from crm.bulk import requests
from crm.jobs import undo
from crm.unit_of_work import run_unit_of_work
from db import tables
from db.engine import Database
from db.statements import in_workspace, prepare
from db.tables.enums import ActorKind, Role
from db.values import ids, wire_format

_ADMINISTRATOR = prepare(
    select(tables.Agent)
    .where(in_workspace(tables.Agent), col(tables.Agent.role) == int(Role.ADMIN))
    .order_by(col(tables.Agent.id).desc())
    .limit(1)
)
ALL_CUSTOMERS = {"match": {"everyone": True, "archived": "EXCLUDE"}}


async def administrator(database: Database, workspace_id: int) -> Viewer:
    """The viewer of the workspace's newest administrator."""
    agent: Any = await database.session(workspace_id).fetch_first(_ADMINISTRATOR)
    return Viewer(workspace_id, ActorKind.AGENT, agent.id, permissions.ROLE_PERMISSIONS[Role.ADMIN])


async def start_tag_job(database: Database, viewer: Viewer) -> Any:
    """Starts a job that adds a new tag to every customer."""
    tag = await baseline_sql.insert_tag(database, viewer.workspace_id)
    data = {"tags": {"add": [{"id": wire_format.id_encoder("Tag")(tag.id)}]}}
    return await run_unit_of_work(
        database,
        viewer,
        lambda unit: requests.update_customers(unit, data, ALL_CUSTOMERS, None),
        now=ids.current_time(),
    )


async def start_undo(database: Database, viewer: Viewer, job: Any) -> Any:
    """Starts the undo of the job."""
    wire_id = wire_format.id_encoder("Job")(job.id)
    return await run_unit_of_work(
        database, viewer, lambda unit: undo.undo_job(unit, wire_id, None), now=ids.current_time()
    )

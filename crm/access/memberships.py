"""Memberships of agents in departments. Each agent's departments are ordered; the first is the main one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm.access import accounts
from crm.change_log import ChangeEntry
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.queries.catalogue import agents
from db.rows import new_row
from db.tables.enums import ChangeAction
from db.values import wire_format

encode_agent_id, encode_department_id = wire_format.id_encoder("Agent"), wire_format.id_encoder("Department")


def decode_known_ids(wire_ids: Sequence[str], kind: str, known_ids: Collection[bytes], path: Path) -> list[bytes]:
    """The distinct ids in their order. Raises InputError NOT_FOUND at an unknown id."""
    identifiers = []
    for index, wire_id in enumerate(wire_ids):
        identifier = wire_format.decode_id(kind, wire_id)
        if identifier is None or identifier not in known_ids:
            raise InputError(
                ErrorCode.NOT_FOUND, f"There is no {kind.lower()} “{wire_id}” in this workspace.", (*path, index)
            )
        identifiers.append(identifier)
    return list(dict.fromkeys(identifiers))


def decode_ids(wire_ids: Sequence[str], kind: str) -> list[bytes]:
    """The distinct ids of that type; texts that are not such ids are left out."""
    return list(
        dict.fromkeys(
            identifier for wire_id in wire_ids if (identifier := wire_format.decode_id(kind, wire_id)) is not None
        )
    )


async def set_department_members(unit: UnitOfWork, department_id: bytes, member_ids: Collection[bytes]) -> list[bytes]:
    """Makes exactly these agents the members of the department, and logs the change of every agent who joins or leaves.
    Returns the earlier members, sorted by name."""
    members = [row.id for row in (await agents.by_department(unit.transaction, [department_id])).get(department_id, [])]
    changed_ids = set(members) ^ set(member_ids)
    if not changed_ids:
        return members
    agents_by_id = await agents.lock_by_ids(unit.transaction, list(changed_ids))
    memberships_by_agent = await agents.departments_by_agent(unit.transaction, list(changed_ids))
    departments_by_agent = {}
    for agent_id in agents_by_id:
        before = [row.department_id for row in memberships_by_agent.get(agent_id, [])]
        departments_by_agent[agent_id] = (
            before,
            [department for department in before if department != department_id]
            if agent_id in members
            else [*before, department_id],
        )
    await replace_memberships(
        unit, {agent_id: new_departments for agent_id, (_, new_departments) in departments_by_agent.items()}
    )
    await batch_writes.update_rows(
        unit.transaction,
        tables.Agent,
        ((agent_id, {"version": row.version + 1, "updated_at": unit.now}) for agent_id, row in agents_by_id.items()),
    )
    for agent_id, row in agents_by_id.items():
        fields = [
            {
                "field": "departments",
                "before": encode_department_ids(departments_by_agent[agent_id][0]),
                "after": encode_department_ids(departments_by_agent[agent_id][1]),
            }
        ]
        unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Agent", agent_id, row.version + 1, fields))
    forget_viewers_after_commit(unit)
    return members


async def replace_memberships(unit: UnitOfWork, departments_by_agent: Mapping[bytes, Sequence[bytes]]) -> None:
    """Replaces the departments of each agent."""
    await batch_writes.delete_where_in(unit.transaction, tables.AgentDepartment, "agent_id", list(departments_by_agent))
    rows: list[Any] = [
        new_row(
            tables.AgentDepartment,
            workspace_id=unit.workspace_id,
            agent_id=agent_id,
            department_id=department_id,
            position=position,
        )
        for agent_id, departments in departments_by_agent.items()
        for position, department_id in enumerate(departments)
    ]
    await unit.transaction.insert(*rows)


def encode_department_ids(department_ids: Sequence[bytes]) -> list[str]:
    return [encode_department_id(department_id) for department_id in department_ids]


def forget_viewers_after_commit(unit: UnitOfWork) -> None:
    """Clears the cached viewers of the workspace after the commit."""
    database, workspace_id = unit.transaction.database, unit.workspace_id
    unit.after_commit.append(lambda: accounts.forget_viewers(database, workspace_id))

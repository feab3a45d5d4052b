"""Who works where: a membership is told by the agent, and his departments come first one first."""

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


def decode_known_ids(wire_ids: Sequence[str], kind: str, known: Collection[bytes], path: Path) -> list[bytes]:
    """The ids, each once, in their order. Raises InputError NOT_FOUND at the one that is not among the known."""
    found = []
    for place, wire_id in enumerate(wire_ids):
        identifier = wire_format.decode_id(kind, wire_id)
        if identifier is None or identifier not in known:
            raise InputError(ErrorCode.NOT_FOUND, f"There is no {kind.lower()} “{wire_id}” here.", (*path, place))
        found.append(identifier)
    return list(dict.fromkeys(found))


def decode_ids(wire_ids: Sequence[str], kind: str) -> list[bytes]:
    """Those that are ids of that type, each once: what to look up."""
    return list(dict.fromkeys(found for one in wire_ids if (found := wire_format.decode_id(kind, one)) is not None))


async def set_department_members(unit: UnitOfWork, department_id: bytes, wanted: Collection[bytes]) -> list[bytes]:
    """Makes exactly these agents the members of the department, and logs it with each who comes or goes. Returns who
    was there before, by name."""
    members = [row.id for row in (await agents.by_department(unit.transaction, [department_id])).get(department_id, [])]
    moving = set(members) ^ set(wanted)
    if not moving:
        return members
    people = await agents.lock_by_ids(unit.transaction, list(moving))
    places = await agents.departments_by_agent(unit.transaction, list(moving))
    after = {}
    for key in people:
        before = [row.department_id for row in places.get(key, [])]
        after[key] = (
            before,
            [one for one in before if one != department_id] if key in members else [*before, department_id],
        )
    await replace_memberships(unit, {key: now for key, (_, now) in after.items()})
    await batch_writes.update_rows(
        unit.transaction,
        tables.Agent,
        ((key, {"version": row.version + 1, "updated_at": unit.now}) for key, row in people.items()),
    )
    for key, row in people.items():
        fields = [
            {
                "field": "departments",
                "before": encode_department_ids(after[key][0]),
                "after": encode_department_ids(after[key][1]),
            }
        ]
        unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Agent", key, row.version + 1, fields))
    forget_viewers_after_commit(unit)
    return members


async def replace_memberships(unit: UnitOfWork, places: Mapping[bytes, Sequence[bytes]]) -> None:
    """Keeps the departments of each agent, whatever they were."""
    await batch_writes.delete_where_in(unit.transaction, tables.AgentDepartment, "agent_id", list(places))
    rows: list[Any] = [
        new_row(
            tables.AgentDepartment,
            workspace_id=unit.workspace_id,
            agent_id=agent_id,
            department_id=department_id,
            position=position,
        )
        for agent_id, departments in places.items()
        for position, department_id in enumerate(departments)
    ]
    await unit.transaction.insert(*rows)


def encode_department_ids(department_ids: Sequence[bytes]) -> list[str]:
    return [encode_department_id(one) for one in department_ids]


def forget_viewers_after_commit(unit: UnitOfWork) -> None:
    """Whoever was let in as somebody of this workspace is looked at anew, once the act is committed."""
    database, workspace_id = unit.transaction.database, unit.workspace_id
    unit.after_commit.append(lambda: accounts.forget_viewers(database, workspace_id))

"""Who works where: a membership is told by the agent, and his departments come first one first."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm.access import accounts
from crm.change_log import Entry
from crm.errors import ErrorCode, Path, Refused
from crm.unit_of_work import Act
from db import batch_writes, tables
from db.queries.catalogue import agents
from db.rows import fresh
from db.tables.enums import ChangeAction
from db.values import wire_format

AGENT, DEPARTMENT = wire_format.wire("Agent"), wire_format.wire("Department")


def named(wire_ids: Sequence[str], kind: str, known: Collection[bytes], path: Path) -> list[bytes]:
    """The ids, each once, in their order. Raises Refused NOT_FOUND at the one that is not among the known."""
    found = []
    for place, wire_id in enumerate(wire_ids):
        identifier = wire_format.parse(kind, wire_id)
        if identifier is None or identifier not in known:
            raise Refused(ErrorCode.NOT_FOUND, f"There is no {kind.lower()} “{wire_id}” here.", (*path, place))
        found.append(identifier)
    return list(dict.fromkeys(found))


def parsed(wire_ids: Sequence[str], kind: str) -> list[bytes]:
    """Those that are ids of that type, each once: what to look up."""
    return list(dict.fromkeys(found for one in wire_ids if (found := wire_format.parse(kind, one)) is not None))


async def staff(act: Act, department_id: bytes, wanted: Collection[bytes]) -> list[bytes]:
    """Makes exactly these agents the members of the department, and logs it with each who comes or goes. Returns who
    was there before, by name."""
    members = [row.id for row in (await agents.by_department(act.work, [department_id])).get(department_id, [])]
    moving = set(members) ^ set(wanted)
    if not moving:
        return members
    people = await agents.locked(act.work, list(moving))
    places = await agents.places(act.work, list(moving))
    after = {}
    for key in people:
        before = [row.department_id for row in places.get(key, [])]
        after[key] = (
            before,
            [one for one in before if one != department_id] if key in members else [*before, department_id],
        )
    await settle(act, {key: now for key, (_, now) in after.items()})
    await batch_writes.change(
        act.work,
        tables.Agent,
        ((key, {"version": row.version + 1, "updated_at": act.now}) for key, row in people.items()),
    )
    for key, row in people.items():
        fields = [{"field": "departments", "before": shown(after[key][0]), "after": shown(after[key][1])}]
        act.log.add(Entry(ChangeAction.UPDATED, "Agent", key, row.version + 1, fields))
    forget(act)
    return members


async def settle(act: Act, places: Mapping[bytes, Sequence[bytes]]) -> None:
    """Keeps the departments of each agent, whatever they were."""
    await batch_writes.clear(act.work, tables.AgentDepartment, "agent_id", list(places))
    rows: list[Any] = [
        fresh(
            tables.AgentDepartment,
            workspace_id=act.workspace_id,
            agent_id=agent_id,
            department_id=department_id,
            position=position,
        )
        for agent_id, departments in places.items()
        for position, department_id in enumerate(departments)
    ]
    await act.work.insert(*rows)


def shown(department_ids: Sequence[bytes]) -> list[str]:
    return [DEPARTMENT(one) for one in department_ids]


def forget(act: Act) -> None:
    """Whoever was let in as somebody of this workspace is looked at anew, once the act is committed."""
    database, workspace_id = act.work.database, act.workspace_id
    act.after_commit.append(lambda: accounts.forget(database, workspace_id))

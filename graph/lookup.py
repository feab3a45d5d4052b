"""Any record by its id."""

from typing import Annotated, Any

import strawberry
from strawberry import Info

from db import tables
from db.queries import accounts, activities, change_log, jobs, workspaces
from db.queries.assignment import rules
from db.queries.catalogue import agents, companies, custom_fields, departments, saved_views, segments, tags
from db.queries.customers import customers, duplicates
from db.tables.enums import Permission as P
from graph.access.permissions import guarded
from graph.context import Context, Load
from graph.engine.field_declarations import ParentRows
from graph.errors.top_level import BadUserInput, limit_error
from graph.types import ids
from graph.types.enums import Permission
from graph.types.nodes import Id, Node

MAX_NODE_IDS = 250


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "Any record by its id; null if it does not exist or the viewer cannot see it.")
    async def node(self, info: Info, id: Id) -> Node | None:
        return (await load_nodes(info.context, [id]))[0]

    @guarded(Permission.CUSTOMER_VIEW, "Records by their ids, in that order; null for each that does not exist.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description=f"Ids of records; at most {MAX_NODE_IDS}.")
        ],
    ) -> list[Node | None]:
        if len(ids) > MAX_NODE_IDS:
            raise limit_error(
                BadUserInput, f"At most {MAX_NODE_IDS} ids, not {len(ids)}.", name="page", limit=MAX_NODE_IDS
            )
        return await load_nodes(info.context, ids)


async def load_nodes(context: Context, wires: ParentRows) -> list[Any]:
    """The record of each id. Each type is looked up once."""
    named = [ids.split_id(wire) for wire in wires]
    known: dict[tuple[str, bytes], Any] = {}
    for kind in dict.fromkeys(one[0] for one in named if one):
        keys = [one[1] for one in named if one and one[0] == kind]
        if looked := _lookup(context, kind):
            batch, *arguments = looked
            rows = await context.load(batch, keys, *arguments)
            known |= {(kind, key): rows[key] for key in keys}
    return [known.get(one) if one else None for one in named]


def _lookup(context: Context, kind: str) -> tuple[Load, *tuple[Any, ...]] | None:
    """The loader of a type and its arguments."""
    assert context.viewer is not None
    visibility = context.viewer.visibility
    lookups: dict[str, tuple[Load, *tuple[Any, ...]]] = {
        "Customer": (customers.by_ids, visibility),
        "DuplicateGroup": (duplicates.by_ids, visibility),
        "Company": (companies.by_ids,),
        "Tag": (tags.by_ids,),
        "Segment": (segments.by_ids,),
        "Agent": (agents.by_ids,),
        "Department": (departments.by_ids,),
        "CustomField": (custom_fields.by_ids,),
        "SavedView": (saved_views.by_ids, context.viewer.agent_id),
        "AssignmentRule": (rules.by_ids,),
        "Workspace": (workspaces.by_ids,),
        "Job": (
            jobs.by_ids,
            context.viewer.has_permission(P.SETTINGS_MANAGE),
            context.viewer.actor_kind,
            context.viewer.actor_id,
        ),
        "Change": (change_log.by_ids, visibility),
        "Note": (activities.visible_by_ids, tables.Note, visibility),
        "Interaction": (activities.visible_by_ids, tables.Interaction, visibility),
        "Order": (activities.visible_by_ids, tables.Order, visibility),
    }
    if context.viewer.has_permission(Permission.KEY_MANAGE):
        lookups["ApiKey"] = (accounts.keys_by_ids,)
    return lookups.get(kind)

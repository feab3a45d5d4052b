"""Saved views."""

from typing import Annotated, Any, TypeAlias, cast

import strawberry
from strawberry import Info, Maybe

from crm.catalogue import saved_views as rules
from db import tables
from db.queries.catalogue import agents
from db.queries.catalogue import saved_views as views
from graph.access.permissions import guarded
from graph.catalogue.agents import Agent
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.user_errors import UserError, mutation
from graph.filtering import customer_lists, list_arguments
from graph.filtering.record_filters import CustomerFilter
from graph.filtering.sorts import CustomerSort
from graph.types import ids
from graph.types.enums import Permission
from graph.types.inputs import input_data
from graph.types.nodes import Node, is_row_of
from graph.types.scalars import FilterJSON, SortJSON


@strawberry.type(description="A column of a view.")
class ViewColumn:
    field: str = strawberry.field(description="Key of a field, as in `FieldInfo.key`.")
    width: int | None = strawberry.field(description="Width in pixels; null if none is set.")


@strawberry.type(description="A named combination of filter, search, sort and columns of the customer list.")
class SavedView(Node):
    is_type_of = is_row_of(tables.SavedView)

    id: strawberry.ID = column("Id of the view.", convert=ids.id_encoder("SavedView"))
    name: str = column("Its name.")
    shared: bool = column("True if every agent sees the view.")
    protected: bool = column("True if the view cannot be changed or deleted.")
    position: int = column("Position among the others.")
    filter: FilterJSON | None = column("Filter of the view; null for all customers.")
    search: str | None = column("Search text of the view; null for none.")
    sort: SortJSON | None = column("Sort of the view; null for newest first.")

    @batched("Owner of the view; null if it belongs to the workspace.", parent_columns=("owner_id",))
    async def owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "owner_id")

    @batched("Columns in order.", parent_columns=("columns",))
    async def columns(parents: ParentRows, info: Info) -> list[list[ViewColumn]]:
        return [[ViewColumn(field=one["field"], width=one.get("width")) for one in row.columns] for row in parents]

    customers = customer_lists.customers_field(
        (
            "Customers of the view, without archived customers. `filter` and `search` narrow the view further; "
            "`sort` replaces its sort."
        ),
        list_arguments.customers_by_view,
        parent_columns=("id", "filter", "search", "sort"),
    )


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "The viewer's own views, then shared views, each sorted by position.")
    async def saved_views(self, info: Info, search: list_arguments.NameSearchArgument = None) -> list[SavedView]:
        return cast(Any, await views.visible_views(info.context.session, info.context.viewer.agent_id, search))


@strawberry.input(description="A column of a saved view.")
class ViewColumnInput:
    field: str = strawberry.field(description="Key of the field, as in `FieldInfo.key`.")
    width: Maybe[int | None] = strawberry.field(description="Width in the client's unit: 1 to 10 000.")


@strawberry.input(description="Values of a saved view. Absent fields keep their value; null clears a value.")
class SavedViewInput:
    name: Maybe[str | None] = strawberry.field(description="Name; required on create. It need not be unique.")
    shared: Maybe[bool | None] = strawberry.field(
        description="Whether every agent sees the view. Default: false. True requires VIEW_SHARE."
    )
    position: Maybe[int | None] = strawberry.field(description="Position among the others. Default: last.")
    filter: Maybe[CustomerFilter | None] = strawberry.field(description="Filter of the view; null for all customers.")
    search: Maybe[str | None] = strawberry.field(description="Search text of the view.")
    sort: Maybe[list[CustomerSort] | None] = strawberry.field(description="Sort of the view; null for newest first.")
    columns: Maybe[list[ViewColumnInput] | None] = strawberry.field(
        description=f"Columns in order: at most {rules.MAX_VIEW_COLUMNS}. null restores the default columns."
    )


@strawberry.type(description="Result of a saved view mutation.")
class SavedViewPayload:
    saved_view: SavedView | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(view: Any) -> SavedViewPayload:
    return SavedViewPayload(saved_view=view)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which view.")]
_Input: TypeAlias = Annotated[SavedViewInput, strawberry.argument(description="Values of the view.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_VIEW,
        "Creates a view that belongs to the viewer. A shared view requires VIEW_SHARE. Errors: BLANK, "
        "TOO_LONG, INVALID, FIELD_UNKNOWN, LIMIT_EXCEEDED.",
        payload=SavedViewPayload,
    )
    async def saved_view_create(self, info: Info, input: _Input) -> SavedViewPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.CUSTOMER_VIEW,
        (
            "Changes the viewer's own view; VIEW_SHARE allows shared views of others. Errors: NOT_FOUND, "
            "FORBIDDEN, CONFLICT, VIEW_PROTECTED, INVALID."
        ),
        payload=SavedViewPayload,
    )
    async def saved_view_update(self, info: Info, id: _Which, input: _Input) -> SavedViewPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.CUSTOMER_VIEW,
        (
            "Deletes the viewer's own view; VIEW_SHARE allows shared views of others. Errors: NOT_FOUND, "
            "FORBIDDEN, VIEW_PROTECTED."
        ),
        payload=SavedViewPayload,
    )
    async def saved_view_delete(self, info: Info, id: _Which) -> SavedViewPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)

"""Saved views: a filter, a search, a sort and columns under a name."""

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
    field: str = strawberry.field(description="The key of a FieldInfo.")
    width: int | None = strawberry.field(description="Its width in pixels; null when nobody chose one.")


@strawberry.type(description="A way to look at customers, kept under a name.")
class SavedView(Node):
    is_type_of = is_row_of(tables.SavedView)

    id: strawberry.ID = column("The view's id.", convert=ids.id_encoder("SavedView"))
    name: str = column("Its name.")
    shared: bool = column("True when everybody sees it.")
    protected: bool = column("True when it cannot be changed or deleted.")
    position: int = column("Its place among the others.")
    filter: FilterJSON | None = column("Which customers it shows; null for all.")
    search: str | None = column("What is searched in it; null for nothing.")
    sort: SortJSON | None = column("Its order; null for newest first.")

    @batched("Whose it is; null for the workspace's own.", parent_columns=("owner_id",))
    async def owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "owner_id")

    @batched("Its columns in order.", parent_columns=("columns",))
    async def columns(parents: ParentRows, info: Info) -> list[list[ViewColumn]]:
        return [[ViewColumn(field=one["field"], width=one.get("width")) for one in row.columns] for row in parents]

    customers = customer_lists.customers_field(
        "The customers that it shows, archived ones left out. A filter and a search narrow it further; a sort stands "
        "in for its own.",
        list_arguments.customers_by_view,
        parent_columns=("id", "filter", "search", "sort"),
    )


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "The viewer's own views, then those that are shared, each by position.")
    async def saved_views(self, info: Info, search: list_arguments.NameSearchArgument = None) -> list[SavedView]:
        return cast(Any, await views.visible_views(info.context.session, info.context.viewer.agent_id, search))


@strawberry.input(description="A column of a saved view.")
class ViewColumnInput:
    field: str = strawberry.field(description="The key of the field, as `fields` lists them.")
    width: Maybe[int | None] = strawberry.field(description="How wide it is, as the client counts: 1 to 10 000.")


@strawberry.input(description="What a saved view is to be. What is left out stays as it is; null clears it.")
class SavedViewInput:
    name: Maybe[str | None] = strawberry.field(description="Its name; needed on create. Several may share one.")
    shared: Maybe[bool | None] = strawberry.field(
        description="Whether everybody sees it: false unless given. True needs VIEW_SHARE."
    )
    position: Maybe[int | None] = strawberry.field(description="Its place among the others; the last unless given.")
    filter: Maybe[CustomerFilter | None] = strawberry.field(description="Which customers it shows; null for all.")
    search: Maybe[str | None] = strawberry.field(description="What is searched in it.")
    sort: Maybe[list[CustomerSort] | None] = strawberry.field(description="Its order; null for the newest first.")
    columns: Maybe[list[ViewColumnInput] | None] = strawberry.field(
        description=f"What it shows, in order: {rules.MAX_VIEW_COLUMNS} at most. The usual columns for null."
    )


@strawberry.type(description="What became of a saved view.")
class SavedViewPayload:
    saved_view: SavedView | None = strawberry.field(
        default=None, description="As it is now, or was; null when refused."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(view: Any) -> SavedViewPayload:
    return SavedViewPayload(saved_view=view)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which view.")]
_Input: TypeAlias = Annotated[SavedViewInput, strawberry.argument(description="What the view is to be.")]


@strawberry.type
class Mutation:
    @mutation(Permission.CUSTOMER_VIEW, "Save a view; it is the viewer's own.", payload=SavedViewPayload)
    async def saved_view_create(self, info: Info, input: _Input) -> SavedViewPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.CUSTOMER_VIEW,
        "Change one's own view; those that others share with VIEW_SHARE.",
        payload=SavedViewPayload,
    )
    async def saved_view_update(self, info: Info, id: _Which, input: _Input) -> SavedViewPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.CUSTOMER_VIEW,
        "Delete one's own view; those that others share with VIEW_SHARE.",
        payload=SavedViewPayload,
    )
    async def saved_view_delete(self, info: Info, id: _Which) -> SavedViewPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)

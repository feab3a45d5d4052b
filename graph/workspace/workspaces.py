"""The workspace and the one who looks at it."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import Info

from crm.access import accounts
from db import tables
from db.queries import workspaces
from db.queries.catalogue import agents
from graph.access.actors import Actor, load_actors
from graph.access.permissions import guarded
from graph.catalogue.agents import Agent
from graph.context import Context
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.user_errors import UserError, mutation
from graph.types import ids
from graph.types.enums import AutomationRule, BulkDeletePolicy, CustomerStage, DepartmentAssignment, Permission
from graph.types.nodes import Node, is_row_of
from graph.types.scalars import DateTime


@strawberry.type(description="What moves a LEAD to CUSTOMER by itself.")
class StatusAutomation:
    enabled: bool = column("The master switch.", column_name="automation_enabled")
    rules: list[AutomationRule] = column("The rules that are on.", column_name="automation_rules")


@strawberry.type(description="How the pool of free customers works.")
class PoolPolicy:
    auto_reclaim: bool = column(
        "True when idle customers go back to the pool by themselves.", column_name="pool_auto_reclaim"
    )
    idle_days: int = column("After how many days without an interaction.", column_name="pool_idle_days")
    daily_claim_limit: int | None = column(
        "How many customers an agent may claim in a day; null means any number.", column_name="pool_daily_claim_limit"
    )
    reclaim_cooldown_days: int = column(
        "How many days a former owner waits before claiming again.", column_name="pool_reclaim_cooldown_days"
    )


@strawberry.type(description="A business with its customers, agents and settings.")
class Workspace(Node):
    is_type_of = is_row_of(tables.Workspace)

    id: strawberry.ID = column("The workspace's id.", convert=ids.id_encoder("Workspace"))
    name: str = column("Its name.")
    timezone: str = column("Its time zone, as Asia/Ho_Chi_Minh: when a day begins.")
    default_country: str | None = column("The country of phone numbers given without one, by its two letters.")
    bulk_delete: BulkDeletePolicy = column("Which customers may be deleted many at once.")
    default_stage: CustomerStage = column("The stage of new customers.")
    department_assignment: DepartmentAssignment = column("What assigning to a department means.")
    max_customers_per_agent: int | None = column("How many customers an agent takes at most; null means any number.")
    allow_inline_tags: bool = column("True when a tag that does not exist is made on the spot.")
    follow_up_stages: list[str] = column("The stages of follow-up, in order.")
    sources: list[str] = column("Suggestions for where customers come from.")

    @batched("What moves a LEAD to CUSTOMER by itself.", parent_columns=("automation_enabled", "automation_rules"))
    async def status_automation(parents: ParentRows, info: Info) -> list[StatusAutomation]:
        return parents

    @batched(
        "How the pool of free customers works.",
        parent_columns=("pool_auto_reclaim", "pool_idle_days", "pool_daily_claim_limit", "pool_reclaim_cooldown_days"),
    )
    async def pool(parents: ParentRows, info: Info) -> list[PoolPolicy]:
        return parents


@strawberry.type(description="Who asks, and what they may do.")
class Viewer:
    permissions: list[Permission] = column(
        "What the viewer may do, in the order of the list of permissions.", convert=sorted
    )

    @batched("The agent or key who asks.")
    async def actor(parents: ParentRows, info: Info) -> list[Actor]:
        return await load_actors(info.context, parents, "actor")

    @batched("The agent who asks; null for a key.")
    async def agent(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "agent_id")

    @batched("The workspace that the viewer belongs to.")
    async def workspace(parents: ParentRows, info: Info) -> list[Workspace]:
        return [await _settings(info.context) for _ in parents]


async def _settings(context: Context) -> Any:
    return await workspaces.workspace_settings(context.session)


@strawberry.type(description="What became of a sign-in.")
class SignInPayload:
    token: str | None = strawberry.field(default=None, description="Send it as `Authorization: Bearer`.")
    expires_at: DateTime | None = strawberry.field(default=None, description="When the token ends.")
    viewer: Viewer | None = strawberry.field(default=None, description="Who signed in.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nobody did.")


@strawberry.type
class Query:
    @guarded(None, "Who asks, and what they may do.")
    async def viewer(self, info: Info) -> Viewer:
        return info.context.viewer

    @guarded(Permission.CUSTOMER_VIEW, "The workspace and its settings.")
    async def workspace(self, info: Info) -> Workspace:
        return await _settings(info.context)


@strawberry.type
class Mutation:
    @mutation(None, "Open a session with an address and a password.", payload=SignInPayload)
    async def sign_in(
        self,
        info: Info,
        email: Annotated[str, strawberry.argument(description="The agent's address.")],
        password: Annotated[str, strawberry.argument(description="Their password.")],
    ) -> SignInPayload:
        context: Context = info.context
        done = await accounts.sign_in(
            context.database,
            email=email,
            password=password,
            address=context.address,
            now=context.now,
            once=context.idempotent_call,
        )
        if done.replayed:
            context.replayed_fields.append(str(info.path.key))
        context.sign_in_as(done.viewer)
        return SignInPayload(token=done.token, expires_at=DateTime(done.expires_at), viewer=cast(Any, done.viewer))

    @mutation(None, "End the session whose token was sent; true when there was one.", payload=None)
    async def sign_out(self, info: Info) -> bool:
        context: Context = info.context
        return await context.mutate(lambda unit: accounts.sign_out(unit, context.token), bool)

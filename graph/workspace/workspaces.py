"""The workspace and the viewer."""

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


@strawberry.type(description="Automation that changes a LEAD to a CUSTOMER.")
class StatusAutomation:
    enabled: bool = column("Master switch of the automation.", column_name="automation_enabled")
    rules: list[AutomationRule] = column("Enabled rules.", column_name="automation_rules")


@strawberry.type(description="Settings of the pool.")
class PoolPolicy:
    auto_reclaim: bool = column(
        "True if idle customers return to the pool automatically.", column_name="pool_auto_reclaim"
    )
    idle_days: int = column("Days without an interaction until a customer is idle.", column_name="pool_idle_days")
    daily_claim_limit: int | None = column(
        "Number of customers that an agent may claim per day; null for no limit.", column_name="pool_daily_claim_limit"
    )
    reclaim_cooldown_days: int = column(
        "Days that a previous owner waits before claiming again.", column_name="pool_reclaim_cooldown_days"
    )


@strawberry.type(description="A business with its customers, agents and settings.")
class Workspace(Node):
    is_type_of = is_row_of(tables.Workspace)

    id: strawberry.ID = column("Id of the workspace.", convert=ids.id_encoder("Workspace"))
    name: str = column("Its name.")
    timezone: str = column("IANA time zone, such as Asia/Ho_Chi_Minh. It defines when a day begins.")
    default_country: str | None = column("Country of phone numbers without a country code: two letters (ISO 3166-1).")
    bulk_delete: BulkDeletePolicy = column("Which customers a bulk deletion may delete.")
    default_stage: CustomerStage = column("Stage of new customers.")
    department_assignment: DepartmentAssignment = column("What an assignment to a department does.")
    max_customers_per_agent: int | None = column("Maximum number of customers of an agent; null for no limit.")
    allow_inline_tags: bool = column("True if an unknown tag name creates the tag.")
    follow_up_stages: list[str] = column("Follow-up stages in order.")
    sources: list[str] = column("Suggested values of `Customer.source`.")

    @batched("Automation that changes a LEAD to a CUSTOMER.", parent_columns=("automation_enabled", "automation_rules"))
    async def status_automation(parents: ParentRows, info: Info) -> list[StatusAutomation]:
        return parents

    @batched(
        "Settings of the pool.",
        parent_columns=("pool_auto_reclaim", "pool_idle_days", "pool_daily_claim_limit", "pool_reclaim_cooldown_days"),
    )
    async def pool(parents: ParentRows, info: Info) -> list[PoolPolicy]:
        return parents


@strawberry.type(description="The signed-in agent or API key.")
class Viewer:
    permissions: list[Permission] = column("Permissions of the viewer, in declared order.", convert=sorted)

    @batched("Agent or API key of the request.")
    async def actor(parents: ParentRows, info: Info) -> list[Actor]:
        return await load_actors(info.context, parents, "actor")

    @batched("Agent of the request; null for an API key.")
    async def agent(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "agent_id")

    @batched("Workspace of the viewer.")
    async def workspace(parents: ParentRows, info: Info) -> list[Workspace]:
        return [await _settings(info.context) for _ in parents]


async def _settings(context: Context) -> Any:
    return await workspaces.workspace_settings(context.session)


@strawberry.type(description="Result of signing in.")
class SignInPayload:
    token: str | None = strawberry.field(default=None, description="Token for the header `Authorization: Bearer`.")
    expires_at: DateTime | None = strawberry.field(default=None, description="Time when the token expires.")
    viewer: Viewer | None = strawberry.field(
        default=None, description="The signed-in viewer; null if there are errors."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented signing in; empty on success."
    )


@strawberry.type
class Query:
    @guarded(None, "The signed-in agent or API key.")
    async def viewer(self, info: Info) -> Viewer:
        return info.context.viewer

    @guarded(Permission.CUSTOMER_VIEW, "The workspace with its settings.")
    async def workspace(self, info: Info) -> Workspace:
        return await _settings(info.context)


@strawberry.type
class Mutation:
    @mutation(
        None,
        "Opens a session with an e-mail address and a password. Five failures within 15 minutes block "
        "further attempts (LIMIT_EXCEEDED). Errors: INVALID, AGENT_INACTIVE.",
        payload=SignInPayload,
    )
    async def sign_in(
        self,
        info: Info,
        email: Annotated[str, strawberry.argument(description="E-mail address of the agent.")],
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

    @mutation(None, "Ends the session of the sent token; true if there was one.", payload=None)
    async def sign_out(self, info: Info) -> bool:
        context: Context = info.context
        return await context.mutate(lambda unit: accounts.sign_out(unit, context.token), bool)

"""Changing the workspace's settings."""

from typing import Annotated, Any

import strawberry
from strawberry import Info, Maybe

from crm.workspace import policies
from graph.errors.user_errors import UserError, mutation
from graph.types.enums import AutomationRule, BulkDeletePolicy, CustomerStage, DepartmentAssignment, Permission
from graph.types.inputs import input_data
from graph.workspace.workspaces import Workspace


@strawberry.input(description="What moves a LEAD to CUSTOMER by itself. What is left out stays as it is.")
class StatusAutomationInput:
    enabled: Maybe[bool | None] = strawberry.field(description="The master switch.")
    rules: Maybe[list[AutomationRule] | None] = strawberry.field(
        description="The rules that are on; the others are off."
    )


@strawberry.input(description="How the pool of free customers works. What is left out stays as it is.")
class PoolPolicyInput:
    auto_reclaim: Maybe[bool | None] = strawberry.field(
        description="Whether idle customers go back to the pool by themselves."
    )
    idle_days: Maybe[int | None] = strawberry.field(
        description=f"After how many days without an interaction: 1 to {policies.MAX_POLICY_DAYS}."
    )
    daily_claim_limit: Maybe[int | None] = strawberry.field(
        description="How many customers an agent may claim in a day; null is any number."
    )
    reclaim_cooldown_days: Maybe[int | None] = strawberry.field(
        description=f"How many days a former owner waits before claiming again: 0 to {policies.MAX_POLICY_DAYS}."
    )


@strawberry.input(description="What the workspace's settings are to be. What is left out stays as it is.")
class WorkspaceInput:
    name: Maybe[str | None] = strawberry.field(description="Its name.")
    timezone: Maybe[str | None] = strawberry.field(description="Its time zone, as Asia/Ho_Chi_Minh: when a day begins.")
    default_country: Maybe[str | None] = strawberry.field(
        description="The country of phone numbers given without one, by its two letters; null for none."
    )
    status_automation: Maybe[StatusAutomationInput | None] = strawberry.field(
        description="What moves a LEAD to CUSTOMER by itself."
    )
    bulk_delete: Maybe[BulkDeletePolicy | None] = strawberry.field(
        description="Which customers may be deleted many at once."
    )
    default_stage: Maybe[CustomerStage | None] = strawberry.field(
        description="The stage of new customers: NEW or TO_BE_ASSIGNED."
    )
    department_assignment: Maybe[DepartmentAssignment | None] = strawberry.field(
        description="What assigning to a department means."
    )
    max_customers_per_agent: Maybe[int | None] = strawberry.field(
        description="How many customers an agent takes at most; null is any number."
    )
    pool: Maybe[PoolPolicyInput | None] = strawberry.field(description="How the pool of free customers works.")
    allow_inline_tags: Maybe[bool | None] = strawberry.field(
        description="Whether a tag that does not exist is made on the spot."
    )
    follow_up_stages: Maybe[list[str] | None] = strawberry.field(
        description=f"The stages of follow-up, in order; {policies.MAX_SETTING_ITEMS} at most. Customers keep one that is gone."
    )
    sources: Maybe[list[str] | None] = strawberry.field(
        description=f"Suggestions for where customers come from; {policies.MAX_SETTING_ITEMS} at most."
    )


@strawberry.type(description="What became of the workspace.")
class WorkspacePayload:
    workspace: Workspace | None = strawberry.field(default=None, description="As it is now; null when refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(workspace: Any) -> WorkspacePayload:
    return WorkspacePayload(workspace=workspace)


@strawberry.type
class Mutation:
    @mutation(Permission.SETTINGS_MANAGE, "Change the workspace's settings.", payload=WorkspacePayload)
    async def workspace_update(
        self,
        info: Info,
        input: Annotated[WorkspaceInput, strawberry.argument(description="What the settings are to be.")],
    ) -> WorkspacePayload:
        return await info.context.mutate(lambda unit: policies.update_workspace(unit, input_data(input)), _payload)

"""The mutation of the workspace's settings."""

from typing import Annotated, Any

import strawberry
from strawberry import Info, Maybe

from crm.workspace import policies
from graph.errors.user_errors import UserError, mutation
from graph.types.enums import AutomationRule, BulkDeletePolicy, CustomerStage, DepartmentAssignment, Permission
from graph.types.inputs import input_data
from graph.workspace.workspaces import Workspace


@strawberry.input(description="Automation that changes a LEAD to a CUSTOMER. Absent fields keep their value.")
class StatusAutomationInput:
    enabled: Maybe[bool | None] = strawberry.field(description="Master switch of the automation.")
    rules: Maybe[list[AutomationRule] | None] = strawberry.field(description="Enabled rules; all others are disabled.")


@strawberry.input(description="Settings of the pool. Absent fields keep their value.")
class PoolPolicyInput:
    auto_reclaim: Maybe[bool | None] = strawberry.field(
        description="Whether idle customers return to the pool automatically."
    )
    idle_days: Maybe[int | None] = strawberry.field(
        description=f"Days without an interaction until a customer is idle: 1 to {policies.MAX_POLICY_DAYS}."
    )
    daily_claim_limit: Maybe[int | None] = strawberry.field(
        description="Number of customers that an agent may claim per day; null for no limit."
    )
    reclaim_cooldown_days: Maybe[int | None] = strawberry.field(
        description=f"Days that a previous owner waits before claiming again: 0 to {policies.MAX_POLICY_DAYS}."
    )


@strawberry.input(description="Settings of the workspace. Absent fields keep their value.")
class WorkspaceInput:
    name: Maybe[str | None] = strawberry.field(description="Its name.")
    timezone: Maybe[str | None] = strawberry.field(
        description="IANA time zone, such as Asia/Ho_Chi_Minh. It defines when a day begins."
    )
    default_country: Maybe[str | None] = strawberry.field(
        description="Country of phone numbers without a country code: two letters (ISO 3166-1); null for none."
    )
    status_automation: Maybe[StatusAutomationInput | None] = strawberry.field(
        description="Automation that changes a LEAD to a CUSTOMER."
    )
    bulk_delete: Maybe[BulkDeletePolicy | None] = strawberry.field(
        description="Which customers a bulk deletion may delete."
    )
    default_stage: Maybe[CustomerStage | None] = strawberry.field(
        description="Stage of new customers: NEW or TO_BE_ASSIGNED."
    )
    department_assignment: Maybe[DepartmentAssignment | None] = strawberry.field(
        description="What an assignment to a department does."
    )
    max_customers_per_agent: Maybe[int | None] = strawberry.field(
        description="Maximum number of customers of an agent; null for no limit."
    )
    pool: Maybe[PoolPolicyInput | None] = strawberry.field(description="Settings of the pool.")
    allow_inline_tags: Maybe[bool | None] = strawberry.field(description="Whether an unknown tag name creates the tag.")
    follow_up_stages: Maybe[list[str] | None] = strawberry.field(
        description=f"Follow-up stages in order; at most {policies.MAX_SETTING_ITEMS}. Customers keep a removed stage."
    )
    sources: Maybe[list[str] | None] = strawberry.field(
        description=f"Suggested values of `Customer.source`; at most {policies.MAX_SETTING_ITEMS}."
    )


@strawberry.type(description="Result of a workspace mutation.")
class WorkspacePayload:
    workspace: Workspace | None = strawberry.field(
        default=None, description="The record after the mutation; null if there are errors."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(workspace: Any) -> WorkspacePayload:
    return WorkspacePayload(workspace=workspace)


@strawberry.type
class Mutation:
    @mutation(
        Permission.SETTINGS_MANAGE,
        "Changes the workspace's settings. Requires SETTINGS_MANAGE. Errors: CONFLICT, BLANK, INVALID, "
        "TOO_LONG, LIMIT_EXCEEDED.",
        payload=WorkspacePayload,
    )
    async def workspace_update(
        self,
        info: Info,
        input: Annotated[WorkspaceInput, strawberry.argument(description="New settings.")],
    ) -> WorkspacePayload:
        return await info.context.mutate(lambda unit: policies.update_workspace(unit, input_data(input)), _payload)

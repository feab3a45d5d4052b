"""Agents."""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import strawberry
from strawberry import UNSET, Info, Maybe

from crm.access import passwords
from crm.access import permissions as access
from crm.catalogue import agents as rules
from db import tables
from db.queries.catalogue import agents, departments
from db.queries.customers import customers
from graph.access.permissions import guarded
from graph.assignment.assignment_inputs import AssigneesInput, ReleaseStage
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.user_errors import UserError, mutation
from graph.filtering import customer_lists, list_arguments
from graph.types import ids
from graph.types.connections import AfterArgument, BeforeArgument, Connection, FirstArgument, LastArgument, page_request
from graph.types.enums import Permission, Role
from graph.types.inputs import input_data
from graph.types.nodes import Id, Node, Record, is_row_of

if TYPE_CHECKING:
    from graph.catalogue.departments import Department
    from graph.jobs.jobs import Job


@strawberry.type(description="A user of the workspace who works with customers.")
class Agent(Record, Node):
    is_type_of = is_row_of(tables.Agent)

    id: strawberry.ID = column("Id of the agent.", convert=ids.id_encoder("Agent"))
    name: str = column("Name that colleagues see.")
    email: str = column("E-mail address for signing in; unique on the server.")
    active: bool = column("False after a deactivation: the agent cannot sign in and receives no customers.")
    role: Role = column("Role that determines the agent's base permissions.")
    max_customers: int | None = column("Maximum number of customers of the agent; null for the workspace's limit.")

    @batched(
        "Effective permissions: those of the role, plus granted, minus revoked permissions.",
        parent_columns=("id", "role"),
    )
    async def permissions(parents: ParentRows, info: Info) -> list[list[Permission]]:
        exceptions = await info.context.load_many(agents.permissions_by_agent, parents, "id")
        pairs = zip(parents, exceptions, strict=True)
        return [sorted(access.effective_permissions_of(Role(parent.role), own)) for parent, own in pairs]

    @batched("Departments of the agent; the primary department comes first.", parent_columns=("id",))
    async def departments(
        parents: ParentRows, info: Info
    ) -> list[list[Annotated["Department", strawberry.lazy("graph.catalogue.departments")]]]:
        return await info.context.load_many(departments.by_agent, parents, "id")

    @batched("Number of customers that the agent owns, without archived customers.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(
            customers.customer_counts_by, parents, "owner_id", info.context.viewer.visibility
        )

    customers = customer_lists.customers_field(
        "Customers that the agent owns, without archived customers.",
        customer_lists.read_by_parent(agents.AGENTS_AS_PARENTS),
    )


@strawberry.input(description="Reference to one agent: exactly one of the fields.", one_of=True)
class AgentRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Id of the record.")
    email: strawberry.Maybe[str] = strawberry.field(description="E-mail address, case-insensitive.")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "An agent by id; null if there is none.")
    async def agent(self, info: Info, id: Id) -> Agent | None:
        return await info.context.load_by_wire_id(agents.by_ids, "Agent", id)

    @guarded(Permission.CUSTOMER_VIEW, "Agents of the workspace.")
    async def agents(
        self,
        info: Info,
        filter: list_arguments.AgentFilterArgument = UNSET,
        search: list_arguments.NameSearchArgument = None,
        sort: list_arguments.AgentSortArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Agent]:
        place = page_request(first, after, last, before)
        return await list_arguments.record_list(info.context, "agents", place, filter=filter, search=search, sort=sort)


@strawberry.input(description="Values of an agent. Absent fields keep their value.")
class AgentInput:
    name: Maybe[str | None] = strawberry.field(description="Name that colleagues see; required on create.")
    email: Maybe[str | None] = strawberry.field(
        description="E-mail address for signing in, unique on the server; required on create."
    )
    password: Maybe[str | None] = strawberry.field(
        description=(
            f"Password: {passwords.MIN_PASSWORD_LENGTH} to {passwords.MAX_PASSWORD_LENGTH} characters. A new "
            "password ends all sessions of the agent. null removes it: the agent cannot sign in."
        )
    )
    role: Maybe[Role | None] = strawberry.field(
        description="Role. Default: AGENT. Granted and revoked permissions stay."
    )
    grant: Maybe[list[Permission] | None] = strawberry.field(
        description="Permissions to grant in addition to the role. The viewer must hold each of them."
    )
    revoke: Maybe[list[Permission] | None] = strawberry.field(
        description=(
            "Permissions to revoke from the role. A later grant or revocation of the same permission replaces an "
            "earlier one."
        )
    )
    departments: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Departments, the primary department first; they replace the current list. At most 1 000."
    )
    max_customers: Maybe[int | None] = strawberry.field(
        description="Maximum number of customers: 0 for none, null for the workspace's limit."
    )
    active: Maybe[bool | None] = strawberry.field(
        description="False deactivates the agent, who must own no customers; see `agentDeactivate`."
    )


@strawberry.input(
    description="What happens to the customers of a deactivated agent: exactly one of the fields.", one_of=True
)
class OffboardInput:
    assign: Maybe[AssigneesInput] = strawberry.field(
        description="Assign the customers to other agents, evenly, round robin."
    )
    release: Maybe[ReleaseStage] = strawberry.field(description="Release the customers to this stage.")


@strawberry.type(description="Result of an agent mutation.")
class AgentPayload:
    agent: Agent | None = strawberry.field(
        default=None, description="The agent after the mutation; null if there are errors."
    )
    job: Annotated["Job", strawberry.lazy("graph.jobs.jobs")] | None = strawberry.field(
        default=None,
        description="Job that moves the customers of a deactivated agent; null if they moved in this answer.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(agent: Any) -> AgentPayload:
    return AgentPayload(agent=agent)


def _deactivated(done: Any) -> AgentPayload:
    agent: Any = done.agent
    return AgentPayload(agent=agent, job=done.job)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which agent.")]
_Input: TypeAlias = Annotated[AgentInput, strawberry.argument(description="Values of the agent.")]
_IfVersion: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="Expected version. If the record has another version, the mutation fails with CONFLICT."
    ),
]
_Offboarding: TypeAlias = Annotated[
    OffboardInput | None,
    strawberry.argument(
        description="What happens to the agent's customers; required if they own any. Requires CUSTOMER_ASSIGN as well."
    ),
]


@strawberry.type
class Mutation:
    @mutation(
        Permission.AGENT_MANAGE,
        "Creates an agent. Requires AGENT_MANAGE and every permission that the agent receives (else "
        "FORBIDDEN). Errors: BLANK, INVALID, TAKEN, NOT_FOUND, FORBIDDEN.",
        payload=AgentPayload,
    )
    async def agent_create(self, info: Info, input: _Input) -> AgentPayload:
        wanted = input_data(input)
        password_hash = await rules.hash_new_password(wanted)
        return await info.context.mutate(lambda unit: rules.create(unit, wanted, password_hash), _payload)

    @mutation(
        Permission.AGENT_MANAGE,
        "Changes an agent. Requires AGENT_MANAGE and every permission that the change gives. Errors: "
        "NOT_FOUND, CONFLICT, INVALID, TAKEN, FORBIDDEN, IN_USE, AGENT_HAS_CUSTOMERS.",
        payload=AgentPayload,
    )
    async def agent_update(self, info: Info, id: _Which, input: _Input, if_version: _IfVersion = None) -> AgentPayload:
        wanted = input_data(input)
        password_hash = await rules.hash_new_password(wanted)
        return await info.context.mutate(
            lambda unit: rules.update(unit, id, wanted, password_hash, if_version=if_version), _payload
        )

    @mutation(
        Permission.AGENT_MANAGE,
        (
            "Deactivates an agent: their sessions end, they cannot sign in and receive no customers. `customers` "
            "says what happens to the customers they own: up to 200 move in this answer, more by a Job. Requires "
            "AGENT_MANAGE. Errors: NOT_FOUND, AGENT_HAS_CUSTOMERS, AGENT_AT_CAPACITY, IN_USE."
        ),
        payload=AgentPayload,
    )
    async def agent_deactivate(self, info: Info, id: _Which, customers: _Offboarding = None) -> AgentPayload:
        choice = None if not customers else input_data(customers)
        return await info.context.mutate(lambda unit: rules.deactivate(unit, id, choice), _deactivated)

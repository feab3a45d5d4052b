"""Agents: the people who look after customers."""

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


@strawberry.type(description="A person who works with customers.")
class Agent(Record, Node):
    is_type_of = is_row_of(tables.Agent)

    id: strawberry.ID = column("The agent's id.", convert=ids.id_encoder("Agent"))
    name: str = column("The name that colleagues see.")
    email: str = column("The address for signing in; unique on the server.")
    active: bool = column("False once deactivated: then they cannot sign in and get no customers.")
    role: Role = column("The role that their permissions start from.")
    max_customers: int | None = column("How many customers they take at most; null means the workspace's limit.")

    @batched(
        "What they may do: their role's permissions, with what was granted and revoked.", parent_columns=("id", "role")
    )
    async def permissions(parents: ParentRows, info: Info) -> list[list[Permission]]:
        exceptions = await info.context.load_many(agents.permissions_by_agent, parents, "id")
        pairs = zip(parents, exceptions, strict=True)
        return [sorted(access.effective_permissions_of(Role(parent.role), own)) for parent, own in pairs]

    @batched("Where they work, their first department first.", parent_columns=("id",))
    async def departments(
        parents: ParentRows, info: Info
    ) -> list[list[Annotated["Department", strawberry.lazy("graph.catalogue.departments")]]]:
        return await info.context.load_many(departments.by_agent, parents, "id")

    @batched("How many customers they own, archived ones left out.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(
            customers.customer_counts_by, parents, "owner_id", info.context.viewer.visibility
        )

    customers = customer_lists.customers_field(
        "The customers they own, archived ones left out.", customer_lists.read_by_parent(agents.AGENTS_AS_PARENTS)
    )


@strawberry.input(description="Names one agent.", one_of=True)
class AgentRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="By the id.")
    email: strawberry.Maybe[str] = strawberry.field(description="By the address, whatever its case.")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "An agent by id; null when there is none.")
    async def agent(self, info: Info, id: Id) -> Agent | None:
        return await info.context.load_by_wire_id(agents.by_ids, "Agent", id)

    @guarded(Permission.CUSTOMER_VIEW, "The workspace's agents.")
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


@strawberry.input(description="What an agent is to be. What is left out stays as it is.")
class AgentInput:
    name: Maybe[str | None] = strawberry.field(description="The name that colleagues see; needed on create.")
    email: Maybe[str | None] = strawberry.field(
        description="The address for signing in, unique on the server; needed on create."
    )
    password: Maybe[str | None] = strawberry.field(
        description=f"{passwords.MIN_PASSWORD_LENGTH} to {passwords.MAX_PASSWORD_LENGTH} characters. A new one ends their sessions. null takes"
        " it away: then they cannot sign in."
    )
    role: Maybe[Role | None] = strawberry.field(
        description="The role that their permissions start from: AGENT unless given. What was granted and revoked"
        " stays."
    )
    grant: Maybe[list[Permission] | None] = strawberry.field(
        description="Permissions to add to their role's, of those that the viewer holds."
    )
    revoke: Maybe[list[Permission] | None] = strawberry.field(
        description="Permissions to take from their role's; the last word on a permission counts, here or in `grant`."
    )
    departments: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Where they work, their first department first; these replace the present ones. 1 000 at most."
    )
    max_customers: Maybe[int | None] = strawberry.field(
        description="How many customers they take at most: 0 is none, null the workspace's limit."
    )
    active: Maybe[bool | None] = strawberry.field(
        description="False deactivates them, which needs that they own no customers; see agentDeactivate."
    )


@strawberry.input(description="What becomes of the customers of an agent who leaves.", one_of=True)
class OffboardInput:
    assign: Maybe[AssigneesInput] = strawberry.field(description="Assign them to others, evenly by turns.")
    release: Maybe[ReleaseStage] = strawberry.field(description="Take them away, to this stage.")


@strawberry.type(description="What became of an agent.")
class AgentPayload:
    agent: Agent | None = strawberry.field(default=None, description="As they are now; null when refused.")
    job: Annotated["Job", strawberry.lazy("graph.jobs.jobs")] | None = strawberry.field(
        default=None,
        description="Of agentDeactivate: what hands over their customers, where they are more than are done at once.",
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(agent: Any) -> AgentPayload:
    return AgentPayload(agent=agent)


def _deactivated(done: Any) -> AgentPayload:
    agent: Any = done.agent
    return AgentPayload(agent=agent, job=done.job)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which agent.")]
_Input: TypeAlias = Annotated[AgentInput, strawberry.argument(description="What the agent is to be.")]
_IfVersion: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Only if the record is still at this version.")
]
_Offboarding: TypeAlias = Annotated[
    OffboardInput | None,
    strawberry.argument(
        description="What becomes of their customers; needed where they own any. Needs CUSTOMER_ASSIGN as well."
    ),
]


@strawberry.type
class Mutation:
    @mutation(Permission.AGENT_MANAGE, "Make an agent.", payload=AgentPayload)
    async def agent_create(self, info: Info, input: _Input) -> AgentPayload:
        wanted = input_data(input)
        password_hash = await rules.hash_new_password(wanted)
        return await info.context.mutate(lambda unit: rules.create(unit, wanted, password_hash), _payload)

    @mutation(Permission.AGENT_MANAGE, "Change an agent.", payload=AgentPayload)
    async def agent_update(self, info: Info, id: _Which, input: _Input, if_version: _IfVersion = None) -> AgentPayload:
        wanted = input_data(input)
        password_hash = await rules.hash_new_password(wanted)
        return await info.context.mutate(
            lambda unit: rules.update(unit, id, wanted, password_hash, if_version=if_version), _payload
        )

    @mutation(
        Permission.AGENT_MANAGE,
        "Deactivate an agent, who is signed out, cannot sign in, and gets no customers.",
        payload=AgentPayload,
    )
    async def agent_deactivate(self, info: Info, id: _Which, customers: _Offboarding = None) -> AgentPayload:
        choice = None if not customers else input_data(customers)
        return await info.context.mutate(lambda unit: rules.deactivate(unit, id, choice), _deactivated)

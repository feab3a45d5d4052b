"""A workspace shared by the tests of a module, used like a client."""

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import select

from crm.access import accounts, permissions
from crm.access.permissions import Viewer
from db import tables
from db.statements import in_workspace, prepare
from db.tables.enums import ActorKind, Permission, Role
from db.values import ids
from db.values.wire_format import decode_id
from graph.context import Context
from tests.support import factories, schema_walk, schemas

ERRORS = """errors { __typename code message path row ... on LimitError { limit current }
  ... on TransitionError { from to allowed } ... on ConflictError { record { __typename id version } }
  ... on DuplicateError { existing { __typename id } } }"""
JOB = f"""job {{ id status matched counts {{ outcome count }} perAgent {{ agent {{ name }} count }}
  rows(first: 250) {{ nodes {{ row outcome node {{ id }} changed {{ field before after }} {ERRORS} }} }} }}"""
ALL = """name nickname realName avatarUrl phone phones email emails gender birthDate value source channel
  relationshipStatus subscriptionStatus stage verification followUpStage resellerRelationship archivedAt version
  owner { id } previousOwner { id } department { id } company { id } block { reason } wechatFriends { id }
  tags { id } segments { id } externalIds { system value } address { line1 line2 city region postalCode country }
  customFields { field { key } value } allowedSubscriptionTransitions"""
"""The selection of all customer fields."""
_MUTATIONS = {one.name: one for one in schema_walk.fields("mutation")}


@dataclass
class House:
    """`admin` has all permissions; `manager`, `seller` (in the department Sales) and `loner` (in none) have those of
    their roles. Ids are wire ids, under the names given by `named`."""

    database: Any
    number: int
    ids: dict[str, str] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=dict)

    async def ask(self, document: str, who: Any = "admin", **variables: Any) -> Any:
        """The answer's data. Fails on top-level errors."""
        answer = await self.answer(document, who, **variables)
        assert answer.errors is None, answer.errors
        return answer.data

    async def answer(self, document: str, who: Any = "admin", **variables: Any) -> Any:
        """The whole answer."""
        viewer = self.viewers[who] if isinstance(who, str) else who
        context = Context(self.database, viewer, request_id="test")
        return await schemas.ENGINE.execute(document, variable_values=variables, context_value=context)

    async def does(self, mutation: str, shows: str | None = None, who: Any = "admin", **arguments: Any) -> Any:
        """The payload of a mutation: its errors and selected fields."""
        document = document_of(mutation, shows, arguments)
        return (await self.ask(document, who, **arguments))[mutation]

    async def refuses(self, mutation: str, who: Any = "admin", **arguments: Any) -> list[tuple[str, str]]:
        """The errors of a mutation: codes and paths; FORBIDDEN at "" for a top-level error. Nothing else may be
        returned."""
        answer = await self.answer(document_of(mutation, None, arguments), who, **arguments)
        if answer.errors:
            return [((one.extensions or {}).get("code"), "") for one in answer.errors]
        (done,) = answer.data.values()
        assert done.get("outcome", "FAILED") == "FAILED", done
        return told(done["errors"])

    async def bulk(self, mutation: str, who: Any = "admin", **arguments: Any) -> Any:
        """The outcome and errors of each row, or the errors that prevented the job."""
        done = await self.does(mutation, JOB, who, **arguments)
        if done["job"] is None:
            return told(done["errors"])
        return [(one["outcome"], *told(one["errors"])) for one in done["job"]["rows"]["nodes"]]

    async def customer(self, shows: str = "", who: Any = "admin", **input: Any) -> Any:
        """Creates a record: returns its id, or the selected fields."""
        made = await self.does("customerCreate", f"customer {{ id {shows} }}", who, input={"name": "An", **input})
        assert not made["errors"], made["errors"]
        return made["customer"] if shows else made["customer"]["id"]

    async def made(self, mutation: str, record: str, **input: Any) -> Any:
        """The id of a new record."""
        done = await self.does(mutation, f"{record} {{ id }}", input=input)
        assert not done["errors"], done["errors"]
        return done[record]["id"]

    async def shown(self, customer: str, shows: str, who: Any = "admin") -> Any:
        """The customer's current state; None if the viewer cannot see it."""
        document = f"query ($id: ID!) {{ customer(by: {{id: $id}}) {{ {shows} }} }}"
        return (await self.ask(document, who, id=customer))["customer"]

    async def log(self, node: str | None = None, who: Any = "admin") -> list[Any]:
        """The changes of a record, oldest first; all changes without a record."""
        document = """query ($filter: ChangeFilter) { changes(first: 250, filter: $filter) { nodes {
          action entity nodeId version requestId job { id } fields { field before after } } } }"""
        filter = {} if node is None else {"nodes": [node]}
        return (await self.ask(document, who, filter=filter))["changes"]["nodes"]

    async def lines(self) -> int:
        """The number of changes in the whole log."""
        session = self.database.session(self.number)
        return len(await session.fetch_all(prepare(select(tables.Change.seq).where(in_workspace(tables.Change)))))

    async def settings(self, **input: Any) -> None:
        done = await self.does("workspaceUpdate", input=input)
        assert not done["errors"], done["errors"]

    async def agent(self, name: str = "Agent", **input: Any) -> str:
        """The id of a new record."""
        email = f"{ids.new_id().hex()}@clientela.example"
        return await self.made("agentCreate", "agent", **{"name": name, "email": email, **input})

    async def as_(self, agent: str, kind: ActorKind = ActorKind.AGENT) -> Viewer:
        """The viewer of that agent or key with its current permissions."""
        identifier = decode_id("Agent" if kind is ActorKind.AGENT else "ApiKey", agent)
        found = await accounts.viewer_of_actor(self.database, self.number, kind, identifier, ids.current_time())
        assert found is not None
        return found


def document_of(mutation: str, shows: str | None, arguments: dict[str, Any]) -> str:
    types = _MUTATIONS[mutation].definition.args
    variables = ", ".join(f"${name}: {types[name].type}" for name in arguments)
    given = ", ".join(f"{name}: ${name}" for name in arguments)
    head = f"mutation ({variables})" if variables else "mutation"
    outcome = "outcome" if "outcome" in _MUTATIONS[mutation].definition.type.of_type.fields else ""
    call = f"{mutation}({given})" if given else mutation
    return f"{head} {{ {call} {{ {outcome} {shows or ''} {ERRORS} }} }}"


def told(errors: list[Any]) -> list[tuple[str, str]]:
    """The code and path of each error."""
    return [(one["code"], ".".join(one["path"])) for one in errors]


def without(viewer: Viewer, *lacking: Permission) -> Viewer:
    return Viewer(
        viewer.workspace_id, viewer.actor_kind, viewer.actor_id, viewer.permissions - set(lacking),
        viewer.department_ids,
    )  # fmt: skip


async def founded(database: Any) -> House:
    house = House(database, await factories.workspace(database, default_country="VN"))
    admin = factories.agent("Admin", role=Role.ADMIN)

    async def put(transaction: Any) -> None:
        admin.workspace_id = house.number
        await transaction.insert(admin)

    await database.write(house.number, put)
    house.viewers["admin"] = Viewer(house.number, ActorKind.AGENT, admin.id, permissions.ROLE_PERMISSIONS[Role.ADMIN])
    house.ids["admin"] = f"agt_{admin.id.hex()}"
    house.ids["sales"] = await house.made("departmentCreate", "department", name="Sales")
    people = [
        ("manager", "MANAGER", []),
        ("seller", "AGENT", [house.ids["sales"]]),
        ("colleague", "AGENT", [house.ids["sales"]]),
        ("loner", "AGENT", []),
    ]
    for name, role, places in people:
        house.ids[name] = await house.agent(name.title(), role=role, departments=places)
        house.viewers[name] = await house.as_(house.ids[name])
    return house

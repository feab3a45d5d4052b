"""Who did something: an agent, an API key, or the system itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from db import tables
from db.queries import accounts
from db.queries.catalogue import agents
from graph.catalogue.agents import Agent
from graph.context import Context
from graph.engine.field_declarations import column
from graph.types import ids
from graph.types.enums import ActorKind, Permission
from graph.types.nodes import Node, is_row_of
from graph.types.scalars import DateTime


@strawberry.type(description="A key that a program comes in with; it has permissions of its own.")
class ApiKey(Node):
    is_type_of = is_row_of(tables.ApiKey)

    id: strawberry.ID = column("The key's id; not its secret.", convert=ids.id_encoder("ApiKey"))
    name: str = column("What it is for.")
    permissions: list[Permission] = column("What it may do.")
    hint: str = column("The end of the secret, to tell keys apart.")
    created_at: DateTime = column("When it was created.")
    last_used_at: DateTime | None = column("When it was last used, to the minute; null if never.")
    expires_at: DateTime | None = column("When it stops working; null means never.")
    revoked_at: DateTime | None = column("When it was revoked; null while it works.")


@strawberry.type(description="The server itself: its rules and automations.")
class System:
    name: str = column("Which part of it.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, SystemActor)


@dataclass(frozen=True, slots=True)
class SystemActor:
    name: str = "Clientela"


Actor = Annotated[
    Agent | ApiKey | System,
    strawberry.union("Actor", description="Who did something: an agent, a key, or the server itself."),
]


async def load_actors(context: Context, parents: Sequence[Any], prefix: str) -> list[Any]:
    """Who the columns `prefix_kind` and `prefix_id` of each row name; the system where nobody is left to name."""
    pairs = [(getattr(parent, f"{prefix}_kind"), getattr(parent, f"{prefix}_id")) for parent in parents]
    people = await context.load(agents.by_ids, [key for kind, key in pairs if kind == ActorKind.AGENT])
    keys = await context.load(accounts.keys_by_ids, [key for kind, key in pairs if kind == ActorKind.API_KEY])
    found = {ActorKind.AGENT: people, ActorKind.API_KEY: keys}
    return [found.get(ActorKind(kind), {}).get(key) or SystemActor() for kind, key in pairs]

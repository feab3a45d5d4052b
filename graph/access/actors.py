"""Actors: the originator of a change."""

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


@strawberry.type(description="A key that a program signs in with. It has its own permissions.")
class ApiKey(Node):
    is_type_of = is_row_of(tables.ApiKey)

    id: strawberry.ID = column("Id of the key. It is not the secret.", convert=ids.id_encoder("ApiKey"))
    name: str = column("Purpose, as text for people.")
    permissions: list[Permission] = column("Permissions of the key.")
    hint: str = column("Last characters of the secret, to tell keys apart.")
    created_at: DateTime = column("Time of creation.")
    last_used_at: DateTime | None = column("Time of the last use, to the minute; null if never used.")
    expires_at: DateTime | None = column("Time when the key expires; null if it never expires.")
    revoked_at: DateTime | None = column("Time of the revocation; null while the key is valid.")


@strawberry.type(description="The server itself, when a rule or automation acts.")
class System:
    name: str = column("Name of the part of the server.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, SystemActor)


@dataclass(frozen=True, slots=True)
class SystemActor:
    name: str = "Clientela"


Actor = Annotated[
    Agent | ApiKey | System,
    strawberry.union("Actor", description="The originator of a change: an agent, an API key, or the server itself."),
]


async def load_actors(context: Context, parents: Sequence[Any], prefix: str) -> list[Any]:
    """The actors of the columns `prefix_kind` and `prefix_id` of each row; the system if the actor is deleted."""
    pairs = [(getattr(parent, f"{prefix}_kind"), getattr(parent, f"{prefix}_id")) for parent in parents]
    people = await context.load(agents.by_ids, [key for kind, key in pairs if kind == ActorKind.AGENT])
    keys = await context.load(accounts.keys_by_ids, [key for kind, key in pairs if kind == ActorKind.API_KEY])
    found = {ActorKind.AGENT: people, ActorKind.API_KEY: keys}
    return [found.get(ActorKind(kind), {}).get(key) or SystemActor() for kind, key in pairs]

"""API keys for programs."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import Info, Maybe

from crm.access import api_keys
from crm.validation import MAX_LIST_ITEMS
from db.queries import accounts
from graph.access.actors import ApiKey
from graph.access.permissions import guarded
from graph.errors.user_errors import UserError, mutation
from graph.types.enums import Permission
from graph.types.inputs import input_data
from graph.types.scalars import DateTime


@strawberry.type
class Query:
    @guarded(
        Permission.KEY_MANAGE,
        f"The workspace's API keys, newest first: active keys, then revoked ones; {MAX_LIST_ITEMS} at most.",
    )
    async def api_keys(self, info: Info) -> list[ApiKey]:
        return cast(Any, await accounts.keys(info.context.session, most=MAX_LIST_ITEMS))


@strawberry.input(description="Values for an API key.")
class ApiKeyInput:
    name: str = strawberry.field(description="Purpose, as text for people.")
    permissions: list[Permission] = strawberry.field(
        description="Permissions of the key: at least one. The viewer must hold each of them."
    )
    expires_at: Maybe[DateTime | None] = strawberry.field(
        description="Time when the key expires. Default: it never expires."
    )


@strawberry.type(description="Result of an API key mutation.")
class ApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(
        default=None, description="The record after the mutation; null if there are errors."
    )
    secret: str | None = strawberry.field(
        default=None,
        description="The secret, for the header `Authorization: Bearer`. Only this answer contains it.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(key: Any) -> ApiKeyPayload:
    return ApiKeyPayload(api_key=key)


@strawberry.type
class Mutation:
    @mutation(
        Permission.KEY_MANAGE,
        "Creates an API key and returns its secret once. Requires KEY_MANAGE and every permission that the "
        "key receives (else FORBIDDEN). Errors: BLANK, TOO_LONG, INVALID, FORBIDDEN.",
        payload=ApiKeyPayload,
    )
    async def api_key_create(
        self,
        info: Info,
        input: Annotated[ApiKeyInput, strawberry.argument(description="Values of the key.")],
    ) -> ApiKeyPayload:
        return await info.context.mutate(
            lambda unit: api_keys.create(unit, input_data(input)),
            lambda made: ApiKeyPayload(api_key=made.key, secret=made.secret),
        )

    @mutation(
        Permission.KEY_MANAGE,
        (
            "Revokes an API key. This process rejects it immediately, every other process within two seconds. "
            "Requires KEY_MANAGE. Errors: NOT_FOUND."
        ),
        payload=ApiKeyPayload,
    )
    async def api_key_revoke(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which key.")]
    ) -> ApiKeyPayload:
        return await info.context.mutate(lambda unit: api_keys.revoke(unit, id), _payload)

"""API keys: what programs come in with."""

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


@strawberry.input(description="A new API key.")
class ApiKeyInput:
    name: str = strawberry.field(description="What it is for.")
    permissions: list[Permission] = strawberry.field(
        description="What it may do: one permission or more, of those that the viewer holds."
    )
    expires_at: Maybe[DateTime | None] = strawberry.field(description="When it stops working; never unless given.")


@strawberry.type(description="What became of an API key.")
class ApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(default=None, description="As it is now; null when refused.")
    secret: str | None = strawberry.field(
        default=None,
        description="Send it as `Authorization: Bearer`. It is shown when the key is made, and never again.",
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(key: Any) -> ApiKeyPayload:
    return ApiKeyPayload(api_key=key)


@strawberry.type
class Mutation:
    @mutation(Permission.KEY_MANAGE, "Make an API key; its secret is shown once.", payload=ApiKeyPayload)
    async def api_key_create(
        self,
        info: Info,
        input: Annotated[ApiKeyInput, strawberry.argument(description="What the key is to be.")],
    ) -> ApiKeyPayload:
        return await info.context.mutate(
            lambda unit: api_keys.create(unit, input_data(input)),
            lambda made: ApiKeyPayload(api_key=made.key, secret=made.secret),
        )

    @mutation(
        Permission.KEY_MANAGE,
        "Revoke an API key: it stops working at once here, and within two seconds everywhere.",
        payload=ApiKeyPayload,
    )
    async def api_key_revoke(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which key.")]
    ) -> ApiKeyPayload:
        return await info.context.mutate(lambda unit: api_keys.revoke(unit, id), _payload)

"""Permissions of fields: one declaration that is enforced and printed in the schema."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location

from graph.engine.field_declarations import DeclaredField
from graph.errors.top_level import Forbidden
from graph.types.enums import Permission


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], description="Permission that the viewer needs for this field."
)
class Requires:
    permission: Permission


class _Required(FieldExtension):
    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        self._check(info)
        return next_(source, info, **kwargs)

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        self._check(info)
        return await next_(source, info, **kwargs)

    def _check(self, info: strawberry.Info) -> None:
        if not info.context.viewer.has_permission(self.permission):
            raise Forbidden(f"You need the permission {self.permission.name} for this.")


# Makes a field of a resolver.
Declaring = Callable[[Callable[..., Any]], Any]


def permission_guard(permission: Permission | None) -> tuple[list[object], list[FieldExtension]]:
    """The directive and the extension of a field that needs the permission; nothing if it needs none."""
    if permission is None:
        return [], []
    return [Requires(permission=permission)], [_Required(permission)]


def guarded(permission: Permission | None, description: str, **options: Any) -> Declaring:
    """Declares a root field that requires the permission; None for everyone. Raises Forbidden."""
    directives, extensions = permission_guard(permission)
    return DeclaredField(description=description, directives=directives, extensions=extensions, **options)

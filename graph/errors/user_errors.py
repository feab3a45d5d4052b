"""Expected errors as data: they are part of a mutation's payload, each with its own type."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from crm import errors
from crm.errors import ErrorCode
from graph.access.permissions import Declaring, permission_guard
from graph.engine.field_declarations import ColumnField, DeclaredField, column
from graph.errors.error_objects import ErrorObject, error_objects
from graph.errors.top_level import BadUserInput, Forbidden, Unauthenticated
from graph.idempotency import ReplayedAnswer, read_call
from graph.types.enums import Permission, describe_values
from graph.types.nodes import Record

describe_values(
    ErrorCode,
    "Reason of an error, for programs.",
    NOT_FOUND="The record does not exist, or the viewer cannot see it.",
    FORBIDDEN="The viewer lacks the permission for this record or input.",
    BLANK="A required text is missing.",
    INVALID="The value is invalid.",
    TOO_LONG="The text is too long.",
    TAKEN="Another record already has this value.",
    CONFLICT="The record has changed since it was read.",
    AMBIGUOUS="Several records match.",
    LIMIT_EXCEEDED="The result would exceed a limit.",
    INVALID_TRANSITION="The status transition is not allowed.",
    CUSTOMER_ARCHIVED="The customer is archived.",
    CUSTOMER_BLOCKED="The customer is blocked.",
    RESELLER_RELATIONSHIP_REQUIRED="The customer has no reseller relationship.",
    TAG_KIND_MISMATCH="The tag has another kind.",
    EMPTY_TARGET="The target contains no customer.",
    UNBOUNDED_TARGET="The match selects all customers; set `everyone: true` if that is intended.",
    COUNT_MISMATCH="The number of matching customers differs from `expectedCount`.",
    BULK_DELETE_NOT_ALLOWED="The workspace's settings do not allow the bulk deletion of this customer.",
    NOT_UNDOABLE="The job cannot be undone.",
    AGENT_INACTIVE="The agent is not active.",
    AGENT_AT_CAPACITY="The agent has reached the maximum number of customers.",
    AGENT_NOT_IN_DEPARTMENT="The agent does not work in the department.",
    AGENT_HAS_CUSTOMERS="The agent still owns customers.",
    DEPARTMENT_EMPTY="The department has no active members.",
    ALREADY_CLAIMED="Another agent has claimed the customer.",
    CLAIM_LIMIT="The daily claim limit is reached.",
    CLAIM_COOLDOWN="The previous owner must wait before claiming the customer again.",
    SEGMENT_IS_DYNAMIC="The segment is dynamic: its filter determines its members.",
    SEGMENT_CYCLE="The segment's filter would refer to the segment itself.",
    IN_USE="Another record uses it.",
    VIEW_PROTECTED="The view cannot be changed or deleted.",
    FIELD_UNKNOWN="The custom field does not exist or is disabled.",
    FIELD_PROTECTED="The field cannot be changed here.",
    OPTION_IN_USE="A record uses this option.",
    COMPANY_HAS_CUSTOMERS="The company has customers.",
    IDEMPOTENCY_KEY_REUSED="The idempotency key was used with other arguments.",
)


@strawberry.interface(description="An expected error that the user can correct.")
class UserError:
    code: ErrorCode = column("Error code, for programs.")
    message: str = column("Message for people: one sentence that says what to do.")
    path: list[str] = column("Path of the invalid value in the arguments.")
    row: int | None = column("Row number, from 0, if there are several rows.")


@strawberry.type(description="An invalid value, or a rule that forbids the change.")
class InputError(UserError):
    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.InputError


@strawberry.type(description="The result would exceed a limit.")
class LimitError(UserError):
    limit: int = column("Allowed maximum.")
    current: int = column("Number that the request would lead to.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.LimitError


def _from() -> Any:
    """`from` is a Python keyword."""
    return ColumnField(
        description="Postal address.", graphql_name="from", metadata={"column": "from_", "convert": None}
    )


@strawberry.type(description="A status transition that is not allowed.")
class TransitionError(UserError):
    from_: str = _from()
    to: str = column("Requested status.")
    allowed: list[str] = column("Allowed next statuses.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.TransitionError


@strawberry.type(description="The record has changed since it was read.")
class ConflictError(UserError):
    record: Record = column("Current state of the record.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.ConflictError


@strawberry.type(description="Another record has a value that must be unique.")
class DuplicateError(UserError):
    existing: Record = column("Record that has the value.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.DuplicateError


def _refused(value: Any) -> type | None:
    return type(value.refused) if isinstance(value, ErrorObject) else None


class _Answered(FieldExtension):
    """Turns an expected error into the payload of the field. Without a payload type it becomes a top-level error."""

    def __init__(self, payload: Callable[..., Any] | None) -> None:
        self._payload = payload

    def _refused(self, refusal: errors.InputError | errors.InputErrors) -> Any:
        if self._payload is None:
            first = refusal.errors[0]
            raise BadUserInput(first.message, reason=first.code.name)
        return self._payload(errors=error_objects(refusal.errors))

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        context = info.context
        context.build_error_payload = self._refused
        try:
            context.idempotent_call = read_call(info, kwargs)
            return await next_(source, info, **kwargs)
        except ReplayedAnswer as replayed:
            context.replayed_fields.append(str(info.path.key))
            return replayed.held if self._payload is None else self._payload(**replayed.held)
        except (errors.InputError, errors.InputErrors) as refusal:
            return self._refused(refusal)
        except errors.BadUserInput as refusal:
            raise BadUserInput(refusal.message, reason=refusal.reason, limit=refusal.limit) from None
        except errors.Forbidden as refusal:
            raise Forbidden(refusal.message) from None
        except errors.Unauthenticated as refusal:
            raise Unauthenticated(refusal.message) from None


def mutation(
    permission: Permission | None, description: str, *, payload: Callable[..., Any] | None, **options: Any
) -> Declaring:
    """Declares a mutation that requires the permission (None: for everyone). An expected error becomes
    `payload(errors=[…])`, or a top-level error without a payload."""
    directives, extensions = permission_guard(permission)
    return DeclaredField(
        description=description,
        directives=directives,
        extensions=[_Answered(payload), *extensions],
        **options,
    )


# Types that are reachable only through an interface; the schema needs them explicitly.
ERROR_TYPES = [InputError, LimitError, TransitionError, ConflictError, DuplicateError]

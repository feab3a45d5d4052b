"""Refusals as data: what a person can mend stands in a mutation's payload, each with a type of its own."""

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
    "Why something was refused.",
    NOT_FOUND="There is no such thing, or it is not in sight.",
    FORBIDDEN="The viewer may not do this to this record.",
    BLANK="A text is needed here.",
    INVALID="The value cannot be taken.",
    TOO_LONG="The text is too long.",
    TAKEN="Another record has this value already.",
    CONFLICT="Somebody changed the record in the meantime.",
    AMBIGUOUS="Several records fit.",
    LIMIT_EXCEEDED="There would be more than allowed.",
    INVALID_TRANSITION="The status cannot go from here to there.",
    CUSTOMER_ARCHIVED="The customer is archived.",
    CUSTOMER_BLOCKED="The customer is blocked.",
    RESELLER_RELATIONSHIP_REQUIRED="The business does not manage this customer.",
    TAG_KIND_MISMATCH="The tag is of another kind.",
    EMPTY_TARGET="No customer was named.",
    UNBOUNDED_TARGET="The match leaves nobody out; say `everyone: true` if that is meant.",
    COUNT_MISMATCH="The match finds another number of customers than expected.",
    BULK_DELETE_NOT_ALLOWED="The workspace does not let this customer be deleted with others.",
    NOT_UNDOABLE="The job cannot be undone.",
    AGENT_INACTIVE="The agent is not active.",
    AGENT_AT_CAPACITY="The agent takes no more customers.",
    AGENT_NOT_IN_DEPARTMENT="The agent does not work in the department.",
    AGENT_HAS_CUSTOMERS="The agent still owns customers.",
    DEPARTMENT_EMPTY="Nobody works in the department.",
    ALREADY_CLAIMED="Somebody else was faster.",
    CLAIM_LIMIT="No more claims today.",
    CLAIM_COOLDOWN="The former owner has to wait before claiming again.",
    SEGMENT_IS_DYNAMIC="The members of a dynamic segment follow from its filter.",
    SEGMENT_CYCLE="The segment would be a part of itself.",
    IN_USE="Something else uses it.",
    VIEW_PROTECTED="The view cannot be changed or deleted.",
    FIELD_UNKNOWN="There is no such field.",
    FIELD_PROTECTED="The field is changed in another way.",
    OPTION_IN_USE="A record has this option.",
    COMPANY_HAS_CUSTOMERS="Customers belong to the company.",
    IDEMPOTENCY_KEY_REUSED="The key was used with other arguments.",
)


@strawberry.interface(description="Something to mend before it can be done.")
class UserError:
    code: ErrorCode = column("Why, for programs.")
    message: str = column("Why, for people: a sentence to act on.")
    path: list[str] = column("Where in the arguments, from the outside in.")
    row: int | None = column("Which row, from 0, where several were given.")


@strawberry.type(description="A value that cannot be taken, or a rule that forbids it.")
class InputError(UserError):
    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.InputError


@strawberry.type(description="There would be more than allowed.")
class LimitError(UserError):
    limit: int = column("How many are allowed.")
    current: int = column("How many there would be.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.LimitError


def _from() -> Any:
    """`from` is no name in Python."""
    return ColumnField(description="Where it is.", graphql_name="from", metadata={"column": "from_", "convert": None})


@strawberry.type(description="A status that cannot go from here to there.")
class TransitionError(UserError):
    from_: str = _from()
    to: str = column("Where it should go.")
    allowed: list[str] = column("Where it can go.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.TransitionError


@strawberry.type(description="Somebody else changed the record in the meantime.")
class ConflictError(UserError):
    record: Record = column("The record as it is now.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.ConflictError


@strawberry.type(description="Another record holds a value that must be unique.")
class DuplicateError(UserError):
    existing: Record = column("The record that holds it.")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return _refused(value) is errors.DuplicateError


def _refused(value: Any) -> type | None:
    return type(value.refused) if isinstance(value, ErrorObject) else None


class _Answered(FieldExtension):
    """Turns a refusal into the payload of the field: nothing done, and why. Where there is no payload to hold it, it
    is a top-level error."""

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
    """A mutation for those who hold the permission (None: for everyone). A refusal becomes `payload(errors=[…])`, or a
    top-level error where there is none."""
    directives, extensions = permission_guard(permission)
    return DeclaredField(
        description=description,
        directives=directives,
        extensions=[_Answered(payload), *extensions],
        **options,
    )


# Types that stand behind an interface only; the schema has to be told of them.
ERROR_TYPES = [InputError, LimitError, TransitionError, ConflictError, DuplicateError]

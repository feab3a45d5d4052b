"""@idempotent: a repeated mutation has no further effect and returns the same answer."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Annotated, Any, Final

import orjson
import strawberry
from graphql import FieldNode, VariableNode, value_from_ast_untyped
from strawberry.directive import DirectiveLocation, DirectiveValue
from strawberry.extensions import SchemaExtension

from crm import errors
from crm.errors import ErrorCode, InputError
from crm.idempotency import IdempotentCall, digest_arguments, seal, unseal
from db import tables
from db.rows import Row
from db.tables.enums import Outcome
from graph.errors.error_objects import ErrorObject

MAX_KEY_LENGTH: Final = 200


@strawberry.directive(
    locations=[DirectiveLocation.FIELD],
    description=(
        "Makes a mutation idempotent: a repeated call with the same key within 24 hours has no further "
        "effect and returns the same answer. Other arguments with the same key fail with "
        "IDEMPOTENCY_KEY_REUSED."
    ),
)
def idempotent(
    value: DirectiveValue[str],
    key: Annotated[
        str, strawberry.argument(description="Key that the caller chooses for the call: 1 to 200 characters.")
    ],
) -> str:
    return value


def read_call(info: strawberry.Info, arguments: Mapping[str, Any]) -> IdempotentCall | None:
    """The key and the arguments of the call; None if the field has no @idempotent. Raises InputError INVALID."""
    node: FieldNode = info._raw_info.field_nodes[0]
    if not any(directive.name.value == "idempotent" for directive in node.directives or ()):
        return None
    key = _key(node, info.variable_values)
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        message = f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters; this one has {len(key)}."
        raise InputError(ErrorCode.INVALID, message)
    proven = _PROVEN.get(info.field_name, ())
    told = {name: one for name, one in arguments.items() if name not in proven}
    asked = orjson.dumps(_plain(told), option=orjson.OPT_SORT_KEYS)
    return IdempotentCall(key=key, mutation=info.field_name, arguments=digest_arguments(asked, key))


# A verified password need not be compared with that of the earlier call.
_PROVEN: Final[Mapping[str, tuple[str, ...]]] = {"signIn": ("password",)}


def _key(node: FieldNode, variables: Mapping[str, Any]) -> str:
    """Validation has ensured that the argument is a string."""
    (directive,) = (one for one in node.directives or () if one.name.value == "idempotent")
    value = next(one.value for one in directive.arguments or () if one.name.value == "key")
    return str(variables[value.name.value] if isinstance(value, VariableNode) else value_from_ast_untyped(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        # An absent field differs from null.
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)} | {"": type(value).__name__}
    return int(value) if isinstance(value, IntEnum) else value if isinstance(value, int | float | str) else repr(value)


# ── answers, kept as JSON ─────────────────────────────────────────────────────────────────────────────────────────────


_SECRET: Final = "secret"
"""The payload field that shows a secret once. It is encrypted, so a database dump does not reveal it."""
_PLAIN: Final = "$plain"


def encode_payload(payload: Any, key: str) -> Any:
    """Encodes a payload as JSON; `decode_payload` reads it with the same key."""
    if isinstance(payload, bool):
        return {_PLAIN: payload}
    held = {field.name: _packed(getattr(payload, field.name)) for field in fields(payload)}
    if held.get(_SECRET) is not None:
        held[_SECRET] = seal(held[_SECRET], key)
    return held


def decode_payload(answer: Mapping[str, Any], key: str) -> Any:
    """Decodes a payload: its fields, or the value itself if it is not a type with fields."""
    if _PLAIN in answer:
        return answer[_PLAIN]
    held = {name: _unpacked(value) for name, value in answer.items()}
    if held.get(_SECRET) is not None:
        held[_SECRET] = unseal(held[_SECRET], key)
    return held


def _packed(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return {"$outcome": int(value)} if isinstance(value, Outcome) else int(value)
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, ErrorObject):
        return {"$refused": _REFUSED[type(value.refused)](value.refused)}
    table = getattr(value, "table", None)
    if table is not None:
        columns = tables.metadata.tables[str(table.__tablename__)].columns.keys()
        return {"$row": table.__tablename__, "columns": {name: _packed(getattr(value, name)) for name in columns}}
    if isinstance(value, Mapping):
        return {"$map": {key: _packed(one) for key, one in value.items()}}
    return [_packed(one) for one in value] if isinstance(value, list | tuple) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "$outcome" in value:
        return Outcome(value["$outcome"])
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    if "$refused" in value:
        return ErrorObject(_refused(**value["$refused"]))
    if "$map" in value:
        return {key: _unpacked(one) for key, one in value["$map"].items()}
    if "$row" in value:
        return Row(_BY_NAME[value["$row"]], {name: _unpacked(one) for name, one in value["columns"].items()})
    return {name: _unpacked(one) for name, one in value.items()}


_BY_NAME: Final[Mapping[str, Any]] = {
    str(mapper.class_.__tablename__): mapper.class_ for mapper in tables.Customer._sa_registry.mappers
}


def _basics(refused: InputError) -> dict[str, Any]:
    return {
        "kind": type(refused).__name__,
        "code": refused.code.name,
        "message": refused.message,
        "path": list(refused.path),
        "row": refused.row,
    }


_REFUSED: Final[Mapping[type[InputError], Callable[[Any], dict[str, Any]]]] = {
    errors.InputError: _basics,
    errors.LimitError: lambda one: _basics(one) | {"limit": one.limit, "current": one.current},
    errors.TransitionError: lambda one: _basics(one) | {"from_": one.from_, "to": one.to, "allowed": list(one.allowed)},
    errors.ConflictError: lambda one: _basics(one) | {"record": _packed(one.record)},
    errors.DuplicateError: lambda one: _basics(one) | {"existing": _packed(one.existing)},
}


def _refused(kind: str, code: str, message: str, path: list[str], row: int | None, **own: Any) -> InputError:
    attributes = {name: _unpacked(value) for name, value in own.items()}
    return errors.restore_error(errors.kind_for_stored_name(kind), ErrorCode[code], message, path, row, attributes)


class ReplayedAnswer(Exception):
    """The call was executed before; `held` is the content of its payload."""

    def __init__(self, held: Any) -> None:
        super().__init__()
        self.held = held


class ReplayedFieldsExtension(SchemaExtension):
    """Lists the repeated fields in the extensions of the answer."""

    def get_results(self) -> dict[str, Any]:
        replayed = getattr(self.execution_context.context, "replayed_fields", None)
        return {"idempotency": {"replayed": list(replayed)}} if replayed else {}

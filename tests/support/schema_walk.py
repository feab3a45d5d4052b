"""Calls generated from the schema: each root field with its required arguments and one chosen value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from tests.support import schemas

BUILT = schemas.published()
DEEPEST = 4
"""Inputs are walked to this depth; filters are recursive."""

_SCALARS: Mapping[str, Any] = {
    "String": "x",
    "Int": 1,
    "Boolean": False,
    "Float": 1.0,
    "ID": "nothing",
    "DateTime": "2026-01-01T00:00:00Z",
    "Date": "2026-01-01",
    "Decimal": "1",
    "Duration": "P1D",
    "JSON": "x",
    "FilterJSON": {},
    "SortJSON": [],
}

Step = str | int
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A root field with its arguments and selection."""

    root: str
    name: str
    definition: Any

    @property
    def document(self) -> str:
        variables = ", ".join(f"${name}: {argument.type}" for name, argument in self._required_or_used())
        arguments = ", ".join(f"{name}: ${name}" for name, _ in self._required_or_used())
        head = f"{self.root}({variables})" if variables else self.root
        call = f"{self.name}({arguments})" if arguments else self.name
        return f"{head} {{ {call} {_selection(self.definition.type)} }}"

    def _required_or_used(self) -> list[tuple[str, Any]]:
        """Arguments with defaults keep them."""
        return [(name, one) for name, one in self.definition.args.items() if not _defaulted(one)]

    def least(self, own: Mapping[str, str]) -> dict[str, Any]:
        """The required arguments, with own ids where needed."""
        return {
            name: minimal(one.type, own, _hint(self.name, name))
            for name, one in self.definition.args.items()
            if isinstance(one.type, GraphQLNonNull) and not _defaulted(one)
        }

    def places(self, kind: str) -> Iterator[Path]:
        """Every position in the arguments with that scalar. Each filter type is walked once."""
        seen: set[str] = set()
        for name, one in self.definition.args.items():
            yield from _places(one.type, (name,), kind, DEEPEST, seen)


def places_of(kind: Any, path: Path, wanted: str) -> Iterator[Path]:
    """The positions in one argument at `path`."""
    yield from _places(kind, path, wanted, DEEPEST, set())


def put(kind: Any, path: Path, value: Any, own: Mapping[str, str], hint: str) -> Any:
    """The smallest valid argument with `value` at the position."""
    return _put(kind, path, value, None, own, hint)


def selection(kind: Any) -> str:
    """The selection of an answer of that type."""
    return _selection(kind)


def _defaulted(argument: Any) -> bool:
    return argument.default_value is not Undefined


def fields(root: str) -> list[Field]:
    """The root fields of "query" or "mutation"."""
    kind = BUILT.query_type if root == "query" else BUILT.mutation_type
    assert kind is not None
    return [Field(root, name, definition) for name, definition in kind.fields.items()]


def permission(field: Field) -> str | None:
    """The permission that the field declares."""
    for directive in field.definition.ast_node.directives or ():
        if directive.name.value == "requires":
            return str(directive.arguments[0].value.value)
    return None


def filled(field: Field, path: Path, value: Any, own: Mapping[str, str]) -> dict[str, Any]:
    """The required arguments with `value` at the position."""
    variables = field.least(own)
    argument = field.definition.args[path[0]]
    variables[str(path[0])] = _put(argument.type, path[1:], value, variables.get(str(path[0])), own, str(path[0]))
    return variables


def minimal(kind: Any, own: Mapping[str, str], hint: str) -> Any:
    """The smallest valid value of a type; ids are own ids named by the hint."""
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLList):
        return [minimal(kind.of_type, own, hint)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        if kind.is_one_of:
            name = next(iter(kind.fields))
            return {name: minimal(kind.fields[name].type, own, kind.name)}
        return {
            name: minimal(one.type, own, name)
            for name, one in kind.fields.items()
            if (isinstance(one.type, GraphQLNonNull) and not _defaulted(one)) or _needed(kind, name)
        }
    if kind.name == "ID":
        return own.get(hint.removesuffix("Ref"), own["Customer"])
    return own.get(hint, "x") if kind.name == "String" else _SCALARS[kind.name]


_KINDS = (
    "SavedView", "AssignmentRule", "CustomField", "ApiKey", "Customer", "Tag", "Segment", "Company", "Agent",
    "Department", "Note", "Order",
)  # fmt: skip


def _needed(kind: Any, name: str) -> bool:
    """A create mutation needs a name, although an update does not."""
    return name == "name" and str(kind.name).endswith("Input")


def _hint(field: str, argument: str) -> str:
    """tagUpdate(id:) names a tag."""
    for name in _KINDS:
        if field.lower().startswith(name.lower()):
            return name
    return argument


def _places(kind: Any, path: Path, wanted: str, depth: int, seen: set[str]) -> Iterator[Path]:
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLList):
        yield from _places(kind.of_type, (*path, 0), wanted, depth, seen)
    elif isinstance(kind, GraphQLInputObjectType):
        if depth and kind.name not in seen:
            if kind.name.endswith("Filter") and any(map(_is_input, kind.fields.values())):
                seen.add(kind.name)
            for name, one in kind.fields.items():
                yield from _places(one.type, (*path, name), wanted, depth - 1, seen)
    elif kind.name == wanted:
        yield path


def _is_input(field: Any) -> bool:
    return isinstance(get_named_type(field.type), GraphQLInputObjectType)


def _put(kind: Any, path: Path, value: Any, held: Any, own: Mapping[str, str], hint: str) -> Any:
    kind = get_nullable_type(kind)
    if not path:
        return value
    if isinstance(kind, GraphQLList):
        return [_put(kind.of_type, path[1:], value, None, own, hint)]
    name = str(path[0])
    one = kind.fields[name]
    if kind.is_one_of:
        return {name: _put(one.type, path[1:], value, None, own, name)}
    least = held if isinstance(held, dict) else minimal(kind, own, hint)
    return {**least, name: _put(one.type, path[1:], value, least.get(name), own, name)}


def _selection(kind: Any, depth: int = 2) -> str:
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLUnionType):
        return "{ __typename }"
    assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType)
    parts = ["__typename"]
    for name, field in named.fields.items():
        if any(isinstance(one.type, GraphQLNonNull) and not _defaulted(one) for one in field.args.values()):
            continue
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            parts.append(name)
        elif depth:
            parts.append(f"{name} {_selection(field.type, 0 if depth == 1 else depth - 1)}")
    return "{ " + " ".join(parts) + " }"
